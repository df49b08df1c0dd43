from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from core.errors import DroplensError, UnusableCheckpointError
from core.images.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from core.inference.classifying import Classify
from core.inference.engine import Engine
from core.inference.saving_onnx import INPUT, SaveAsOnnx
from core.models.sources.onnx.own_metadata import own_outputs, own_preprocessing
from core.values.predictions import Prediction
from core.values.spec import ModelChoice, Overrides
from tests.networks import trained

NAMES = ("Ameise", "Biene, wild", '"Käfer"', "蝶")
USED = Preprocessing(
    resize=(96, 64), crop=None, mean=(0.1, 0.2, 0.3), std=(1, 2, 3), channel_order="BGR"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(cache=tmp_path / "cache")
    yield engine
    engine.close()


def opened(engine: Engine, folder: Path, overrides: Overrides | None = None) -> Path:
    file = folder / "model.pth"
    torch.save(trained("resnet18", classes=len(NAMES)).state_dict(), file)
    given = overrides or Overrides(NAMES, USED, "sigmoid", unsure_below=0.625)
    engine.open(ModelChoice(file, overrides=given), "cpu")
    return file


def saved(engine: Engine, path: Path) -> Path:
    assert list(SaveAsOnnx(path).run(engine))[-1] == path
    return path


def predicted(engine: Engine, photo: Path) -> Prediction:
    ((prediction,),) = (batch.predictions for batch in Classify([photo]).run(engine))
    return prediction


def test_what_is_saved_opens_with_all_that_was_known(
    engine: Engine, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    opened(engine, tmp_path)
    photo = make_photo("photo.png")
    before = predicted(engine, photo)
    model = saved(engine, tmp_path / "model.onnx")
    spec = engine.open(ModelChoice(model), "cpu").spec
    assert spec.class_names == NAMES
    assert spec.unsure_below == 0.625
    assert spec.preprocessing == USED
    assert spec.outputs == "sigmoid"
    assert not spec.problems
    after = predicted(engine, photo)
    for here, there in zip(before.top, after.top, strict=True):
        assert (here.class_index, here.class_name) == (there.class_index, there.class_name)
        assert here.probability == pytest.approx(there.probability, abs=1e-5)


def test_other_programs_are_given_what_pytorch_is_given(engine: Engine, tmp_path: Path) -> None:
    used = Preprocessing(resize=64, crop=(64, 64), mean=IMAGENET_MEAN, std=IMAGENET_STD)
    file = opened(engine, tmp_path, Overrides(preprocessing=used))
    session = onnxruntime.InferenceSession(saved(engine, tmp_path / "model.onnx"))
    values = np.random.default_rng(0).normal(size=(3, 3, 64, 64)).astype(np.float32)
    network = trained("resnet18", classes=len(NAMES))
    network.load_state_dict(torch.load(file, weights_only=True))
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(values)).numpy()
    (found,) = session.run(None, {INPUT: values})
    assert found == pytest.approx(expected, abs=1e-4)
    assert session.get_modelmeta().producer_name == "Droplens"


def test_a_model_whose_file_is_gone_is_a_sentence(engine: Engine, tmp_path: Path) -> None:
    opened(engine, tmp_path).unlink()
    with pytest.raises(UnusableCheckpointError, match="gone or was changed"):
        saved(engine, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_a_place_that_cannot_be_written_is_refused_first(engine: Engine, tmp_path: Path) -> None:
    opened(engine, tmp_path)
    with pytest.raises(DroplensError, match="could not be written"):
        next(iter(SaveAsOnnx(tmp_path / "nowhere" / "model.onnx").run(engine)))


def test_stopping_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    opened(engine, tmp_path)
    steps = SaveAsOnnx(tmp_path / "model.onnx").run(engine)
    assert next(steps) is None
    steps.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.glob("*.onnx"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 10_000, '{"preprocessing": 1, "outputs": []}', "7" * 200_000]
)
def test_metadata_that_makes_no_sense_says_nothing(text: str) -> None:
    assert own_preprocessing({"droplens": text}) is None
    assert own_outputs({"droplens": text}) is None
