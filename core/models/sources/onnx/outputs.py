"""The output that tells the classes, and what its numbers are: logits, or probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UnusableCheckpointError
from core.language import lazy
from core.models.sources.onnx.graph import FLOATS, Graph, Node
from core.models.sources.onnx.refusing import shown

Values = npt.NDArray[np.floating]

_TELLING = (
    "logits",
    "logit",
    "probabilities",
    "output_probability",
    "probability",
    "probs",
    "class_probabilities",
    "predictions",
    "prediction",
    "scores",
    "output",
    "output0",
    "output_0",
    "softmax",
    "loss",
)
"""Names of outputs that tell the classes, most telling first; Custom Vision's is "loss"."""

_UNCHANGED = (
    "Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Dropout", "Transpose",
    "QuantizeLinear", "DequantizeLinear", "Gather",
)  # fmt: skip
_ZIP = "ZipMap"
_TOLERANCE = 2e-3
_FURTHEST = 20
_CORNERS = 4
_BOXES = lazy("gives boxes, as detectors do; Droplens opens classifiers")
_MAPS = lazy("gives maps, as segmentation networks do; Droplens opens classifiers of whole photos")
_NOTHING = lazy("gives no numbers for classes; Droplens opens classifiers")


class Meaning(Enum):
    """What the numbers of an output are."""

    LOGITS = "logits"
    SHARES = "probabilities that add up to 1"
    ANSWERS = "a probability for each class alone"


@dataclass(frozen=True)
class Candidate:
    """An output that may tell the classes.

    Attributes:
        name: what ONNX Runtime is asked for.
        shown: as the network calls it.
        keys: class names that scikit-learn's converter or Custom Vision keeps beside it.
    """

    name: str
    shown: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassOutput:
    """The output that tells the classes.

    Attributes:
        candidate: which it is.
        classes: how many.
        meaning: what its numbers are.
        operator: the last that computes something.
        is_doubtful: whether its numbers look like probabilities that do not add up to 1.
    """

    candidate: Candidate
    classes: int
    meaning: Meaning
    operator: str
    is_doubtful: bool = False


def candidates(path: Path, graph: Graph) -> tuple[Candidate, ...]:
    """Return the outputs of real numbers; of a map by class names the tensor that it is made of.

    Raises:
        UnusableCheckpointError: there is none.
    """
    producers = graph.producers()
    found = []
    for port in graph.outputs:
        producer = producers.get(port.name)
        if producer is not None and producer.operator == _ZIP and producer.inputs:
            found.append(Candidate(producer.inputs[0], port.name, _keys(producer)))
        elif port.type in FLOATS:
            found.append(Candidate(port.name, port.name))
    if not found:
        raise UnusableCheckpointError("{path} {what}.", path=path, what=_NOTHING)
    return tuple(found)


def class_output(
    path: Path, graph: Graph, found: Mapping[Candidate, Sequence[Values]], named: int | None
) -> ClassOutput:
    """Choose among outputs by what they gave for some photos.

    Args:
        path: of the file.
        graph: of the network.
        found: for each candidate its values, for each of some photos; shape (1, …).
        named: how many classes the file names, if it does.

    Raises:
        UnusableCheckpointError: none tells classes, or several may.
    """
    first = {candidate: values[0] for candidate, values in found.items()}
    if any(_is_boxes(candidate, values) for candidate, values in first.items()):
        raise UnusableCheckpointError("{path} {what}.", path=path, what=_BOXES)
    flat = [candidate for candidate, values in first.items() if _is_flat(values)]
    if not flat:
        is_spatial = any(values.ndim == 4 for values in first.values())
        is_boxes = any(values.ndim == 3 for values in first.values())
        what = _MAPS if is_spatial else _BOXES if is_boxes else _NOTHING
        raise UnusableCheckpointError("{path} {what}.", path=path, what=what)
    chosen = _chosen(path, flat, {one: first[one].size for one in flat}, named)
    node = _last_node(graph, chosen.name)
    rows = [values.reshape(-1) for values in found[chosen]]
    operator = "" if node is None else node.operator
    meaning = _meaning(operator, rows)
    _refuse_features(path, chosen, named)
    return ClassOutput(chosen, first[chosen].size, meaning, operator, _is_doubtful(meaning, rows))


def _refuse_features(path: Path, chosen: Candidate, named: int | None) -> None:
    """Refuse the vector that an encoder gives; only its name tells it from logits.

    Raises:
        UnusableCheckpointError: it is one.
    """
    if named is None and not chosen.keys and "embed" in chosen.shown.lower():
        raise UnusableCheckpointError(
            "{path} gives features ({name!r}), not classes; Droplens opens classifiers.",
            path=path,
            name=shown(chosen.shown),
        )


def _is_doubtful(meaning: Meaning, rows: Sequence[Values]) -> bool:
    if meaning is Meaning.ANSWERS or len(rows[0]) == 1:
        return False
    within = all(float(row.min()) >= 0 and float(row.max()) <= 1 for row in rows)
    return within and not all(map(_adds_up, rows))


def _adds_up(row: Values) -> bool:
    return abs(float(row.sum(dtype=np.float64)) - 1) < _TOLERANCE


def _keys(node: Node) -> tuple[str, ...]:
    texts = node.attributes.get("classlabels_strings")
    if texts is not None and texts.texts:
        return texts.texts
    return tuple(map(str, node.integers("classlabels_int64s")))


def _is_flat(values: Values) -> bool:
    """Return whether an output is (N, K), or (N, K, 1, 1) with the ones anywhere."""
    return values.ndim >= 2 and sum(side > 1 for side in values.shape[1:]) <= 1 and values.size > 0


def _is_boxes(candidate: Candidate, values: Values) -> bool:
    named = "box" in candidate.shown.lower()
    return values.ndim == 3 and (values.shape[-1] == _CORNERS or named) and not _is_flat(values)


def _chosen(
    path: Path, flat: Sequence[Candidate], counts: Mapping[Candidate, int], named: int | None
) -> Candidate:
    """Return the one output, or the one whose name or number of classes tells it.

    Raises:
        UnusableCheckpointError: several may be meant.
    """
    fitting = [one for one in flat if counts[one] == named] or list(flat)
    if len(fitting) == 1:
        return fitting[0]
    for name in _TELLING:
        told = [one for one in fitting if one.shown.lower().split(":")[0] == name]
        if len(told) == 1:
            return told[0]
    names = ", ".join(f"{shown(one.shown)!r} ({counts[one]})" for one in fitting[:4])
    raise UnusableCheckpointError(
        "{path} gives several outputs that may be classes: {names}; export it with one of them.",
        path=path,
        names=names,
    )


def _last_node(graph: Graph, name: str) -> Node | None:
    """Return the node that computes an output, behind those that only move its numbers."""
    producers = graph.producers()
    for _ in range(_FURTHEST):
        node = producers.get(name)
        if node is None or node.operator not in _UNCHANGED or not node.inputs:
            return node
        name = node.inputs[0]
    return None


def _meaning(operator: str, rows: Sequence[Values]) -> Meaning:
    """Return what numbers are: as the last operator says it, else as they are for all photos."""
    if len(rows[0]) > 1 and operator in ("Softmax", "QLinearSoftmax"):
        return Meaning.SHARES
    if operator in ("Sigmoid", "QLinearSigmoid", "HardSigmoid"):
        return Meaning.ANSWERS
    if operator == "LogSoftmax" or len(rows[0]) == 1:
        return Meaning.LOGITS
    are_shares = all(float(row.min()) >= 0 and _adds_up(row) for row in rows)
    return Meaning.SHARES if are_shares else Meaning.LOGITS
