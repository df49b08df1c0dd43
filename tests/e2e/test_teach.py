"""A person has labelled some photos, lets a model learn from them, and uses it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton

from core.labels.changes import Labelling
from core.labels.store import LabelStore
from core.settings import project_path
from gui.gallery_rows import GalleryRow
from gui.images.gallery_panel import GalleryPanel
from gui.inference.predictions_panel import PredictionsPanel
from gui.labels.label_panel import LabelPanel
from gui.training.teach_dialog import TeachDialog
from gui.training.trainings_dialog import TrainingsDialog
from tests.e2e.driver import Person, drive
from tests.stripes import CLASSES, write_stripes

Steps = Generator[Callable[[], object], None, None]
LABELLED, PHOTOS = 6, 8


def label(photos: Path) -> None:
    """Label all but the last photos of each class."""
    project_path().parent.mkdir(parents=True, exist_ok=True)
    with LabelStore(project_path()) as store:
        store.edit_classes("add", store.classes.add(CLASSES))
        for number, name in enumerate(CLASSES, 1):
            files = sorted((photos / name).iterdir())
            store.register(files)
            store.label([Labelling(file, (number,)) for file in files[:LABELLED]])


def text_of(dialog: TeachDialog) -> str:
    return "\n".join(one.text() for one in dialog.findChildren(QLabel))


def press(dialog: TeachDialog, text: str) -> None:
    (button,) = [one for one in dialog.findChildren(QPushButton) if one.text() == text]
    assert button.isEnabled()
    button.click()


def test_a_model_learns_the_labels_and_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = write_stripes(tmp_path / "photos", PHOTOS)
    label(photos)
    model, onnx = tmp_path / "stripes", tmp_path / "stripes.onnx"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(onnx.with_suffix("")), ""))

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(len(CLASSES) * PHOTOS)
        person.choose("teach_model")
        dialog = person.see(TeachDialog)
        dialog._target.setText(str(tmp_path / "nowhere" / "stripes"))
        press(dialog, "Teach")
        yield lambda: "could not be written" in text_of(dialog)
        dialog._target.setText(str(model))
        press(dialog, "Teach")
        yield lambda: "Learnt from 12 photos of 2 classes" in text_of(dialog)
        assert "photos that it had not seen" in text_of(dialog)
        press(dialog, "Use this model")
        yield lambda: all(
            row.prediction is not None and len(row.prediction.model.class_names) == len(CLASSES)
            for row in person.rows()
        )
        for row in person.rows():
            assert row.class_name == row.path.parent.name
        person.choose("save_as_onnx")
        yield onnx.is_file

    assert drive([str(photos)], script) == 0
    assert model.with_suffix(".safetensors").is_file()


def is_unlabelled_first(person: Person) -> bool:
    """Return whether photos without a label come first, after the one that is looked at."""
    has_label = [bool(row.label) for row in person.rows() if row.path != person.current]
    return has_label == sorted(has_label)


def test_proposals_come_from_the_labels_while_they_are_given(tmp_path: Path) -> None:
    photos = write_stripes(tmp_path / "photos", PHOTOS)
    label(photos)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(len(CLASSES) * PHOTOS)
        panel = person.see(PredictionsPanel)
        yield lambda: all(row.class_name == row.path.parent.name for row in person.rows())
        yield lambda: "right on photos it had not seen" in panel._taught.text()
        assert "Learning from 12 labels." in panel._taught.text()
        person.sort_by("helpful")
        yield lambda: is_unlabelled_first(person)
        person.choose("learn_from_labels")
        yield lambda: all(row.class_name and row.class_name not in CLASSES for row in person.rows())
        assert not panel._taught.isVisible()

    assert drive([str(photos)], script) == 0


def test_a_thorough_training_is_paused_and_gone_on_with(tmp_path: Path) -> None:
    photos = write_stripes(tmp_path / "photos", PHOTOS)
    label(photos)
    model = tmp_path / "stripes.safetensors"

    def script(person: Person) -> Steps:
        yield lambda: all(row.class_name in CLASSES for row in person.rows()) and person.rows()
        person.choose("teach_model")
        dialog = person.see(TeachDialog)
        dialog._how.setCurrentIndex(1)
        dialog._target.setText(str(model))
        press(dialog, "Teach")
        yield lambda: "Epoch" in text_of(dialog)
        press(dialog, "Pause")
        yield lambda: "Paused" in text_of(dialog)
        assert not model.exists()
        press(dialog, "Go on")
        yield lambda: "Epoch" in text_of(dialog)
        press(dialog, "Pause")
        yield lambda: "Paused" in text_of(dialog)
        press(dialog, "Use the best so far")
        yield lambda: "photos that it had not seen" in text_of(dialog)
        press(dialog, "Use this model")
        yield lambda: all(
            row.prediction is not None and row.prediction.model.sha256 for row in person.rows()
        )
        for row in person.rows():
            assert row.class_name == row.path.parent.name
        person.choose("taught_models")
        models = person.see(TrainingsDialog)
        yield lambda: models._rows.topLevelItemCount() == 1
        models.reject()

    assert drive([str(photos)], script) == 0
    assert model.is_file()


def test_a_pile_of_look_alikes_is_labelled_at_once(tmp_path: Path) -> None:
    photos = write_stripes(tmp_path / "photos", PHOTOS)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(len(CLASSES) * PHOTOS)
        person.see(LabelPanel).names_typed.emit(", ".join(CLASSES))
        yield lambda: person.photos.label_index.classes.classes
        person.choose("select_pile")
        yield lambda: len(selected(person)) > 1
        pile = selected(person)
        person.see(LabelPanel).class_chosen.emit(person.photos.label_index.classes.classes[0].id)
        yield lambda: all(row.label for row in pile)
        assert sum(bool(row.label) for row in person.rows()) == len(pile)
        person.choose("select_pile")
        yield lambda: len(selected(person)) > 1 and not any(row.label for row in selected(person))

    assert drive([str(photos)], script) == 0


def selected(person: Person) -> list[GalleryRow]:
    view = person.see(GalleryPanel).view
    return [person.photos.shown_row(one.row()) for one in view.selectionModel().selectedRows()]
