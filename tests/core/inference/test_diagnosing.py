from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import resources
from core import settings
from core.checks.class_orders import orders
from core.checks.mcnemar import chance_of
from core.cli.main import main
from core.images.preprocessing import IMAGENET_MEAN, Preprocessing
from core.inference.diagnosing import Diagnose
from core.inference.diagnosis import Diagnosis
from core.inference.engine import Engine
from core.inference.first_norm import first_norm, mismatch
from core.inference.mirrored import recognition
from core.inference.setups import other_colours, other_cuts, other_numbers, other_sizes
from core.values.spec import ModelChoice, Overrides
from tests.networks import trained
from tests.stripes import CLASSES, write_stripes

PHOTOS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stripes(tmp_path_factory.mktemp("stripes") / "photos", PHOTOS)


@pytest.fixture(scope="module")
def model(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that was taught to tell the stripes apart."""
    model = tmp_path_factory.mktemp("models") / "stripes.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "cache_path", lambda: model.parent / "cache")
        assert main(["train", str(folder), "--out", str(model)]) == 0
    return model


def diagnosed(choice: ModelChoice, folder: Path, *, labels: bool) -> Diagnosis:
    photos = tuple(sorted(folder.rglob("*.png")))
    engine = Engine()
    try:
        names = engine.open(choice, "cpu").spec.class_names
        known = tuple(sorted(names).index(one.parent.name) for one in photos) if labels else ()
        last = list(Diagnose(photos, known).run(engine))[-1]
    finally:
        engine.close()
    assert isinstance(last, Diagnosis)
    return last


def test_a_right_set_up_raises_no_alarm(folder: Path, model: Path) -> None:
    found = diagnosed(ModelChoice(model), folder, labels=True)
    assert found.accuracy == 1
    assert found.findings == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": 255.0, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)},
        {"scale": 1.0, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)},
        {"scale": 1.0, "mean": IMAGENET_MEAN, "std": (0.229, 0.224, 0.225)},
    ],
)
def test_wrong_numbers_are_told_without_labels(
    wrong: dict[str, object], folder: Path, model: Path
) -> None:
    right = diagnosed(ModelChoice(model), folder, labels=False)
    assert right.findings == ()
    assert right.mismatch is not None
    used = replace(_preprocessing_of(ModelChoice(model)), **wrong)  # type: ignore[arg-type]
    choice = ModelChoice(model, overrides=Overrides(preprocessing=used))
    found = diagnosed(choice, folder, labels=False)
    assert found.findings[0].kind == "numbers"
    assert found.findings[0].name == "half"
    assert found.mismatch is not None
    assert found.mismatch > 4 * right.mismatch


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({}, None),
        ({"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}, "imagenet"),
        ({"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}, "imagenet"),
    ],
)
def test_wrong_numbers_are_told_without_labels_and_without_batch_norms(
    wrong: dict[str, object], name: str | None, tmp_path: Path
) -> None:
    _write_corners(tmp_path / "photos")
    choice = ModelChoice(architecture="squeezenet1_1")
    used = replace(_preprocessing_of(choice), **wrong)  # type: ignore[arg-type]
    choice = replace(choice, overrides=Overrides(preprocessing=used))
    found = diagnosed(choice, tmp_path, labels=False)
    assert found.mismatch is None
    assert found.recognition is not None
    assert [one.name for one in found.findings] == ([] if name is None else [name])


def test_what_is_known_again_in_its_mirror_image() -> None:
    sure = np.eye(4, dtype=np.float32)
    assert recognition(sure, sure) == pytest.approx([2, 2, 2, 2], abs=1e-3)
    unsure = np.full((4, 4), 0.25, np.float32)
    assert recognition(unsure, unsure) == pytest.approx([0, 0, 0, 0])
    assert recognition(sure, sure[::-1]).max() < -10


def test_names_in_another_order_are_told_by_labels(folder: Path, model: Path) -> None:
    reversed_ = tuple(sorted(CLASSES, reverse=True))
    choice = ModelChoice(model, overrides=Overrides(class_names=reversed_))
    photos = tuple(sorted(folder.rglob("*.png")))
    engine = Engine()
    engine.open(choice, "cpu")
    labels = tuple(reversed_.index(one.parent.name) for one in photos)
    found = list(Diagnose(photos, labels).run(engine))[-1]
    engine.close()
    assert isinstance(found, Diagnosis)
    assert found.accuracy == 0
    ordered = [one.class_names for one in found.findings if one.kind == "order"]
    assert ordered[0] == tuple(sorted(CLASSES))
    # Stripes that are turned are those of the other class, which explains it as well.
    assert {one.kind for one in found.findings} == {"order", "sideways"}


def test_the_command_says_it(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, out = tmp_path / "wrong.json", tmp_path / "out.json"
    used = replace(
        _preprocessing_of(ModelChoice(model)), scale=255.0, mean=(0.0,) * 3, std=(1.0,) * 3
    )
    wrong.write_text(json.dumps(used.to_json()))
    options = ["--checkpoint", str(model), "--preprocessing", str(wrong)]
    assert main(["diagnose", str(folder), *options]) == 0
    said = capsys.readouterr().out
    assert "It looks as if it learnt from pixels of 0 to 1, less 0.500 0.500 0.500" in said
    assert "Nothing was changed." in said
    assert main(["diagnose", str(folder), "--checkpoint", str(model), "--json", str(out)]) == 0
    assert json.loads(out.read_text())["findings"] == []


@pytest.mark.parametrize("case", ["few", "nothing", "other classes"])
def test_what_cannot_be_told_is_a_sentence(
    case: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = write_stripes(tmp_path / "few", 3)
    arguments = {"few": [str(few)], "nothing": [], "other classes": ["--labels", str(folder)]}[case]
    assert main(["diagnose", *arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.endswith(".")
    assert "did not expect" not in said


def test_a_network_that_is_fresh_or_has_no_batch_norm_tells_nothing() -> None:
    assert first_norm(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))) is None
    assert first_norm(trained("vit_b_32", 2)) is None


def test_the_mismatch_is_none_for_what_it_learnt_from() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=1.0))
    inputs = torch.randn(64, 3, 16, 16)
    network(inputs)
    norm = first_norm(network.eval())
    assert norm is not None
    assert mismatch(network, norm, inputs) == pytest.approx(0, abs=1e-3)
    assert mismatch(network, norm, inputs * 255) > 5


def test_set_ups_differ_from_that_in_use() -> None:
    used = Preprocessing()
    for others in (other_numbers, other_colours, other_cuts, other_sizes):
        found = others(used)
        assert found
        assert used not in found.values()
    assert "imagenet" not in other_numbers(used)
    grey = replace(used, channel_order="grey", mean=(0.5,), std=(0.5,))
    assert not other_numbers(grey)
    assert not other_colours(grey)


def test_orders_of_names() -> None:
    names = ("1", "10", "2")
    labels = np.array([0, 0, 1, 1, 2, 2])
    found = orders(names, labels, np.array([1, 1, 2, 2, 0, 0]))
    assert [names[at] for at in found["numbers"]] == ["1", "2", "10"]
    assert "sorted" not in found
    assert found["as the labels say"].tolist() == [2, 0, 1]
    assert found["next"].tolist() == [1, 2, 0]


def test_mcnemars_test() -> None:
    right, other = np.zeros(20, np.bool_), np.zeros(20, np.bool_)
    assert chance_of(right, other) == 1
    other[:10] = True
    assert chance_of(right, other) == pytest.approx(2 / 2**10)
    right[10:20] = True
    assert chance_of(right, other) == 1
    many = np.arange(4000) < 2100
    assert chance_of(many, ~many) == pytest.approx(0.0016, rel=0.1)


def _write_corners(folder: Path) -> None:
    """Write the corners and the middle of each of the sample photos: 25 photos."""
    folder.mkdir()
    for path in sorted(resources.path("samples").glob("*.[jp][pn]g")):
        with Image.open(path) as photo:
            width, height = photo.size
            side = round(0.8 * min(width, height))
            right, low = width - side, height - side
            places = [(0, 0), (right, 0), (0, low), (right, low), (right // 2, low // 2)]
            for at, (x, y) in enumerate(places):
                photo.crop((x, y, x + side, y + side)).save(folder / f"{path.stem} {at}.png")


def _preprocessing_of(choice: ModelChoice) -> Preprocessing:
    engine = Engine()
    try:
        return engine.open(choice, "cpu").spec.preprocessing
    finally:
        engine.close()


def test_names_of_a_usual_list_are_found_in_its_order_though_two_are_equal() -> None:
    usual = ("tench", "crane", "ant", "crane")
    names = tuple(sorted(usual))  # ant, crane, crane, tench
    nothing = np.array([], np.int64)
    meant = orders(names, nothing, nothing, usual)["usual"]
    assert tuple(names[at] for at in meant.tolist()) == usual
    assert sorted(meant.tolist()) == [0, 1, 2, 3]
    assert "usual" not in orders(("a", "b"), nothing, nothing, usual)
