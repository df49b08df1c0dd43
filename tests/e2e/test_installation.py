"""What concerns the installed program: one window, its own check, its version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import resources
from gui.about_dialog import AboutDialog
from gui.installation_dialog import InstallationDialog
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]
ROOT = Path(__file__).resolve().parents[2]
SAMPLES = resources.path("samples")


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gui", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=pipe, stderr=pipe, text=True)


def test_the_smoke_test_says_one_line_of_json(home: Path) -> None:
    done = start("--smoke-test")
    out, err = done.communicate(timeout=180)
    assert done.returncode == 0, err
    (line,) = out.splitlines()
    found = json.loads(line)
    assert found["ok"]
    assert len(found["checks"]) == 14
    assert found["versions"]["torch"].startswith("2.")
    assert not (home / "Droplens").exists()  # nothing of the user's was touched


def test_the_version() -> None:
    done = start("--version")
    out, _ = done.communicate(timeout=60)
    assert out.startswith("droplens 0.")


def test_help_needs_no_screen() -> None:
    done = start("--help")
    out, _ = done.communicate(timeout=60)
    assert out.startswith("usage: droplens [PATH…]")


def test_a_second_start_hands_its_paths_over() -> None:
    second: list[subprocess.Popen[str]] = []

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        second.append(start(SAMPLES / "china.jpg"))
        yield lambda: person.all_classified(2)
        yield lambda: second[0].poll() == 0
        assert person.rows()[1].name == "china.jpg"

    assert drive([str(SAMPLES / "coffee.png")], script) == 0
    second[0].communicate()


def test_help_checks_the_installation_and_names_the_licences() -> None:
    def script(person: Person) -> Steps:
        person.choose("check_installation")
        yield lambda: person.window.findChildren(InstallationDialog)
        dialog = person.see(InstallationDialog)
        yield lambda: dialog.is_done
        assert "✗" not in dialog.text
        assert dialog.text.count("✓") == 9
        dialog.reject()
        person.choose("about")
        yield lambda: person.window.findChildren(AboutDialog)
        about = person.see(AboutDialog)
        assert about._list.topLevelItemCount() > 20
        assert "Permission" in about._text.toPlainText() or about._text.toPlainText()
        about.reject()

    assert drive([], script) == 0
