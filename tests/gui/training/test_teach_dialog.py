from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from core.training.figures import Figures
from core.training.fine_tuning import FineTune
from core.training.progress import Epoch, Progress
from core.training.teaching import Failed, Looked, Taught, TeachHead
from core.work.lane import Lane, Lanes
from gui.tasks import Tasks
from gui.training.room import _unused
from gui.training.teach_dialog import TeachDialog, result_of
from tests.gui.conftest import HeldWorker

TWO = [(Path(f"{number}.png"), ("ant" if number % 2 else "bee",)) for number in range(8)]


@pytest.fixture
def worker() -> HeldWorker:
    return HeldWorker()


def dialog_of(
    qtbot: QtBot,
    worker: HeldWorker,
    labelled: list[tuple[Path, tuple[str, ...]]],
    use: Callable[[Path], object] = print,
    *,
    is_several: bool = False,
) -> TeachDialog:
    tasks = Tasks(Lanes(engine=Lane("engine", executor=worker)))
    target = Path("/tmp/mine.safetensors")
    made = TeachDialog(tasks, labelled, "ResNet-18", target, use, print, is_several=is_several)
    qtbot.addWidget(made)
    return made


def message(dialog: TeachDialog) -> str:
    return "\n".join(one.text() for one in dialog.findChildren(QLabel))


def button(dialog: TeachDialog, text: str) -> QPushButton:
    (found,) = [one for one in dialog.findChildren(QPushButton) if one.text() == text]
    return found


def taught(failed: tuple[Failed, ...] = (), **changes: object) -> Taught:
    usual = Figures(8, 8, 0.81, (0.68, 0.9), is_cross_validated=True, penalty=10.0)
    figures = replace(usual, **changes)  # type: ignore[arg-type]
    return Taught(Path("/tmp/mine.safetensors"), ("bee", "ant"), failed, figures)


@pytest.mark.parametrize("labelled", [[], [(Path("a.png"), ("ant",))]])
def test_one_class_is_too_few(
    labelled: list[tuple[Path, tuple[str, ...]]], qtbot: QtBot, worker: HeldWorker
) -> None:
    dialog = dialog_of(qtbot, worker, labelled)
    assert "two classes or more" in message(dialog)
    assert not button(dialog, "Teach").isEnabled()


def test_photos_of_several_classes_are_left_out_and_said(qtbot: QtBot, worker: HeldWorker) -> None:
    dialog = dialog_of(qtbot, worker, [*TWO, (Path("both.png"), ("ant", "bee"))])
    assert "1 photo has several classes and is left out" in message(dialog)


def test_where_photos_may_have_several_classes_all_are_learnt_from(
    qtbot: QtBot, worker: HeldWorker
) -> None:
    both = (Path("both.png"), ("ant", "bee"))
    dialog = dialog_of(qtbot, worker, [*TWO, both], is_several=True)
    assert "left out" not in message(dialog)
    asked: list[TeachHead] = []
    stream = dialog._tasks.stream
    dialog._tasks.stream = lambda request, *rest: asked.append(request) or stream(request, *rest)  # type: ignore[assignment,func-returns-value]
    button(dialog, "Teach").click()
    assert asked[0].is_several
    assert asked[0].photos[-1].classes == (1, 0)
    dialog._taught = taught(is_several=True)
    dialog._show_end()
    assert "All classes right on 81% of 8 photos" in message(dialog)


def test_what_is_chosen_is_asked_for_and_progress_shows(qtbot: QtBot, worker: HeldWorker) -> None:
    dialog = dialog_of(qtbot, worker, TWO)
    dialog._target.setText("/tmp/other")
    asked: list[TeachHead] = []
    stream = dialog._tasks.stream
    dialog._tasks.stream = lambda request, *rest: asked.append(request) or stream(request, *rest)  # type: ignore[assignment,func-returns-value]
    button(dialog, "Teach").click()
    (request,) = asked
    assert request.model == Path("/tmp/other.safetensors")
    assert request.classes == ("bee", "ant")
    assert [one.classes for one in request.photos] == [(0,), (1,)] * 4
    dialog._follow([Looked(3, 8)])
    assert "photo 3 of 8" in message(dialog)
    dialog._follow([Looked(8, 8)])
    assert "Learning" in message(dialog)
    button(dialog, "Stop").click()
    dialog._show_end()
    assert "Stopped; nothing was written." in message(dialog)
    assert button(dialog, "Teach").isEnabled()


def test_the_model_is_offered_until_another_file_is_named(qtbot: QtBot, worker: HeldWorker) -> None:
    used: list[Path] = []
    dialog = dialog_of(qtbot, worker, TWO, used.append)
    dialog._follow([Looked(8, 8), taught()])
    dialog._show_end()
    assert "81% right" in message(dialog)
    assert "between 68% and 90%" in message(dialog)
    button(dialog, "Use this model").click()
    assert used == [Path("/tmp/mine.safetensors")]
    dialog._target.setText("/tmp/another")
    assert button(dialog, "Teach").isEnabled()


def test_what_is_not_known_is_not_said() -> None:
    assert "cannot be said yet" in result_of(taught(accuracy=None, interval=None))
    assert "a little too good" not in result_of(taught())
    assert "a little too good" in result_of(taught(is_selected=True))
    failed = (Failed(Path("/photos/<b>x.jpg"), "the file is empty"),)
    assert "<b>x.jpg, the file is empty" in result_of(taught(failed=failed))


def test_a_file_that_is_there_is_not_replaced_without_a_word(
    qtbot: QtBot, worker: HeldWorker, tmp_path: Path
) -> None:
    (tmp_path / "mine.safetensors").touch()
    assert _unused(tmp_path, "mine", ".safetensors") == tmp_path / "mine 2.safetensors"
    dialog = dialog_of(qtbot, worker, TWO)
    dialog._target.setText(str(tmp_path / "mine"))
    assert "mine.safetensors is there already and will be replaced." in message(dialog)
    dialog._target.setText(str(tmp_path / "mine 2"))
    assert "already" not in message(dialog)


def test_a_thorough_training_pauses_and_goes_on(qtbot: QtBot, worker: HeldWorker) -> None:
    dialog = dialog_of(qtbot, worker, TWO)
    dialog._how.setCurrentIndex(1)
    asked: list[FineTune] = []
    stream = dialog._tasks.stream
    dialog._tasks.stream = lambda request, *rest: asked.append(request) or stream(request, *rest)  # type: ignore[assignment,func-returns-value]
    button(dialog, "Teach").click()
    head = Epoch(float("nan"), 0.8, 0.7)
    dialog._follow([Progress((head,), 0, 2, 10, 0.0)])
    assert "Seeing how long a step takes" in message(dialog)
    dialog._follow([Progress((head, Epoch(0.9, 0.6, 0.8)), 12, 3, 10, 90.0)])
    assert "Epoch 2 of 12, 1.5 min left. The best so far: 80% right." in message(dialog)
    assert not dialog._curve.isHidden()
    dialog._curve.grab()
    button(dialog, "Pause").click()
    dialog._show_end()
    assert "Paused." in message(dialog)
    button(dialog, "Go on").click()
    dialog._follow([Progress((head,), 12, 3, 10, 90.0)])
    dialog._show_end()
    button(dialog, "Use the best so far").click()
    assert [one.ends_now for one in asked] == [False, False, True]
    assert {one.recipe.minutes for one in asked} == {10}
