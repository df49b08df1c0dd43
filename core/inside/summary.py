"""The layer table in words and files: stages as textbooks draw them, text and CSV."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.csv_cells import Writer, cell_of
from core.inside.data_flow import DataFlow, Strengths
from core.inside.idle_parts import IdlePart
from core.inside.layers import Layer
from core.inside.residual_blocks import BlockInfo

_WEIGHTED = frozenset({"Conv2d", "Linear", "NonDynamicallyQuantizableLinear"})
_POOLS = frozenset({"MaxPool2d", "AdaptiveAvgPool2d", "AvgPool2d"})


@dataclass(frozen=True)
class LayerTable:
    """All that one pass of one photo tells of a network.

    Attributes:
        layers: in order of execution.
        multiply_adds: by dotted name; "" is the whole network. Empty where not counted.
        blocks: what is known of each residual block, by its dotted name.
        error: why the pass failed in the middle, "" where it did not.
        input_shape: (C, H, W).
        flow: which step takes the output of which.
        strengths: how strong the photo makes each step; None without a photo.
        seen: what the model saw of it, uint8, shape (H, W, 3); None likewise.
        idle: parts that run only while the network learns.
        parameters: of the whole network.
        photo: whose pass it is; None of an empty one.
    """

    layers: tuple[Layer, ...]
    multiply_adds: Mapping[str, int]
    blocks: Mapping[str, BlockInfo]
    error: str
    input_shape: tuple[int, int, int]
    flow: DataFlow = field(default_factory=DataFlow)
    strengths: Strengths | None = None
    seen: npt.NDArray[np.uint8] | None = None
    idle: tuple[IdlePart, ...] = ()
    parameters: int = 0
    photo: Path | None = None

    @property
    def stages(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Return the network's direct parts that change the shape, with their output shapes.

        E.g. ResNet-18: conv1 64×112×112, maxpool 64×56×56, layer1 64×56×56, …, fc K.
        """
        found: list[tuple[str, tuple[int, ...]]] = []
        is_flat = all(layer.is_leaf for layer in self.layers)  # then every step is a direct part
        for layer in self.layers:
            if not _is_stage(layer, self.layers):
                continue
            shape = layer.shape if layer.shape is not None else layer.output_shape[1:]
            plain = tuple(shape[:1] if layer.layout == "vector" else shape)
            if not is_flat or not found or found[-1][1] != plain:
                found.append((layer.name, plain))
        return tuple(found)

    @property
    def weighted_layers(self) -> int | None:
        """Return how many layers with weights lie on the way, as papers count them.

        Projections of shortcuts are not counted: ResNet-18 has 1 + 4 × 4 + 1 = 18. None where
        attention has weights that belong to no layer of their own, or layers are not torch's.

        Source: He et al., CVPR 2016, arXiv:1512.03385, table 1.
        """
        if any(layer.has_attention for layer in self.layers):
            return None
        count = sum(
            layer.kind in _WEIGHTED and ".downsample." not in layer.name and ".proj." not in name
            for layer in self.layers
            if (name := f"{layer.name}.")
        )
        return count or None


def to_csv(table: LayerTable) -> bytes:
    """Return one row a call, UTF-8 with BOM so that spreadsheets read it."""
    text = io.StringIO(newline="")
    writer = Writer(text, quotes=False)
    for row in (_HEADER, *rows(table)):
        writer.write(row)
    return text.getvalue().encode("utf-8-sig")


def to_text(table: LayerTable) -> str:
    """Return the table with tabs, as spreadsheets take it from the clipboard."""
    lines = [_HEADER, *rows(table)]
    return "\n".join("\t".join(str(cell_of(cell)) for cell in line) for line in lines)


def rows(table: LayerTable) -> list[list[Any]]:
    """Return the cells of the table, one list a call."""
    return [
        [
            layer.name,
            layer.kind,
            layer.call,
            " ".join(map(said, layer.input_shapes)),
            said(layer.output_shape),
            layer.parameters,
            table.multiply_adds.get(layer.name, 0) // max(1, layer.calls),
            "" if layer.dead is None else f"{layer.dead:.4f}",
            f"{layer.minimum:.6g}",
            f"{layer.mean:.6g}",
            f"{layer.maximum:.6g}",
        ]
        for layer in table.layers
    ]


def to_json(layers: Sequence[Layer]) -> list[dict[str, object]]:
    """Return the fields of the command line's ``layers --json``."""
    return [
        {
            "layer": layer.name,
            "kind": layer.kind,
            "call": layer.call,
            "input_shapes": [list(shape) for shape in layer.input_shapes],
            "output_shape": list(layer.output_shape),
            "parameters": layer.parameters,
            "minimum": layer.minimum,
            "mean": layer.mean,
            "maximum": layer.maximum,
            "dead_share": layer.dead,
        }
        for layer in layers
    ]


def said(shape: Sequence[int]) -> str:
    """Return a shape as people write it, e.g. "64×112×112"."""
    return "×".join(map(str, shape))


_HEADER = [
    "layer",
    "kind",
    "call",
    "input shapes",
    "output shape",
    "parameters",
    "multiply-adds",
    "dead channels",
    "minimum",
    "mean",
    "maximum",
]


def _is_stage(layer: Layer, layers: Sequence[Layer]) -> bool:
    """Return whether textbooks draw a layer: a direct part, or one of a features sequence."""
    depth = layer.name.count(".")
    if depth == 0:
        parts = [one for one in layers if one.name.startswith(f"{layer.name}.")]
        opened = layer.name in ("features", "layers", "trunk_output", "encoder", "blocks")
        if opened and parts:
            return False
        kept = layer.kind not in ("ReLU", "Dropout", "BatchNorm2d", "Identity", "LayerNorm")
        return kept and layer.kind not in ("Permute", "Flatten")
    first = layer.name.split(".", 1)[0]
    if depth == 1 and first in ("features", "layers", "trunk_output", "blocks"):
        return layer.kind not in ("ReLU", "ReLU6", "BatchNorm2d", "Dropout")
    return depth == 2 and layer.name.startswith("encoder.layers.")
