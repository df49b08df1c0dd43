"""What stands under Help: the keys, and what Droplens is made of."""

from __future__ import annotations

from importlib.metadata import version

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMessageBox, QWidget

import resources
from gui import theme

tr = QCoreApplication.translate


def show_keys(window: QWidget, actions: list[QAction]) -> None:
    """List every action with its keys."""
    native = QKeySequence.SequenceFormat.NativeText
    rows = [
        f"<tr><td style='padding-right:24px'>{action.iconText()}</td><td><b>"
        + ", ".join(key.toString(native) for key in action.shortcuts())
        + "</b></td></tr>"
        for action in actions
    ]
    half = (len(rows) + 1) // 2
    columns = "".join(
        f"<td style='padding-right:32px'><table>{''.join(part)}</table></td>"
        for part in (rows[:half], rows[half:])
    )
    box = QMessageBox(window)
    box.setWindowTitle(tr("help", "Keys"))
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(f"<table><tr>{columns}</tr></table>")
    box.open()


def show_about(window: QWidget) -> None:
    """Say what this is and whose work it stands on."""
    box = QMessageBox(window)
    box.setIconPixmap(theme.app_icon().pixmap(64, 64))
    box.setWindowTitle(tr("help", "About Droplens"))
    box.setText(
        tr(
            "help",
            "<b>Droplens {version}</b><br>See what an image classifier says, and what it "
            "sees.<br><br>MIT licence. Built on PyTorch {torch}, torchvision, Qt for Python and "
            "Pillow; SqueezeNet 1.1 by Iandola et al.; icons by Lucide.<br>The licences lie in "
            "{folder}.",
        ).format(
            version=version("droplens"),
            torch=version("torch"),
            folder=resources.path("licences"),
        )
    )
    box.open()
