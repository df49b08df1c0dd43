"""MegaDetector's and SpeciesNet's JSON: what is on each photo of a camera trap, and how surely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json, unreadable
from core.language import percent, tr

_LEAST_CONFIDENCE = 0.2
"""Detections below it are listed by MegaDetector, but not meant."""


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read the species of a photo's surest detection, else what kind of thing it is.

    Raises:
        LabelsError: it cannot be read, or is not MegaDetector's.
    """
    content = read_json(path, options)
    found = ReadLabels(folders=[path.parent])
    if isinstance(content, dict) and isinstance(content.get("predictions"), list):
        found.labels = [_of_speciesnet(one) for one in content["predictions"]]
    elif isinstance(content, dict) and isinstance(content.get("images"), list):
        kinds = content.get("detection_categories") or {}
        species = content.get("classification_categories") or {}
        found.labels = [_of_megadetector(one, kinds, species) for one in content["images"]]
    else:
        raise unreadable(path, tr("it has no “images”; it is not MegaDetector's JSON"))
    empty = sum(1 for label in found.labels if not label.classes)
    found.notes.append(
        tr(
            "A class counts where the model is at least {share} sure; {n} photos have none and "
            "stay without a label.",
            share=percent(_LEAST_CONFIDENCE),
            n=empty,
        )
    )
    return found


def _of_megadetector(
    image: dict[str, Any], kinds: dict[str, Any], species: dict[str, object]
) -> ReadLabel:
    classes: dict[str, None] = {}
    for one in image.get("detections") or ():
        if float(one.get("conf") or 0) < _LEAST_CONFIDENCE:
            continue
        surest = max(one.get("classifications") or (), key=lambda pair: pair[1], default=None)
        number = str(one.get("category"))
        name = kinds.get(number, number)
        if surest is not None and float(surest[1]) >= _LEAST_CONFIDENCE:
            name = species.get(str(surest[0]), surest[0])
        classes[str(name)] = None
    return ReadLabel(str(image.get("file") or ""), tuple(classes))


def _of_speciesnet(one: dict[str, Any]) -> ReadLabel:
    """Return the last part of a name such as "uuid;mammalia;…;vulpes;red fox"."""
    told = str(one.get("prediction") or "")
    sure = float(one.get("prediction_score") or 0)
    name = next((part for part in reversed(told.split(";")) if part.strip()), "")
    return ReadLabel(
        str(one.get("filepath") or ""), (name,) if name and sure >= _LEAST_CONFIDENCE else ()
    )
