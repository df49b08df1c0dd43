"""A person sorts photos into classes: by keys, by dropping, by agreeing with the model."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTreeWidget,
)

import resources
from core.labels.classes import REJECT, UNSURE
from core.labels.label_index import Filter
from core.labels.store import LabelStore
from core.settings import project_path
from gui.images.gallery_panel import GalleryPanel
from gui.images.viewer import PhotoViewer
from gui.labels.class_view import CLASS_ROLE, ClassView
from gui.labels.classes_dialog import ClassesDialog
from gui.labels.export_dialog import ExportDialog
from gui.labels.filter_bar import FilterBar
from gui.labels.import_dialog import ImportDialog
from gui.labels.label_panel import LabelPanel
from gui.labels.meaning_dialog import MeaningDialog
from gui.labels.statistics_dialog import StatisticsDialog
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]
SAMPLES = resources.path("samples")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three photos of a person's own."""
    made = tmp_path / "Jörg 张伟"
    made.mkdir()
    for name in ("chelsea.png", "coffee.png", "rocket.jpg"):
        shutil.copy(SAMPLES / name, made)
    return made


def labels(person: Person) -> dict[str, str]:
    """Return what stands on the cards."""
    model = person.photos
    label_index = model.label_index
    return {
        row.name: label_index.classes.said(label_index.resolve(row.label)) for row in model.rows()
    }


def type_classes(person: Person, text: str) -> None:
    panel = person.see(LabelPanel)
    person.window.activateWindow()
    panel._names.setFocus()
    panel._names.setText(text)
    QTest.keyClick(panel._names, Qt.Key.Key_Return)


def press(person: Person, *keys: Qt.Key) -> None:
    person.window.activateWindow()
    view = person.see(GalleryPanel).view
    view.setFocus()
    for key in keys:
        QTest.keyClick(view, key)


def current(person: Person) -> str:
    path = person.current
    return path.name if path is not None else ""


def show(person: Person, name: str) -> None:
    (path,) = [row.path for row in person.rows() if row.name == name]
    person.show_photo(path)


def drop_on_class(person: Person, name: str, *paths: Path) -> None:
    """Drop files on a class as a file manager does; "" is beside all classes."""
    view = person.see(ClassView)
    model = view.model()
    place = view.viewport().rect().bottomRight()
    for row in range(model.rowCount()):
        if model.index(row, 0).data(CLASS_ROLE).name == name:
            place = view.visualRect(model.index(row, 0)).center()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        dropped = QDropEvent(
            QPointF(place),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    view.dropEvent(dropped)


def stored() -> dict[str, tuple[str, ...]]:
    """Return what is on the disk, after the window was closed."""
    with LabelStore(project_path()) as store:
        present = store.state().labels
        names = {one.id: one.name for one in store.classes.classes}
        return {
            Path(file).name: tuple(names.get(one, str(one)) for one in store.classes.resolve(label))
            for file, label in present.items()
        }


def test_keys_label_and_the_next_photo_comes(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup, rocket")
        yield lambda: person.see(ClassView).model().rowCount() == 5
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_U)  # faster than the disk
        yield lambda: list(labels(person).values()) == ["cat", "cup", "unsure"]
        assert current(person) == "rocket.jpg"
        press(person, Qt.Key.Key_X)
        yield lambda: labels(person)["rocket.jpg"] == "reject"
        press(person, Qt.Key.Key_0)
        yield lambda: labels(person)["rocket.jpg"] == ""
        panel = person.see(LabelPanel)
        yield lambda: panel._count.text() == "2 of 3 · 2 today"

    assert drive([str(folder)], script) == 0
    assert stored() == {"chelsea.png": ("cat",), "coffee.png": ("cup",)}


def test_all_comes_back_and_undo_reaches_over_the_restart(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        show(person, "coffee.png")
        press(person, Qt.Key.Key_2)
        yield lambda: labels(person)["coffee.png"] == "cup"
        show(person, "coffee.png")
        person.see(FilterBar).set_filter(Filter("some"))

    def script_again(person: Person) -> Steps:
        yield lambda: len(labels(person)) == 3
        yield lambda: labels(person)["coffee.png"] == "cup"
        assert [row.name for row in person.rows()] == ["coffee.png"]
        assert current(person) == "coffee.png"
        assert person.see(FilterBar).filter == Filter("some")
        person.see(FilterBar).set_filter(Filter())
        yield lambda: person.all_classified(3)
        undo = person.window.actions_table["undo"]
        assert undo.isEnabled()
        assert "labelling" in undo.text()
        undo.trigger()
        yield lambda: labels(person)["coffee.png"] == ""
        person.choose("redo")
        yield lambda: labels(person)["coffee.png"] == "cup"

    assert drive([str(folder)], script) == 0
    assert drive([], script_again) == 0


def test_return_accepts_what_the_model_says(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        show(person, "coffee.png")
        press(person, Qt.Key.Key_Return)
        yield lambda: labels(person)["coffee.png"] == "espresso"
        assert current(person) == "rocket.jpg"
        person.choose("undo")  # the class came with the label and goes with it
        yield lambda: person.see(ClassView).model().rowCount() == 0

    assert drive([str(folder)], script) == 0
    assert stored() == {}


def test_a_class_that_the_project_lacks_is_asked_for_once(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        show(person, "coffee.png")
        for meant in ("cancel", "cup"):
            QTimer.singleShot(0, lambda: person.choose("label_accept"))
            yield lambda: person.window.findChildren(MeaningDialog)
            (dialog,) = person.window.findChildren(MeaningDialog)
            if meant == "cancel":
                dialog.reject()
            else:
                dialog._boxes["espresso"].setCurrentText(meant)
                dialog.accept()
            yield lambda: not person.window.findChildren(MeaningDialog)
        yield lambda: labels(person)["coffee.png"] == "cup"
        person.choose("undo")
        yield lambda: labels(person)["coffee.png"] == ""
        show(person, "coffee.png")
        QTimer.singleShot(0, lambda: person.choose("label_accept"))
        yield (
            lambda: (
                labels(person)["coffee.png"] == "cup" or person.window.findChildren(MeaningDialog)
            )
        )
        assert not person.window.findChildren(MeaningDialog)  # it is remembered
        assert person.see(ClassView).model().rowCount() == 4

    assert drive([str(folder)], script) == 0


def test_all_that_are_selected_are_given_what_was_settled(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        person.see(GalleryPanel).view.selectAll()
        QTimer.singleShot(0, lambda: person.choose("label_accept"))
        yield lambda: person.window.findChildren(MeaningDialog)
        (dialog,) = person.window.findChildren(MeaningDialog)
        assert len(dialog._boxes) == 3
        for box in dialog._boxes.values():
            box.setCurrentText("cup")
        dialog.accept()
        yield lambda: set(labels(person).values()) == {"cup"}

    assert drive([str(folder)], script) == 0


def test_filter_by_prediction_and_accept_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        likely = {row.name for row in person.rows() if row.probability >= 0.5}
        bar = person.see(FilterBar)
        bar.set_filter(Filter(at_least=0.5))
        assert {row.name for row in person.rows()} == likely
        person.choose("label_accept_all")
        yield lambda: {name for name, said in labels(person).items() if said} == likely
        bar.set_filter(Filter("none"))
        assert {row.name for row in person.rows()} == set(labels(person)) - likely
        bar.set_filter(Filter(predicted=("espresso",), at_least=0.01))
        assert [row.name for row in person.rows()] == ["coffee.png"]

    assert drive([str(folder)], script) == 0


def test_the_filter_finds_what_was_typed(folder: Path) -> None:
    """A word above classes finds all of them, and a word that none has finds nothing."""

    def type_term(person: Person, text: str) -> None:
        person.choose("filter_prediction")
        popup = QApplication.activePopupWidget()
        assert popup is not None
        field = popup.findChild(QLineEdit)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert not popup.isVisible()

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_term(person, "domestic cat")
        assert [row.name for row in person.rows()] == ["chelsea.png"]
        assert person.see(FilterBar).filter.predicted == ("domestic cat",)
        type_term(person, "dog")
        assert person.rows() == []
        person.choose("filter_prediction")
        listed = QApplication.activePopupWidget().findChild(QTreeWidget)
        rows = [listed.topLevelItem(at) for at in range(listed.topLevelItemCount())]
        by_title = {row.text(0): row for row in rows if not row.isHidden()}
        assert by_title["any class"].text(1) == "3"
        assert by_title["espresso"].text(1) == "1"
        listed.itemClicked.emit(by_title["dog"], 0)
        listed.itemClicked.emit(by_title["espresso"], 1)
        assert by_title["espresso"].checkState(0) is Qt.CheckState.Checked
        assert [row.name for row in person.rows()] == ["coffee.png"]

    assert drive([str(folder)], script) == 0


def test_statistics_speak_of_the_model_in_use(folder: Path) -> None:
    """Agreement is counted anew; what was the case when a label was given does not matter."""

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "espresso, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        drop_on_class(person, "espresso", folder / "coffee.png")
        drop_on_class(person, "cup", folder / "rocket.jpg")
        yield lambda: list(labels(person).values()).count("") == 1
        person.choose("label_statistics")
        yield lambda: person.window.findChildren(StatisticsDialog)
        (dialog,) = person.window.findChildren(StatisticsDialog)
        said = [label.text() for label in dialog.findChildren(QLabel)]
        assert any("agrees with 1 of the 2 labelled photos" in text for text in said), said
        dialog.reject()

    assert drive([str(folder)], script) == 0


def test_photos_dropped_on_a_class(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        drop_on_class(person, "cup", folder / "coffee.png", folder / "rocket.jpg")
        yield lambda: list(labels(person).values()) == ["", "cup", "cup"]
        drop_on_class(person, "cat", SAMPLES / "china.jpg")  # not in the list yet
        yield lambda: labels(person).get("china.jpg") == "cat"
        yield lambda: person.all_classified(4)

    assert drive([str(folder)], script) == 0


def test_a_folder_of_classes_is_dropped(folder: Path, tmp_path: Path) -> None:
    for name, photo in (("cat", "chelsea.png"), ("drink", "coffee.png")):
        (tmp_path / "sorted" / name).mkdir(parents=True)
        shutil.copy(folder / photo, tmp_path / "sorted" / name / f"other {photo}")

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        drop_on_class(person, "", tmp_path / "sorted")
        yield lambda: person.window.findChildren(ImportDialog)
        agree = person.see(ImportDialog).findChildren(QPushButton)[-1]
        assert "2" in agree.text()
        agree.click()
        yield lambda: len(labels(person)) == 5
        yield lambda: sorted(filter(None, labels(person).values())) == ["cat", "drink"]
        yield lambda: person.all_classified(5)

    assert drive([str(folder)], script) == 0


def test_a_table_is_imported_with_the_letters_and_the_column_that_are_chosen(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "labels.csv"
    lines = ("photo;Tier;Ort", "chelsea.png;猫;室", "coffee.png;杯;卓", "rocket.jpg;;空")
    table.write_bytes("\n".join(lines).encode("cp932"))
    chosen = (str(table), "")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: chosen)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        person.choose("import_labels")
        yield lambda: person.window.findChildren(ImportDialog)
        dialog = person.see(ImportDialog)
        yield lambda: dialog.isEnabled() and dialog.findChildren(QPushButton)
        columns, letters = dialog.findChildren(QComboBox)[1:3]
        agree = dialog.findChildren(QPushButton)[-1]
        letters.setCurrentIndex(letters.findData("cp932"))
        yield lambda: dialog.isEnabled() and letters.currentData() == "cp932"
        columns.setCurrentIndex(columns.findData("Tier"))
        yield lambda: dialog.isEnabled() and columns.currentData() == "Tier" and agree.isEnabled()
        agree.click()
        yield lambda: labels(person) == {"chelsea.png": "猫", "coffee.png": "杯", "rocket.jpg": ""}
        person.choose("undo")
        yield lambda: not any(labels(person).values())

    assert drive([str(folder)], script) == 0


def test_classes_are_edited(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup, dog")
        yield lambda: person.see(ClassView).model().rowCount() == 5
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_3, Qt.Key.Key_2)
        yield lambda: list(labels(person).values()) == ["dog", "cup", ""]
        person.choose("edit_classes")
        yield lambda: person.window.findChildren(ClassesDialog)
        dialog = person.see(ClassesDialog)
        dialog._edit("rename", lambda now: now.rename(3, "kitten"))
        dialog._edit("merge", lambda now: now.merge(3, 1))
        dialog._edit("rename", lambda now: now.rename(1, "cup"))
        assert "already" in dialog._message.text()
        yield lambda: labels(person)["chelsea.png"] == "cat"
        person.choose("undo")
        yield lambda: labels(person)["chelsea.png"] == "kitten"
        assert dialog._list.topLevelItemCount() == 3
        dialog.reject()

    assert drive([str(folder)], script) == 0


def test_several_classes_a_photo(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "animal, cat")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        person.choose("edit_classes")
        yield lambda: person.window.findChildren(ClassesDialog)
        person.see(ClassesDialog)._several.setChecked(True)
        person.see(ClassesDialog).reject()
        yield lambda: not person.window.findChildren(ClassesDialog)
        person.window.activateWindow()
        yield person.window.isActiveWindow
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1, Qt.Key.Key_2)
        yield lambda: labels(person)["chelsea.png"] == "animal, cat"
        assert current(person) == "chelsea.png"
        press(person, Qt.Key.Key_1)
        yield lambda: labels(person)["chelsea.png"] == "cat"

    assert drive([str(folder)], script) == 0
    assert stored()["chelsea.png"] == ("cat",)


def test_export_and_statistics(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1, Qt.Key.Key_2)
        yield lambda: labels(person)["coffee.png"] == "cup"
        person.choose("export_labels")
        yield lambda: person.window.findChildren(ExportDialog)
        dialog = person.see(ExportDialog)
        dialog.set_target(target)
        yield lambda: "cup/coffee.png" in dialog._preview.toPlainText() and dialog._go.isEnabled()
        assert not target.exists()
        dialog._go.click()
        yield lambda: "Files written: 3" in dialog._message.text()
        dialog.set_format("csv")
        yield lambda: dialog.target == target.with_suffix(".csv")
        yield lambda: dialog._preview.toPlainText() == "out.csv" and dialog._go.isEnabled()
        dialog._go.click()
        yield lambda: target.with_suffix(".csv").exists()
        dialog.reject()
        person.choose("label_statistics")
        yield lambda: person.window.findChildren(StatisticsDialog)
        person.see(StatisticsDialog).reject()

    assert drive([str(folder)], script) == 0
    assert (target / "cat" / "chelsea.png").read_bytes() == (folder / "chelsea.png").read_bytes()
    assert (target / "classes.txt").read_text() == "cat\ncup\n"


def test_an_away_photo_keeps_its_label_and_a_moved_one_takes_it_along(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1, Qt.Key.Key_2)
        yield lambda: labels(person)["coffee.png"] == "cup"
        yield lambda: True

    def script_again(person: Person) -> Steps:
        yield lambda: len(labels(person)) == 3
        yield lambda: sum(row.is_away for row in person.rows()) == 2
        assert labels(person)["chelsea.png"] == "cat"
        yield lambda: any(row.is_classified for row in person.rows())
        assert "Problems" not in person.banner
        person.drop(folder / "elsewhere")
        yield lambda: labels(person).get("cup.png") == "cup"
        assert "coffee.png" not in labels(person)

    assert drive([str(folder)], script) == 0
    (folder / "elsewhere").mkdir()
    (folder / "chelsea.png").unlink()
    (folder / "coffee.png").rename(folder / "elsewhere" / "cup.png")
    assert drive([], script_again) == 0


def test_a_project_that_is_dropped_or_double_clicked_opens(folder: Path, tmp_path: Path) -> None:
    project = tmp_path / "Birds.droplens"
    with LabelStore(project) as store:
        store.edit_classes("add", store.classes.add(["heron"]))
        store.register([folder / "coffee.png"])

    def script(person: Person) -> Steps:
        yield lambda: person.window.windowTitle() == "Birds – Droplens"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].name == "coffee.png"

    def script_dropping(person: Person) -> Steps:
        yield lambda: person.window.windowTitle() == "Droplens"
        person.drop(project)
        yield from script(person)

    assert drive([], script_dropping) == 0
    (tmp_path / "home" / "Droplens" / "settings.json").unlink()
    assert drive([str(project)], script) == 0


def test_keys_that_wait_when_the_window_closes_are_not_lost(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1)
        person.window.close()

    assert drive([str(folder)], script) == 0
    assert stored() == {"chelsea.png": ("cat",), "coffee.png": ("cup",), "rocket.jpg": ("cat",)}


def test_keys_that_wait_when_another_project_is_opened_go_to_theirs(
    folder: Path, tmp_path: Path
) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1)
        person.drop(tmp_path / "other.droplens")
        yield lambda: person.window.windowTitle() == "other – Droplens"

    assert drive([str(folder)], script) == 0
    assert stored() == {"chelsea.png": ("cat",), "coffee.png": ("cup",), "rocket.jpg": ("cat",)}
    with LabelStore(tmp_path / "other.droplens") as other:
        assert other.state().labels == {}


def test_labels_go_to_the_project_that_is_shown(folder: Path, tmp_path: Path) -> None:
    """Also where a project that does not open was asked for while another one was opening."""
    good, taken = tmp_path / "good.droplens", tmp_path / "taken.droplens"

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        person.drop(good)
        person.drop(taken)
        yield lambda: "another Droplens has it open" in person.banner
        assert person.window.windowTitle() == "good – Droplens"
        type_classes(person, "cat")
        yield lambda: person.see(ClassView).model().rowCount() == 3
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1)
        yield lambda: labels(person)["chelsea.png"] == "cat"

    with LabelStore(taken):
        assert drive([str(folder)], script) == 0
    with LabelStore(good) as store:
        assert store.label_of(folder / "chelsea.png") == (1,)
    with LabelStore(project_path()) as usual:
        assert usual.state().labels == {}


def test_an_export_has_all_that_the_model_has_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.labels.project._PORTION_MS", 10**8)  # they are kept much later

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        person.choose("export_labels")
        yield lambda: person.window.findChildren(ExportDialog)
        dialog = person.see(ExportDialog)
        dialog.set_format("csv-plain")
        dialog._which.setCurrentIndex(dialog._which.findData("all"))
        dialog._predictions.setChecked(True)
        dialog.set_target(tmp_path / "out.csv")
        yield lambda: dialog._preview.toPlainText() == "out.csv" and dialog._go.isEnabled()
        dialog._go.click()
        yield lambda: (tmp_path / "out.csv").exists()
        dialog.reject()

    assert drive([str(folder)], script) == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    said = {Path(row["file"]).name: row["prediction_1"] for row in rows}
    assert (len(said), said["coffee.png"]) == (3, "espresso")
    assert all(said.values())


def test_a_project_that_is_open_elsewhere_is_a_message(folder: Path) -> None:
    other = LabelStore(project_path())

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        assert "another Droplens has it open" in person.banner
        type_classes(person, "cat")
        yield lambda: "No project is open" in person.banner
        other.close()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "gui.labels.project.QFileDialog.getOpenFileName",
                lambda *_: (str(project_path()), ""),
            )
            person.choose("open_project")

        def is_open() -> bool:
            type_classes(person, "cat")
            return person.see(ClassView).model().rowCount() == 3

        yield is_open
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1)
        yield lambda: labels(person)["chelsea.png"] == "cat"

    try:
        assert drive([str(folder)], script) == 0
    finally:
        other.close()
    assert stored() == {"chelsea.png": ("cat",)}


def test_labels_in_full_screen_by_keys_alone(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, espresso")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        show(person, "chelsea.png")
        person.choose("label_full_screen")
        docks = {dock.objectName(): dock for dock in person.window.findChildren(QDockWidget)}
        yield lambda: not docks["gallery"].isVisible()
        assert docks["labels"].isVisible()
        person.window.activateWindow()
        canvas = person.see(PhotoViewer).canvas
        QTest.keyClick(canvas, Qt.Key.Key_1)
        yield lambda: current(person) == "coffee.png"
        QTest.keyClick(canvas, Qt.Key.Key_Return)
        yield lambda: labels(person)["coffee.png"] == "espresso"
        person.choose("stop")  # Escape
        yield lambda: docks["gallery"].isVisible()

    assert drive([str(folder)], script) == 0


def test_look_alikes_come_first(folder: Path, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "coffee.png", tmp_path / "Jörg 张伟" / "zz the same coffee.png")

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(4)
        show(person, "coffee.png")
        person.choose("look_alikes")
        yield lambda: person.rows()[1].name == "zz the same coffee.png"
        assert person.rows()[0].name == "coffee.png"

    assert drive([str(folder)], script) == 0


def test_the_command_line_reads_what_the_window_has_written(folder: Path, tmp_path: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        type_classes(person, "cat, cup")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        show(person, "chelsea.png")
        press(person, Qt.Key.Key_1, Qt.Key.Key_U, Qt.Key.Key_X)
        yield lambda: labels(person)["rocket.jpg"] == "reject"

    assert drive([str(folder)], script) == 0
    assert stored()["coffee.png"] == (str(UNSURE),)
    assert stored()["rocket.jpg"] == (str(REJECT),)
    command = [sys.executable, "-m", "core", "labels", "stats", "--project", project_path()]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("1 of 3 photos are labelled, 3 today.")
