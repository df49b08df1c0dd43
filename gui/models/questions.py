"""Asks the user what the file of a model does not say, and opens the model with the answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot

from core.inference.requests import Tried, TryAnswers
from core.values.questions import architecture_question
from core.values.spec import Overrides

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.errors import UnclearArchitectureError
    from core.inference.engine import ReadyModel
    from core.values.questions import Question
    from core.values.spec import ModelChoice
    from core.work.handles import Handle
    from gui.main_window import MainWindow
    from gui.models.model_picker import ModelPicker
    from gui.models.questions_dialog import QuestionsDialog
    from gui.session import Session
    from gui.tasks import Tasks


class Questions(QObject):
    """Opens the dialog of questions, of which there is one at a time."""

    def __init__(
        self, picker: ModelPicker, session: Session, tasks: Tasks, window: MainWindow
    ) -> None:
        super().__init__()
        self._picker, self._session, self._tasks, self._window = picker, session, tasks, window
        self._dialog: QuestionsDialog | None = None
        self._trying: Handle[None] | None = None

    def ask_about(self, ready: ReadyModel) -> None:
        """Let the user answer again what the file of the model in use leaves open."""
        found, overrides = ready.spec.inspection, ready.spec.overrides
        self._open(ready.spec.title, ready.choice, found.questions, overrides)

    def ask_for_architecture(self, choice: ModelChoice, error: UnclearArchitectureError) -> None:
        """Let the user say which of several architectures a file is of; then it opens."""
        question = architecture_question(error.candidates, "")
        name = "" if choice.checkpoint is None else choice.checkpoint.name
        self._open(name, choice, (question,), error.overrides or Overrides())

    def _open(
        self, title: str, choice: ModelChoice, questions: Sequence[Question], overrides: Overrides
    ) -> None:
        from gui.models.questions_dialog import QuestionsDialog

        if self._dialog is not None:
            self._dialog.close()
        photo = self._session.current
        name = "" if photo is None else photo.name
        dialog = QuestionsDialog(title, questions, overrides, name, self._window)
        self._dialog = dialog
        dialog.accepted.connect(lambda: self._picker.answer(choice, dialog.overrides))
        dialog.finished.connect(self._forget)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        if photo is not None:
            answers = tuple((one.key, answer.value) for one in questions for answer in one.answers)
            asked = replace(choice, overrides=overrides)
            self._trying = self._tasks.stream(TryAnswers(asked, answers, photo), self._show)

    def _show(self, tried: Sequence[Tried]) -> None:
        if self._dialog is not None:
            for one in tried:
                self._dialog.show_outcome(one)

    @Slot()
    def _forget(self) -> None:
        self._dialog = None
        if self._trying is not None:
            self._trying.stop()
            self._trying = None
