"""Which panels stand where, and whether a small screen is enough for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication, QDockWidget
from pytestqt.qtbot import QtBot

from core.settings import Settings
from gui.app import Droplens
from gui.images.viewer import PhotoViewer
from gui.main_window import MainWindow
from gui.workspaces import titles
from tests.gui.conftest import ready

SMALL = QRect(0, 0, 1024, 600)


@pytest.fixture
def filled(droplens: Droplens) -> Droplens:
    droplens.window.resize(SMALL.size())
    droplens.window.show()
    droplens.session.add_photos([Path("/a.jpg"), Path("/b.jpg")])
    return droplens


def shown(window: MainWindow) -> set[str]:
    docks = window.findChildren(QDockWidget)
    return {dock.objectName() for dock in docks if dock.isVisible()}


def test_each_workspace_shows_its_panels(filled: Droplens) -> None:
    assert shown(filled.window) == {"gallery", "predictions"}
    panels = [panel for room in filled.rooms for panel in room.panels()]
    for name in titles():
        filled.window.actions_table[f"workspace_{name}"].trigger()
        assert filled.window.workspaces.current == name
        assert shown(filled.window) == {one.name for one in panels if name in one.shares}


@pytest.mark.parametrize("name", list(titles()))
def test_a_small_screen_is_enough(filled: Droplens, name: str) -> None:
    window = filled.window
    filled.session.use_model(ready())
    window.workspaces.choose(name)
    least = window.minimumSizeHint()
    assert least.width() <= SMALL.width()
    assert least.height() <= SMALL.height()
    assert window.size() == SMALL.size()


def test_a_workspace_is_left_as_it_was_arranged(filled: Droplens, qtbot: QtBot) -> None:
    window = filled.window
    labels = window.findChild(QDockWidget, "labels")
    labels.toggleViewAction().trigger()
    assert shown(window) == {"gallery", "predictions", "labels"}
    window.workspaces.choose("inside")
    window.workspaces.choose("classify")
    assert shown(window) == {"gallery", "predictions", "labels"}
    left = window.left_as()
    again = MainWindow(str(left["window_geometry"]), str(left["workspace"]), left["layouts"])  # type: ignore[arg-type]
    qtbot.addWidget(again)
    assert again.workspaces.current == "classify"
    assert again.workspaces.left_as() == left["layouts"]
    window.actions_table["reset_layout"].trigger()
    assert shown(window) == {"gallery", "predictions"}


def test_the_model_is_one_line_that_unfolds(filled: Droplens) -> None:
    window = filled.window
    filled.session.use_model(ready())
    window.model_bar.show_model(ready(), [])
    summary = window.workspaces.summary
    assert "2 classes" in summary.accessibleName()
    assert not window.model_bar.isVisible()
    summary.click()
    assert window.model_bar.isVisible()
    window.workspaces.choose("check")
    assert window.model_bar.isVisible()
    summary.click()
    assert not window.model_bar.isVisible()


def test_a_window_of_a_larger_screen_stays_on_this_one(qtbot: QtBot) -> None:
    large = MainWindow()
    qtbot.addWidget(large)
    large.setGeometry(300, 200, 5000, 4000)
    window = MainWindow(str(large.left_as()["window_geometry"]))
    qtbot.addWidget(window)
    screen = window.screen().availableGeometry()
    assert screen.contains(QRect(window.pos(), window.size()))


def test_settings_that_name_no_workspace_are_passed_over(qtbot: QtBot) -> None:
    assert Settings().layouts == {}
    window = MainWindow("", "kitchen", {"kitchen": "x"})
    qtbot.addWidget(window)
    assert window.workspaces.current == "classify"


def test_panels_of_their_workspace_alone_cannot_be_closed(filled: Droplens) -> None:
    for dock in filled.window.findChildren(QDockWidget):
        closable = bool(dock.features() & QDockWidget.DockWidgetFeature.DockWidgetClosable)
        assert closable == (dock.objectName() not in ("teach", "check"))


def test_what_is_about_a_panel_shows_it(filled: Droplens) -> None:
    window = filled.window
    window.actions_table["choose_layer"].trigger()
    assert window.workspaces.current == "inside"
    window.actions_table["focus_classes"].trigger()
    assert window.workspaces.current == "label"


def test_a_list_that_is_emptied_in_full_screen_shows_no_panels(filled: Droplens) -> None:
    window = filled.window
    window.actions_table["label_full_screen"].trigger()
    assert shown(window) == {"labels"}
    filled.session.remove_photos([Path("/a.jpg"), Path("/b.jpg")])
    assert shown(window) == set()
    window.escape()
    assert shown(window) == set()
    filled.session.add_photos([Path("/c.jpg")])
    assert shown(window) == {"gallery", "predictions"}


def test_reset_brings_panels_back_to_their_side(filled: Droplens) -> None:
    window = filled.window
    dock = window.findChild(QDockWidget, "predictions")
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.actions_table["reset_layout"].trigger()
    assert window.dockWidgetArea(dock) == Qt.DockWidgetArea.RightDockWidgetArea


def test_a_long_name_makes_no_window_wider(filled: Droplens) -> None:
    viewer = filled.window.findChild(PhotoViewer)
    before = viewer.minimumSizeHint().width()
    viewer.announce("a name that is longer than any window " * 9 + ".jpg")
    QApplication.processEvents()
    assert viewer.minimumSizeHint().width() == before
    assert filled.window.size() == SMALL.size()
