"""Read a preprocessor_config.json as the image processors of transformers do, on Pillow.

Source: ``image_processing_backends`` and the processors of transformers 5.24.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import DroplensError
from core.images.preprocessing import Preprocessing, from_json
from core.language import tr
from core.models.class_names.lists import clean
from core.models.families.hugging_face import (
    PROCESSORS,
    UNNAMED_BY_SHARE,
    UNNAMED_PROCESSOR,
    Processor,
)

_FILTERS = dict(enumerate(("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")))
"""By Pillow's numbers, which transformers writes as ``resample``."""

_ENDINGS = ("ImageProcessorFast", "ImageProcessorPil", "ImageProcessor", "FeatureExtractor")
_ODD = (TypeError, ValueError, ZeroDivisionError, OverflowError, LookupError, AttributeError)
"""What reading somebody's configuration can provoke."""

_SHOWN_LETTERS = 60
_SHARE = 224 / 256
_FULL = 255

Side = int | list[int]
"""Pixels of the shorter side, or [height, width]."""


def is_processor(config: Mapping[str, Any]) -> bool:
    """Return whether a JSON object is the configuration of an image processor."""
    return "image_mean" in config or "size" in config


def from_processor(config: Mapping[str, Any]) -> tuple[Preprocessing | None, list[str]]:
    """Return the preprocessing of an image processor, and what it cannot express.

    Photos are turned upright and made RGB first, as the pipelines of transformers load them.

    Returns:
        The preprocessing, None where nothing comes near, and sentences.
    """
    name = _name(config)
    known = PROCESSORS.get(name)
    if known is None:
        return None, [
            tr(
                "Droplens does not know the image processor {name} that preprocessor_config.json "
                "names: the preprocessing is the one usual for the architecture. Check it.",
                name=clean(name)[:_SHOWN_LETTERS],
            )
        ]
    try:
        resize, crop = _sizes(config, known)
        found = from_json({**_values(config, known), "resize": resize, "crop": crop})
    except (*_ODD, DroplensError):
        return None, [
            tr(
                "preprocessor_config.json asks for what Droplens cannot do or has values that make "
                "no sense: the preprocessing is the one usual for the architecture. Check it."
            )
        ]
    return found, _crop_problem(found)


def _name(config: Mapping[str, Any]) -> str:
    """Return the beginning of the processor's name, which versions end otherwise."""
    for key in ("image_processor_type", "feature_extractor_type"):
        name = config.get(key)
        if isinstance(name, str):
            ending = next((one for one in _ENDINGS if name.endswith(one)), "")
            return name.removesuffix(ending)
    return UNNAMED_BY_SHARE if config.get("crop_pct") else UNNAMED_PROCESSOR


def _sizes(config: Mapping[str, Any], known: Processor) -> tuple[Side | None, Side | None]:
    """Return the resize and the crop."""
    is_square = isinstance(known.size, tuple)
    size = _side(_or(config.get("size"), known.size), is_square=is_square)
    resize: Side | None = None
    if _flag(config, "do_resize", True):
        resize = _enlarged(size, config, known)
    crop: Side | None = None
    if known.by_share and isinstance(resize, int):
        if resize < known.by_share:
            crop = [resize, resize]
            resize = int(resize / float(_or(config.get("crop_pct"), _SHARE)))
        else:
            resize = [resize, resize]
    elif known.by_share and resize is not None:
        raise ValueError("this one takes the shorter side")
    if _flag(config, "do_center_crop", known.crops):
        cut = _side(_or(config.get("crop_size"), known.crop), is_square=True)
        cut = [cut, cut] if isinstance(cut, int) else cut
        if crop not in (None, cut):
            raise ValueError("it cuts twice")
        crop = cut
    if _flag(config, "do_pad", False):
        raise ValueError("it pads")
    return resize, crop


def _enlarged(size: Side, config: Mapping[str, Any], known: Processor) -> Side:
    """Return what a processor resizes to that cuts its size out of more."""
    if known.share:
        share = float(config.get("crop_pct", known.share))
        if isinstance(size, list) and size[0] == size[1]:
            size = size[0]  # then it is the shorter side
        sides = [int(side / share) for side in (size if isinstance(size, list) else [size])]
        return sides if isinstance(size, list) else sides[0]
    return int(known.enlarged * size) if isinstance(size, int) else size


def _side(size: Any, *, is_square: bool) -> Side:
    """Return a size of any form.

    Args:
        size: a number, two, or named ones.
        is_square: whether one number is both sides, not the shorter one.
    """
    if isinstance(size, Mapping):
        if set(size) == {"shortest_edge"}:
            return _whole(size["shortest_edge"])
        if set(size) != {"height", "width"}:
            raise ValueError("a size of another kind")
        return [_whole(size["height"]), _whole(size["width"])]
    if isinstance(size, list | tuple):
        height, width = size
        return [_whole(height), _whole(width)]
    return [_whole(size)] * 2 if is_square else _whole(size)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or value != int(value):
        raise TypeError("not a whole number")
    return int(value)


def _values(config: Mapping[str, Any], known: Processor) -> dict[str, object]:
    """Return the arithmetic on the pixels, and what all processors have in common."""
    scales = _flag(config, "do_rescale", True)
    factor = float(_or(config.get("rescale_factor"), 1 / _FULL)) if scales else 1.0
    mean, std = [0.0] * 3, [1.0] * 3
    if _flag(config, "do_normalize", True):
        mean, std = _channels(config["image_mean"]), _channels(config["image_std"])
    if known.normalises_twice:
        if scales and _flag(config, "rescale_offset", False):
            mean = [value + 1 for value in mean]
        if _flag(config, "include_top", True):
            again = _channels(config["image_std"])
            std = [one * other for one, other in zip(std, again, strict=True)]
    return {
        "interpolation": _FILTERS[_whole(_or(config.get("resample"), known.resample))],
        "scale": round(_FULL * factor, 6),
        "mean": mean,
        "std": std,
        "channel_order": "grey" if len(mean) == 1 else "RGB",
        "apply_orientation": True,
        "transparency": "dropped",
    }


def _channels(value: Any) -> list[float]:
    return [float(one) for one in value] if isinstance(value, list) else [float(value)] * 3


def _flag(config: Mapping[str, Any], key: str, usual: bool) -> bool:
    value = _or(config.get(key), usual)
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _or(value: Any, usual: Any) -> Any:
    return usual if value is None else value


def _crop_problem(found: Preprocessing) -> list[str]:
    if found.crop is None:
        return []
    if isinstance(found.resize, tuple):
        left_over = [side - cut for side, cut in zip(found.resize, found.crop, strict=True)]
        if not any(side % 2 for side in left_over):
            return []
    return [
        tr(
            "Where the middle of a photo lies between two pixels, transformers may cut it out one "
            "pixel further to the left or top than Droplens."
        )
    ]
