"""ONNX classifiers open as what they are, or are refused by name."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto as Types
from onnx import helper, numpy_helper
from torch import nn

from core.errors import DroplensError, StoppedError
from core.inference.classifier import Classifier
from core.inference.devices import Device, processor
from core.inference.engine import Engine
from core.inside.feature_maps import capture_feature_maps
from core.inside.layers import record
from core.inside.lens import Lens
from core.inside.pooled import pooled_features
from core.models.overrides import SavedOverrides
from core.models.sources import source_of
from core.models.sources.base import Capability, OpenedModel
from core.models.sources.onnx.external import read_external
from core.models.sources.onnx.graph import StoredTensor
from core.values.spec import Inspection, ModelChoice, NamedBy, Overrides
from tests.networks import spread

SIDE = 16


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    torch.manual_seed(0)


def body(channels: int = 3, classes: int = 5) -> nn.Sequential:
    layers = [nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    return spread(nn.Sequential(*layers, nn.Flatten(), nn.Linear(8, classes)))  # type: ignore[return-value]


def exported(
    network: nn.Module,
    path: Path,
    shape: Sequence[int] = (1, 3, SIDE, SIDE),
    free: Sequence[int] = (0,),
    outputs: Sequence[str] = ("logits",),
) -> Path:
    """Write a network with torch's tracing exporter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (torch.rand(*shape),),
            str(path),
            dynamo=False,
            input_names=["input"],
            output_names=list(outputs),
            dynamic_axes={"input": {axis: f"side{axis}" for axis in free}} if free else None,
            opset_version=17,
        )
    return path


def changed(path: Path, change: Any) -> Path:
    model = onnx.load(str(path))
    change(model)
    onnx.save(model, str(path))
    return path


def with_metadata(path: Path, **metadata: str) -> Path:
    return changed(path, lambda model: helper.set_model_props(model, metadata))


def written(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto] = (),
    *,
    shape: Sequence[int | str] = (1, 3, SIDE, SIDE),
    kind: int = Types.FLOAT,
    outputs: Sequence[str] = ("y",),
    producer: str = "",
    opsets: Sequence[tuple[str, int]] = (("", 17),),
) -> Path:
    """Write a graph that takes "x"."""
    given = helper.make_tensor_value_info("x", kind, shape)
    gives = [helper.make_tensor_value_info(name, Types.FLOAT, None) for name in outputs]
    graph = helper.make_graph(list(nodes), "graph", [given], gives, list(constants))
    versions = [helper.make_opsetid(*one) for one in opsets]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8, producer_name=producer)
    path.write_bytes(model.SerializeToString())
    return path


def numbers(name: str, *values: float, dtype: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, dtype), name)


def array(name: str, *shape: int) -> onnx.TensorProto:
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return numpy_helper.from_array(values, name)


def node(operator: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs.split(), output.split(), **attributes)


HEAD = [node("GlobalAveragePool", "m", "p"), node("Flatten", "p", "f"), node("Gemm", "f W", "y")]
"""From maps "m" of three channels to four numbers "y"."""


def opened(path: Path, **choice: Any) -> OpenedModel:
    model = ModelChoice(checkpoint=path, **choice)
    return source_of(path).open(model, None, lambda: False)


def inspected(path: Path) -> Inspection:
    assert source_of(path).name == "onnx"
    return source_of(path).inspect(path)


def refusal(path: Path) -> str:
    found = inspected(path)
    assert not found.usable
    assert found.problems == (found.summary,)
    with pytest.raises(DroplensError) as error:
        opened(path)
    assert str(error.value) == found.summary
    assert "\n" not in found.summary
    return found.summary


def probabilities(model: OpenedModel, batch: torch.Tensor) -> torch.Tensor:
    classifier = Classifier(model, processor(""), print)
    classifier.check_input()
    outputs: torch.Tensor = classifier._probabilities(model.network(batch))
    return outputs


def photos(count: int = 3, channels: int = 3, side: int = SIDE) -> torch.Tensor:
    return torch.rand(count, channels, side, side)


# What it computes


@pytest.mark.parametrize("free", [(), (0,), (0, 2, 3)])
def test_an_exported_network_predicts_as_before(tmp_path: Path, free: tuple[int, ...]) -> None:
    network = body()
    model = opened(exported(network, tmp_path / "a.onnx", free=free))
    batch = photos(5, side=20 if free == (0, 2, 3) else SIDE)
    with torch.no_grad():
        expected = network(batch)
    torch.testing.assert_close(model.network(batch), expected, atol=1e-5, rtol=1e-5)
    assert model.spec.outputs == "softmax"
    assert model.plan is None
    assert model.capabilities == {Capability.SHOW_LAYERS}


def test_a_fixed_batch_of_any_size_takes_any_number_of_photos(tmp_path: Path) -> None:
    network = body()
    path = exported(network, tmp_path / "a.onnx", shape=(4, 3, SIDE, SIDE), free=())
    batch = photos(6)
    with torch.no_grad():
        expected = network(batch)
    torch.testing.assert_close(opened(path).network(batch), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("last", "outputs"),
    [(nn.Softmax(1), "softmax"), (nn.LogSoftmax(1), "softmax"), (nn.Sigmoid(), "sigmoid")],
)
def test_probabilities_of_the_network_stay_what_they_are(
    tmp_path: Path, last: nn.Module, outputs: str
) -> None:
    network = nn.Sequential(body(), last)
    model = opened(exported(network, tmp_path / "a.onnx"))
    batch = photos()
    with torch.no_grad():
        expected = network(batch)
    expected = expected.exp() if isinstance(last, nn.LogSoftmax) else expected
    assert model.spec.outputs == outputs
    torch.testing.assert_close(probabilities(model, batch), expected, atol=1e-6, rtol=1e-5)


class HandMade(nn.Module):
    """Ends in a softmax that no operator names."""

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        powers = logits.exp()
        shares: torch.Tensor = powers / powers.sum(1, keepdim=True)
        return shares


def test_a_softmax_made_by_hand_is_recognised_by_its_numbers(tmp_path: Path) -> None:
    network = nn.Sequential(body(), HandMade())
    model = opened(exported(network, tmp_path / "a.onnx"))
    batch = photos()
    with torch.no_grad():
        torch.testing.assert_close(
            probabilities(model, batch), network(batch), atol=1e-6, rtol=1e-5
        )


def test_one_output_is_a_yes_or_no(tmp_path: Path) -> None:
    network = nn.Sequential(body(classes=1), nn.Sigmoid())
    model = opened(exported(network, tmp_path / "a.onnx"))
    batch = photos()
    with torch.no_grad():
        torch.testing.assert_close(probabilities(model, batch), network(batch))
    assert (model.spec.outputs, model.spec.inspection.num_classes) == ("sigmoid", 1)


def test_outputs_may_be_maps_of_one_cell(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1))
    model = opened(exported(network, tmp_path / "a.onnx"))
    batch = photos()
    with torch.no_grad():
        torch.testing.assert_close(model.network(batch), network(batch).flatten(1))


@pytest.mark.parametrize("kind", [Types.FLOAT, Types.FLOAT16, Types.UINT8])
def test_channels_may_stand_last_in_any_type(tmp_path: Path, kind: int) -> None:
    nodes = [
        node("Cast", "x", "c", to=Types.FLOAT),
        node("Transpose", "c", "m", perm=[0, 3, 1, 2]),
        *HEAD,
    ]
    path = written(
        tmp_path / "a.onnx", nodes, [array("W", 3, 4)], shape=("n", SIDE, SIDE, 3), kind=kind
    )
    batch = photos() if kind != Types.UINT8 else (photos() * 255).round()
    weight = torch.from_numpy(np.array(numpy_helper.to_array(array("W", 3, 4))))
    expected = batch.mean((2, 3)) @ weight
    model = opened(path)
    torch.testing.assert_close(model.network(batch), expected, atol=2e-3, rtol=2e-3)
    preprocessing = model.spec.preprocessing
    assert preprocessing.scale == (255 if kind == Types.UINT8 else 1)
    assert preprocessing.resize == (SIDE, SIDE)


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_photos_and_four_channels(tmp_path: Path, channels: int) -> None:
    network = body(channels)
    path = exported(network, tmp_path / "a.onnx", shape=(1, channels, SIDE, SIDE))
    model = opened(path)
    assert model.spec.preprocessing.channels == channels
    assert model.spec.preprocessing.channel_order == ("grey" if channels == 1 else "RGBA")
    assert len(probabilities(model, photos(2, channels))) == 2


def test_channels_are_read_off_the_first_convolution(tmp_path: Path) -> None:
    path = exported(body(1), tmp_path / "a.onnx", (1, 1, SIDE, SIDE), free=(0, 1, 2, 3))
    found = inspected(path)
    assert found.preprocessing is not None
    assert found.preprocessing.channels == 1
    assert found.preprocessing.input_size == (224, 224)
    assert any("224" in problem for problem in found.problems)


def test_quantised_networks_run(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).integers(-100, 100, (4, 3, 3, 3), np.int8)
    scale, zero = numbers("s", 0.02), numbers("z", 0, dtype=np.uint8)
    zeros = [numbers("wz", 0, dtype=np.int8)]
    nodes = [
        node("QuantizeLinear", "x s z", "q"),
        node("QLinearConv", "q s z w s wz s z", "c"),
        node("DequantizeLinear", "c s z", "m"),
        node("GlobalAveragePool", "m", "p"),
        node("Flatten", "p", "y"),
    ]
    scalars = [scale, zero, *zeros]
    for one in scalars:
        del one.dims[:]
    constants = [*scalars, numpy_helper.from_array(weight, "w")]
    model = opened(written(tmp_path / "a.onnx", nodes, constants))
    assert model.network(photos()).shape == (3, 4)
    kinds = {layer.kind for layer in record(model.network, photos(1)).layers}
    assert {"DequantizeLinear", "GlobalAveragePool"} <= kinds


def test_the_device_does_not_matter(tmp_path: Path) -> None:
    model = opened(exported(body(), tmp_path / "a.onnx"))
    assert next(model.network.to("meta").parameters()).device.type == "cpu"
    assert model.network.to(memory_format=torch.channels_last) is model.network
    outputs = model.network(photos(1).to(torch.float64))
    assert outputs.dtype == torch.float32


def test_the_engine_says_that_the_processor_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Device("cuda:0", "NVIDIA", "")
    monkeypatch.setattr("core.inference.devices.choose_device", lambda _: chosen)
    engine = Engine(decoders=1)
    ready = engine.open(ModelChoice(checkpoint=exported(body(), tmp_path / "a.onnx")), "auto")
    engine.close()
    assert ready.device.name == "cpu"


# Layers


def test_layers_give_what_torchs_give(tmp_path: Path) -> None:
    network = body()
    model = opened(exported(network, tmp_path / "a.onnx"))
    batch = photos(1)
    layers = record(model.network, batch).layers
    assert [layer.kind for layer in layers] == [
        "Conv", "Relu", "GlobalAveragePool", "Flatten", "Gemm"
    ]  # fmt: skip
    assert layers[0].input_shapes == ((1, 3, SIDE, SIDE),)
    assert layers[1].input_shapes == (layers[0].output_shape,)
    assert [layer.parameters for layer in layers] == [8 * 27 + 8, 0, 0, 0, 5 * 8 + 5]
    for at, name in ((0, "0"), (1, "1"), (4, "4")):
        maps = capture_feature_maps(model.network, batch, layers[at].name)[0].values
        expected = capture_feature_maps(network, batch, name)[0].values
        np.testing.assert_allclose(maps, expected, atol=1e-5)
    with torch.no_grad():  # the hooks are off again
        torch.testing.assert_close(model.network(batch), network(batch), atol=1e-5, rtol=1e-5)


def test_maps_with_channels_last_are_turned(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], name="outer/first.relu"),
        node("Transpose", "r", "m", perm=[0, 3, 1, 2]),
        *HEAD,
    ]
    path = written(tmp_path / "a.onnx", nodes, [array("W", 3, 4)], shape=(1, SIDE, 20, 3))
    batch = torch.rand(1, 3, SIDE, 20)
    network = opened(path).network
    names = [name for name, _ in network.named_modules() if name]
    assert names[:2] == ["outer/first_relu", "Transpose_1"]
    for name in names[:2]:
        maps = capture_feature_maps(network, batch, name)[0].values
        np.testing.assert_array_equal(maps, batch[0].numpy())


def test_names_of_nodes_that_mean_something_to_torch(tmp_path: Path) -> None:
    names = ["forward", "training", "a.b", "a_b", "", "\0\u202e" * 300, "x" * 5_000]
    nodes = [
        helper.make_node("Relu", [f"t{at}" if at else "x"], [f"t{at + 1}"], name=name)
        for at, name in enumerate(names)
    ]
    end = [node("Identity", f"t{len(names)}", "m"), *HEAD]
    network = opened(written(tmp_path / "a.onnx", [*nodes, *end], [array("W", 3, 4)])).network
    layers = record(network, photos(1)).layers
    assert len(layers) == len(names) + 4
    assert len({layer.name for layer in layers}) == len(layers)
    assert all("." not in layer.name and len(layer.name) < 200 for layer in layers)


def test_the_lens_looks_into_it(tmp_path: Path) -> None:
    from PIL import Image

    model = opened(exported(body(), tmp_path / "a.onnx"))
    photo = tmp_path / "photo.png"
    Image.new("RGB", (40, 30), "#2040f0").save(photo)
    lens = Lens(model.network, model.spec.preprocessing)
    table = lens.table(photo)
    assert table.error == ""
    assert table.weighted_layers is None
    assert lens.feature_maps(photo, table.layers[0].name, 1, for_class=0).counts is None
    assert lens.pooled(photo) is not None
    assert pooled_features(model.network, photos(2)).shape == (2, 5)


# Class names


NAMES = ("ant", "bee", "cat", "dog", "eel")


@pytest.mark.parametrize(
    "metadata",
    [
        {"names": "{0: 'ant', 1: \"bee\", 2: 'cat', 3: 'dog', 4: 'eel'}"},
        {"classes": json.dumps(NAMES)},
        {"labels": "ant,bee,cat,dog,eel"},
        {"class_names": "ant\nbee\ncat\ndog\neel\n"},
        {"config": json.dumps({"id2label": dict(enumerate(NAMES))})},
    ],
)
def test_class_names_in_the_metadata(tmp_path: Path, metadata: dict[str, str]) -> None:
    found = inspected(with_metadata(exported(body(), tmp_path / "a.onnx"), **metadata))
    assert found.class_names == NAMES
    assert found.class_names_source is not None
    assert found.class_names_source.by is NamedBy.CHECKPOINT


def test_names_of_another_number_are_not_used(tmp_path: Path) -> None:
    found = inspected(with_metadata(exported(body(), tmp_path / "a.onnx"), classes='["a", "b"]'))
    assert found.class_names == tuple(f"class {at}" for at in range(5))
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("labels.txt", "\n".join(NAMES)),
        ("a_classes.txt", "\n".join(NAMES)),
        ("config.json", json.dumps({"id2label": dict(enumerate(NAMES)), "model_type": "vit"})),
        ("signature.json", json.dumps({"filename": "a.onnx", "classes": {"Label": NAMES}})),
    ],
)
def test_class_names_beside_the_file(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / file).write_text(content)
    found = inspected(exported(body(), tmp_path / "a.onnx"))
    assert found.class_names == NAMES
    assert found.class_names_source is not None
    assert found.class_names_source.file == file


def test_a_thousand_classes_are_imagenets(tmp_path: Path) -> None:
    found = inspected(exported(body(classes=1000), tmp_path / "a.onnx"))
    assert found.class_names is not None
    assert found.class_names[0] == "tench"
    assert found.class_names_source is not None
    assert found.class_names_source.by is NamedBy.IMAGENET


# Preprocessing


def test_a_network_of_pytorch_is_taken_for_one_of_imagenet(tmp_path: Path) -> None:
    found = inspected(exported(body(), tmp_path / "a.onnx", (1, 3, 224, 224)))
    assert found.preprocessing is not None
    assert found.preprocessing.normalisation == "ImageNet"
    assert (found.preprocessing.resize, found.preprocessing.crop) == (256, (224, 224))
    assert len(found.problems) == 1


def scaled(step: Sequence[onnx.NodeProto], *constants: onnx.TensorProto) -> dict[str, Any]:
    return {"nodes": [*step, *HEAD], "constants": [*constants, array("W", 3, 4)]}


@pytest.mark.parametrize(
    ("graph", "scale"),
    [
        (scaled([node("Mul", "x k", "m")], numbers("k", 1 / 127.5)), 255),
        (scaled([node("Div", "x k", "m")], numbers("k", 255.0)), 255),
        (
            scaled(
                [node("Sub", "x a", "b"), node("Div", "b k", "m")],
                numpy_helper.from_array(np.full((1, 3, 1, 1), 120, np.float32), "a"),
                numbers("k", 58.0),
            ),
            255,
        ),
        (
            scaled(
                [node("Sub", "x a", "b"), node("Div", "b k", "m")],
                numbers("a", 0.45),
                numbers("k", 0.22),
            ),
            1,
        ),
    ],
)
def test_a_network_that_normalises_itself(
    tmp_path: Path, graph: dict[str, Any], scale: float
) -> None:
    found = inspected(written(tmp_path / "a.onnx", **graph, producer="pytorch"))
    assert found.preprocessing is not None
    assert found.preprocessing.scale == scale
    assert found.preprocessing.normalisation == "none"
    assert len(found.problems) == 1


def test_custom_vision_takes_bgr_of_255(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "m"), *HEAD]
    path = written(tmp_path / "a.onnx", nodes, [array("W", 3, 4)], producer="CustomVision")
    found = inspected(path).preprocessing
    assert found is not None
    assert (found.channel_order, found.scale, found.resize) == ("BGR", 255, (SIDE, SIDE))
    with_metadata(
        path, **{"Image.BitmapPixelFormat": "Rgb8", "Image.NominalPixelRange": "Normalized_1_1"}
    )
    found = inspected(path).preprocessing
    assert found is not None
    assert (found.channel_order, found.scale, found.normalisation) == ("RGB", 1, "0.5 / 0.5")


def test_ultralytics_takes_the_middle_of_0_to_1(tmp_path: Path) -> None:
    path = exported(body(), tmp_path / "a.onnx", free=(0, 2, 3))
    with_metadata(path, author="Ultralytics", task="classify", imgsz="[64, 64]")
    found = inspected(path).preprocessing
    assert found is not None
    assert (found.resize, found.crop, found.normalisation) == (64, (64, 64), "none")


def test_a_configuration_beside_the_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"id2label": dict(enumerate(NAMES))}))
    values = {"size": {"height": 16, "width": 16}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(values))
    found = inspected(exported(body(), tmp_path / "a.onnx", free=(0, 2, 3)))
    assert found.preprocessing is not None
    assert found.preprocessing.normalisation == "0.5 / 0.5"
    assert found.preprocessing.input_size == (16, 16)
    fixed = inspected(exported(body(), tmp_path / "b.onnx", (1, 3, 32, 32))).preprocessing
    assert fixed is not None
    assert (fixed.normalisation, fixed.input_size) == ("0.5 / 0.5", (32, 32))


def test_what_the_user_says_counts(tmp_path: Path) -> None:
    path = exported(body(), tmp_path / "a.onnx")
    found = inspected(path)
    kept = SavedOverrides(tmp_path / "kept")
    kept.keep(found.sha256, Overrides(class_names=NAMES, outputs="sigmoid"))
    model = source_of(path).open(ModelChoice(checkpoint=path), kept, lambda: False)
    assert model.spec.class_names == NAMES
    assert model.spec.outputs == "sigmoid"
    names = tmp_path / "names.txt"
    names.write_text("\n".join(reversed(NAMES)))
    assert opened(path, class_names=names).spec.class_names == NAMES[::-1]
    other = tmp_path / "other.json"
    other.write_text('{"resize": 8, "crop": [8, 8]}')
    with pytest.raises(DroplensError, match="8"):
        Classifier(opened(path, preprocessing=other), processor(""), print).check_input()
    other.write_text('{"channel_order": "grey", "mean": [0], "std": [1]}')
    with pytest.raises(DroplensError, match="channels"):
        opened(path, preprocessing=other)
    with pytest.raises(DroplensError, match="architecture"):
        opened(path, architecture="resnet18")


# Outputs


class Several(nn.Module):
    """Gives more than one output."""

    def __init__(self, *ends: nn.Module) -> None:
        super().__init__()
        self.body, self.ends = nn.Conv2d(3, 8, 3), nn.ModuleList(ends)

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, ...]:
        maps = self.body(photos)
        return tuple(end(maps) for end in self.ends)


def head(classes: int) -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes))


def test_of_several_outputs_the_telling_one_is_taken(tmp_path: Path) -> None:
    network = Several(head(8), head(5))
    path = exported(network, tmp_path / "a.onnx", outputs=("embedding", "logits"))
    model = opened(path)
    batch = photos()
    with torch.no_grad():
        torch.testing.assert_close(model.network(batch), network(batch)[1], atol=1e-5, rtol=1e-5)
    assert "embedding" in model.spec.problems[0]
    path = exported(Several(head(8), head(5)), tmp_path / "b.onnx", outputs=("one", "two"))
    assert "'one' (8), 'two' (5)" in refusal(path)
    assert inspected(with_metadata(path, classes=json.dumps(NAMES))).class_names == NAMES


def test_scikit_learns_labels_and_maps_of_probabilities(tmp_path: Path) -> None:
    keys = ["ant", "bee", "cat", "dog"]
    nodes = [
        node("GlobalAveragePool", "x", "p"),
        node("Flatten", "p", "f"),
        helper.make_node(
            "LinearClassifier",
            ["f"],
            ["label", "shares"],
            domain="ai.onnx.ml",
            coefficients=np.arange(12, dtype=np.float32).tolist(),
            intercepts=[0.0, 1.0, 2.0, 3.0],
            classlabels_strings=keys,
            multi_class=1,
            post_transform="SOFTMAX",
        ),
        helper.make_node(
            "ZipMap", ["shares"], ["output_probability"], domain="ai.onnx.ml",
            classlabels_strings=keys,
        ),
    ]  # fmt: skip
    path = written(tmp_path / "a.onnx", nodes, opsets=(("", 17), ("ai.onnx.ml", 1)))

    def typed(model: onnx.ModelProto) -> None:
        del model.graph.output[:]
        pairs = helper.make_map_type_proto(
            Types.STRING, helper.make_tensor_type_proto(Types.FLOAT, None)
        )
        sequence = helper.make_sequence_type_proto(pairs)
        model.graph.output.append(helper.make_tensor_value_info("label", Types.STRING, None))
        model.graph.output.append(helper.make_value_info("output_probability", sequence))

    model = opened(changed(path, typed))
    assert model.spec.class_names == tuple(keys)
    batch = photos(2)
    weights = torch.arange(12.0).reshape(4, 3)
    expected = (batch.mean((2, 3)) @ weights.T + torch.arange(4.0)).softmax(1)
    torch.testing.assert_close(probabilities(model, batch), expected, atol=1e-5, rtol=1e-5)


# Files that are refused


def test_detectors_and_segmentation_are_named(tmp_path: Path) -> None:
    maps = exported(nn.Sequential(nn.Conv2d(3, 4, 3)), tmp_path / "a.onnx")
    assert "segmentation" in refusal(maps)
    boxes = exported(nn.Sequential(nn.Conv2d(3, 84, 3), nn.Flatten(2)), tmp_path / "b.onnx")
    assert "detector" in refusal(boxes)
    path = with_metadata(exported(body(), tmp_path / "c.onnx"), task="segment")
    assert "segmentation" in refusal(path)
    nodes = [
        node("Slice", "x zero four last", "b"),
        node("Squeeze", "b zero", "c"),
        node("NonMaxSuppression", "c c", "n"),
        node("Cast", "n", "y", to=Types.FLOAT),
    ]
    assert "detector" in refusal(written(tmp_path / "d.onnx", nodes))


@pytest.mark.parametrize(
    ("shape", "word"), [((1, 10), "1×10"), ((), "one number"), ((1, 7, 9, 5), "1×7×9×5")]
)
def test_what_takes_no_photo_is_named(tmp_path: Path, shape: tuple[int, ...], word: str) -> None:
    assert word in refusal(written(tmp_path / "a.onnx", [node("Relu", "x", "y")], shape=shape))


def test_more_inputs_than_a_photo(tmp_path: Path) -> None:
    def add(name: str, shape: Sequence[int]) -> Any:
        port = helper.make_tensor_value_info(name, Types.FLOAT, shape)
        return lambda model: model.graph.input.append(port)

    path = changed(exported(body(), tmp_path / "a.onnx"), add("attention_mask", (1, 9)))
    assert "'attention_mask' of shape 1×9" in refusal(path)
    path = changed(exported(body(), tmp_path / "b.onnx"), add("second", (1, 3, 8, 8)))
    assert "second" in refusal(path)
    path = written(tmp_path / "c.onnx", [node("Relu", "x", "y")], kind=Types.INT64)
    assert "rare type" in refusal(path)


def test_operators_that_nobody_has_are_named(tmp_path: Path) -> None:
    own = helper.make_node("Sharpen", ["x"], ["m"], domain="acme.vision")
    path = written(
        tmp_path / "a.onnx", [own, *HEAD], [array("W", 3, 4)],
        opsets=(("", 17), ("acme.vision", 1)),
    )  # fmt: skip
    assert "'Sharpen' of acme.vision" in refusal(path)
    microsofts = helper.make_node("NhwcFusedConv", ["x"], ["m"], domain="com.microsoft")
    path = written(
        tmp_path / "b.onnx", [microsofts, *HEAD], [array("W", 3, 4)],
        opsets=(("", 17), ("com.microsoft", 1)),
    )  # fmt: skip
    assert "NhwcFusedConv" in refusal(path)
    path = written(tmp_path / "c.onnx", [node("Sharpen", "x", "m"), *HEAD], [array("W", 3, 4)])
    assert "'Sharpen'" in refusal(path)


def test_functions_that_the_file_defines_are_computed(tmp_path: Path) -> None:
    sharpen = helper.make_function(
        "acme", "Double", ["a"], ["b"], [node("Add", "a a", "b")], [helper.make_opsetid("", 17)]
    )
    own = helper.make_node("Double", ["x"], ["m"], domain="acme")
    path = written(
        tmp_path / "a.onnx", [own, *HEAD], [array("W", 3, 4)], opsets=(("", 17), ("acme", 1))
    )
    changed(path, lambda model: model.functions.append(sharpen))
    weight = torch.from_numpy(np.array(numpy_helper.to_array(array("W", 3, 4))))
    batch = photos()
    torch.testing.assert_close(opened(path).network(batch), 2 * batch.mean((2, 3)) @ weight)


def test_a_graph_that_does_not_fit_together(tmp_path: Path) -> None:
    path = written(tmp_path / "a.onnx", [node("Relu", "x", "m"), *HEAD], [array("W", 7, 4)])
    assert "ONNX Runtime" in refusal(path)
    path = written(tmp_path / "b.onnx", [node("Shape", "x", "y")])
    changed(
        path,
        lambda model: setattr(model.graph.output[0].type.tensor_type, "elem_type", Types.INT64),
    )
    assert "no numbers for classes" in refusal(path)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.onnx", [node("Relu", "x", "m"), *HEAD], [array("W", 3, 4)])
    content = path.read_bytes()
    assert inspected(path).usable
    path.write_bytes(content.replace(b"\x01y", b"\x01\xb9"))  # no UTF-8
    refusal(path)
    path.write_bytes(content.replace(b"\x01m", b"\x01n", 1))
    refusal(path)
    assert capfd.readouterr() == ("", "")


# Parameters outside of the file


def external(path: Path, location: str) -> Path:
    nodes = [node("Relu", "x", "m"), *HEAD]
    written(path, nodes, [array("W", 3, 4)])

    def move(model: onnx.ModelProto) -> None:
        weight = model.graph.initializer[0]
        (path.parent / "weights.bin").write_bytes(b"\0" * 8 + weight.raw_data)
        weight.ClearField("raw_data")
        weight.data_location = Types.EXTERNAL
        for key, value in (("location", location), ("offset", "8"), ("length", "48")):
            weight.external_data.add(key=key, value=value)

    model = onnx.load(str(path), load_external_data=False)
    move(model)
    path.write_bytes(model.SerializeToString())
    return path


def test_parameters_beside_the_file_are_read(tmp_path: Path) -> None:
    path = external(tmp_path / "a.onnx", "weights.bin")
    weight = torch.from_numpy(np.array(numpy_helper.to_array(array("W", 3, 4))))
    batch = photos()
    model = opened(path)
    torch.testing.assert_close(model.network(batch), batch.mean((2, 3)) @ weight)
    assert len(record(model.network, batch[:1]).layers) == 4
    (tmp_path / "weights.bin").write_bytes(b"\1" * 56)
    assert inspected(path).sha256 != model.spec.sha256
    (tmp_path / "weights.bin").write_bytes(b"\1" * 50)
    assert "'W'" in refusal(path)
    (tmp_path / "weights.bin").unlink()
    assert "'weights.bin'" in refusal(path)


def test_parameters_that_change_while_they_are_read(tmp_path: Path) -> None:
    path, weights = external(tmp_path / "a.onnx", "weights.bin"), tmp_path / "weights.bin"
    found = hashlib.sha256(weights.read_bytes()).digest()
    tensor = StoredTensor("W", (3, 4), Types.FLOAT, external={"location": "weights.bin"})
    (read,) = read_external(path, [tensor], lambda: False)
    assert (bytes(read.content), read.sha256) == (weights.read_bytes(), found)

    def stopped() -> bool:
        weights.write_bytes(b"\1" * 57)  # it is asked in the midst of reading
        return False

    with pytest.raises(DroplensError, match="was changed"):
        read_external(path, [tensor], stopped)
    with pytest.raises(StoppedError):
        read_external(path, [tensor], lambda: True)


@pytest.mark.parametrize(
    "location",
    ["../weights.bin", "/etc/passwd", "a/../../weights.bin", "C:\\w.bin", "link.bin", "", "..",
     "*/_ORT_MEM_ADDR_/*", "a\0b"],
)  # fmt: skip
def test_parameters_elsewhere_are_never_read(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "weights.bin").write_bytes(b"\0" * 100)
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    assert "outside of its folder" in refusal(external(folder / "a.onnx", location))


# Kinds of files


def test_files_are_recognised_by_ending_and_beginning(tmp_path: Path) -> None:
    path = exported(body(), tmp_path / "a.onnx")
    moved = tmp_path / "a.pth"
    moved.write_bytes(path.read_bytes())
    assert source_of(moved).name == "onnx"
    torch.save(body().state_dict(), tmp_path / "b.onnx")
    assert source_of(tmp_path / "b.onnx").name == "checkpoint"
    assert source_of(tmp_path / "none.onnx").name == "onnx"
    assert "not there" in refusal(tmp_path / "none.onnx")
    (tmp_path / "c.onnx").write_bytes(b"")
    assert "empty" in refusal(tmp_path / "c.onnx")
    (tmp_path / "d.onnx").write_bytes(b"\0" * 100)
    assert "zeros" in refusal(tmp_path / "d.onnx")
    (tmp_path / "e.onnx").write_bytes(path.read_bytes()[:-50])
    assert "damaged" in refusal(tmp_path / "e.onnx")


# The commands


def test_the_commands_take_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    from core.cli.main import main

    network = body()
    path, photo = exported(network, tmp_path / "a.onnx"), tmp_path / "photo.png"
    Image.new("RGB", (40, 30), "#2040f0").save(photo)

    def said(*arguments: object) -> Any:
        assert main([*map(str, arguments)]) == 0
        return json.loads(capsys.readouterr().out)

    found = said("inspect", path, "--json")
    assert (found["source"], found["usable"], found["num_classes"]) == ("onnx", True, 5)
    top = said("classify", photo, "--checkpoint", path, "--json", "-")[0]["predictions"][0]
    model = opened(path)
    seen = model.spec.preprocessing.to_input(model.spec.preprocessing.see_file(photo).pixels)
    with torch.no_grad():
        expected = network(torch.from_numpy(seen)[None]).softmax(1)[0]
    assert top["class_index"] == int(expected.argmax())
    assert top["probability"] == pytest.approx(float(expected.max()), abs=1e-5)
    layers = said("layers", "--checkpoint", path, "--json")
    written = tmp_path / "maps.npy"
    layer = layers[0]["layer"]
    assert main(["feature-maps", str(photo), "--layer", layer, "--checkpoint", str(path),
                 "--npy", str(written)]) == 0  # fmt: skip
    maps = capture_feature_maps(network, torch.from_numpy(seen)[None], "0")[0].values
    np.testing.assert_allclose(np.load(written), maps, atol=1e-5)


def test_the_engine_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    from PIL import Image

    from core.inference.classifying import Classify
    from core.inference.engine import Engine
    from core.inference.requests import SaveModel
    from core.inside.requests import Evidence

    path, photo = exported(body(), tmp_path / "a.onnx"), tmp_path / "photo.png"
    Image.new("RGB", (40, 30), "#2040f0").save(photo)
    engine = Engine(print, cache=tmp_path / "cache")
    try:
        engine.open(ModelChoice(checkpoint=path), "cpu")
        for _ in range(2):  # the second time from the cache
            batches = list(Classify((photo,), 2).run(engine))
            assert len(batches[0].predictions[0].top) == 2
        renamed = ModelChoice(checkpoint=path, overrides=Overrides(class_names=NAMES))
        assert engine.open(renamed, "cpu").spec.class_names == NAMES
        with pytest.raises(DroplensError):
            SaveModel(tmp_path / "b.safetensors").run(engine)
        (*_, evidence) = Evidence(photo, (0,)).run(engine)
        assert (evidence.found.method, evidence.found.layer) == ("Score-CAM", "1/Relu")
    finally:
        engine.close()


def test_what_is_too_large_for_a_photo_is_named(tmp_path: Path) -> None:
    for shape in ((1, 3, 60_000, 8), (10**6, 3, 224, 224)):
        path = written(tmp_path / "a.onnx", [node("Relu", "x", "y")], shape=shape)
        assert "more than any classifier takes" in refusal(path)
    size = numpy_helper.from_array(np.array([20_000, 20_000], np.int64), "s")
    end = [node("ReduceMean", "c", "r", keepdims=0), node("Add", "x r", "m"), *HEAD]
    constants = [size, array("W", 3, 4), numbers("k", 1)]
    large = [node("ConstantOfShape", "s", "c"), *end]
    assert "1 GB for one photo" in refusal(written(tmp_path / "b.onnx", large, constants))
    endless = [node("Expand", "k s", "e"), node("MatMul", "e e", "c"), *end]
    assert "far more" in refusal(written(tmp_path / "c.onnx", endless, constants))


def test_parts_that_no_classifier_has(tmp_path: Path) -> None:
    path = written(tmp_path / "a.onnx", [node("Relu", "x", "m"), *HEAD], [array("W", 3, 4)])

    def thin(model: onnx.ModelProto) -> None:
        values = onnx.TensorProto(name="S", data_type=1, dims=[1], raw_data=b"\0" * 4)
        model.graph.sparse_initializer.append(onnx.SparseTensorProto(values=values, dims=[9]))

    assert "sparse" in refusal(changed(path, thin))
    steps = [node("Relu", f"t{at}" if at else "x", f"t{at + 1}") for at in range(30_001)]
    assert "more parts" in refusal(written(path, steps))
    declared = onnx.TensorProto(name="W", data_type=1, dims=[10**9, 10**9])
    assert "'W'" in refusal(written(path, [node("Relu", "x", "m"), *HEAD], [declared]))
