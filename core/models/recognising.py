"""Recognise the architecture of a state dict by the names and shapes of its parameters."""

from __future__ import annotations

import functools
import gzip
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import resources
from core.models.architectures import ARCHITECTURES, BY_NAME, Architecture
from core.models.heads import Head, Shape, read_head

Shapes = Mapping[str, Shape]

AUXILIARY_HEADS = ("AuxLogits.", "aux1.", "aux2.")
"""Used in training alone; Inception and GoogLeNet drop them in evaluation."""

_POSITION_EMBEDDING = "encoder.pos_embedding"
_NO_PARAMETERS = (
    "num_batches_tracked",
    "running_mean",
    "running_var",
    "relative_position_index",
    "relative_coords_table",
)
_COMPUTED = ("num_batches_tracked", "relative_position_index", "relative_coords_table")
"""Entries that the network makes by itself; files may lack them."""


@dataclass(frozen=True)
class Recognition:
    """How well a state dict fits one architecture.

    Attributes:
        architecture: the candidate.
        matched: share of the architecture's parameters found in the file, 0..1, the head
            counted with the file's own number of classes.
        similarity: found values over the union of both sides, 0..1; ranks candidates.
        missing: names that the body needs and the file lacks, or has in another shape.
        unexpected: names in the file that neither body nor head nor auxiliary heads use.
        head: what stands at the documented place of the head; None where nothing does, or
            nothing that makes sense.
    """

    architecture: Architecture
    matched: float
    similarity: float
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    head: Head | None

    @property
    def is_complete(self) -> bool:
        """Return whether body and head are all there and nothing of a larger body is left."""
        own = {name.split(".", 1)[0] for name in _body(self.architecture.name)[0]}
        larger = any(name.split(".", 1)[0] in own for name in self.unexpected)
        return not self.missing and not larger and self.head is not None


@functools.cache
def _fingerprints() -> dict[str, dict[str, Shape]]:
    packed = resources.path("fingerprints.json.gz").read_bytes()
    content = json.loads(gzip.decompress(packed))
    names, shapes = content["names"], [tuple(shape) for shape in content["shapes"]]
    return {
        architecture: {
            names[numbers[at]]: shapes[numbers[at + 1]] for at in range(0, len(numbers), 2)
        }
        for architecture, numbers in content["architectures"].items()
    }


@functools.cache
def _body(architecture: str) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Return names and shapes of an architecture's body and of its head."""
    head = BY_NAME[architecture].head + "."
    body: dict[str, Shape] = {}
    head_part: dict[str, Shape] = {}
    for name, shape in _fingerprints()[architecture].items():
        (head_part if name.startswith(head) else body)[name] = shape
    return body, head_part


def fit(architecture: Architecture, shapes: Shapes) -> Recognition:
    """Compare a state dict with one architecture.

    Args:
        architecture: the candidate.
        shapes: of the state dict, cleaned keys.
    """
    body, head = _body(architecture.name)
    missing: list[str] = []
    values = found = parameters = found_parameters = 0
    for name, shape in body.items():
        if name.endswith(_COMPUTED):
            continue
        size = math.prod(shape)
        here = _same(name, shapes.get(name), shape)
        values += size
        found += size * here
        if not name.endswith(_NO_PARAMETERS):
            parameters += size
            found_parameters += size * here
        if not here:
            missing.append(name)
    unexpected = [
        name
        for name in shapes
        if name not in body
        and not name.startswith((*AUXILIARY_HEADS, f"{architecture.head}."))
        and not name.endswith(_COMPUTED)
    ]
    found_head = _found_head(architecture, shapes, head)
    head_values = _head_values(architecture, shapes, head, found=found_head is not None)
    surplus = sum(math.prod(shapes[name]) for name in unexpected)
    return Recognition(
        architecture=architecture,
        matched=(found_parameters + (head_values if found_head else 0))
        / (parameters + head_values),
        similarity=found / max(1, values + surplus),
        missing=tuple(missing),
        unexpected=tuple(unexpected),
        head=found_head,
    )


def recognise(shapes: Shapes) -> Recognition:
    """Return the architecture that a state dict fits best, however well that is."""
    # A candidate without a single name in common costs a set operation, not a comparison.
    names = set(shapes)
    candidates = [
        architecture
        for architecture in ARCHITECTURES
        if not names.isdisjoint(_body(architecture.name)[0])
    ]
    fits = [fit(architecture, shapes) for architecture in candidates or ARCHITECTURES[:1]]
    return max(fits, key=lambda one: (one.similarity, one.head is not None))


def image_size(shapes: Shapes) -> int | None:
    """Return the side in pixels that a ViT's position embedding fixes, None for other networks.

    There is one position a patch, and one for the class token.
    """
    if _POSITION_EMBEDDING not in shapes:
        return None
    return math.isqrt(shapes[_POSITION_EMBEDDING][1] - 1) * shapes["conv_proj.weight"][2]


def _same(name: str, found: Shape | None, wanted: Shape) -> bool:
    if found == wanted:
        return True
    if name != _POSITION_EMBEDDING or found is None or len(found) != 3:
        return False
    side = math.isqrt(max(0, found[1] - 1))
    return found[0] == 1 and found[2] == wanted[2] and side * side == found[1] - 1 and side > 0


def _found_head(architecture: Architecture, shapes: Shapes, head: Shapes) -> Head | None:
    """Return the head below its documented name."""
    parts = {
        name.removeprefix(architecture.head)[1:]: shape
        for name, shape in shapes.items()
        if name.startswith(f"{architecture.head}.")
    }
    return read_head(parts, head[f"{architecture.head}.weight"])


def _head_values(architecture: Architecture, shapes: Shapes, head: Shapes, *, found: bool) -> int:
    if not found:
        return sum(math.prod(shape) for shape in head.values())
    return sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if name.startswith(f"{architecture.head}.") and not name.endswith(_NO_PARAMETERS)
    )
