"""Every workspace and dialog fits a small screen, in a language of longer words."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QDialog,
    QDockWidget,
    QHeaderView,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

import resources
from gui.images.gallery_panel import GalleryPanel
from gui.images.viewer import PhotoViewer
from gui.inside.layer_tree import LayerTree
from gui.workspaces import titles
from tests.e2e.driver import Person, drive
from tests.e2e.faults import CONTROLS, faults, nameless, told
from tests.e2e.test_pseudo_language import DIALOGS as SAID

Steps = Generator[Callable[[], object], None, None]

SMALL = QSize(1024, 600)
DIALOGS = (*SAID, "filter_prediction", "teach_model", "taught_models", "diagnose_model")

pytestmark = pytest.mark.usefixtures("pseudo")


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
        found.extend(f"{place}: {fault}" for fault in (*faults(window, SMALL), *nameless(window)))

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        yield from visited(person, look)

    samples = [str(resources.path(f"samples/{name}")) for name in ("coffee.png", "china.jpg")]
    assert drive(samples, script) == 0
    assert sorted(set(found)) == []


def test_tab_reaches_everything_and_leaves_everything() -> None:
    """From the photos round through all that can be used, and back to them."""

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        window = person.window
        for name in titles():
            person.choose(f"workspace_{name}")
            yield lambda: True
            if name == "inside":
                yield lambda: person.see(LayerTree).layer is not None
            tabs = ("maps", "block", "evidence", "compare", "table") if name == "inside" else ("",)
            for tab in tabs:
                if tab:
                    person.choose(f"inside_{tab}")
                yield lambda: True
                start = person.see(GalleryPanel).view
                start.setFocus()
                met = [start]
                while len(met) == 1 or met[-1] is not start:
                    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
                    met.append(QApplication.focusWidget())
                    assert len(met) < 300, f"{name} {tab}: {met[-4:]}"
                missed = [told(one) for one in usable(window) if one not in met]
                assert missed == [], f"{name} {tab}: {[told(one) for one in met]}"
                assert person.see(PhotoViewer).canvas._map.isNull()  # nobody has chosen one

    samples = [str(resources.path(f"samples/{name}")) for name in ("coffee.png", "china.jpg")]
    assert drive(samples, script) == 0


def usable(window: QWidget) -> list[QWidget]:
    """Return what can be seen, used, and reached by Tab in principle."""
    return [
        one
        for one in window.findChildren(QWidget)
        if isinstance(one, CONTROLS)
        and one.isVisible()
        and one.isEnabled()
        and not isinstance(one, QScrollBar | QHeaderView)
        and not isinstance(one.parentWidget(), QDockWidget | QAbstractSpinBox | QLineEdit | QTabBar)
    ]
