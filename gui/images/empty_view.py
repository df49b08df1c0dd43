"""What the empty window shows: one large target to drop photos on, and three buttons."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from core.language import tr
from gui import theme
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from gui.actions import Actions


class EmptyView(QWidget):
    """The large drop target. The window itself takes the drop."""

    first_painted = Signal()
    """The window stands; what took time may begin."""

    action_chosen = Signal(str)
    """Name of an action of the menu."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lit = False
        self._painted = False
        picture = PlainLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        picture.setPixmap(theme.app_icon().pixmap(88, 88))
        title = PlainLabel(tr("Drop photos here"), alignment=Qt.AlignmentFlag.AlignCenter)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.9)
        font.setBold(True)
        title.setFont(font)
        hint = PlainLabel(
            tr(
                "Photos, whole folders, or a checkpoint. Droplens tells what the photos show,\n"
                "and shows what the network sees. Nothing leaves this computer."
            ),
            alignment=Qt.AlignmentFlag.AlignCenter,
            wordWrap=True,
        )
        hint.setProperty("muted", True)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        self._buttons = {
            "open_photos": QPushButton(tr("Open photos")),
            "open_folder": QPushButton(tr("Open folder")),
            "open_samples": QPushButton(tr("Try the sample photos")),
        }
        for number, (action, button) in enumerate(self._buttons.items()):
            button.setProperty("primary", number == 0)
            button.clicked.connect(partial(self.action_chosen.emit, action))
            buttons.addWidget(button)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addWidget(picture)
        layout.addSpacing(12)
        layout.addWidget(title)
        layout.addSpacing(4)
        layout.addWidget(hint)
        layout.addSpacing(20)
        layout.addLayout(buttons)
        layout.addStretch(3)

    def set_tool_tips(self, actions: Actions) -> None:
        """Show the keys of the actions, once these are made."""
        for name, button in self._buttons.items():
            button.setToolTip(actions[name].toolTip())

    def set_lit(self, lit: bool) -> None:
        """Show that a drop would be taken."""
        self._lit = lit
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        used = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(used.accent if self._lit else used.border_strong), 2)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.setBrush(QColor(used.accent_soft if self._lit else used.panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 18, 18)
        if not self._painted:
            self._painted = True
            self.first_painted.emit()
