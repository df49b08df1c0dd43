from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from core.errors import StoppedError, UnusableCheckpointError
from core.files import hash_of, open_ordinary, readable, write_atomically
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
