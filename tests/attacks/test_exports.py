"""Exports bring photos alone, follow no links, and imports say what lies elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import LabelsError
from core.labels import importing
from core.labels.changes import Labelling
from core.labels.exporting import carry_out, choose, plan_export
from core.labels.formats.table import FORMATS
from core.labels.plans import ExportOptions
from core.labels.store import LabelStore
from tests.attacks.disk import image


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    made = LabelStore(tmp_path / "my.droplens")
    made.edit_classes("add", made.classes.add(["cat"]))
    return made


def secret(tmp_path: Path) -> Path:
    """Return a file that is nobody's business."""
    path = tmp_path / ".ssh" / "id_rsa"
    path.parent.mkdir()
    path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----")
    return path


def labels_file(tmp_path: Path, *files: str) -> Path:
    folder = tmp_path / "dataset"
    folder.mkdir(exist_ok=True)
    path = folder / "labels.jsonl"
    path.write_text("\n".join(json.dumps({"file": name, "label": "cat"}) for name in files))
    return path


@pytest.mark.parametrize("kind", ["absolute", "relative", "link", "link with an ending"])
def test_what_is_no_photo_cannot_be_labelled_by_a_file(
    kind: str, store: LabelStore, tmp_path: Path
) -> None:
    target = secret(tmp_path)
    source = labels_file(tmp_path, "x")
    names = {
        "absolute": str(target),
        "relative": "../.ssh/id_rsa",
        "link": "linked",
        "link with an ending": "linked.jpg",
    }
    if "link" in kind:
        (source.parent / names[kind]).symlink_to(target)
    with store:
        with pytest.raises(LabelsError):
            importing.plan_import(store, None, labels_file(tmp_path, names[kind]))
        # A photo that became something else, or was labelled while it was none.
        linked = tmp_path / "cat.jpg"
        linked.symlink_to(target)
        store.label([Labelling(linked, (1,))])
        form, options, out = FORMATS["class-folders"], ExportOptions(), tmp_path / "out"
        plan = plan_export(store, choose(store), form, out, options)
        report = carry_out(plan, form, out, options, lambda _: None)
    assert len(report.failed) == 1
    assert "not a photo" in report.failed[0]
    assert not [path for path in out.rglob("*") if path.is_file() and b"BEGIN" in path.read_bytes()]


def test_photos_outside_are_listed_first(store: LabelStore, tmp_path: Path) -> None:
    private, public = tmp_path / "private" / "me.jpg", tmp_path / "dataset" / "cat.jpg"
    for number, photo in enumerate((private, public)):
        photo.parent.mkdir()
        photo.write_bytes(image(number))
    with store:
        source = labels_file(tmp_path, "cat.jpg", str(private), "../private/me.jpg")
        plan = importing.plan_import(store, None, source)
        assert str(private) in plan.notes[0]
        assert str(public) not in plan.notes[0]
        inside = importing.plan_import(store, None, labels_file(tmp_path, "cat.jpg"))
    assert not any(str(tmp_path) in note for note in inside.notes)


@pytest.mark.parametrize("place", ["class folder", "photo", "list of classes"])
def test_no_link_in_the_target_is_followed(place: str, store: LabelStore, tmp_path: Path) -> None:
    photo, elsewhere, out = tmp_path / "a.jpg", tmp_path / "elsewhere", tmp_path / "out"
    photo.write_bytes(image(1))
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("mine")
    out.mkdir()
    links = {
        "class folder": (out / "cat", elsewhere),
        "photo": (out / "cat" / "a.jpg", elsewhere / "precious"),
        "list of classes": (out / "classes.txt", elsewhere / "precious"),
    }
    link, target = links[place]
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    with store:
        store.label([Labelling(photo, (1,))])
        form, options = FORMATS["class-folders"], ExportOptions()
        plan = plan_export(store, choose(store), form, out, options)
        try:
            report = carry_out(plan, form, out, options, lambda _: None)
            told = " ".join(report.failed)
        except LabelsError as error:
            told = str(error)
    assert place == "photo" or told  # a photo is put beside it, under another name
    assert (elsewhere / "precious").read_text() == "mine"
    assert [path.name for path in elsewhere.iterdir()] == ["precious"]
