from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from core.errors import StoppedError, UnusableCheckpointError
from core.files import hash_of, open_ordinary, readable, remove, write_atomically
from core.labels import exporting
from core.labels.photos import content_of
from core.models.sources.checkpoint.stored import CheckpointFile

unix = pytest.mark.skipif(sys.platform == "win32", reason="files of Unix")


@unix
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to a pipe", "kernel's log"])
def test_what_could_block_for_ever_is_refused(kind: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    paths = {
        "pipe": pipe,
        "device": Path("/dev/zero"),
        "folder": tmp_path,
        "link to a pipe": tmp_path / "link",
        "kernel's log": Path("/dev/kmsg"),
    }
    with pytest.raises(OSError, match=r".") as refused:
        open_ordinary(paths[kind])
    assert refused.value.errno in (errno.ENOTSUP, errno.EISDIR, errno.ENOENT)
    with pytest.raises(UnusableCheckpointError):
        CheckpointFile(paths[kind])


@pytest.mark.skipif(sys.platform != "linux", reason="files of Linux")
@pytest.mark.parametrize("path", ["/proc/self/pagemap", "/proc/self/maps", "/proc/kmsg"])
def test_files_of_the_system_that_never_end(path: str) -> None:
    if not Path(path).exists():
        pytest.skip("this system has none")
    with open_ordinary(Path(path)) as file:
        assert len(hash_of(file)) == 32
    from core.models.sources.checkpoint.source import inspect_checkpoint

    assert not inspect_checkpoint(Path(path)).usable


def test_hashing_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as made:
        made.truncate(200 * 10**9)
    stop = threading.Event()
    asked = 0

    def is_stopped() -> bool:
        nonlocal asked
        asked += 1
        if asked == 5:
            stop.set()
        return stop.is_set()

    with open_ordinary(path) as file, pytest.raises(StoppedError):
        hash_of(file, is_stopped)
    with CheckpointFile(path) as checkpoint, pytest.raises(StoppedError):
        checkpoint.sha256(is_stopped)
    with pytest.raises(StoppedError):
        content_of(path, is_stopped)
    assert asked == 7


@unix
def test_private_files_stay_private(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("before")
    path.chmod(0o644)
    write_atomically(path, b"after", is_private=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"after"


def test_names_for_people_hold_no_half_characters_and_no_control() -> None:
    assert readable("caf\udce9.jpg") == "caf\ufffd.jpg"
    assert readable("\x1b[2Jphoto") == "\ufffd[2Jphoto"
    for name in ("\ud800", "a\ud800\udc00", "\udcff\ud83d", "猫 é"):
        readable(name).encode()


def test_a_zero_byte_in_a_path_is_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        open_ordinary(Path("a\0b"))


@pytest.fixture
def protected_as_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no write-protected file be deleted, replaced or opened for writing, as Windows does."""
    unlink, replace, opened = Path.unlink, Path.replace, Path.open

    def refuse(path: Path) -> None:
        if path.exists() and not path.stat().st_mode & 0o200:
            raise PermissionError(errno.EACCES, "Access is denied", str(path))

    def unlink_unprotected(path: Path, *, missing_ok: bool = False) -> None:
        refuse(path)
        unlink(path, missing_ok=missing_ok)

    def replace_unprotected(path: Path, target: Path) -> Path:
        refuse(Path(target))
        return replace(path, target)

    def open_unprotected(path: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        if set(mode) & set("wa+"):
            refuse(path)
        return opened(path, mode, *given, **named)

    monkeypatch.setattr(Path, "unlink", unlink_unprotected)
    monkeypatch.setattr(Path, "replace", replace_unprotected)
    monkeypatch.setattr(Path, "open", open_unprotected)


@pytest.mark.usefixtures("protected_as_on_windows")
def test_protected_files_leave_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes(b"old")
    file.chmod(0o444)
    with pytest.raises(PermissionError):
        write_atomically(file, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]
    assert file.read_bytes() == b"old"
    other = tmp_path / "other name"
    other.hardlink_to(file)
    remove(file, other)
    assert not file.exists()
    assert other.stat().st_mode & 0o777 == 0o444


@pytest.mark.usefixtures("protected_as_on_windows")
@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("transfer", ["copy", "move"])
def test_protected_photos_are_exported_whole(
    transfer: str, has_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_links:
        monkeypatch.setattr(exporting, "_link", no_links)
    photo, folder = tmp_path / "photo.jpg", tmp_path / "cat"
    photo.write_bytes(b"its bytes")
    photo.chmod(0o444)
    folder.mkdir()
    exporting._TRANSFERS[transfer](photo, folder / "photo.jpg")  # type: ignore[index]
    assert photo.exists() is (transfer == "copy")
    assert [path.name for path in folder.iterdir()] == ["photo.jpg"]
    assert (folder / "photo.jpg").read_bytes() == b"its bytes"
    assert (folder / "photo.jpg").stat().st_mode & 0o777 == 0o444


def no_links(*_: Path) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")
