from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.images.preprocessing import Preprocessing
from core.inference import conversion, converting, hastening
from core.inference.backends import EagerBackend, OnnxBackend, probe_batch
from core.inference.classifier import Classifier
from core.inference.classifying import Classify
from core.inference.conversion import Conversion, ConversionError, Conversions
from core.inference.converting import export
from core.inference.devices import processor
from core.inference.engine import Engine
from core.models.sources.checkpoint.source import open_model
from core.values.predictions import Prediction
from core.values.spec import ModelChoice, Overrides
from tests.networks import trained

FAMILIES = (
    "alexnet",
    "vgg11_bn",
    "resnet18",
    "resnext50_32x4d",
    "inception_v3",
    "densenet121",
    "googlenet",
    "squeezenet1_0",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_y_400mf",
    "convnext_tiny",
    "vit_b_32",
    "swin_t",
    "swin_v2_t",
    "maxvit_t",
)

WITHOUT_GRAPH = ModelChoice(overrides=Overrides(preprocessing=Preprocessing(crop=(192, 192))))
"""A model that no graph is shipped for: its input has another size."""


@pytest.fixture
def conversions(tmp_path: Path) -> Iterator[Conversions]:
    made = Conversions(tmp_path / "converted")
    yield made
    made.shut_down()


@pytest.fixture
def without_fast_path() -> Iterator[None]:
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(True)


@pytest.mark.filterwarnings("ignore")  # the exporter's, for programmers
@pytest.mark.usefixtures("without_fast_path")
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_computes_the_same_when_converted(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = trained(name, 10)
    size = 299 if name == "inception_v3" else 224
    used = Preprocessing(resize=size, crop=(size, size))
    export(network, used, tmp_path / "network.onnx")
    converted = OnnxBackend((tmp_path / "network.onnx").read_bytes(), used)
    pixels = probe_batch(used)
    expected = EagerBackend(network, used, "cpu").begin(pixels, same)()
    found = converted.begin(pixels, same)()  # three photos, where two were exported
    converted.close()
    assert found.shape == (3, 10)
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_a_conversion_serves_and_is_kept(conversions: Conversions, tmp_path: Path) -> None:
    choice = ModelChoice()
    opened = open_model(choice)
    asked = Conversion(choice, opened.spec)
    assert not conversions.is_kept(asked)
    made = conversions.start(asked).result()
    used = Classifier(opened, processor(""), print)
    assert used.adopt(made)
    assert used.backend == "ONNX Runtime"
    used.close()
    assert conversions.is_kept(asked)

    other_mean = Overrides(preprocessing=Preprocessing(mean=(0.5, 0.5, 0.5)))
    again = Conversion(choice, open_model(ModelChoice(overrides=other_mean)).spec)
    assert conversions.is_kept(again)  # mean and std go in beside the pixels
    kept = conversions.start(again).result()
    other = Classifier(open_model(ModelChoice(overrides=other_mean)), processor(""), print)
    assert other.adopt(kept)
    other.close()

    (file,) = (tmp_path / "converted").glob("*.onnx")
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ConversionError, match="cannot be loaded"):
        conversions.start(asked).result()
    assert not conversions.is_kept(asked)


def test_a_network_is_not_trusted_by_its_name(tmp_path: Path) -> None:
    conversions = Conversions(tmp_path / "converted")
    asked = Conversion(ModelChoice(), open_model(ModelChoice()).spec)
    conversions.start(asked).result().close()
    (file,) = (tmp_path / "converted").glob("*.onnx")
    other = bytearray(file.read_bytes())
    other[-1000] ^= 1  # one parameter, which any loader takes
    file.write_bytes(other)
    with pytest.raises(ConversionError, match="not what was written"):
        conversions.start(asked).result()
    conversions.start(asked).result().close()  # converted anew
    conversions.shut_down()


def test_what_it_depends_on_is_in_its_name() -> None:
    choice = ModelChoice()
    spec = open_model(choice).spec
    keys = {Conversion(choice, spec).key}
    for edited in (Preprocessing(crop=(192, 192)), Preprocessing(transform_input=True)):
        overrides = Overrides(preprocessing=edited)
        keys.add(Conversion(choice, open_model(ModelChoice(overrides=overrides)).spec).key)
    assert len(keys) == 3


def test_a_file_that_is_gone_ends_as_a_reason(conversions: Conversions, tmp_path: Path) -> None:
    spec = open_model(ModelChoice()).spec
    gone = Conversion(ModelChoice(checkpoint=tmp_path / "gone.pth"), spec)
    with pytest.raises(ConversionError, match=r"gone\.pth"):
        conversions.start(gone).result()
    assert list((tmp_path / "converted").iterdir()) == []


def test_a_conversion_outlives_the_program(tmp_path: Path) -> None:
    made = Conversions(tmp_path / "converted")
    asked = Conversion(ModelChoice(), open_model(ModelChoice()).spec)
    running = made.start(asked)
    until(lambda: any((tmp_path / "converted").glob("*.unfinished")))
    made.shut_down()
    with pytest.raises(ConversionError, match="goes on"):
        running.result()
    later = Conversions(tmp_path / "converted")
    with pytest.raises(ConversionError, match="another process"):
        later.start(asked).result()
    until(lambda: later.is_kept(asked))
    later.start(asked).result().close()
    later.shut_down()


def test_what_cannot_be_converted_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    begin = conversion.begin_process
    monkeypatch.setattr(
        conversion,
        "begin_process",
        lambda asked, *, is_idle: begun.append(asked) or begin("{}", is_idle=is_idle),
    )
    conversions = Conversions(tmp_path / "converted")
    asked = Conversion(ModelChoice(), open_model(ModelChoice()).spec)
    path = conversions._path(asked)
    for _ in range(2):  # its process ends without a word: that may be chance
        with pytest.raises(ConversionError, match="ended early"):
            conversions.start(asked).result()
    path.with_suffix(".refused").write_text("an operator that is not known")
    with pytest.raises(ConversionError, match="not known"):
        conversions.start(asked).result()
    conversions.shut_down()
    assert len(begun) == 2


def test_a_refusal_that_lasts_is_told_from_one_that_may_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "network.onnx"
    for error, status in ((TypeError("unknown"), 2), (MemoryError("full"), 1)):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(converting, "_open_and_export", fail)
        assert converting._convert({}, path) == status
        assert str(error) in path.with_suffix(".refused").read_text()
        assert [one.name for one in tmp_path.iterdir()] == ["network.refused"]


def test_those_unused_for_longest_go(tmp_path: Path) -> None:
    kept = Conversions(tmp_path, limit_bytes=250)
    for number, name in enumerate(("old", "middle", "new")):
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(b"x" * 100)
        os.utime(path, (number, number))
    kept._prune(tmp_path / "new.onnx")
    kept.shut_down()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle.onnx", "new.onnx"]


def same(outputs: Tensor) -> Tensor:
    return outputs


class Shifted:
    """A backend that computes something else."""

    title, batch_size, streams, runs_ahead = "Wrong", 8, 1, False

    def __init__(self, right: EagerBackend, shift: float) -> None:
        self._right, self._shift = right, shift

    def begin(self, pixels: np.ndarray, then: Callable[[Tensor], Tensor]) -> Callable[[], Tensor]:
        outputs = self._right.begin(pixels, same)().clone()
        outputs[:, outputs.argmax(1)] -= self._shift
        return lambda: then(outputs)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("shift", [0.1, 100.0, float("nan")])
def test_a_backend_that_predicts_otherwise_does_not_serve(shift: float) -> None:
    used = Classifier(open_model(ModelChoice()), processor(""), print)
    wrong = Shifted(used._eager, shift)
    assert used.difference(wrong) > 1e-3
    assert not used.adopt(wrong)
    assert used.backend == "PyTorch"


def until(holds: Callable[[], bool]) -> None:
    """Wait for what must come; a machine may be slow."""
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def classify(made: Engine, paths: list[Path]) -> list[Prediction]:
    return [one for batch in Classify(paths).run(made) for one in batch.predictions]


def test_a_long_run_goes_over_to_the_faster_backend(
    make_photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hastening, "_WORTH_CONVERTING", 0.0)
    monkeypatch.setattr(hastening, "_CONVERTING_SECONDS", 0.0)
    made = Engine(decoders=2, cache=tmp_path / "cache")
    paths = [make_photo(f"{number}.png") for number in range(8)]
    made.open(WITHOUT_GRAPH, "cpu")
    first = classify(made, paths)

    def is_converted() -> bool:
        classify(made, paths)
        return made.classifier().backend == "ONNX Runtime"

    until(is_converted)
    later = classify(made, paths)
    backend = made.classifier().backend
    made.close()
    assert backend == "ONNX Runtime"
    for before, after in zip(first, later, strict=True):
        assert before.top[0].class_index == after.top[0].class_index
        assert before.top[0].probability == pytest.approx(after.top[0].probability, abs=1e-3)


def test_a_run_leaves_the_next_one_a_converted_network(
    make_photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hastening, "_WORTH_CONVERTING", 0.0)
    paths = [make_photo(f"{number}.png") for number in range(8)]
    backends = []
    for run in range(2):
        made = Engine(decoders=2, cache=tmp_path / "cache")
        made.open(WITHOUT_GRAPH, "cpu")
        classify(made, paths)
        if run:
            until(lambda: bool(classify(made, paths)) and made._hastening._converted is None)  # noqa: B023
        backends.append(made.classifier().backend)
        made.close()
        until(lambda: any((tmp_path / "cache" / "converted").glob("*.onnx")))
    assert backends == ["PyTorch", "ONNX Runtime"]


def test_large_networks_stay_with_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "_LARGEST_NETWORK_BYTES", 1000)
    asked = Conversion(ModelChoice(), open_model(ModelChoice()).spec).to_json()
    with pytest.raises(converting.TooLargeError, match="17 MB"):
        converting._open_and_export(asked, tmp_path / "network.onnx")
    assert not (tmp_path / "network.onnx").exists()
