from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core import settings as settings_file
from core.errors import SettingsError
from core.files import write_atomically
from core.settings import Settings


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "Jörg 张伟" / "settings.json"
    saved = Settings(
        checkpoint="/m/猫 \udcff.pth", recent_checkpoints=["a", "b"], overlay_opacity=3
    )
    settings_file.save(saved, path)
    assert settings_file.load(path) == saved


def test_a_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    assert settings_file.load(tmp_path / "none.json") == Settings()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""])
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert settings_file.load(path) == Settings()
    assert (tmp_path / "settings.damaged.json").read_bytes() == content
    assert not path.exists()


def test_values_of_a_wrong_type_keep_their_default(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    strange = {"device": 3, "recent_checkpoints": [1], "overlay_opacity": True, "unknown": 1}
    path.write_text(json.dumps({**strange, "checkpoint": "kept"}))
    assert settings_file.load(path) == Settings(checkpoint="kept")
    path.write_text("[]")
    assert settings_file.load(path) == Settings()


def test_no_room_is_said_and_the_earlier_settings_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.json"
    settings_file.save(Settings(device="cpu"), path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="the disk is full"):
        settings_file.save(Settings(device="cuda"), path)
    assert settings_file.load(path).device == "cpu"
    assert [one.name for one in tmp_path.iterdir()] == ["settings.json"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="could not be written"):
        settings_file.save(Settings(), tmp_path / "file" / "settings.json")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_files_get_the_usual_mode(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    write_atomically(path, b"x")
    (tmp_path / "other.txt").write_bytes(b"x")
    assert path.stat().st_mode == (tmp_path / "other.txt").stat().st_mode
    path.chmod(0o600)
    write_atomically(path, b"y")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")
def test_links_are_followed_and_special_files_are_not_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    null = tmp_path / "null"
    null.symlink_to(os.devnull)
    write_atomically(null, b"gone")
    assert null.is_symlink()
    assert not Path(os.devnull).is_file()


def test_a_long_name_of_another_alphabet(tmp_path: Path) -> None:
    path = tmp_path / ("猫" * 83 + ".csv")
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, "{" + '"a":{' * 50_000, "9" * 5_000, "\ud800"],
    ids=["deep", "deeper", "digits", "half a character"],
)
def test_whatever_stands_there_the_program_starts(content: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert settings_file.load(path) == Settings()


@pytest.mark.parametrize(
    "value", ['"inside_megabytes": -1', '"inside_megabytes": 1e9', '"overlay_opacity": 101']
)
def test_values_beyond_what_they_can_be_are_passed_over(value: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(f"{{{value}}}")
    assert settings_file.load(path) == Settings()


def test_settings_are_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "Droplens" / "settings.json"
    settings_file.save(Settings(), path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
