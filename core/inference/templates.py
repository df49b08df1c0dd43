"""ONNX graphs without parameters, one for each architecture, which a model's own parameters fill.

Nothing is exported for them: the graphs are shipped, made by
``build_scripts/make_onnx_templates.py``, and a session stands in a fraction of a second. Whoever
uses one holds its answers against PyTorch's first.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING

import resources
from core.inference.backends import OnnxBackend
from core.models.building import Blueprint

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.images.preprocessing import Preprocessing

RESOURCE = "onnx_templates.zip"
LARGEST_BYTES = 2**30
"""Of parameters; larger networks stay with PyTorch: they would lie in memory twice."""

_NETWORK = "network."
"""What stands before the names of parameters in a graph."""

# Numbers of fields and types. Source: ONNX's onnx.proto3.
_MODEL_GRAPH, _GRAPH_INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _EXTERNAL, _LOCATION = 1, 2, 8, 13, 14
_FLOAT, _ELSEWHERE = 1, 1
_NUMBER, _BYTES = 0, 2


def template_name(architecture: str, preprocessing: Preprocessing) -> str:
    """Return the name of the graph for an input's size; where the network turns its input too."""
    height, width = preprocessing.input_size
    turned = "-turned" if preprocessing.transform_input else ""
    return f"{architecture}-{height}x{width}{turned}.onnx"


def backend_from_template(
    network: nn.Module, plan: Blueprint | None, preprocessing: Preprocessing
) -> OnnxBackend | None:
    """Return what computes a network from its shipped graph; None where there is none for it.

    Args:
        network: on the processor; its parameters are used where they lie.
        plan: what it was built from.
        preprocessing: what makes its input.

    Raises:
        Exception: of a type that only ONNX Runtime knows, where the graph does not fit after all.
    """
    if plan is None or not _is_plain(plan):
        return None
    tensors = {name: one for name, one in network.state_dict().items() if one.is_floating_point()}
    if sum(one.nbytes for one in tensors.values()) > LARGEST_BYTES:
        return None
    name = template_name(plan.fingerprint.architecture.name, preprocessing)
    with zipfile.ZipFile(resources.path(RESOURCE)) as archive:
        if name not in archive.namelist():
            return None
        graph = archive.read(name)
    named = {f"{_NETWORK}{key}": one.contiguous() for key, one in tensors.items()}
    filled = graph + _field(_MODEL_GRAPH, _initializers(named))
    return OnnxBackend(filled, preprocessing, {key: one.numpy() for key, one in named.items()})


def _is_plain(plan: Blueprint) -> bool:
    """Return whether nothing but the number of classes sets a network apart."""
    head, body = plan.head, plan.fingerprint.cuts[0].body
    is_usual = head is not None and head.is_plain and head.pooling == "own"
    changed = plan.options != Blueprint(plan.fingerprint, None, plan.shapes).options
    same = all(
        plan.shapes.get(name) == shape
        for name, shape in body.items()
        if not name.endswith("num_batches_tracked")
    )
    return is_usual and not changed and same


def _initializers(named: Mapping[str, Tensor]) -> bytes:
    """Return a graph's part that says which parameters it is given, as Protocol Buffers.

    Appended to a network, it is read as if it had stood in its graph.
    """
    return b"".join(
        _field(
            _GRAPH_INITIALIZER,
            b"".join(_number(_DIMS, side) for side in one.shape)
            + _number(_TYPE, _FLOAT)
            + _field(_NAME, name.encode())
            + _field(_EXTERNAL, _field(1, b"location") + _field(2, b"memory"))
            + _number(_LOCATION, _ELSEWHERE),
        )
        for name, one in named.items()
    )


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _NUMBER) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
