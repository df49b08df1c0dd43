"""What the file of a model does not say: each answer beside what it predicts, to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from core.language import percent, tr
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel
from gui.widgets.scroll_area import ScrollArea

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.inference.requests import Tried
    from core.values.questions import Question
    from core.values.spec import Overrides


_WIDTH, _MOST_HEIGHT = 660, 480


class QuestionsDialog(QDialog):
    """Asks, and shows with each answer what the current photo would be taken for."""

    def __init__(
        self,
        title: str,
        questions: Sequence[Question],
        overrides: Overrides,
        photo: str,
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog.

        Args:
            title: of the model.
            questions: at least one.
            overrides: of the model so far.
            photo: name of the photo that answers are tried on, "" for none.
            parent: the window.
        """
        super().__init__(parent)
        self._overrides = overrides
        self._groups: dict[str, QButtonGroup] = {}
        self._outcomes: dict[tuple[str, str], PlainLabel] = {}
        self.setWindowTitle(tr("What the file does not say"))
        inside = QWidget()
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(14, 12, 14, 12)
        rows.setSpacing(18)
        for question in questions:
            rows.addLayout(self._rows_of(question, waits=bool(photo)))
        rows.addStretch()
        area = ScrollArea(inside)
        area.setObjectName("panel")
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("Use these answers"))
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(12)
        layout.addWidget(PlainLabel(_introduction(title, photo), wordWrap=True))
        layout.addWidget(area, 1)
        layout.addWidget(self._buttons)
        self._follow()
        around = layout.sizeHint().height() - area.sizeHint().height()
        resize_within_screen(self, _WIDTH, min(_MOST_HEIGHT, around + inside.sizeHint().height()))

    def show_outcome(self, tried: Tried) -> None:
        """Show what the photo is taken for with one answer to a question."""
        label = self._outcomes[tried.key, tried.value]
        shown = [
            tr("{name} {share}", name=one.class_name, share=percent(one.probability))
            for one in tried.top
        ]
        label.setText(tried.problem or ", ".join(shown))

    def _rows_of(self, question: Question, *, waits: bool) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        asked = PlainLabel(question.sentence, wordWrap=True)
        font = asked.font()
        font.setBold(True)
        asked.setFont(font)
        grid.addWidget(asked, 0, 0, 1, 2)
        group = self._groups[question.key] = QButtonGroup(self)
        chosen = dict(self._overrides.answers).get(question.key, question.assumed)
        for number, answer in enumerate(question.answers, start=1):
            button = QRadioButton(answer.text.replace("&", "&&"))
            button.setProperty("answer", answer.value)
            button.setChecked(answer.value == chosen)
            group.addButton(button)
            outcome = PlainLabel(tr("…") if waits else "", wordWrap=True)
            outcome.setProperty("muted", True)
            self._outcomes[question.key, answer.value] = outcome
            grid.addWidget(button, number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(outcome, number, 1)
        group.buttonToggled.connect(self._follow)
        return grid

    @Slot()
    def _follow(self) -> None:
        ready = all(group.checkedButton() is not None for group in self._groups.values())
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(ready)

    @property
    def overrides(self) -> Overrides:
        """Return the model's overrides with all answers."""
        overrides = self._overrides
        for key, group in self._groups.items():
            chosen = group.checkedButton()
            assert chosen is not None
            overrides = overrides.answered(key, chosen.property("answer"))
        return overrides


def _introduction(title: str, photo: str) -> str:
    if not photo:
        return tr(
            "{title} computes differently with each answer, and its file does not tell which is "
            "right. Whoever trained it knows. With a photo open, each answer shows what it "
            "predicts.",
            title=title,
        )
    return tr(
        "{title} computes differently with each answer, and its file does not tell which is right. "
        "Whoever trained it knows; else choose the answer that is right about {photo}.",
        title=title,
        photo=photo,
    )
