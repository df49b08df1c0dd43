"""What stands under Help: the keys, and what Droplens is made of."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from core.language import tr
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import RichLabel
from gui.widgets.scroll_area import ScrollArea

_AROUND_PX = 96
"""Of a list: margins, the bar that scrolls it, and the button below."""

if TYPE_CHECKING:
    from gui.main_window import MainWindow
    from gui.tasks import Tasks


def show_keys(window: MainWindow) -> None:
    """List every action with its keys, by menu, in two columns."""
    native = QKeySequence.SequenceFormat.NativeText
    blocks = []
    for menu in window.actions_table.menus.values():
        rows = [
            (action.iconText() or action.text(), action.shortcuts())
            for action in [*menu.actions(), *inner_actions(menu)]
            if action.shortcuts()
        ]
        blocks.append(
            (
                menu.title(),
                [(text, ", ".join(k.toString(native) for k in keys)) for text, keys in rows],
            )
        )
    blocks += _keys_within()
    dialog = QDialog(window)
    dialog.setWindowTitle(tr("Keys"))
    inner = QWidget()
    columns = QHBoxLayout(inner)
    columns.setSpacing(24)
    for part in (blocks[:2], blocks[2:]):
        label = RichLabel("".join(as_table(title, rows) for title, rows in part))
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        columns.addWidget(label)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(24, 20, 24, 16)
    area = ScrollArea(inner)
    layout.addWidget(area)
    layout.addWidget(buttons)
    needed = inner.sizeHint() + QSize(_AROUND_PX, _AROUND_PX)
    resize_within_screen(dialog, needed.width(), needed.height())
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def _keys_within() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the keys and the mouse of what is no action, by where it is."""
    arrows, wheel = tr("arrow keys"), tr("mouse wheel")
    return [
        (
            tr("In the photos"),
            [
                (tr("Go through the photos"), arrows),
                (tr("Zoom at the pointer"), wheel),
                (tr("Whole photo or actual size"), tr("double click")),
            ],
        ),
        (
            tr("In the drawing of the network"),
            [
                (tr("Follow the data"), arrows),
                (tr("Go into a box; out of it"), tr("Enter; Backspace")),
                (tr("Whole network"), tr("Home")),
                (tr("Nearer, farther"), wheel),
            ],
        ),
    ]


def inner_actions(menu: QMenu) -> list[QAction]:
    """Return the actions of the menus below a menu."""
    return [
        inner
        for action in menu.actions()
        if isinstance(below := action.menu(), QMenu)
        for inner in below.actions()
    ]


def as_table(title: str, rows: list[tuple[str, str]]) -> str:
    """Return one menu's keys as rich text."""
    lines = "".join(
        "<tr><td style='white-space:nowrap; padding:2px 16px 2px 0'>"
        f"{html.escape(text)}</td>"
        f"<td style='white-space:nowrap'><b>{html.escape(keys)}</b></td></tr>"
        for text, keys in rows
    )
    return f"<p><b>{html.escape(title.replace('&', ''))}</b></p><table>{lines}</table>"


def check_installation(window: QWidget, tasks: Tasks) -> None:
    """Use every part of Droplens once and show what came of it."""
    from gui.installation_dialog import InstallationDialog

    dialog = InstallationDialog(tasks, window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def show_about(window: QWidget) -> None:
    """Say what this is and whose work it stands on, with all licences."""
    from gui.about_dialog import AboutDialog

    dialog = AboutDialog(window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
