from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.crash_reports import CrashReports, versions

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[CrashReports]:
    made = CrashReports(tmp_path / "logs", lambda: "Processor")
    made.begin()
    yield made
    made.end()


def test_a_report_says_what_a_developer_needs(reports: CrashReports, tmp_path: Path) -> None:
    logging.getLogger("test").warning("this came before")
    try:
        raise RuntimeError("unheard of")
    except RuntimeError as error:
        path = reports.write(error)
    assert path is not None
    text = path.read_text(encoding="utf-8")
    for expected in ("RuntimeError: unheard of", "device: Processor", "this came before"):
        assert expected in text
    assert all(f"{name}: {value}" in text for name, value in versions().items())


def test_it_is_offered_at_the_next_start_and_then_no_more(tmp_path: Path) -> None:
    script = (
        "import ctypes, sys; from pathlib import Path\n"
        "from core.crash_reports import CrashReports\n"
        "CrashReports(Path(sys.argv[1])).begin(); ctypes.string_at(0)"
    )
    died = subprocess.run(
        [sys.executable, "-c", script, tmp_path], cwd=ROOT, capture_output=True, check=False
    )
    assert died.returncode != 0
    again = CrashReports(tmp_path)
    again.begin()
    assert again.left_over is not None
    assert "Segmentation fault" in again.left_over.read_text() or sys.platform != "linux"
    again.note_seen()
    again.end()
    third = CrashReports(tmp_path)
    third.begin()
    assert third.left_over is None
    third.end()


def test_a_proper_end_leaves_only_the_log(tmp_path: Path) -> None:
    made = CrashReports(tmp_path)
    made.begin()
    made.end()
    assert [one.name for one in tmp_path.iterdir()] == ["droplens.log"]


def test_logs_rotate_and_reports_are_few(reports: CrashReports, tmp_path: Path) -> None:
    log = logging.getLogger("test")
    for _ in range(30):
        log.warning("x" * 100_000)
    folder = tmp_path / "logs"
    logs = [one for one in folder.iterdir() if one.name.startswith("droplens.log")]
    assert len(logs) == 3
    assert sum(one.stat().st_size for one in logs) < 2 * 2**20
    for day in range(1, 25):
        (folder / f"crash 2001-01-{day:02} 00.00.00.txt").write_text("")
    reports.write(ValueError("new"))
    assert len(list(folder.glob("crash *.txt"))) == 10


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    made = CrashReports(tmp_path / "file")
    made.begin()
    assert made.write(ValueError("new")) is None
    made.end()


def test_errors_of_threads_are_reported(
    reports: CrashReports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _, error, __: told.append(error))

    def fail() -> None:
        raise LookupError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert isinstance(told[0], LookupError)
    assert list((tmp_path / "logs").glob("crash *.txt"))


def test_logs_and_reports_are_the_users_own_and_say_what_they_hold(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o755)
    (folder / "crash 2020-01-01 00.00.00.txt").write_text("of an earlier version")
    reports = CrashReports(folder)
    reports.begin()
    path = reports.write(ValueError("x"))
    assert path is not None
    assert "names photos, checkpoints and folders" in path.read_text()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    reports.end()


OVERFLOWING = """
import sys, threading
from pathlib import Path
from core.crash_reports import CrashReports
from core.threads import yield_to_window

def overflow():
    yield_to_window()
    nested = ()
    for _ in range(1_000_000):
        nested = (nested,)
    hash(nested)

CrashReports(Path(sys.argv[1])).begin()
thread = threading.Thread(target=overflow)
thread.start()
thread.join()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps such a stack by itself")
def test_an_overflow_in_a_worker_leaves_a_report(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OVERFLOWING, str(tmp_path)]
    assert subprocess.run(command, check=False, capture_output=True).returncode < 0
    again = CrashReports(tmp_path)
    again.begin()
    assert again.left_over is not None
    assert "in overflow" in again.left_over.read_text()
    again.end()
