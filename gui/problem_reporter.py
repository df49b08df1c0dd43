"""The one place that shows errors: a banner in the window, and the list of all of them."""

from __future__ import annotations

import logging
import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.errors import DroplensError
from core.language import tr
from gui import theme
from gui.widgets.plain_text import PlainLabel

log = logging.getLogger(__name__)

_KEPT_PROBLEMS = 1000


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong."""

    sentence: str
    details: str
    of_photo: bool = False


class ProblemReporter(QFrame):
    """A banner above the photos; hidden while there is nothing to say."""

    problems_changed = Signal(int)
    """How many problems there are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.problems: list[Problem] = []
        self._shown: Problem | None = None
        icon = QToolButton()
        icon.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        icon.setToolTip(tr("All problems"))
        icon.setAccessibleName(icon.toolTip())
        icon.clicked.connect(self.show_list)
        theme.set_icon(icon, "triangle-alert", "warning")
        self._text = PlainLabel(wordWrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = QPushButton(tr("Copy details"))
        close = QToolButton()
        theme.set_icon(close, "x")
        close.setToolTip(tr("Close"))
        close.setAccessibleName(tr("Close this message"))
        layout = QHBoxLayout()
        layout.setSpacing(10)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 8, 8, 8)
        whole.addLayout(layout)
        layout.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)
        self._offer = QPushButton()
        self._offer.hide()
        self._offered: Callable[[], object] = lambda: None
        self._offer.clicked.connect(self._take_offer)
        layout.addWidget(close, alignment=Qt.AlignmentFlag.AlignTop)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self._offer)
        buttons.addWidget(copy)
        whole.addLayout(buttons)
        copy.clicked.connect(self._copy_shown)
        close.clicked.connect(self.hide)
        self.hide()

    @property
    def shown_text(self) -> str:
        """Return the sentence in the banner, "" while it is hidden."""
        return self._text.text() if not self.isHidden() else ""

    @Slot(str)
    def say(self, sentence: str) -> None:
        """Show a sentence and keep it."""
        self._show(Problem(sentence, sentence))

    def offer(self, sentence: str, title: str, do: Callable[[], object]) -> None:
        """Show a sentence with a button.

        Args:
            sentence: what happened.
            title: of the button.
            do: what it does; the banner goes away with it.
        """
        self.say(sentence)
        self._offered = do
        self._offer.setText(title)
        self._offer.show()

    @Slot()
    def _take_offer(self) -> None:
        self.hide()
        self._offered()

    @Slot(object)
    def report(self, error: BaseException) -> None:
        """Show an error: its own sentence where it was expected, else that it was not."""
        if isinstance(error, DroplensError):
            sentence = str(error)
        else:
            log.error("unexpected", exc_info=error)
            sentence = tr(
                "Something went wrong that Droplens did not expect ({kind}). What was done so "
                "far is kept. “Copy details” gives what a developer needs.",
                kind=type(error).__name__,
            )
        details = "".join(traceback.format_exception(error))
        self._show(Problem(sentence, details))

    def note(self, sentence: str) -> None:
        """Keep a problem without a banner, such as one unreadable photo of many."""
        problem = Problem(sentence, sentence, of_photo=True)
        if problem not in self.problems:
            self._add(problem)

    def forget_photos(self) -> None:
        """Forget what ``note`` kept, since the photos are looked at anew."""
        self.problems = [problem for problem in self.problems if not problem.of_photo]
        self.problems_changed.emit(len(self.problems))

    def forget_all(self) -> None:
        """Empty the list and take the banner away."""
        self.problems.clear()
        self.problems_changed.emit(0)
        self.hide()

    @Slot()
    def show_list(self) -> None:
        """Show all problems in a dialog, ready to copy."""
        dialog = QDialog(self.window())
        dialog.setWindowTitle(tr("Problems"))
        dialog.resize(720, 420)
        none = tr("No problems so far.")
        text = QPlainTextEdit("\n\n".join(one.sentence for one in self.problems) or none)
        text.setReadOnly(True)
        text.setTabChangesFocus(True)
        text.setAccessibleName(tr("Problems"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton(tr("Copy details"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.setEnabled(bool(self.problems))
        copy.clicked.connect(self._copy_all)
        clear = buttons.addButton(tr("Clear the list"), QDialogButtonBox.ButtonRole.ResetRole)
        clear.setEnabled(bool(self.problems))
        clear.clicked.connect(self.forget_all)
        clear.clicked.connect(dialog.reject)
        buttons.rejected.connect(dialog.reject)
        layout = QVBoxLayout(dialog)
        layout.addWidget(text)
        layout.addWidget(buttons)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _add(self, problem: Problem) -> None:
        self.problems = [one for one in self.problems if one != problem]  # said once is enough
        self.problems.append(problem)
        del self.problems[:-_KEPT_PROBLEMS]
        self.problems_changed.emit(len(self.problems))

    def _show(self, problem: Problem) -> None:
        self._add(problem)
        self._shown = problem
        self._offer.hide()
        self._text.setText(problem.sentence)
        self.show()

    @Slot()
    def _copy_shown(self) -> None:
        if self._shown is not None:
            self._copy([self._shown])

    @Slot()
    def _copy_all(self) -> None:
        self._copy(self.problems)

    def _copy(self, problems: list[Problem]) -> None:
        head = f"Droplens, {platform.platform()}, Python {platform.python_version()}, " + (
            time.strftime("%Y-%m-%d %H:%M:%S")
        )
        text = "\n\n".join(problem.details for problem in problems)
        QGuiApplication.clipboard().setText(f"{head}\n\n{text}")
