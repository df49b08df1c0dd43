"""The line under the drawing that leads through a tour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from core.language import tr
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.inside.tours import Stop


class TourBar(QFrame):
    """Says a sentence at a time.

    Attributes:
        went: called with the place of each step.
        ended: called when the tour is over.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.went: Callable[[int], None] = lambda _: None
        self.ended: Callable[[], None] = lambda: None
        self.setObjectName("tour")
        self._stops: Sequence[Stop] = ()
        self._at = 0
        self._count = PlainLabel()
        self._count.setProperty("muted", True)
        self.sentence = PlainLabel(wordWrap=True)
        self.back = QPushButton(tr("Back"))
        self.next = QPushButton(tr("Next"))
        self.next.setProperty("primary", True)
        self._end = QPushButton(tr("End the tour"))
        for button in (self.back, self.next, self._end):
            button.setProperty("small", True)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self._count)
        buttons.addStretch()
        for button in (self._end, self.back, self.next):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(6)
        layout.addWidget(self.sentence)
        layout.addLayout(buttons)
        self.back.clicked.connect(self._go_back)
        self.next.clicked.connect(self._go_on)
        self._end.clicked.connect(self.end)
        self.hide()

    def begin(self, stops: Sequence[Stop]) -> None:
        """Lead through a tour from its start."""
        self._stops = stops
        self._go_to(0)
        self.show()
        self.next.setFocus()

    def begin_again(self, stops: Sequence[Stop]) -> None:
        """Go on where one is, with the same tour of another photo or in another drawing."""
        if len(stops) != len(self._stops):
            self.end()
        elif self.isVisible():
            self._stops = stops
            self._go_to(self._at)

    @Slot()
    def end(self) -> None:
        """End the tour, if there is one."""
        if self._stops:
            self._stops = ()
            self.hide()
            self.ended()

    def _go_to(self, at: int) -> None:
        self._at = at
        self.sentence.setText(self._stops[at].sentence)
        self._count.setText(tr("{at} of {n}", at=at + 1, n=len(self._stops)))
        self.back.setEnabled(at > 0)
        is_last = at == len(self._stops) - 1
        self.next.setText(tr("Done") if is_last else tr("Next"))
        self.went(self._stops[at].place)

    @Slot()
    def _go_back(self) -> None:
        self._go_to(self._at - 1)

    @Slot()
    def _go_on(self) -> None:
        if self._at == len(self._stops) - 1:
            self.end()
        else:
            self._go_to(self._at + 1)
