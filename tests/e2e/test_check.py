"""A person looks how right a model is, sees the photos of a mistake, and corrects a label."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from PySide6.QtWidgets import QLabel

from core.cli.main import main
from core.labels.changes import Labelling
from core.labels.store import LabelStore
from core.settings import project_path
from gui.checks.check_panel import CheckPanel
from gui.checks.doctor_dialog import DoctorDialog
from gui.labels.label_panel import LabelPanel
from tests.e2e.driver import Person, drive
from tests.stripes import CLASSES, write_stripes

Steps = Generator[Callable[[], object], None, None]
PHOTOS = 6


def text_of(panel: CheckPanel) -> str:
    return "\n".join(one.text() for one in panel.findChildren(QLabel))


def test_a_wrong_label_is_found_and_corrected(tmp_path: Path) -> None:
    photos = write_stripes(tmp_path / "photos", PHOTOS)
    model = tmp_path / "stripes.safetensors"
    assert main(["train", str(photos), "--out", str(model)]) == 0
    project_path().parent.mkdir(parents=True, exist_ok=True)
    wrong = photos / CLASSES[0] / f"{CLASSES[0]} 0.png"
    with LabelStore(project_path()) as store:
        store.edit_classes("add", store.classes.add(CLASSES))
        for number, name in enumerate(CLASSES, 1):
            files = sorted((photos / name).iterdir())
            store.register(files)
            store.label([Labelling(file, (2 if file == wrong else number,)) for file in files])

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(len(CLASSES) * PHOTOS)
        person.choose("check_model")
        panel = person.see(CheckPanel)
        yield lambda: "92% right on 12 photos" in text_of(panel)
        row = panel._mistakes.topLevelItem(0)
        assert (row.text(0), row.text(1), row.text(2)) == (CLASSES[1], CLASSES[0], "1")
        panel._mistakes.itemClicked.emit(row, 0)
        yield lambda: person.current == wrong
        first = person.photos.label_index.classes.classes[0]
        person.see(LabelPanel).class_chosen.emit(first.id)
        yield lambda: "100% right on 12 photos" in text_of(panel)
        assert panel._mistakes.topLevelItem(0).text(0) == "No mistakes"
        assert panel._mistakes.topLevelItemCount() == 1
        panel._tabs.setCurrentWidget(panel._confidence)
        yield lambda: panel._confidence._rows.topLevelItemCount() > 0
        panel._confidence._rows.topLevelItem(0).setSelected(True)
        panel._confidence._limit.click()
        session = panel._reviewing._session
        yield lambda: session.model.spec.unsure_below > 0
        yield lambda: person.all_classified(len(CLASSES) * PHOTOS)
        assert "100% right on 12 photos" in text_of(panel)

    assert drive([str(model), str(photos)], script) == 0


def test_names_in_the_wrong_order_are_found_and_put_right(tmp_path: Path) -> None:
    photos = write_stripes(tmp_path / "photos", 2 * PHOTOS)
    model = tmp_path / "stripes.safetensors"
    assert main(["train", str(photos), "--out", str(model)]) == 0
    project_path().parent.mkdir(parents=True, exist_ok=True)
    with LabelStore(project_path()) as store:
        store.edit_classes("add", store.classes.add(CLASSES))
        for number, name in zip((2, 1), CLASSES, strict=True):  # each photo has the other's name
            files = sorted((photos / name).iterdir())
            store.register(files)
            store.label([Labelling(file, (number,)) for file in files])

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(4 * PHOTOS)
        person.choose("diagnose_model")
        dialog = person.see(DoctorDialog)
        yield lambda: dialog._findings.topLevelItemCount() > 0
        assert "Something looks wrong" in "\n".join(
            one.text() for one in dialog.findChildren(QLabel)
        )
        kinds = [finding.kind for finding in dialog._diagnosis.findings]
        dialog._findings.setCurrentItem(dialog._findings.topLevelItem(kinds.index("order")))
        dialog._use.click()
        session = dialog._session
        model = session.model
        yield lambda: session.model is not model
        assert session.model.spec.class_names == tuple(sorted(CLASSES, reverse=True))
        dialog._back.click()
        yield lambda: session.model.spec.class_names == tuple(sorted(CLASSES))
        dialog.reject()

    assert drive([str(model), str(photos)], script) == 0
