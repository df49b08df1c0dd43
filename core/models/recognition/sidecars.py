"""What stands beside a checkpoint: lists of class names, and timm's and Hugging Face's configs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import DroplensError
from core.files import open_ordinary
from core.images.preprocessing import Preprocessing, from_json
from core.models.class_names import lists as class_names
from core.models.families import Family

_LARGEST_FILE_BYTES = 16 * 2**20
_LISTS = (
    "classes.txt",
    "labels.txt",
    "class_names.txt",
    "class_names.json",
    "classes.json",
    "labels.json",
    "class_to_idx.json",
    "idx_to_class.json",
)
_OWN_ENDINGS = ("_classes.txt", "_labels.txt", "_class_names.txt", "_classes.json", ".names")
_CONFIG, _PREPROCESSOR = "config.json", "preprocessor_config.json"
_ODD = (TypeError, ValueError, ZeroDivisionError, OverflowError, KeyError, DroplensError)
"""What reading somebody's configuration can provoke."""

_PILLOW_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""By Pillow's numbers, which Hugging Face writes as ``resample``."""


def names_beside(
    checkpoint: Path, count: int, family: Family | None
) -> tuple[tuple[str, ...], str] | None:
    """Return class names from a file beside a checkpoint, where their number fits.

    Args:
        checkpoint: the file.
        count: outputs of its head.
        family: of the architecture; a config of another one is of another model. None takes a
            config of any.

    Returns:
        The names, and the name of the file that they stood in.
    """
    own = [f"{checkpoint.stem}{ending}" for ending in _OWN_ENDINGS]
    for name in (*own, *_LISTS):
        path = checkpoint.with_name(name)
        if path == checkpoint or not path.is_file():
            continue
        try:
            return class_names.read(path, count), name
        except DroplensError:  # some other text of this name
            continue
    config = _config(checkpoint)
    found = _config_names(config, count) if _suits(config, family) else None
    return None if found is None else (found, _CONFIG)


def architecture_beside(checkpoint: Path, count: int) -> str | None:
    """Return timm's name of the architecture from a config of this many classes."""
    config = _config(checkpoint)
    name = config.get("architecture")
    return name if isinstance(name, str) and _is_of(config, count) else None


def preprocessing_beside(
    checkpoint: Path, count: int, family: Family
) -> tuple[Preprocessing, str] | None:
    """Return the preprocessing that a config beside a checkpoint tells, and the config's name.

    A config of another number of classes, or of another architecture, is of another model.
    """
    config = _config(checkpoint)
    if not _is_of(config, count) or not _suits(config, family):
        return None
    found = from_timm(config.get("pretrained_cfg", config))
    if found is not None:
        return found, _CONFIG
    found = _from_hugging_face(_json(checkpoint.with_name(_PREPROCESSOR)))
    return None if found is None else (found, _PREPROCESSOR)


def from_timm(config: object) -> Preprocessing | None:
    """Return the preprocessing of timm's ``pretrained_cfg``; None where there is none.

    Source: timm's ``create_transform`` for evaluation.
    """
    if not isinstance(config, Mapping) or "mean" not in config or "input_size" not in config:
        return None
    try:
        _, height, width = (int(side) for side in config["input_size"])
        share = float(config.get("crop_pct") or 0.875)
        resize: object = math.floor(min(height, width) / share)
        crop: object = [height, width]
        if config.get("crop_mode") == "squash":
            resize, crop = [math.floor(height / share), math.floor(width / share)], crop
        return from_json(
            {
                "resize": resize,
                "crop": crop,
                "interpolation": str(config.get("interpolation") or "bilinear"),
                "mean": list(config["mean"]),
                "std": list(config["std"]),
                "apply_orientation": False,
                "transparency": "dropped",
            }
        )
    except _ODD:
        return None


def _from_hugging_face(config: Mapping[str, Any]) -> Preprocessing | None:
    """Return the preprocessing of a ``preprocessor_config.json``.

    Source: the image processors of the transformers library.
    """
    if "image_mean" not in config and "size" not in config:
        return None
    try:
        size, crop = config.get("size", 224), config.get("crop_size")
        resize = _side(size)
        if isinstance(resize, int) and not config.get("do_center_crop", "crop_pct" in config):
            resize = [resize, resize]
        if config.get("crop_pct") and isinstance(size, dict) and "shortest_edge" in size:
            crop = size["shortest_edge"]  # ConvNeXt's: the size names the crop
            resize = int(crop / float(config["crop_pct"]))
        normalised = config.get("do_normalize", True)
        values: dict[str, object] = {
            "resize": resize if config.get("do_resize", True) else None,
            "crop": None if isinstance(resize, list) else _square(crop if crop else size),
            "interpolation": _PILLOW_FILTERS[int(config.get("resample", 2))],
            "scale": round(255 * float(config.get("rescale_factor", 1 / 255)), 6),
            "mean": list(config["image_mean"]) if normalised else [0.0, 0.0, 0.0],
            "std": list(config["image_std"]) if normalised else [1.0, 1.0, 1.0],
            "apply_orientation": False,
            "transparency": "dropped",
        }
        return from_json(values)
    except (*_ODD, IndexError):
        return None


def _side(size: Any) -> Any:
    if isinstance(size, dict):
        if "shortest_edge" in size:
            return int(size["shortest_edge"])
        return [int(size["height"]), int(size["width"])]
    return int(size)


def _square(size: Any) -> object:
    side = _side(size)
    return [side, side] if isinstance(side, int) else side


def _config(checkpoint: Path) -> Mapping[str, object]:
    return _json(checkpoint.with_name(_CONFIG))


def _config_names(config: Mapping[str, object], count: int) -> tuple[str, ...] | None:
    names = class_names.from_value(config.get("id2label"), "id2label")
    labels = class_names.from_value(config.get("label_names"))
    spoken = config.get("label_descriptions")
    if labels is not None and isinstance(spoken, Mapping):
        labels = tuple(str(spoken.get(name, name)) for name in labels)
    for found in (names, labels):
        if found is not None and class_names.fits(found, count):
            return found
    return None


def _is_of(config: Mapping[str, object], count: int) -> bool:
    told = config.get("num_classes", config.get("num_labels"))
    return told == count or _config_names(config, count) is not None


def _suits(config: Mapping[str, object], family: Family | None) -> bool:
    """Return whether a config names this family, or none at all."""
    name = config.get("architecture", config.get("model_type"))
    return family is None or not isinstance(name, str) or family.may_be_called(name)


def _json(path: Path) -> Mapping[str, object]:
    """Return the object in a JSON file; an empty one where there is none that can be read."""
    try:
        with open_ordinary(path) as file:
            found = json.loads(file.read(_LARGEST_FILE_BYTES).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
