"""Keras files that crash, freeze or exhaust a reader; none carries code."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.core.models.keras_files import (
    Layer,
    convolution,
    dense,
    functional,
    layer,
    photo_input,
    plain_classifier,
    sequential,
    teachable_machine,
    write_h5,
    write_keras,
)

Write = Callable[[Path], Path]


def plain(path: Path) -> Path:
    return write_h5(path, *plain_classifier())


def with_config(path: Path, config: str) -> Path:
    plain(path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = config.encode()
    return path


def described(*layers: Layer, values: Any = None) -> Write:
    model = sequential("net", photo_input("in", 64, 64, 3), *layers)
    return lambda path: write_h5(path, model, values or {})


def deep_json(path: Path) -> Path:
    return with_config(path, '{"class_name": "Sequential", "config": ' + "[" * 200_000)


def deep_models(path: Path) -> Path:
    opening = '{"class_name": "Sequential", "config": {"name": "m", "layers": ['
    depth = 200  # what the reader of JSON still takes
    return with_config(path, opening * depth + json.dumps(dense("out", 2)) + "]}}" * depth)


def doubling_models(path: Path) -> Path:
    """Write ten models of which each runs the next a hundred times."""
    inner = functional("m0", photo_input("i0", 8, 8, 3), layer("ReLU", "r", "i0"), output="r")
    for number in range(1, 11):
        name, below = f"i{number}", inner["name"]
        inner["inbound_nodes"] = [[[name, 0, 0, {}]]]
        inner["inbound_nodes"] += [[[below, call, 0, {}]] for call in range(100)]
        outer = functional(f"m{number}", photo_input(name, 8, 8, 3), inner, output=below)
        outer["config"]["output_layers"] = [[below, 100, 0]]
        inner = outer
    return with_config(path, json.dumps(inner))


def many_layers(path: Path) -> Path:
    layers = [layer("ReLU", f"relu{number}") for number in range(60_000)]
    return with_config(path, json.dumps(sequential("net", photo_input("in", 8, 8, 3), *layers)))


def many_alive(path: Path) -> Path:
    """Write a network that holds a thousand large maps at once."""
    layers = [layer("UpSampling2D", f"up{number}", "in", size=[16, 16]) for number in range(1000)]
    total = layer("Add", "sum", *(one["name"] for one in layers))
    model = functional(
        "net", photo_input("in", 64, 64, 3), *layers, total, layer("Flatten", "out", "sum"),
        output="out",
    )  # fmt: skip
    return write_h5(path, model, {})


def slow(path: Path) -> Path:
    """Write a convolution that runs a thousand times on large maps."""
    shared = convolution("conv", 16, "in", kernel=7, padding="same")
    shared["inbound_nodes"] += [[["conv", call, 0, {}]] for call in range(1000)]
    out = layer("GlobalAveragePooling2D", "out", "conv")
    out["inbound_nodes"] = [[["conv", 1000, 0, {}]]]
    model = functional("net", photo_input("in", 1024, 1024, 16), shared, out, output="out")
    model["config"]["layers"][0] = photo_input("in", 1024, 1024, 4)
    values = {"conv": [("conv/kernel:0", np.zeros((7, 7, 4, 4))), ("conv/bias:0", np.zeros(4))]}
    shared["config"]["filters"] = 4
    return write_h5(path, model, values)


def of_large_claims(path: Path) -> Path:
    """Write a dataset of four terabytes that was never written."""
    plain(path)
    with h5py.File(path, "a") as file:
        del file["model_weights/dense/dense/kernel:0"]
        file.create_dataset("model_weights/dense/dense/kernel:0", (2**20, 2**20), "f4")
    return path


def one_array_for_all(path: Path) -> Path:
    """Write 400 layers whose 4 MB each lie upon each other."""
    side = 1024
    layers = [layer("Flatten", "flat")]
    layers += [dense(f"d{number}", side, use_bias=False) for number in range(400)]
    model = sequential("net", photo_input("in", 32, 32, 1), *layers)
    values = {"d0": [("d0/kernel:0", np.zeros((side, side)))]}
    write_h5(path, model, values)
    with h5py.File(path, "a") as file:
        for number in range(1, 400):
            group = file.create_group(f"model_weights/d{number}")
            group.attrs["weight_names"] = [f"d{number}/kernel:0".encode()]
            group[f"d{number}/kernel:0"] = file["model_weights/d0/d0/kernel:0"]
    return path


def one_text_very_often(path: Path) -> Path:
    """Write a list of names whose every entry is the same text of 8 MB."""
    plain(path)
    with h5py.File(path, "a") as file:
        group = file["model_weights/dense"]
        del group.attrs["weight_names"]
        group.attrs.create("weight_names", ["x" * 2**23] + ["y"] * 3000, dtype=h5py.string_dtype())
    content = path.read_bytes()
    at = content.index(b"GCOL", content.index(b"x" * 1000) - 64)
    pointer = struct.pack("<IQI", 2**23, at, 1)
    first = content.index(pointer)
    path.write_bytes(content[:first] + pointer * 3001 + content[first + 16 * 3001 :])
    return path


def circle_of_groups(path: Path) -> Path:
    """Write groups that contain each other."""
    model, values = plain_classifier()
    del values["dense"]
    write_h5(path, model, values)
    with h5py.File(path, "a") as file:
        file["model_weights/dense"] = file["model_weights"]
        file["model_weights"].attrs["weight_names"] = [b"dense/" * 2000 + b"dense/kernel:0"] * 500
    return path


def circle_in_a_tree(path: Path) -> Path:
    """Write a group's tree whose every child is the tree itself."""
    content = bytearray(plain(path).read_bytes())
    at = content.index(b"TREE")
    content[at + 6 : at + 8] = struct.pack("<H", 2)
    struct.pack_into("<QQQQ", content, at + 24, 0, at, 0, at)
    path.write_bytes(content)
    return path


def of_every_start(byte: int) -> Write:
    def write(path: Path) -> Path:
        content = bytearray(plain(path).read_bytes())
        content[9:512] = bytes([byte]) * 503
        path.write_bytes(content)
        return path

    return write


def archive(path: Path, config: bytes, parameters: bytes) -> Path:
    path = path.with_suffix(".keras")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("config.json", config)
        packed.writestr("model.weights.h5", parameters)
    return path


def packed_zeros(path: Path) -> Path:
    return archive(path, b"{}", b"\x89HDF\r\n\x1a\n" + bytes(600 * 2**20))


def packed_json(path: Path) -> Path:
    return archive(path, b'{"class_name": "' + b" " * (400 * 2**20), b"\x89HDF\r\n\x1a\n")


def packed_many(path: Path) -> Path:
    """Write an archive with 100,000 members."""
    path = path.with_suffix(".keras")
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(100_000):
            packed.writestr(f"assets/{number:050}", b"")
    return path


def numbered_groups(path: Path) -> Path:
    """Write a .keras file whose one group has 30,000 members."""
    model, _ = plain_classifier()
    arrays = {f"layers/conv2d_{number}/vars/0": np.zeros(1) for number in range(30_000)}
    return write_keras(path.with_suffix(".keras"), model, arrays)


def cut_off(path: Path) -> Path:
    content = write_h5(path, *teachable_machine()).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def external(path: Path) -> Path:
    plain(path)
    with h5py.File(path, "a") as file:
        del file["model_weights"]
        file["model_weights"] = h5py.ExternalLink("/etc/passwd", "/")
    return path


CASES: dict[str, Write] = {
    "deep JSON": deep_json,
    "models in models": deep_models,
    "models that run each other a hundred times": doubling_models,
    "60,000 layers": many_layers,
    "a thousand large maps at once": many_alive,
    "one convolution a thousand times": slow,
    "maps of terabytes": described(layer("UpSampling2D", "up", size=[10**5, 10**5])),
    "padding of a million pixels": described(layer("ZeroPadding2D", "pad", padding=2**20)),
    "units without number": described(dense("out", 10**15)),
    "a kernel of 10¹² places": described(convolution("conv", 2, kernel=10**6)),
    "an option of 4,000 digits": described(layer("MaxPooling2D", "pool", pool_size=10**4000)),
    "a scale that is no number": described(layer("Rescaling", "r", scale=float("nan"))),
    "a Lambda": described(layer("Lambda", "mine", function=["4wEAAAA=", None, None])),
    "terabytes that were never written": of_large_claims,
    "one array for 400 layers": one_array_for_all,
    "one text very often": one_text_very_often,
    "a circle of groups": circle_of_groups,
    "a circle in a tree": circle_in_a_tree,
    "a head of zeros": of_every_start(0),
    "a head of ones": of_every_start(255),
    "a link to another file": external,
    "zeros that were packed": packed_zeros,
    "JSON that was packed": packed_json,
    "100,000 members": packed_many,
    "30,000 groups": numbered_groups,
    "half a file": cut_off,
}
