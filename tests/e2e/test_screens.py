"""Every workspace and dialog fits a small screen, in a language of longer words."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QDialog, QWidget

import resources
from core import language
from gui.inside.layer_tree import LayerTree
from gui.workspaces import titles
from tests.e2e.driver import Person, drive
from tests.e2e.faults import faults, nameless

Steps = Generator[Callable[[], object], None, None]

SMALL = QSize(1024, 600)
DIALOGS = (
    "name_classes",
    "edit_preprocessing",
    "show_details",
    "open_weights",
    "edit_classes",
    "label_statistics",
    "export_labels",
    "show_keys",
    "show_problems",
    "check_installation",
    "about",
    "choose_architecture",
    "filter_prediction",
    "teach_model",
    "taught_models",
    "diagnose_model",
)


@pytest.fixture(autouse=True)
def pseudo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DROPLENS_LANGUAGE", "pseudo")
    yield
    language.use(language.English())


def visited(person: Person, look: Callable[[str, QWidget], Any], size: QSize = SMALL) -> Steps:
    """Go through all workspaces, tabs and dialogs, and look at each."""
    window = person.window
    window.resize(size)
    for name in titles():
        person.choose(f"workspace_{name}")
        yield lambda: True
        if name == "inside":
            yield lambda: person.see(LayerTree).layer is not None
        yield lambda: True  # what is laid out may be laid out once more
        if name == "inside":
            for tab in ("maps", "block", "evidence", "compare", "table"):
                person.choose(f"inside_{tab}")
                yield lambda: True
                look(f"inside {tab}", window)
        look(name, window)
    person.choose("workspace_classify")
    for name in DIALOGS:
        before = shown()
        person.choose(name)
        yield lambda before=before: shown() - before
        for dialog in shown() - before:
            yield lambda: True
            look(name, dialog)
            assert dialog.height() <= size.height(), name
            assert dialog.minimumSizeHint().height() <= size.height() - 40, name
            dialog.close()
            if isinstance(dialog, QDialog):  # a popup is used again
                dialog.deleteLater()
        yield lambda: True


def shown() -> set[QWidget]:
    """Return the windows and popups that are seen."""
    tops = (top for top in QApplication.topLevelWidgets() if top.isVisible())
    return {top for top in tops if top.windowType() != Qt.WindowType.ToolTip}


def test_nothing_is_cut_and_nothing_is_nameless() -> None:
    found: list[str] = []

    def look(place: str, window: QWidget) -> None:
        found.extend(f"{place}: {fault}" for fault in (*faults(window), *nameless(window)))

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        yield from visited(person, look)

    samples = [str(resources.path(f"samples/{name}")) for name in ("coffee.png", "china.jpg")]
    assert drive(samples, script) == 0
    assert sorted(set(found)) == []
