"""What Droplens writes into an ONNX file about itself, and reads again: texts by keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from core.errors import PreprocessingError
from core.images.preprocessing import Preprocessing, from_json
from core.values.spec import ModelSpec, Outputs

_NAMES, _KEY = "names", "droplens"
"""The first is Ultralytics' key as well, and other programs read it."""

_LONGEST = 100_000


def metadata_of(spec: ModelSpec) -> dict[str, str]:
    """Return what a file is to say of its class names, preprocessing and outputs."""
    told: dict[str, object] = {
        "preprocessing": spec.preprocessing.to_json(),
        "outputs": spec.outputs,
        "unsure_below": spec.unsure_below,
    }
    names = dict(enumerate(spec.class_names))
    return {
        _NAMES: json.dumps(names, ensure_ascii=False),
        _KEY: json.dumps(told, ensure_ascii=False),
    }


def own_preprocessing(metadata: Mapping[str, str]) -> Preprocessing | None:
    """Return the preprocessing that was written; None where there is none, or it makes no sense."""
    try:
        return from_json(_told(metadata)["preprocessing"])
    except (KeyError, PreprocessingError):
        return None


def own_outputs(metadata: Mapping[str, str]) -> Outputs | None:
    """Return what the outputs were said to be; None where nothing was."""
    told = _told(metadata).get("outputs")
    return next((known for known in get_args(Outputs) if known == told), None)


def own_unsure_below(metadata: Mapping[str, str]) -> float:
    """Return below which probability its classes were said to be unsure; 0 where nothing was."""
    told = _told(metadata).get("unsure_below")
    return float(told) if isinstance(told, int | float) and 0 < told <= 1 else 0.0


def _told(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    text = metadata.get(_KEY, "")
    if len(text) > _LONGEST:
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
