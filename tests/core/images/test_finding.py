from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.images.finding import PassedOver, find_images, looks_like_image


def names_below(*paths: Path) -> list[str]:
    problems: list[str] = []
    found = [path.name for path in find_images(paths, problems.append)]
    assert problems == []
    return found


def test_natural_order_and_folders_to_their_bottom(make_photo: Callable[..., Path]) -> None:
    for name in ("img10.png", "img2.png", "IMG1.png", "b/img3.png", "a/deep/img4.png"):
        make_photo(name)
    root = make_photo("img20.png").parent
    assert names_below(root) == [
        "IMG1.png",
        "img2.png",
        "img10.png",
        "img20.png",
        "img4.png",
        "img3.png",
    ]


def test_the_given_order_is_kept(make_photo: Callable[..., Path]) -> None:
    assert names_below(make_photo("b.png"), make_photo("a.png")) == ["b.png", "a.png"]


def test_content_counts_where_the_ending_does_not(make_photo: Callable[..., Path]) -> None:
    photo = make_photo("photo.jpg")
    photo.rename(photo.with_name("photo.dat"))
    photo.with_name("notes.txt").write_text("no photo")
    photo.with_name(".hidden.jpg").write_bytes(b"\xff\xd8\xff")
    assert names_below(photo.parent) == ["photo.dat"]


def test_a_path_named_by_itself_is_always_yielded(tmp_path: Path) -> None:
    assert names_below(tmp_path / "gone.txt") == ["gone.txt"]


def test_symlink_loops_end(make_photo: Callable[..., Path]) -> None:
    photo = make_photo("folder/photo.png")
    (photo.parent / "loop").symlink_to(photo.parent.parent, target_is_directory=True)
    (photo.parent.parent / "again").symlink_to(photo.parent, target_is_directory=True)
    assert names_below(photo.parent.parent) == ["photo.png"]


def test_a_link_to_itself_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to(tmp_path / "self")
    assert names_below(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_folder_without_permission_is_a_problem_not_the_end(
    make_photo: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = make_photo("closed/secret.png").parent
    make_photo("open/photo.png")
    scan = os.scandir

    def refuse(path: str) -> object:  # root may read everything, so the refusal is staged
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr("core.images.finding.os.scandir", refuse)
    problems: list[str] = []
    found = [path.name for path in find_images([closed.parent], problems.append)]
    assert found == ["photo.png"]
    assert problems == [
        f"The folder {closed} could not be opened: you have no permission to read it."
    ]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png")).touch()
    except OSError:
        pytest.skip("the file system takes only text")
    assert len(names_below(tmp_path)) == 1


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"\xff\xd8\xff\xe0", True),
        (b"RIFF\0\0\0\0WEBPVP8 ", True),
        (b"\0\0\0\x18ftypheic", True),
        (b"\0\0\0\x18ftypmp42", False),
        (b"RIFF\0\0\0\0WAVE", False),
        (b"", False),
        (b"hello", False),
    ],
)
def test_first_bytes(start: bytes, expected: bool) -> None:
    assert looks_like_image(start) is expected


def names_and_passed_over(*paths: Path) -> tuple[list[str], str]:
    passed_over = PassedOver()
    found = [path.name for path in find_images(paths, pytest.fail, passed_over=passed_over)]
    return found, passed_over.sentence()


@pytest.mark.parametrize("raw", ["NEF", "cr3", "Dng", "RAF"])
@pytest.mark.parametrize("developed", ["JPG", "jpeg", "heic"])
def test_a_raw_photo_and_its_jpeg_are_one_photo(
    make_photo: Callable[..., Path], raw: str, developed: str
) -> None:
    photo = make_photo("a/IMG_1.jpg")
    photo = photo.rename(photo.with_name(f"IMG_1.{developed}"))
    photo.with_name(f"img_1.{raw}").write_bytes(b"II*\0")
    photo.with_name(f"IMG_2.{raw}").write_bytes(b"II*\0")
    expected = [photo.name, f"IMG_2.{raw}"]
    said = "RAW photos that share a row with the JPEG beside them: 1."
    assert names_and_passed_over(photo.parent) == (expected, said)
    files = [photo.with_name(f"img_1.{raw}"), photo]
    assert names_and_passed_over(*files) == ([photo.name], said)
    assert names_and_passed_over(files[0]) == ([files[0].name], "")


def test_kinds_that_are_passed_over_are_counted_and_named(make_photo: Callable[..., Path]) -> None:
    photo = make_photo("photo.jpg")
    for name in ("a.xcf", "b.XCF", "c.exr", "film.MOV", "notes.txt", "ride.fit", ".hidden.svg"):
        photo.with_name(name).write_bytes(b"something")
    assert names_and_passed_over(photo.parent) == (
        ["photo.jpg"],
        "Passed over, since Droplens does not read them: 1 EXR, 1 MOV, 2 XCF.",
    )


def test_what_a_mac_packs_along_is_no_photo(make_photo: Callable[..., Path]) -> None:
    photo = make_photo("set/photo.jpg")
    (photo.parent / "__MACOSX").mkdir()
    (photo.parent / "__MACOSX" / "photo.jpg").write_bytes(b"\0\5\x16\7")
    assert names_below(photo.parent) == ["photo.jpg"]


def test_raw_photos_are_not_told_of_before_their_jpeg_is_known(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.nef").write_bytes(b"II*\0")
        (tmp_path / f"{number}.jpg").write_bytes(b"\xff\xd8\xff")
    early: list[Path] = []
    found = list(find_images([tmp_path], pytest.fail, on_early=early.extend))
    assert len(found) == 300
    assert set(early) <= set(found)
