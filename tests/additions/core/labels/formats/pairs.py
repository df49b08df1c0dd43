"""Pairs: a line "class: photo" for each label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.labels.plans import ExportOptions, Plan
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_text
from core.labels.records import LabelledPhoto


def write(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], target: Path, options: ExportOptions
) -> Plan:
    lines = [f"{name}: {photo.path}\n" for photo in photos for name in photo.classes]
    return Plan(texts={target.name: "".join(lines).encode()})


def read(path: Path, options: ReadOptions) -> ReadLabels:
    pairs = (line.partition(": ") for line in read_text(path, options).splitlines())
    return ReadLabels([ReadLabel(file, (name,)) for name, _, file in pairs])
