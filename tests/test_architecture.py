"""The dependency rule, checked where it counts: in a fresh interpreter."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.models.families import BY_NAME, FAMILIES

ROOT = Path(__file__).parent.parent

_LONGEST_FILE = 400
_LONGEST_FUNCTION = 50


def run(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def modules_of(folder: str) -> list[str]:
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    ]


def imports_of(path: Path) -> set[str]:
    """Return what a file imports, inside its functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return found


def files_of(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def offenders(folder: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(folder)
        for name in imports_of(path)
        if any(name == one or name.startswith(f"{one}.") for one in forbidden)
    ]


def test_all_of_core_works_with_qt_blocked() -> None:
    imports = "\n".join(f"import {name}" for name in modules_of("core"))
    run(
        "import sys\n"
        "for name in ('PySide6', 'shiboken6', 'gui'): sys.modules[name] = None\n"
        f"{imports}\n"
        "import core.__main__\n"
    )


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("core", ("gui", "PySide6", "shiboken6")),
        ("gui", ("torch", "torchvision")),
        ("core/images", ("core.inference", "core.inside")),
        ("core/models", ("core.inference", "core.inside")),
        ("core/inference", ("core.inside", "core.labels")),
        ("core/inside", ("core.labels", "core.checks")),
        ("core/labels", ("core.inside", "core.checks")),
        ("core/work", ("core.images", "core.models", "core.inference", "core.labels")),
        ("core", ("build_scripts", "tests")),
        ("gui", ("build_scripts", "tests")),
    ],
)
def test_nobody_imports_what_lies_the_wrong_way(folder: str, forbidden: tuple[str, ...]) -> None:
    assert offenders(folder, forbidden) == []


def test_the_window_stands_without_torch() -> None:
    run(
        "import os, sys\n"
        "os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "from pathlib import Path\n"
        "from PySide6.QtWidgets import QApplication\n"
        "import gui.app, gui.start\n"
        "from core.settings import Settings\n"
        "application = QApplication([])\n"
        "window = gui.start.MainWindow()\n"
        "window.show()\n"
        "made = gui.app.Droplens(window, Settings(), Path('none.json'))\n"
        "application.processEvents()\n"
        "heavy = {'torch', 'torchvision', 'numpy', 'PIL'} & set(sys.modules)\n"
        "made.tasks.shut_down()\n"
        "assert not heavy, heavy\n"
    )


def test_the_top_level_is_the_house() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    folders = {name.split("/")[0] for name in tracked.stdout.splitlines() if "/" in name}
    house = {"core", "gui", "resources", "tests", "build_scripts", "docs", ".ci", ".github"}
    assert folders <= house


def rooms(folder: str) -> set[str]:
    return {path.parent.name for path in (ROOT / folder).glob("*/room.py")}


def test_each_gui_room_has_a_core_room_of_its_name() -> None:
    below = {path.parent.name for path in (ROOT / "core").glob("*/__init__.py")}
    assert rooms("gui") <= below
    assert len(rooms("gui")) >= 5


@pytest.mark.parametrize("room", sorted(rooms("gui")))
def test_rooms_of_the_window_do_not_import_each_other(room: str) -> None:
    others = tuple(f"gui.{other}" for other in rooms("gui") - {room})
    assert offenders(f"gui/{room}", others) == []


def test_only_one_file_of_the_window_knows_threads() -> None:
    found = offenders("gui", ("threading", "concurrent", "queue", "multiprocessing", "asyncio"))
    found += offenders("gui", ("PySide6.QtConcurrent",))
    assert {line.split(" ")[0] for line in found} == {"gui/tasks.py"}
    names = ("QThread", "QThreadPool", "QRunnable")
    texts = {path: path.read_text(encoding="utf-8") for path in files_of("gui")}
    assert [path for path, text in texts.items() if any(name in text for name in names)] == []


def test_files_and_functions_are_short() -> None:
    long = []
    for path in [*files_of("core"), *files_of("gui")]:
        text = path.read_text(encoding="utf-8")
        name, lines = path.relative_to(ROOT).as_posix(), text.count("\n")
        if lines > _LONGEST_FILE:
            long.append(f"{name}: {lines} lines")
        long += [
            f"{name}: {node.name} has {node.end_lineno - node.lineno + 1}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef)
            and (node.end_lineno or 0) - node.lineno >= _LONGEST_FUNCTION
        ]
    assert long == []
    assert (ROOT / "gui/app.py").read_text(encoding="utf-8").count("\n") < 150


_OTHERS_OF_THE_NAME = {"VGG Image Annotator", "yolo", "YOLO classification"}
"""A program for labelling by the same group, and a format of labels."""


def test_no_string_outside_its_module_names_a_family() -> None:
    names = {re.match(r"[a-z]+", name)[0] for name in BY_NAME} - {"wide", "tf"}  # type: ignore[index]
    names |= {family.module for family in FAMILIES}
    names |= {re.match(r"[a-z]+", name)[0] for name in names} - {"vision"}  # type: ignore[index]
    a_family = re.compile(rf"(?<![a-z])({'|'.join(sorted(names))})", re.IGNORECASE)
    assert a_family.search("layers of a ResNet")
    found = []
    for path in [*files_of("core"), *files_of("gui")]:
        if path.parent == ROOT / "core/models/families":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found += [
            f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
            and node.value not in _OTHERS_OF_THE_NAME
            and a_family.search(node.value)
        ]
    assert found == []


_MOST_SIGNALS = 90


def test_signals_are_few() -> None:
    """What is only passed on needs none of its own."""
    found = [
        line
        for path in files_of("gui")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"^ +\w+ = Signal\(", line)
    ]
    assert len(found) <= _MOST_SIGNALS
