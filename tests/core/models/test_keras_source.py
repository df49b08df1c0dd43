"""Keras models give what Keras computes, or say in a sentence why they are not opened."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from core.cli.main import main
from core.errors import DroplensError, UnusableCheckpointError
from core.images.preprocessing import IMAGENET_MEAN, Preprocessing
from core.inside.class_activation import class_activation
from core.models.sources import is_model, source_of
from core.models.sources.base import Capability, OpenedModel
from core.models.sources.keras import KerasSource
from core.models.sources.keras.modules import same_padding
from core.values.spec import ModelChoice, NamedBy, Overrides
from tests.core.models.keras_files import (
    Layer,
    convolution,
    dense,
    layer,
    node,
    numbers,
    photo_input,
    plain_classifier,
    sequential,
    teachable_machine,
    tensor,
    write_h5,
    write_keras,
)
from tests.core.models.keras_files import functional as model_of
from tests.networks import trained


def opened(path: Path) -> OpenedModel:
    return KerasSource().open(ModelChoice(checkpoint=path), None, lambda: False)


def refusal(path: Path) -> str:
    found = KerasSource().inspect(path)
    assert not found.usable
    with pytest.raises(UnusableCheckpointError) as error:
        opened(path)
    assert str(error.value) == found.summary
    assert "\n" not in found.summary
    return found.summary


def answers(path: Path, photos: np.ndarray) -> np.ndarray:
    """Return outputs for photos of shape (N, H, W, C)."""
    with torch.no_grad():
        outputs = opened(path).network(torch.from_numpy(photos.transpose(0, 3, 1, 2).copy()))
    return np.asarray(outputs)


def maps(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def kernel(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values.transpose(3, 2, 0, 1)))


# Teachable Machine


def test_teachable_machine_gives_what_keras_computes(tmp_path: Path) -> None:
    model, values = teachable_machine()
    path = write_h5(tmp_path / "keras_model.h5", model, values)
    (tmp_path / "labels.txt").write_text("0 cat\n1 dog\n2 nobody\n", encoding="utf-8")
    photos = numbers(2, 224, 224, 3)
    held = {name: array for group in values.values() for name, array in group}

    x = functional.conv2d(
        functional.pad(maps(photos), (0, 1, 0, 1)), kernel(held["Conv1/kernel:0"]), stride=2
    )
    gamma, beta, mean, variance = (
        torch.from_numpy(held[f"bn_Conv1/{name}:0"])[:, None, None]
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    x = ((x - mean) / (variance + 0.001).sqrt() * gamma + beta).clamp(0, 6)
    depthwise = torch.from_numpy(
        held["expanded_conv_depthwise/depthwise_kernel:0"].transpose(2, 3, 0, 1).copy()
    )
    x = x + functional.conv2d(x, depthwise, padding=1, groups=4)
    pooled = x.mean((2, 3)).numpy()
    hidden = np.maximum(pooled @ held["dense_Dense1/kernel:0"] + held["dense_Dense1/bias:0"], 0)
    expected = hidden @ held["dense_Dense2/kernel:0"]

    np.testing.assert_allclose(answers(path, photos), expected, atol=1e-5)
    found = opened(path)
    assert found.spec.outputs == "softmax"
    assert found.spec.class_names == ("cat", "dog", "nobody")
    assert found.spec.class_names_source.file == "labels.txt"
    assert found.spec.preprocessing == Preprocessing(
        resize=224, crop=(224, 224), interpolation="lanczos", mean=(0.5,) * 3, std=(0.5,) * 3,
        apply_orientation=False, transparency="dropped",
    )  # fmt: skip
    assert "Teachable Machine" in found.spec.summary
    assert found.capabilities == {
        Capability.SHOW_LAYERS,
        Capability.GIVE_GRADIENTS,
        Capability.USE_GPU,
    }


def test_its_layers_are_seen_by_their_names(
    tmp_path: Path, capsysbinary: Any, make_photo: Any
) -> None:
    path = write_h5(tmp_path / "keras_model.h5", *teachable_machine())
    photo = make_photo()
    assert main(["inspect", str(path), "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["source"] == "keras"
    assert main(["layers", "--checkpoint", str(path), "--json"]) == 0
    layers = {one["layer"]: one for one in json.loads(capsysbinary.readouterr().out)}
    convolution_ = layers["sequential_1.model1.Conv1"]
    assert (convolution_["kind"], convolution_["output_shape"]) == ("Conv2D", [1, 4, 112, 112])
    assert layers["sequential_3.dense_Dense1"]["output_shape"] == [1, 5]
    target = tmp_path / "maps.npy"
    asked = ["feature-maps", str(photo), "--layer", "sequential_1.model1.Conv1_relu"]
    assert main([*asked, "--checkpoint", str(path), "--npy", str(target)]) == 0
    assert np.load(target).shape == (4, 112, 112)
    capsysbinary.readouterr()
    assert main(["classify", str(photo), "--checkpoint", str(path), "--json", "-"]) == 0
    (answer,) = json.loads(capsysbinary.readouterr().out)
    assert sum(one["probability"] for one in answer["predictions"]) == pytest.approx(1)


def test_evidence_is_exact_where_a_mean_and_a_linear_layer_end_it(tmp_path: Path) -> None:
    found = opened(write_h5(tmp_path / "model.h5", *plain_classifier()))
    evidence = class_activation(found.network, torch.rand(1, 3, 8, 8), [0, 2])
    assert (evidence.method, evidence.layer) == ("CAM", "conv")
    bias = found.network.get_submodule("dense").bias
    np.testing.assert_allclose(
        evidence.maps.sum((1, 2)), evidence.logits - bias.detach().numpy()[[0, 2]], atol=1e-5
    )


def test_evidence_by_gradients(tmp_path: Path) -> None:
    found = opened(write_h5(tmp_path / "keras_model.h5", *teachable_machine()))
    evidence = class_activation(found.network, torch.rand(1, 3, 224, 224), [1])
    assert (evidence.method, evidence.maps.shape) == ("Grad-CAM", (1, 112, 112))


def test_a_convolution_behind_the_mean_is_no_exact_map(tmp_path: Path) -> None:
    model = model_of(
        "net",
        photo_input("in", 8, 8, 3),
        convolution("body", 4, "in"),
        layer("GlobalAveragePooling2D", "pool", "body", keepdims=True),
        convolution("head", 4, "pool", kernel=1),
        layer("Flatten", "flat", "head"),
        layer("Activation", "end", "flat", activation="softmax"),
        output="end",
    )
    values = {
        "body": [("body/kernel:0", numbers(3, 3, 3, 4)), ("body/bias:0", numbers(4))],
        "head": [("head/kernel:0", numbers(1, 1, 4, 4)), ("head/bias:0", numbers(4))],
    }
    found = opened(write_h5(tmp_path / "model.h5", model, values))
    evidence = class_activation(found.network, torch.rand(1, 3, 8, 8), [1])
    assert evidence.method == "Grad-CAM"


# Layers


def chain(path: Path, shape: tuple[int, int, int], *layers: Layer, values: Any) -> Path:
    """Write layers one after the other, then Flatten and a Dense that passes all on."""
    model = sequential("net", photo_input("in", *shape), *layers, layer("Flatten", "flat"))
    return write_h5(path, model, values, loss="categorical_crossentropy")


def padded(values: np.ndarray, size: int, stride: int) -> Tensor:
    """Return maps padded as TensorFlow's documentation says."""
    found = maps(values)
    sides = []
    for side in (found.shape[3], found.shape[2]):
        missing = max(size - stride, 0) if side % stride == 0 else max(size - side % stride, 0)
        sides += [missing // 2, missing - missing // 2]
    return functional.pad(found, sides)


def in_order(values: Tensor) -> np.ndarray:
    """Return maps flattened as Keras does it."""
    return values.permute(0, 2, 3, 1).reshape(values.shape[0], -1).numpy()


@pytest.mark.parametrize("shape", [(7, 8, 3), (8, 7, 3), (9, 9, 3), (5, 12, 3)])
@pytest.mark.parametrize(("size", "stride"), [(3, 2), (2, 2), (5, 3), (3, 1), (1, 2)])
def test_same_padding(shape: tuple[int, int, int], size: int, stride: int, tmp_path: Path) -> None:
    weight, bias, photos = numbers(size, size, 3, 2), numbers(2), numbers(2, *shape)
    options = {"kernel": size, "strides": [stride, stride], "padding": "same"}
    path = chain(
        tmp_path / "model.h5",
        shape,
        convolution("conv", 2, **options),
        values={"conv": [("conv/kernel:0", weight), ("conv/bias:0", bias)]},
    )
    expected = functional.conv2d(
        padded(photos, size, stride), kernel(weight), torch.from_numpy(bias), stride
    )
    np.testing.assert_allclose(answers(path, photos), in_order(expected), atol=1e-5)


def test_the_odd_pixel_of_padding_comes_after() -> None:
    assert same_padding((4, 5), (3, 3), (2, 2)) == (1, 1, 0, 1)
    assert same_padding((6, 6), (3, 3), (1, 1), (2, 2)) == (2, 2, 2, 2)
    assert same_padding((6, 6), (1, 1), (2, 2)) == (0, 0, 0, 0)


def test_a_mean_counts_no_padding_and_a_maximum_none_either(tmp_path: Path) -> None:
    photos = numbers(1, 4, 4, 1) - 5
    options = {"pool_size": [3, 3], "strides": [2, 2], "padding": "same"}
    for kind, reduce in (("MaxPooling2D", np.max), ("AveragePooling2D", np.mean)):
        path = chain(tmp_path / f"{kind}.h5", (4, 4, 1), layer(kind, "pool", **options), values={})
        plain = photos[0, :, :, 0]
        expected = [reduce(plain[y : y + 3, x : x + 3]) for y in (0, 2) for x in (0, 2)]
        np.testing.assert_allclose(answers(path, photos)[0], expected, atol=1e-6)


def test_flatten_goes_place_by_place(tmp_path: Path) -> None:
    photos = numbers(2, 4, 5, 3)
    path = chain(tmp_path / "model.h5", (4, 5, 3), values={})
    np.testing.assert_array_equal(answers(path, photos), photos.reshape(2, -1))


def test_reshape_permute_and_crop_stand_in_keras_order(tmp_path: Path) -> None:
    photos = numbers(2, 4, 6, 3)
    path = chain(
        tmp_path / "model.h5",
        (4, 6, 3),
        layer("Permute", "turn", dims=[2, 1, 3]),
        layer("Cropping2D", "crop", cropping=[[1, 0], [0, 2]]),
        layer("Reshape", "shape", target_shape=[-1, 6]),
        layer("Reshape", "back", target_shape=[5, 2, 3]),
        values={},
    )
    expected = photos.transpose(0, 2, 1, 3)[:, 1:, :2].reshape(2, -1)
    np.testing.assert_array_equal(answers(path, photos), expected)


def test_separable_convolution(tmp_path: Path) -> None:
    photos, first = numbers(1, 6, 6, 3), numbers(3, 3, 3, 2)
    second, bias = numbers(1, 1, 6, 4), numbers(4)
    described = convolution("both", 4, depth_multiplier=2)
    described["class_name"] = "SeparableConv2D"
    values = {
        "both": [
            ("both/depthwise_kernel:0", first),
            ("both/pointwise_kernel:0", second),
            ("both/bias:0", bias),
        ]
    }
    path = chain(tmp_path / "model.h5", (6, 6, 3), described, values=values)
    expected = np.zeros((1, 4, 4, 4))
    for y in range(4):
        for x in range(4):
            window = photos[0, y : y + 3, x : x + 3]
            between = np.einsum("yxc,yxcm->cm", window, first).reshape(-1)
            expected[0, y, x] = between @ second[0, 0] + bias
    np.testing.assert_allclose(answers(path, photos), expected.reshape(1, -1), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("relu", "2.15.0", lambda x: np.maximum(x, 0)),
        ("relu6", "2.15.0", lambda x: np.clip(x, 0, 6)),
        ("swish", "2.15.0", lambda x: x / (1 + np.exp(-x))),
        ("hard_sigmoid", "2.15.0", lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
        ("hard_sigmoid", "3.15.1", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
        ("hard_silu", "3.15.1", lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
        ("elu", "2.15.0", lambda x: np.where(x > 0, x, np.exp(x) - 1)),
        ("softsign", "2.15.0", lambda x: x / (1 + np.abs(x))),
        ("exponential", "2.15.0", np.exp),
    ],
)
def test_activations(name: str, version: str, expected: Any, tmp_path: Path) -> None:
    photos = numbers(1, 3, 3, 3, spread=4)
    model = sequential(
        "net", photo_input("in", 3, 3, 3), layer("Activation", "act", activation=name),
        layer("Flatten", "flat"), layer("Rescaling", "last", scale=1.0),
    )  # fmt: skip
    path = write_h5(tmp_path / "model.h5", model, {}, version=version)
    np.testing.assert_allclose(
        answers(path, photos), expected(photos).reshape(1, -1), atol=1e-4, rtol=1e-5
    )


def test_layers_of_one_activation(tmp_path: Path) -> None:
    x = numbers(1, 3, 3, 3, spread=4)
    for described, expected in (
        (layer("ReLU", "a", max_value=6.0, negative_slope=0.1, threshold=1.0),
         np.where(x >= 1, np.minimum(x, 6), 0.1 * (x - 1))),
        (layer("LeakyReLU", "a", alpha=0.3), np.where(x > 0, x, 0.3 * x)),
        (layer("LeakyReLU", "a", negative_slope=0.2), np.where(x > 0, x, 0.2 * x)),
        (layer("ELU", "a", alpha=0.5), np.where(x > 0, x, 0.5 * (np.exp(x) - 1))),
        (layer("Softmax", "a", axis=-1), np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
        (layer("Rescaling", "a", scale=[1, 2, 3], offset=-1.0), x * [1, 2, 3] - 1),
        (layer("Normalization", "a", axis=[3], mean=[1.0, 2, 3], variance=[4.0, 4, 9]),
         (x - [1, 2, 3]) / [2, 2, 3]),
        (layer("GaussianNoise", "a", stddev=3.0), x),
    ):  # fmt: skip
        path = chain(
            tmp_path / "model.h5", (3, 3, 3), described, layer("Rescaling", "last", scale=1.0),
            values={},
        )  # fmt: skip
        np.testing.assert_allclose(answers(path, x), expected.reshape(1, -1), atol=1e-5)


# Graphs


def test_a_layer_that_runs_twice(tmp_path: Path) -> None:
    shared = convolution("conv", 3, "in", padding="same")
    shared["inbound_nodes"].append([["conv", 0, 0, {}]])
    model = model_of(
        "net", photo_input("in", 4, 4, 3), shared,
        layer("Flatten", "flat", "conv"), dense("out", 2, "flat"), output="out",
    )  # fmt: skip
    model["config"]["layers"][2]["inbound_nodes"] = [[["conv", 1, 0, {}]]]
    weight, last = numbers(3, 3, 3, 3), numbers(48, 2)
    values = {
        "conv": [("conv/kernel:0", weight), ("conv/bias:0", np.zeros(3))],
        "out": [("out/kernel:0", last), ("out/bias:0", np.zeros(2))],
    }
    photos = numbers(1, 4, 4, 3)
    once = functional.conv2d(maps(photos), kernel(weight), padding=1)
    twice = functional.conv2d(once, kernel(weight), padding=1)
    path = write_h5(tmp_path / "model.h5", model, values)
    np.testing.assert_allclose(answers(path, photos), in_order(twice) @ last, atol=1e-4)


@pytest.mark.parametrize("first_call", [0, 1])
def test_nested_models_are_counted_from_nought_or_one(first_call: int, tmp_path: Path) -> None:
    body = model_of("body", photo_input("b", 4, 4, 3), convolution("c", 2, "b"), output="c")
    body["inbound_nodes"] = [[["in", 0, 0, {"training": False}]]]
    pool = layer("GlobalMaxPooling2D", "pool", "body")
    pool["inbound_nodes"] = [[["body", first_call, 0, {}]]]
    model = model_of(
        "net", photo_input("in", 4, 4, 3), body, pool, dense("out", 2, "pool"), output="out"
    )
    weight, last = numbers(3, 3, 3, 2), numbers(2, 2)
    values = {
        "body": [("c/kernel:0", weight), ("c/bias:0", np.zeros(2))],
        "out": [("out/kernel:0", last), ("out/bias:0", np.zeros(2))],
    }
    photos = numbers(1, 4, 4, 3)
    expected = functional.conv2d(maps(photos), kernel(weight)).amax((2, 3)).numpy() @ last
    path = write_h5(tmp_path / "model.h5", model, values)
    np.testing.assert_allclose(answers(path, photos), expected, atol=1e-5)


def test_functions_with_numbers(tmp_path: Path) -> None:
    def function(name: str, of: str, **given: Any) -> Layer:
        made = layer("TFOpLambda", name, function=name.removeprefix("tf."))
        return {**made, "inbound_nodes": [[of, 0, 0, {**given, "name": None}]]}

    flipped = {
        **layer("SlicingOpLambda", "flip", function="__operators__.getitem"),
        "inbound_nodes": [
            ["in", 0, 0, {"slice_spec": [
                {"class_name": "__ellipsis__"}, {"start": None, "stop": None, "step": -1}
            ]}]
        ],
    }  # fmt: skip
    less = {
        **layer("TFOpLambda", "less", function="math.subtract"),
        "inbound_nodes": [["_CONSTANT_VALUE", -1, 1.0, {"y": ["tf.nn.bias_add", 0, 0]}]],
    }
    model = model_of(
        "net", photo_input("in", 2, 2, 3), flipped,
        function("tf.math.truediv", "flip", y=127.5),
        function("tf.nn.bias_add", "tf.math.truediv", bias=[1.0, 2.0, 3.0], data_format="NHWC"),
        less, layer("Flatten", "out", "less"), output="out",
    )  # fmt: skip
    photos = numbers(1, 2, 2, 3, spread=90)
    expected = 1 - (photos[..., ::-1] / 127.5 + [1, 2, 3])
    path = write_h5(tmp_path / "model.h5", model, {})
    np.testing.assert_allclose(answers(path, photos), expected.reshape(1, -1), atol=1e-5)
    assert opened(path).spec.preprocessing.scale == 255


def keras_3_model() -> tuple[Layer, dict[str, Any]]:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
    model = {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "name": "functional_1",
            "layers": [
                {**photo_input("in"), "config": {"batch_shape": [None, 5, 5, 3], "name": "in"}},
                {**convolution("left", 2, dtype=policy), "inbound_nodes": node(tensor("in"))},
                {**convolution("right", 2, dtype=policy), "inbound_nodes": node(tensor("in"))},
                {**layer("Subtract", "less"),
                 "inbound_nodes": node([tensor("left"), tensor("right")])},
                {**layer("Multiply", "times"), "module": "keras.src.ops.numpy",
                 "inbound_nodes": node(tensor("less"), {
                     "class_name": "__tensor__", "config": {"value": [[[[2.0, 3.0]]]]}})},
                {**layer("GlobalAveragePooling2D", "pool", keepdims=False),
                 "inbound_nodes": node(tensor("times"), training=False, mask=None)},
                {**dense("out", 1, activation="sigmoid"), "inbound_nodes": node(tensor("pool"))},
            ],
            "input_layers": ["in", 0, 0],
            "output_layers": ["out", 0, 0],
        },
    }  # fmt: skip
    arrays = {
        "layers/conv2d/vars/0": numbers(3, 3, 3, 2),
        "layers/conv2d/vars/1": numbers(2),
        "layers/conv2d_1/vars/0": numbers(3, 3, 3, 2, seed=1),
        "layers/conv2d_1/vars/1": numbers(2, seed=1),
        "layers/dense/vars/0": numbers(2, 1),
        "layers/dense/vars/1": numbers(1),
    }
    return model, arrays


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_keras_3(compression: int, tmp_path: Path) -> None:
    model, arrays = keras_3_model()
    path = write_keras(tmp_path / "model.keras", model, arrays, compression=compression)
    photos = numbers(2, 5, 5, 3)

    def convolved(number: str) -> Tensor:
        weight, bias = (arrays[f"layers/conv2d{number}/vars/{one}"] for one in (0, 1))
        return functional.conv2d(maps(photos), kernel(weight), torch.from_numpy(bias))

    pooled = (convolved("") - convolved("_1")).mean((2, 3)).numpy() * [2, 3]
    expected = pooled @ arrays["layers/dense/vars/0"] + arrays["layers/dense/vars/1"]
    np.testing.assert_allclose(answers(path, photos), expected, atol=1e-5)
    assert opened(path).spec.outputs == "sigmoid"


def test_names_tell_layers_of_keras_3_apart(tmp_path: Path) -> None:
    model, arrays = keras_3_model()
    path = write_keras(tmp_path / "model.keras", model, arrays)
    plain = answers(path, numbers(1, 5, 5, 3))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    target = tmp_path / "model.weights.h5"
    target.write_bytes(members["model.weights.h5"])
    with h5py.File(target, "a") as file:
        for group, name in (("conv2d", "right"), ("conv2d_1", "left"), ("dense", "out")):
            file[f"layers/{group}/vars"].attrs["name"] = name
    members["model.weights.h5"] = target.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    bias = arrays["layers/dense/vars/1"]
    np.testing.assert_allclose(answers(path, numbers(1, 5, 5, 3)) - bias, bias - plain, atol=1e-5)


def test_renamed_layers_of_a_nested_model_go_by_order(tmp_path: Path) -> None:
    model, values = teachable_machine()
    path = write_h5(tmp_path / "a.h5", model, values)
    photos = numbers(1, 224, 224, 3)
    expected = answers(path, photos)
    values["sequential_3"] = [(f"old_{name}", array) for name, array in values["sequential_3"]]
    np.testing.assert_array_equal(answers(write_h5(path, model, values), photos), expected)
    model["config"]["layers"][1]["config"]["layers"][0]["config"]["trainable"] = False
    assert "do not fit" in refusal(write_h5(path, model, values))


def test_layer_names_of_any_kind(tmp_path: Path) -> None:
    model, values = plain_classifier()
    odd = {"conv": "a.b/c", "dense": "forward"}
    for described in model["config"]["layers"]:
        name = odd.get(described["name"], described["name"])
        described["name"] = described["config"]["name"] = name
    values = {odd.get(name, name): arrays for name, arrays in values.items()}
    network = opened(write_h5(tmp_path / "model.h5", model, values)).network
    assert [name for name, _ in network.named_children()] == ["a_b/c", "pool", "forward_"]


# What it takes and gives


def test_class_names_without_a_list(tmp_path: Path) -> None:
    found = opened(write_h5(tmp_path / "model.h5", *plain_classifier(1000))).spec
    assert found.class_names_source.by is NamedBy.IMAGENET
    found = opened(write_h5(tmp_path / "model.h5", *plain_classifier(2))).spec
    assert found.class_names == ("class 0", "class 1")


@pytest.mark.parametrize(
    ("units", "activation", "loss", "outputs", "assumed"),
    [
        (3, "softmax", None, "softmax", False),
        (1, "sigmoid", None, "sigmoid", False),
        (3, "sigmoid", "binary_crossentropy", "sigmoid", False),
        (3, "linear", {"class_name": "SparseCategoricalCrossentropy", "config": {}}, "softmax",
         False),
        (1, "linear", {"class_name": "BinaryCrossentropy", "config": {}}, "sigmoid", False),
        (1, "linear", "mse", "value", True),
        (3, "linear", None, "softmax", True),
        (1, "linear", None, "sigmoid", True),
        (3, "tanh", "mse", "value", True),
    ],
)  # fmt: skip
def test_what_the_outputs_are(
    units: int, activation: str, loss: Any, outputs: str, assumed: bool, tmp_path: Path
) -> None:
    model, values = plain_classifier(units, activation=activation)
    found = opened(write_h5(tmp_path / "model.h5", model, values, loss=loss)).spec
    assert found.outputs == outputs
    assert any("ends with" in one for one in found.problems) == assumed


def two_heads(kind: str, activation: str) -> tuple[Layer, dict[str, Any]]:
    model = model_of(
        "net", photo_input("in", 4, 4, 3), layer("Flatten", "flat", "in"),
        dense("a", 3, "flat", activation=activation), dense("b", 3, "flat", activation=activation),
        layer(kind, "both", "a", "b"), output="both",
    )  # fmt: skip
    held = {
        name: [(f"{name}/kernel:0", numbers(48, 3, seed=seed)), (f"{name}/bias:0", numbers(3))]
        for seed, name in enumerate("ab")
    }
    return model, held


def test_probabilities_that_are_averaged_are_no_logits(tmp_path: Path) -> None:
    model, values = two_heads("Average", "softmax")
    path = write_h5(tmp_path / "model.h5", model, values, loss="categorical_crossentropy")
    found = opened(path).spec
    assert found.outputs == "value"
    assert any("'Average'" in one for one in found.problems)
    np.testing.assert_allclose(answers(path, numbers(2, 4, 4, 3)).sum(1), 1, atol=1e-5)
    model, values = two_heads("Add", "linear")
    loss = {"class_name": "CategoricalCrossentropy", "config": {"from_logits": True}}
    path = write_h5(tmp_path / "model.h5", model, values, loss=loss)
    assert opened(path).spec.outputs == "softmax"


def test_an_activation_that_is_needed_elsewhere_stays(tmp_path: Path) -> None:
    last = dense("last", 48, "flat", activation="softmax", use_bias=False)
    last["inbound_nodes"].append([["last", 0, 0, {}]])
    model = model_of(
        "net", photo_input("in", 4, 4, 3), layer("Flatten", "flat", "in"), last, output="last"
    )
    model["config"]["output_layers"] = [["last", 1, 0]]
    path = write_h5(tmp_path / "m.h5", model, {"last": [("last/kernel:0", numbers(48, 48))]})
    assert opened(path).spec.outputs == "value"
    np.testing.assert_allclose(answers(path, numbers(2, 4, 4, 3)).sum(1), 1, atol=1e-5)


def named_body(name: str, *before: Layer) -> tuple[Layer, dict[str, Any]]:
    body = model_of(name, photo_input("b", 32, 32, 3), convolution("c", 2, "b"), output="c")
    model = sequential(
        "mine", photo_input("in", 32, 32, 3), *before, body,
        layer("GlobalAveragePooling2D", "pool"), dense("out", 2, activation="softmax"),
    )  # fmt: skip
    values = {
        name: [("c/kernel:0", numbers(3, 3, 3, 2)), ("c/bias:0", numbers(2))],
        "out": [("out/kernel:0", numbers(2, 2)), ("out/bias:0", numbers(2))],
    }
    return model, values


@pytest.mark.parametrize(
    ("name", "order", "scale", "mean"),
    [
        ("mobilenetv2_1.00_224", "RGB", 1, 0.5),
        ("xception", "RGB", 1, 0.5),
        ("resnet50v2", "RGB", 1, 0.5),
        ("resnet50", "BGR", 255, 103.939),
        ("vgg16", "BGR", 255, 103.939),
        ("densenet121", "RGB", 1, IMAGENET_MEAN[0]),
        ("anything", "RGB", 1, 0),
    ],
)
def test_bodies_get_what_keras_gives_them(
    name: str, order: str, scale: float, mean: float, tmp_path: Path
) -> None:
    found = opened(write_h5(tmp_path / "model.h5", *named_body(name))).spec
    used = found.preprocessing
    assert (used.channel_order, used.scale, used.mean[0]) == (order, scale, mean)
    assert (used.resize, used.crop) == ((32, 32), None)
    assert any("scaled" in one for one in found.problems)


def test_a_model_that_scales_photos_itself_gets_them_as_they_are(tmp_path: Path) -> None:
    own = layer("Rescaling", "rescaling", scale=1 / 127.5, offset=-1)
    found = opened(write_h5(tmp_path / "model.h5", *named_body("resnet50", own))).spec
    assert (found.preprocessing.scale, found.preprocessing.mean) == (255, (0, 0, 0))
    assert not any("scaled" in one for one in found.problems)


@pytest.mark.parametrize(
    ("own", "scale", "is_assumed"),
    [
        (layer("Rescaling", "own", scale=2, offset=-1), 1.0, False),
        (layer("Normalization", "own", axis=[3], mean=[0.5] * 3, variance=[0.1] * 3), 1.0, False),
        (layer("Normalization", "own", axis=[3], mean=[120.0] * 3, variance=[9.0] * 3), 255, False),
    ],
)
def test_what_it_scales_itself_tells_what_it_is_given(
    own: Any, scale: float, is_assumed: bool, tmp_path: Path
) -> None:
    found = opened(write_h5(tmp_path / "model.h5", *named_body("resnet50", own))).spec
    assert found.preprocessing.scale == scale
    assert any("scales its photos itself" in one for one in found.problems) is is_assumed


def test_grey_photos_of_any_size(tmp_path: Path) -> None:
    model, values = plain_classifier()
    model["config"]["layers"][0] = photo_input("input_1", None, None, 1)
    values["conv"][0] = ("conv/kernel:0", numbers(3, 3, 1, 4))
    found = opened(write_h5(tmp_path / "model.h5", model, values)).spec
    assert found.preprocessing.channel_order == "grey"
    assert found.preprocessing.input_size == (224, 224)
    assert any("224×224" in one for one in found.problems)


def test_a_size_that_the_model_itself_makes(tmp_path: Path) -> None:
    model, values = plain_classifier()
    model["config"]["layers"][0] = photo_input("input_1", None, None, 3)
    model["config"]["layers"].insert(1, layer("Resizing", "fit", height=20, width=30))
    found = opened(write_h5(tmp_path / "model.h5", model, values))
    assert found.spec.preprocessing.input_size == (20, 30)
    with torch.no_grad():
        larger = found.network(torch.ones(1, 3, 40, 60))
    np.testing.assert_allclose(larger, found.network(torch.ones(1, 3, 20, 30)).detach(), atol=1e-5)


# What is refused


def with_layer(described: Layer) -> tuple[Layer, dict[str, Any]]:
    model, values = plain_classifier()
    model["config"]["layers"].insert(2, described)
    return model, values


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (layer("Lambda", "mine", function=["4wEAAAA=", None, None]), ("'mine'", "Lambda")),
        (layer("MyBlock", "odd"), ("'odd'", "'MyBlock'")),
        (layer("LSTM", "memory", units=3), ("'memory'", "'LSTM'")),
        (layer("TFOpLambda", "tf.image", function="image.resize"), ("'image.resize'",)),
        (layer("Activation", "act", activation="my_activation"), ("'my_activation'",)),
        (layer("MaxPooling2D", "pool2", data_format="channels_first"), ("channels first",)),
        (layer("MaxPooling2D", "pool2", pool_size=[0, 2]), ("'pool2'", "does not fit")),
        (layer("MaxPooling2D", "pool2", pool_size=[99, 2]), ("pool2", "does not fit")),
        (layer("Reshape", "shape", target_shape=[7, 7]), ("shape", "does not fit")),
        (layer("Resizing", "fit", height=9, width=9, crop_to_aspect_ratio=True), ("'fit'",)),
        (layer("UpSampling2D", "up", size=[2000, 2000]), ("more memory or time",)),
        (layer("UpSampling2D", "up", size=[10**5, 10**5]), ("more memory or time",)),
    ],
)
def test_layers_that_are_not_opened_are_named(
    described: Layer, words: tuple[str, ...], tmp_path: Path
) -> None:
    said = refusal(write_h5(tmp_path / "model.h5", *with_layer(described)))
    assert all(word in said for word in words), said


def test_weights_without_the_network(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "model.h5", *plain_classifier())
    with h5py.File(path, "a") as file:
        del file.attrs["model_config"]
        file.attrs["layer_names"] = [b"conv"]
    assert "model.save(…)" in refusal(path)
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        file["layers/conv2d/vars/0"] = numbers(3)
    assert "weights without the network" in refusal(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["table"] = numbers(3)
    assert "without a Keras model" in refusal(tmp_path / "data.h5")


def test_missing_and_misshapen_weights(tmp_path: Path) -> None:
    model, values = plain_classifier()
    path = tmp_path / "model.h5"
    missing = {**values, "dense": []}
    said = refusal(write_h5(path, model, missing))
    assert "'dense'" in said
    assert "missing" in said
    for array in (numbers(3, 4), numbers(4, 3, 1), numbers(5, 3)):
        values["dense"][0] = ("dense/kernel:0", array)
        assert "dense" in refusal(write_h5(path, model, values))


def test_networks_that_name_no_classes(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    model, values = plain_classifier()
    del model["config"]["layers"][2:]
    values = {"conv": values["conv"]}
    assert "does not name classes" in refusal(write_h5(path, model, values))
    model, values = plain_classifier()
    model["config"]["layers"][0] = photo_input("input_1", 8)
    assert "does not take photos" in refusal(write_h5(path, model, values))
    model = {"class_name": "MyModel", "config": {}}
    assert "'MyModel'" in refusal(write_h5(path, model, {}))
    two = model_of("net", photo_input("in", 2, 2, 3), layer("Flatten", "a", "in"), output="a")
    two["config"]["output_layers"].append(["in", 0, 0])
    assert "2 outputs" in refusal(write_h5(path, two, {}))


def test_layers_in_a_circle(tmp_path: Path) -> None:
    model = model_of(
        "net", photo_input("in", 4, 4, 3), layer("Add", "a", "in", "b"), layer("ReLU", "b", "a"),
        layer("Flatten", "out", "b"), output="out",
    )  # fmt: skip
    assert "circle" in refusal(write_h5(tmp_path / "model.h5", model, {}))
    model = model_of("net", photo_input("in", 4, 4, 3), layer("Flatten", "out"), output="out")
    assert "fed by none" in refusal(write_h5(tmp_path / "model.h5", model, {}))


def test_a_body_that_is_always_in_training(tmp_path: Path) -> None:
    norm = layer("BatchNormalization", "norm", "in", scale=False, center=False)
    norm["inbound_nodes"][0][0][3]["training"] = True
    model = model_of(
        "net", photo_input("in", 2, 2, 3), norm, layer("Flatten", "out", "norm"), output="out"
    )
    held = [("norm/moving_mean:0", numbers(3)), ("norm/moving_variance:0", np.ones(3))]
    assert "as in training" in refusal(write_h5(tmp_path / "model.h5", model, {"norm": held}))


@pytest.mark.parametrize("how", ["gzip", "chunked", "whole", "external", "link", "soft", "virtual"])
def test_arrays_that_keras_writes_in_no_such_way(how: str, tmp_path: Path) -> None:
    model, values = plain_classifier()
    path = write_h5(tmp_path / "model.h5", model, values)
    place, array = "model_weights/dense/dense/kernel:0", values["dense"][0][1]
    other = tmp_path / "other.bin"
    other.write_bytes(array.tobytes())
    with h5py.File(path, "a") as file:
        del file[place]
        if how == "gzip":
            file.create_dataset(place, data=array, compression="gzip")
        elif how == "chunked":
            file.create_dataset(place, data=array, chunks=(1, 1))
        elif how == "whole":
            file[place] = array.astype(int)
        elif how == "external":
            file.create_dataset(place, (4, 3), "f4", external=[(str(other), 0, 48)])
        elif how == "link":
            file[place] = h5py.ExternalLink(str(other), "/x")
        elif how == "soft":
            file[place] = h5py.SoftLink("/model_weights/conv/conv/bias:0")
        else:
            layout = h5py.VirtualLayout((4, 3), "f4")
            layout[:] = h5py.VirtualSource(str(other), "x", (4, 3))
            file.create_virtual_dataset(place, layout)
    assert "'dense'" in refusal(path)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
def test_files_that_were_cut_off(share: float, tmp_path: Path) -> None:
    path = write_h5(tmp_path / "model.h5", *teachable_machine())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "damaged" in refusal(path)


def test_damaged_files_end_in_a_sentence(tmp_path: Path) -> None:
    content = write_h5(tmp_path / "model.h5", *plain_classifier()).read_bytes()
    telling = [place for place, value in enumerate(content) if value]
    path = tmp_path / "other.h5"
    for seed in range(300):
        chance = np.random.default_rng(seed)
        damaged = bytearray(content)
        for place in chance.choice(telling, 3):
            damaged[place] = chance.integers(256)
        path.write_bytes(damaged)
        found = KerasSource().inspect(path)
        assert "\n" not in found.summary
        if found.usable:
            with contextlib.suppress(DroplensError):
                opened(path)


def test_other_files_with_kerass_endings(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(b"<!DOCTYPE html><html>")
    assert not KerasSource().recognises(path)
    assert is_model(path)
    assert "web page" in source_of(path).inspect(path).summary
    torch.save(trained("resnet18", 2).state_dict(), path)
    assert source_of(path).inspect(path).architecture == "resnet18"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("saved/saved_model.pb", b"")
    assert "“Keras”" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", b"")
    assert "without a Keras model" in refusal(path)


def test_other_files_of_tensorflow_say_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"\x08\x01\x12\x10")
    files = {
        "model.tflite": b"\x1c\0\0\0TFL3\0",
        "model.json": b'{"modelTopology":{"class_name":"Sequential"}}',
        "graph.json": b'{"format": "graph-model", "generatedBy": "2.1"}',
        "frozen.pb": b"\x0a\x10\x0a\x01x",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for path in (folder, folder / "saved_model.pb", *(tmp_path / name for name in files)):
        said = source_of(path).inspect(path).summary
        assert "“Keras”" in said, said


def test_an_architecture_of_the_users_is_refused(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "model.h5", *plain_classifier())
    with pytest.raises(DroplensError, match="leave the architecture"):
        KerasSource().open(ModelChoice(path, "resnet18"), None, lambda: False)


def test_a_photo_of_transparent_pixels_is_taken_as_pillow_gives_it(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "keras_model.h5", *teachable_machine())
    photo = tmp_path / "photo.png"
    Image.new("RGBA", (300, 200), (200, 10, 10, 0)).save(photo)
    pixels = opened(path).spec.preprocessing.see_file(photo).pixels
    assert pixels.shape == (224, 224, 3)
    assert tuple(pixels[0, 0]) == (200, 10, 10)


def test_names_and_preprocessing_of_the_users(tmp_path: Path, capsysbinary: Any) -> None:
    path = write_h5(tmp_path / "model.h5", *plain_classifier(2))
    names = tmp_path / "mine.txt"
    names.write_text("good\nbad\n", encoding="utf-8")
    used = tmp_path / "used.json"
    used.write_text(json.dumps({"resize": [8, 8], "crop": None, "scale": 255.0}), encoding="utf-8")
    choice = ModelChoice(path, class_names=names, preprocessing=used)
    spec = KerasSource().open(choice, None, lambda: False).spec
    assert spec.class_names == ("good", "bad")
    assert spec.preprocessing.scale == 255
    overrides = Overrides(class_names=("yes", "no"), outputs="sigmoid")
    spec = KerasSource().open(ModelChoice(path, overrides=overrides), None, lambda: False).spec
    assert (spec.class_names, spec.outputs) == (("yes", "no"), "sigmoid")


def test_another_size_than_its_own_is_refused_in_a_sentence(
    tmp_path: Path, capsysbinary: Any, make_photo: Any
) -> None:
    model = sequential(
        "net", photo_input("in", 8, 8, 3), layer("Flatten", "flat"),
        dense("out", 2, activation="softmax"),
    )  # fmt: skip
    values = {"out": [("out/kernel:0", numbers(192, 2)), ("out/bias:0", numbers(2))]}
    path = write_h5(tmp_path / "model.h5", model, values)
    used = tmp_path / "used.json"
    used.write_text(json.dumps({"resize": [9, 9], "crop": None}), encoding="utf-8")
    options = ["--checkpoint", str(path), "--preprocessing", str(used)]
    assert main(["classify", str(make_photo()), *options]) == 2
    assert "9×9" in capsysbinary.readouterr().err.decode()
