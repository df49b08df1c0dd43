"""What belongs to the window itself: appearance, full screen, Escape, help."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from core.language import tr
from core.versions import FindNewestVersion, NewestVersion
from gui import theme
from gui.actions import Action
from gui.help import check_installation, show_about, show_keys
from gui.room import Room
from gui.workspaces import titles

if TYPE_CHECKING:
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_FULL_SCREENS = ("label_full_screen", "full_screen")


class Shell(Room):
    """Does what is about no room alone."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        tasks.failed.connect(window.reporter.report)
        tasks.noticed.connect(window.reporter.say)
        window.paths_dropped.connect(session.give)
        session.list_changed.connect(self._follow_list)
        session.model_changed.connect(window.actions_table.refresh)
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._follow_scheme)
        hints.accessibility().contrastPreferenceChanged.connect(self._follow_scheme)

    def actions(self) -> list[Action]:
        return [*self._workspace_actions(), *self._window_actions()]

    def _workspace_actions(self) -> list[Action]:
        strip = self.window.workspaces
        return [
            *(
                Action(
                    f"workspace_{name}", title, partial(strip.choose, name),
                    "view", 0, f"Ctrl+{at}",
                )
                for at, (name, title) in enumerate(titles().items(), 1)
            ),
            Action(
                "reset_layout", tr("Reset la&yout"), strip.reset, "view", 0,
                "Ctrl+Alt+0",
            ),
        ]  # fmt: skip

    def _window_actions(self) -> list[Action]:
        window, reporter = self.window, self.window.reporter
        schemes = (
            ("system", tr("&System colours"), "Ctrl+Alt+1"),
            ("light", tr("&Light colours"), "Ctrl+Alt+2"),
            ("dark", tr("&Dark colours"), "Ctrl+Alt+3"),
            ("contrast", tr("&High contrast"), "Ctrl+Alt+6"),
        )
        return [
            Action("quit", tr("&Quit"), window.close, "file", 9, "Ctrl+Q"),
            Action(
                "stop", tr("&Stop"), window.escape, "model", 3, "Esc", "circle-stop",
            ),
            *(
                Action(
                    f"appearance_{name}", text, partial(self._set_appearance, name), "view", 4,
                    key, checked=name == self.session.settings.appearance, choice="appearance",
                    submenu=tr("Appea&rance"),
                )
                for name, text, key in schemes
            ),
            Action(
                "full_screen", tr("F&ull screen"), self._set_full_screen, "view", 4, "F11",
                checked=False,
            ),
            Action(
                "show_keys", tr("&Keys"), lambda: show_keys(window), "help", key="F1",
                icon="keyboard",
            ),
            Action(
                "show_problems", tr("&Problems"), reporter.show_list, "help",
                key="Ctrl+Shift+P", icon="triangle-alert",
            ),
            Action(
                "check_installation", tr("&Check this installation…"),
                lambda: check_installation(window, self.tasks), "help",
                key="Ctrl+Alt+C", icon="check-check",
            ),
            Action(
                "look_for_version", tr("Look for a new &version"), self._look_for_version, "help",
                key="Ctrl+Alt+V", icon="download",
            ),
            Action(
                "about", tr("&About Droplens"), lambda: show_about(window), "help",
                key="Shift+F1", icon="info",
            ),
        ]  # fmt: skip

    def stop(self) -> bool:
        actions = self.window.actions_table
        for name in _FULL_SCREENS:
            if actions[name].isChecked():
                actions[name].setChecked(False)
                return True
        return False

    @Slot()
    def _follow_list(self) -> None:
        """Show drop target or photos; what needs photos can be chosen only with some."""
        self.window.show_empty(not self.session.has_photos)
        self.window.actions_table.refresh()

    def _look_for_version(self) -> None:
        """Ask the project's page, only because the user wants it."""
        self.window.note(tr("Looking for a new version…"))
        self.tasks.ask(FindNewestVersion(), self._tell_version)

    def _tell_version(self, newest: NewestVersion) -> None:
        self.window.note("")
        if newest.is_newer:
            sentence = tr(
                "Droplens {version} is there; you have {own}. Download it at {page}.",
                version=newest.version,
                own=newest.own,
                page=newest.page,
            )
        else:
            sentence = tr("Droplens {own} is the newest version.", own=newest.own)
        self.window.reporter.say(sentence)

    def _set_appearance(self, appearance: str, is_on: bool) -> None:
        if is_on:
            self.session.remember(appearance=appearance)
            theme.set_appearance(appearance)
            self._follow_scheme()

    @Slot()
    def _follow_scheme(self) -> None:
        application = QCoreApplication.instance()
        assert isinstance(application, QApplication)
        theme.apply(application)
        self.window.follow_scheme()

    def _set_full_screen(self, full: bool) -> None:
        if full:
            self.window.showFullScreen()
        else:
            self.window.showNormal()
