"""What can be chosen: the menus, and the registry of the actions that the rooms bring."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from core.language import tr
from gui import theme
from gui.widgets.plain_text import literal

MenuName = Literal["file", "model", "labels", "view", "help"]


def menu_titles() -> dict[MenuName, str]:
    """Return the titles of the menus, in their order."""
    return {
        "file": tr("&File"),
        "model": tr("&Model"),
        "labels": tr("&Labels"),
        "view": tr("&View"),
        "help": tr("&Help"),
    }


def always() -> bool:
    """Let an action be chosen at any time."""
    return True


@dataclass(frozen=True, eq=False, repr=False)  # each method made costs start-up time
class Action:
    """One thing that can be chosen, with all that is known of it.

    Attributes:
        name: unique.
        text: in the menu.
        slot: what it does; given whether it is on, where it is on or off.
        menu: where it stands.
        group: its place there; a line separates groups.
        key: in Qt's portable form; several are separated by "; ".
        icon: name of a file in resources/icons.
        short: on buttons, where it differs from the text.
        checked: whether it is on at first; None where it is not on or off.
        choice: of those that name the same choice, one is on.
        submenu: title of the menu below the menu that it stands in.
        enabled: whether it can be chosen now.
        of_photos: whether its key counts only while the photos have the focus.
    """

    name: str
    text: str
    slot: Callable[..., object]
    menu: MenuName
    group: int = 1
    key: str = ""
    icon: str = ""
    short: str = ""
    checked: bool | None = None
    choice: str = ""
    submenu: str = ""
    enabled: Callable[[], bool] = always
    of_photos: bool = False


class Actions:
    """The actions by name, standing in the window's menus.

    At first the menus are titles: the rest takes a tenth of the time to the first paint, and
    ``fill`` makes it afterwards.
    """

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._by_name: dict[str, QAction] = {}
        self._actions: list[Action] = []
        self._choices: dict[str, QActionGroup] = {}
        self.menus = {name: window.menuBar().addMenu(text) for name, text in menu_titles().items()}

    def fill(self, actions: Iterable[Action]) -> None:
        """Make all actions and put them into their menus."""
        self._actions = list(actions)
        for name, menu in self.menus.items():
            rows = [action for action in self._actions if action.menu == name]
            self._fill_menu(menu, sorted(rows, key=lambda action: action.group))

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def some(self, *names: str) -> list[QAction]:
        """Return actions in the order of their names."""
        return [self._by_name[name] for name in names]

    def all(self) -> list[QAction]:
        """Return all actions in the order of the menus."""
        return list(self._by_name.values())

    def refresh(self) -> None:
        """Ask each action whether it can be chosen now."""
        for action in self._actions:
            self._by_name[action.name].setEnabled(action.enabled())

    def bind_to_photos(self, widgets: Iterable[QWidget]) -> None:
        """Let the keys of some actions count in these widgets alone.

        Return is such a key: elsewhere it ends what is typed.
        """
        for action in self._actions:
            if action.of_photos:
                made = self._by_name[action.name]
                self._window.removeAction(made)
                made.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                for widget in widgets:
                    widget.addAction(made)

    def paint_icons(self) -> None:
        """Draw the icons in the colours of the scheme in use."""
        for action in self._actions:
            if action.icon:
                self._by_name[action.name].setIcon(theme.icon(action.icon))

    def _fill_menu(self, menu: QMenu, actions: list[Action]) -> None:
        submenus: dict[str, QMenu] = {}
        group = actions[0].group if actions else 0
        for action in actions:
            if action.group != group:
                menu.addSeparator()
                group = action.group
            place = menu
            if action.submenu:
                if action.submenu not in submenus:
                    submenus[action.submenu] = menu.addMenu(action.submenu)
                place = submenus[action.submenu]
            place.addAction(self._make(action))

    def _make(self, action: Action) -> QAction:
        made = QAction(action.text, self._window)
        made.setObjectName(action.name)
        made.setIconText(action.short or action.text.replace("&", "").rstrip("…"))
        if action.key:
            keys = [QKeySequence(key) for key in action.key.split("; ")]
            made.setShortcuts(keys)
            shown = keys[0].toString(QKeySequence.SequenceFormat.NativeText)
            made.setToolTip(literal(f"{made.iconText()} ({shown})"))
        slot = action.slot
        if action.checked is None:
            made.triggered.connect(lambda: slot())
        else:
            self._make_checkable(made, action)
        self._by_name[action.name] = made
        self._window.addAction(made)
        return made

    def _make_checkable(self, made: QAction, action: Action) -> None:
        made.setCheckable(True)
        if action.choice:
            if action.choice not in self._choices:
                self._choices[action.choice] = QActionGroup(self._window)
            self._choices[action.choice].addAction(made)
        made.setChecked(bool(action.checked))
        made.toggled.connect(action.slot)
