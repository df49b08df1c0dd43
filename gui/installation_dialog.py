"""Help, “Check this installation”: every part is used once, and what came of it can be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPlainTextEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from core.crash_reports import versions
from core.installation_check import CheckInstallation
from core.language import number, tr
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.installation_check import Check
    from gui.tasks import Tasks


class InstallationDialog(QDialog):
    """Shows each check as it ends."""

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Check this installation"))
        resize_within_screen(self, 620, 420)
        self._failed = 0
        self._said = PlainLabel(tr("Each part of Droplens is used once…"))
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName(tr("Progress"))
        self._text = QPlainTextEdit(readOnly=True, tabChangesFocus=True)
        self._text.setAccessibleName(tr("What was found"))
        self._text.setPlainText("\n".join(f"{name}: {found}" for name, found in versions().items()))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._copy = buttons.addButton(tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self._copy.setEnabled(False)
        self._copy.clicked.connect(self._copy_text)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        layout.addWidget(self._said)
        layout.addWidget(self._bar)
        layout.addWidget(self._text, 1)
        layout.addWidget(buttons)
        self._checks = tasks.stream(CheckInstallation(), self._show, self._end, self._show_failure)
        self.finished.connect(self._checks.stop)

    @property
    def is_done(self) -> bool:
        """Return whether all checks were carried out."""
        return self._copy.isEnabled()

    @property
    def text(self) -> str:
        """Return what was found."""
        return self._text.toPlainText()

    def _show(self, checks: list[Check]) -> None:
        for check in checks:
            self._failed += bool(check.error)
            mark = "✗" if check.error else "✓"
            line = f"{mark} {check.title} ({number(check.seconds, 1)} s)"
            self._text.appendPlainText(f"{line}: {check.error}" if check.error else line)

    def _show_failure(self, error: BaseException) -> None:
        self._failed += 1
        self._text.appendPlainText(f"✗ {type(error).__name__}: {error}")
        self._end()

    def _end(self) -> None:
        self._bar.hide()
        self._copy.setEnabled(True)
        if self._failed:
            said = tr(
                "{n} checks failed. Install Droplens again; if that does not help, send "
                "us what stands here.",
                n=self._failed,
            )
        else:
            said = tr("Everything works.")
        self._said.setText(said)

    @Slot()
    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
