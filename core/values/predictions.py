"""Predictions as plain values, and the files they are written to."""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.csv_cells import Writer
from core.errors import cannot_read

if TYPE_CHECKING:
    from core.values.spec import ModelSpec

_CLASS = struct.Struct("<Iff")
_LIKELIEST = struct.Struct("<If")
_NO_CLASS = _LIKELIEST.pack(2**32 - 1, -1.0)
LIKELIEST_FIELDS = (("index", "<u4"), ("probability", "<f4"))
"""Names and numpy's types of what ``packed_likeliest`` returns."""


@dataclass(frozen=True, slots=True)
class ClassProbability:
    """One class of a prediction.

    Attributes:
        class_index: from 0.
        class_name: its text.
        probability: in 0..1; where the outputs are plain values, the value itself.
        value: the raw output, of a network that has only one or gives plain values; None for
            others.
    """

    class_index: int
    class_name: str
    probability: float
    value: float | None = None

    @property
    def is_plain(self) -> bool:
        """Return whether it is a plain value, of which there is no share."""
        return self.value is not None and self.value == self.probability

    def figure(self, decimals: int) -> str:
        """Return the probability in percent, or the plain value."""
        if self.is_plain:
            return f"{self.value:.4g}"
        return f"{self.probability:.{decimals}%}"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one photo.

    Attributes:
        photo: the file.
        top: the likeliest classes, most likely first; empty where the photo failed.
        reason: why the photo failed, in words that end a sentence; None where it did not.
        model: which model said it: checkpoint hash and preprocessing included.
    """

    photo: Path
    top: tuple[ClassProbability, ...]
    reason: str | None
    model: ModelSpec

    @property
    def is_unsure(self) -> bool:
        """Return whether the likeliest class stays below what the model is trusted from."""
        return bool(self.top) and is_unsure(self.top[0].probability, self.model)

    @property
    def error(self) -> str | None:
        """Return why the photo failed, in one sentence; None where it did not."""
        return None if self.reason is None else cannot_read(self.photo, self.reason)

    def to_json(self) -> dict[str, object]:
        """Return the fields of the command line's ``classify --json``."""
        return {
            "image": str(self.photo),
            "predictions": [
                {
                    "class_index": one.class_index,
                    "class_name": one.class_name,
                    "probability": one.probability,
                }
                | ({} if one.value is None else {"value": one.value})
                for one in self.top
            ],
            "unsure": self.is_unsure,
            "error": self.error,
            "model": {
                "architecture": self.model.architecture,
                "checkpoint": str(self.model.checkpoint),
                "sha256": self.model.sha256,
                "preprocessing": self.model.preprocessing.to_json(),
                "outputs": self.model.outputs,
            },
        }


def is_unsure(probability: float, model: ModelSpec) -> bool:
    """Return whether a likeliest class stays below what a model is trusted from."""
    return model.outputs != "value" and probability < model.unsure_below


def pack(top: Iterable[ClassProbability]) -> bytes:
    """Return classes in 12 bytes each, without their names."""
    return b"".join(
        _CLASS.pack(one.class_index, one.probability, math.nan if one.value is None else one.value)
        for one in top
    )


def unpack(top: bytes, model: ModelSpec) -> tuple[ClassProbability, ...]:
    """Return the classes that ``pack`` was given, with the names that the model has now.

    Raises:
        struct.error: the bytes are no whole number of classes.
        IndexError: the model has no such class.
        ValueError: a probability lies beyond 0 and 1.
    """
    names = model.class_names
    found = tuple(
        ClassProbability(index, names[index], probability, None if math.isnan(value) else value)
        for index, probability, value in _CLASS.iter_unpack(top)
    )
    if not all(one.is_plain or 0 <= one.probability <= 1 for one in found):
        raise ValueError("a probability beyond 0 and 1")
    return found


def unpack_classes(top: bytes) -> list[tuple[int, float]]:
    """Return class index and probability of each class that ``pack`` was given."""
    return [(index, probability) for index, probability, _ in _CLASS.iter_unpack(top)]


def likeliest(top: bytes) -> tuple[int, float]:
    """Return class index and probability of the first class that ``pack`` was given.

    Where there was none the index is beyond all classes and the probability -1.
    """
    index, probability = _LIKELIEST.unpack(packed_likeliest(top))
    return index, probability


def packed_likeliest(top: bytes) -> bytes:
    """Return the same packed as ``LIKELIEST_FIELDS`` say, for many at a time."""
    return top[: _LIKELIEST.size] or _NO_CLASS


def to_csv(predictions: Iterable[Prediction], top_k: int) -> bytes:
    """Return one row an image, UTF-8 with BOM so that Excel reads other alphabets.

    Text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    text = io.StringIO(newline="")
    writer = Writer(text)
    header = ["image"]
    for rank in range(1, top_k + 1):
        header += [f"class_index_{rank}", f"class_name_{rank}", f"probability_{rank}"]
    header += ["error", "architecture", "checkpoint", "sha256", "preprocessing", "unsure"]
    writer.write(header)
    for prediction in predictions:
        cells: list[object] = [str(prediction.photo)]
        for one in prediction.top[:top_k]:
            cells += [one.class_index, one.class_name, f"{one.probability:.6f}"]
        cells += [""] * (1 + 3 * top_k - len(cells))
        model = prediction.model
        cells += [prediction.error or "", model.architecture, str(model.checkpoint), model.sha256]
        said = json.dumps(model.preprocessing.to_json())
        writer.write([*cells, said, int(prediction.is_unsure)])
    return text.getvalue().encode("utf-8-sig", "surrogateescape")
