"""Small files as Keras writes them, without Keras."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Layer = dict[str, Any]
Values = Mapping[str, Sequence[tuple[str, Any]]]
"""By a layer of the model: names such as "conv/kernel:0" and arrays."""


def layer(kind: str, name: str, *feeding: str, **options: Any) -> Layer:
    """Return a layer as Keras 2 describes it, fed by others' first calls."""
    node = [[[one, 0, 0, {}] for one in feeding]] if feeding else []
    options = {"name": name, "trainable": True, "dtype": "float32", **options}
    return {"class_name": kind, "name": name, "config": options, "inbound_nodes": node}


def photo_input(name: str, *shape: int | None) -> Layer:
    return layer("InputLayer", name, batch_input_shape=[None, *shape], sparse=False)


def sequential(name: str, *layers: Layer) -> Layer:
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}}


def functional(name: str, *layers: Layer, output: str, kind: str = "Functional") -> Layer:
    described = {
        "name": name,
        "layers": list(layers),
        "input_layers": [
            [one["name"], 0, 0] for one in layers if one["class_name"] == "InputLayer"
        ],
        "output_layers": [[output, 0, 0]],
    }
    return {"class_name": kind, "name": name, "config": described, "inbound_nodes": []}


def tensor(name: str, call: int = 0) -> dict[str, Any]:
    """Return an argument of a node of Keras 3."""
    history = {"shape": [None], "dtype": "float32", "keras_history": [name, call, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


def node(*arguments: Any, **options: Any) -> list[dict[str, Any]]:
    return [{"args": list(arguments), "kwargs": options}]


def write_h5(
    path: Path, model: Layer, values: Values, *, version: str = "2.15.0", loss: Any = None
) -> Path:
    """Write what ``model.save("….h5")`` writes."""
    with h5py.File(path, "w") as file:
        file.attrs["backend"] = "tensorflow"
        file.attrs["keras_version"] = version
        file.attrs["model_config"] = json.dumps(model).encode()
        if loss is not None:
            file.attrs["training_config"] = json.dumps({"loss": loss}).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [name.encode() for name in values]
        for name, arrays in values.items():
            group = weights.create_group(name)
            group.attrs["weight_names"] = [one.encode() for one, _ in arrays]
            for one, array in arrays:
                group[one] = np.asarray(array, np.float32)
    return path


def write_keras(
    path: Path,
    model: Layer,
    arrays: Mapping[str, Any],
    *,
    version: str = "3.15.1",
    loss: Any = None,
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """Write what ``model.save("….keras")`` writes; arrays by their paths, "layers/dense/vars/0"."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, array in arrays.items():
            file[name] = np.asarray(array, np.float32)
    described = {**model, "compile_config": {"loss": loss}}
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", json.dumps(described))
        archive.writestr("model.weights.h5", content.getvalue())
    return path


def numbers(*shape: int, seed: int = 0, spread: float = 0.5) -> np.ndarray:
    """Return numbers that are never twice the same."""
    return np.random.default_rng([seed, *shape]).normal(0, spread, shape).astype(np.float32)


def dense(name: str, units: int, *feeding: str, **options: Any) -> Layer:
    options = {"activation": "linear", "use_bias": True, **options}
    return layer("Dense", name, *feeding, units=units, **options)


def convolution(name: str, filters: int, *feeding: str, kernel: int = 3, **options: Any) -> Layer:
    options = {
        "kernel_size": [kernel, kernel],
        "strides": [1, 1],
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "groups": 1,
        "activation": "linear",
        "use_bias": True,
        **options,
    }
    return layer("Conv2D", name, *feeding, filters=filters, **options)


def plain_classifier(count: int = 3, side: int = 8, **options: Any) -> tuple[Layer, dict[str, Any]]:
    """Return the smallest classifier of photos, and its values."""
    model = sequential(
        "sequential",
        photo_input("input_1", side, side, 3),
        convolution("conv", 4, activation="relu"),
        layer("GlobalAveragePooling2D", "pool", data_format="channels_last"),
        dense("dense", count, **{"activation": "softmax", **options}),
    )
    values = {
        "conv": [("conv/kernel:0", numbers(3, 3, 3, 4)), ("conv/bias:0", numbers(4))],
        "pool": [],
        "dense": [("dense/kernel:0", numbers(4, count)), ("dense/bias:0", numbers(count))],
    }
    return model, values


def _teachable_body() -> Layer:
    """Return the body of such a model, cut down to a few layers."""
    return functional(
        "model1",
        photo_input("input_1", 224, 224, 3),
        layer("ZeroPadding2D", "Conv1_pad", "input_1", padding=[[0, 1], [0, 1]]),
        convolution("Conv1", 4, "Conv1_pad", strides=[2, 2], use_bias=False),
        layer(
            "BatchNormalization",
            "bn_Conv1",
            "Conv1",
            axis=[3],
            momentum=0.999,
            epsilon=0.001,
            center=True,
            scale=True,
        ),
        layer("ReLU", "Conv1_relu", "bn_Conv1", max_value=6, negative_slope=0, threshold=0),
        layer(
            "DepthwiseConv2D",
            "expanded_conv_depthwise",
            "Conv1_relu",
            kernel_size=[3, 3],
            strides=[1, 1],
            padding="same",
            data_format="channels_last",
            dilation_rate=[1, 1],
            groups=1,
            activation="linear",
            use_bias=False,
            depth_multiplier=1,
        ),
        layer("Add", "block_add", "Conv1_relu", "expanded_conv_depthwise"),
        output="block_add",
    )


def teachable_machine(count: int = 3) -> tuple[Layer, dict[str, Any]]:
    """Return a model in Teachable Machine's layout, its body cut down to a few layers."""
    model = sequential(
        "sequential_4",
        sequential(
            "sequential_1",
            _teachable_body(),
            layer(
                "GlobalAveragePooling2D",
                "global_average_pooling2d_GlobalAveragePooling2D1",
                data_format="channels_last",
            ),
        ),
        sequential(
            "sequential_3",
            dense("dense_Dense1", 5, activation="relu", batch_input_shape=[None, 4]),
            dense("dense_Dense2", count, activation="softmax", use_bias=False),
        ),
    )
    values = {
        "sequential_1": [
            ("Conv1/kernel:0", numbers(3, 3, 3, 4)),
            ("bn_Conv1/gamma:0", 1 + numbers(4, seed=1)),
            ("bn_Conv1/beta:0", numbers(4, seed=2)),
            ("expanded_conv_depthwise/depthwise_kernel:0", numbers(3, 3, 4, 1)),
            ("bn_Conv1/moving_mean:0", numbers(4, seed=3)),
            ("bn_Conv1/moving_variance:0", 0.01 + np.abs(numbers(4, seed=4))),
        ],
        "sequential_3": [
            ("dense_Dense1/kernel:0", numbers(4, 5)),
            ("dense_Dense1/bias:0", numbers(5)),
            ("dense_Dense2/kernel:0", numbers(5, count)),
        ],
    }
    return model, values
