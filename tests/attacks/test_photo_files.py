"""Photos: no other program is started for them, and none takes more than 10 s and 1 GB."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.images.budget import ByteBudget
from tests.attacks.measuring import ROOT, Measuring
from tests.attacks.photo_files import LARGE, PROGRAMS, SOUND
from tests.attacks.tracing import traced


@pytest.fixture(scope="module")
def measuring() -> Iterator[Measuring]:
    with Measuring("tests.attacks.measuring:decode") as one:
        yield one


SHORT = (
    *("3,000 scans", "2,000,000 strips", "800 segments of Exif", "grey of 16 bits"),
    *("3,000,000 texts", "PNG of an app", "QOI", "DDS"),
    *("JPEG that lies on its side", "animated WebP", "HEIF", "icon larger than it says"),
)
"""One of each kind; the others are tried by ``python -m tests.attacks photo-files``."""


@pytest.mark.parametrize("name", SHORT)
def test_small_files_that_are_large_in_memory(
    name: str, measuring: Measuring, tmp_path: Path
) -> None:
    path = tmp_path / "large"
    LARGE[name](path)
    measured = measuring.run(path)
    path.unlink()
    assert measured.is_harmless, measured


@pytest.mark.parametrize("name", SOUND)
def test_large_photos_open(name: str, measuring: Measuring, tmp_path: Path) -> None:
    SOUND[name](tmp_path / "large")
    measured = measuring.run(tmp_path / "large")
    (tmp_path / "large").unlink()
    assert measured.is_harmless, measured
    assert measured.answer.startswith("decoded"), measured


def test_no_photo_starts_a_program(tmp_path: Path) -> None:
    for number, (name, content) in enumerate(PROGRAMS.values()):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / name).write_bytes(content)
    files = [os.fspath(path) for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    command = [sys.executable, "-m", "core", "classify", *files, "--json", os.devnull]
    calls, done = traced(command, ["execve", "execveat"], tmp_path)
    assert done.returncode == 1  # none is a photo
    assert len(calls) == 1, calls  # of the interpreter itself


def test_photos_that_do_not_fit_together_wait_for_each_other() -> None:
    budget = ByteBudget(100)
    begun, may_end, order = threading.Event(), threading.Event(), []

    def first() -> None:
        with budget.holding(60):
            begun.set()
            may_end.wait()
            order.append("first")

    def second() -> None:
        with budget.holding(60):
            order.append("second")

    threads = [threading.Thread(target=one) for one in (first, second)]
    threads[0].start()
    begun.wait()
    threads[1].start()
    may_end.set()
    for thread in threads:
        thread.join()
    assert order == ["first", "second"]
    with budget.holding(100):
        pass


CRASHING = """
import os, sys
from pathlib import Path
from PIL import Image, ImageFile
from core.images import decoding, journal

class Crashing(ImageFile.ImageFile):
    format = "CRASHING"

    def _open(self):
        if not self.fp.read(8) == b"crashing":
            raise SyntaxError
        self._mode, self._size = "RGB", (8, 8)

    def load(self):
        os.abort()

Image.register_open("CRASHING", Crashing)
decoding.FORMATS = (*decoding.FORMATS, "CRASHING")

if __name__ == "__main__":
    notes = journal.begin(Path(sys.argv[1]))
    for path in sys.argv[2:]:
        try:
            decoding.read_photo(Path(path))
            print("opened")
        except decoding.UnreadableImageError as error:
            print(error.reason)
    notes.end()
"""
"""A program with a decoder that breaks, as decoders in C have done."""


def test_a_photo_that_ends_the_program_is_left_out_at_the_next_start(tmp_path: Path) -> None:
    program, photo, good = (tmp_path / name for name in ("program.py", "photo.jpg", "good.png"))
    program.write_text(CRASHING)
    photo.write_bytes(b"crashing")
    good.write_bytes((ROOT / "resources/samples/chelsea.png").read_bytes())

    def start() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(program), str(tmp_path / "notes"), str(photo), str(good)]
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert start().returncode < 0
    for _ in range(3):  # and stays out, without being tried again
        again = start()
        assert again.returncode == 0
        assert "left out" in again.stdout.splitlines()[0]
        assert again.stdout.splitlines()[1] == "opened"
    photo.write_bytes(good.read_bytes())  # another photo under its name is another photo
    assert start().stdout.splitlines() == ["opened", "opened"]


def test_a_photo_that_was_open_as_the_program_was_killed_is_not_left_out(tmp_path: Path) -> None:
    from core.images.journal import Journal

    photo = tmp_path / "photo.png"
    photo.write_bytes((ROOT / "resources/samples/chelsea.png").read_bytes())
    notes = tmp_path / "notes"
    killed = Journal(notes)
    with killed.noting(photo):
        (notes / "kept").write_bytes((notes / "opening").read_bytes())
    killed.end()
    (notes / "kept").replace(notes / "opening")
    after = Journal(notes)
    with after.noting(photo):  # tried in a process of its own, and found to be harmless
        pass
    after.end()


def test_a_path_that_is_no_name_costs_the_journal_nothing(tmp_path: Path) -> None:
    from core.images.journal import Journal

    journal = Journal(tmp_path / "notes")
    for _ in range(100):
        with pytest.raises(UnicodeEncodeError), journal.noting(Path("\ud800.jpg")):
            pass
    with journal.noting(tmp_path / "photo.jpg"):
        assert b"photo.jpg" in (tmp_path / "notes" / "opening").read_bytes()
    journal.end()
