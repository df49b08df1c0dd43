from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from core import settings
from core.cli.main import main
from core.labels.changes import Labelling
from core.labels.store import LabelStore
from core.models.sources.checkpoint.source import open_model
from core.values.spec import ModelChoice
from tests.stripes import write_stripes

PHOTOS = 6


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "cache_path", lambda: tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return folders of two classes."""
    return write_stripes(tmp_path / "photos", PHOTOS)


def train(*arguments: object) -> int:
    return main(["train", *map(str, arguments)])


def report(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def classes_of(model: Path, photos: Path, tmp_path: Path) -> dict[str, tuple[str, float]]:
    out = tmp_path / "found.json"
    assert main(["classify", str(photos), "--checkpoint", str(model), "--json", str(out)]) == 0
    return {
        one["image"]: (one["predictions"][0]["class_name"], one["predictions"][0]["probability"])
        for one in json.loads(out.read_text())
    }


@pytest.mark.parametrize("architecture", ["tf_efficientnet_lite0", "squeezenet1_1"])
def test_a_taught_model_opens_and_knows_its_classes(
    architecture: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = tmp_path / "stripes.safetensors", tmp_path / "report.json"
    status = train(folder, "--out", model, "--json", out, "--architecture", architecture)
    assert status == 0
    said = capsys.readouterr()
    assert "learnt from 12 photos of 2 classes" in said.out
    assert "taken together" not in said.err
    found = report(out)
    assert found["classes"] == ["lying", "standing"]
    assert found["photos"] == {"train": 12, "validation": 12, "failed": 0, "alike": 0}
    assert found["accuracy"] >= 0.9
    assert found["interval"][0] < found["accuracy"] <= found["interval"][1] + 1e-9
    named = classes_of(model, folder, tmp_path)
    assert all(name == Path(photo).parent.name for photo, (name, _) in named.items())
    opened = open_model(ModelChoice(model))
    assert opened.spec.class_names == ("lying", "standing")
    assert opened.spec.architecture == architecture
    assert opened.spec.problems == ()
    with safe_open(model, "pt") as file:
        training = json.loads(file.metadata()["training"])
    assert training["seed"] == 0
    assert len(training["sha256"]) == 12


def test_the_same_seed_writes_the_same_model(folder: Path, tmp_path: Path) -> None:
    found = []
    for number in range(2):
        model = tmp_path / f"{number}.safetensors"
        assert train(folder, "--out", model, "--validation", 0.3, "--seed", 5) == 0
        with safe_open(model, "np") as file:
            tensors = {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118
            found.append((tensors, file.metadata()))
    assert found[0] == found[1]


def test_it_is_tried_on_photos_of_another_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    for name in ("lying", "standing"):
        (other / name).mkdir(parents=True)
        (folder / name / f"{name} 0.png").rename(other / name / "0.png")
    out = tmp_path / "report.json"
    model = tmp_path / "model.safetensors"
    assert train(folder, "--out", model, "--validation", other, "--json", out) == 0
    assert report(out)["photos"] == {"train": 10, "validation": 2, "failed": 0, "alike": 0}
    (other / "lying" / "again.png").write_bytes((folder / "lying" / "lying 1.png").read_bytes())
    assert train(folder, "--out", model, "--validation", other, "--json", out) == 0
    assert report(out)["photos"] == {"train": 10, "validation": 2, "failed": 0, "alike": 1}
    assert "1 photo to try it on is nearly the same" in capsys.readouterr().err
    (other / "slanting").mkdir()
    (folder / "lying" / "lying 1.png").rename(other / "slanting" / "1.png")
    assert train(folder, "--out", model, "--validation", other) == 2


def test_sets_that_are_taken_together_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train", "val"):
        write_stripes(tmp_path / "all" / name, PHOTOS)
    assert train(tmp_path / "all", "--out", tmp_path / "model.safetensors") == 0
    assert "train, val are taken together" in capsys.readouterr().err


def test_a_broken_photo_is_left_out_with_its_reason(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "lying" / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    out = tmp_path / "report.json"
    status = train(folder, "--out", tmp_path / "model.safetensors", "--json", out)
    assert status == 1
    assert "broken.jpg was left out" in capsys.readouterr().err
    assert report(out)["photos"] == {"train": 12, "validation": 12, "failed": 1, "alike": 0}


def test_copies_of_a_photo_are_never_on_both_sides(folder: Path, tmp_path: Path) -> None:
    """With one photo a class, copied, nothing can be held out."""
    for name in ("lying", "standing"):
        content = (folder / name / f"{name} 0.png").read_bytes()
        for number in range(1, PHOTOS):
            (folder / name / f"{name} {number}.png").write_bytes(content)
    out = tmp_path / "report.json"
    assert train(folder, "--out", tmp_path / "model.safetensors", "--json", out) == 0
    found = report(out)
    assert found["accuracy"] is None
    assert found["photos"]["validation"] == 0


def test_a_project_teaches(make_photo: Callable[..., Path], folder: Path, tmp_path: Path) -> None:
    project = tmp_path / "labels.droplens"
    with LabelStore(project) as store:
        store.edit_classes("add", store.classes.add(["standing", "lying"]))
        for index, name in enumerate(("standing", "lying"), 1):
            photos = sorted((folder / name).iterdir())
            store.register(photos)
            store.label([Labelling(photo, (index,)) for photo in photos])
        store.register([make_photo("unlabelled.png")])
    out = tmp_path / "report.json"
    model = tmp_path / "model.safetensors"
    assert train("--project", project, "--out", model, "--json", out) == 0
    assert report(out)["classes"] == ["standing", "lying"]
    with LabelStore(project) as store:
        assert len(store.files()) == 2 * PHOTOS + 1
        assert store.label_of(folder / "lying" / "lying 0.png") == (2,)
    named = classes_of(model, folder, tmp_path)
    assert all(name == Path(photo).parent.name for photo, (name, _) in named.items())


def test_a_project_of_several_classes_a_photo_teaches(folder: Path, tmp_path: Path) -> None:
    """Stripes one way, the other way, or neither way in a photo that shows both."""
    project = tmp_path / "labels.droplens"
    with LabelStore(project) as store:
        classes = store.classes.add(["standing", "lying", "striped"])
        store.edit_classes("add", replace(classes, is_multiple=True))
        for index, name in enumerate(("standing", "lying"), 1):
            photos = sorted((folder / name).iterdir())
            store.register(photos)
            store.label([Labelling(photo, (index, 3)) for photo in photos])
    out, model = tmp_path / "report.json", tmp_path / "model.safetensors"
    assert train("--project", project, "--out", model, "--json", out) == 0
    assert report(out)["classes"] == ["standing", "lying", "striped"]
    assert report(out)["is_several"]
    spec = open_model(ModelChoice(model)).spec
    assert spec.outputs == "sigmoid"
    assert not spec.problems
    assert main(["classify", str(folder), "--checkpoint", str(model), "--json", str(out)]) == 0
    for one in json.loads(out.read_text()):
        likely = {top["class_name"] for top in one["predictions"] if top["probability"] > 0.5}
        assert likely == {Path(one["image"]).parent.name, "striped"}


@pytest.mark.parametrize("case", ["one class", "no photos", "share", "no project"])
def test_what_cannot_be_taught_is_said_in_a_sentence(
    case: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.safetensors"
    arguments: list[object] = [folder]
    if case == "one class":
        (folder / "standing").rename(tmp_path / "elsewhere")
    elif case == "no photos":
        arguments = [tmp_path / "nowhere"]
    elif case == "share":
        arguments += ["--validation", "0.9"]
    else:
        arguments = ["--project", tmp_path / "gone.droplens"]
    assert train(*arguments, "--out", model) == 2
    said = capsys.readouterr().err.strip()
    assert said.endswith((".", "…"))
    assert "Traceback" not in said
    assert "did not expect" not in said
    assert not model.exists()
