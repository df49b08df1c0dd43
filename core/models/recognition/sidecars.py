"""What stands beside a checkpoint: lists of class names, and timm's and Hugging Face's configs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import DroplensError
from core.files import open_ordinary
from core.images.preprocessing import Preprocessing
from core.models.class_names import lists as class_names
from core.models.families import Family
from core.models.families.timm_networks import preprocessing_of
from core.models.recognition.image_processors import from_processor, is_processor
from core.values.spec import Outputs

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
    "index_to_name.json",
)
_OWN_ENDINGS = ("_classes.txt", "_labels.txt", "_class_names.txt", "_classes.json", ".names")
_CONFIG, _PREPROCESSOR = "config.json", "preprocessor_config.json"
_LOBE = "signature.json"
_OUTPUTS: Mapping[str, Outputs] = {
    "single_label_classification": "softmax",
    "multi_label_classification": "sigmoid",
    "regression": "value",
}
"""By the ``problem_type`` of transformers."""

_PLACEHOLDER = re.compile(r"LABEL_\d+", re.ASCII)
"""What transformers calls classes that nobody has named."""

_UNWRITTEN_CLASSES = 2
"""How many classes a config.json of transformers has that does not say it."""


def names_beside(
    checkpoint: Path, count: int, family: Family | None
) -> tuple[tuple[str, ...], str] | None:
    """Return class names from a file beside a checkpoint, where their number fits.

    Args:
        checkpoint: the file.
        count: outputs of its head.
        family: of the architecture; a config of another one is of another model. None where
            the file does not tell it.

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
    if found is None or all(map(_PLACEHOLDER.fullmatch, found)):
        return None
    return found, _CONFIG


def architecture_beside(checkpoint: Path, count: int) -> tuple[str, bool] | None:
    """Return timm's name of the architecture from a config beside a checkpoint.

    Args:
        checkpoint: the file.
        count: outputs of its head.

    Returns:
        The name, and whether the config says that it is of so many classes; None where it is of
        another number, or there is none.
    """
    config = _config(checkpoint)
    name = config.get("architecture")
    if not isinstance(name, str):
        return None
    if is_of(config, count):
        return name, True
    is_silent = not any(key in config for key in ("num_classes", "num_labels", "label_names"))
    return (name, False) if is_silent else None


def transformers_config(checkpoint: Path) -> Mapping[str, Any]:
    """Return the config.json of transformers beside a checkpoint; an empty one without it."""
    config = _config(checkpoint)
    return config if isinstance(config.get("model_type"), str) else {}


def preprocessing_beside(
    checkpoint: Path, count: int, family: Family | None
) -> tuple[Preprocessing | None, str, list[str]] | None:
    """Return the preprocessing that a config beside a checkpoint tells, and the config's name.

    A config of another number of classes, or of another architecture, is of another model.

    Returns:
        The preprocessing, None where the config tells one that cannot be had here; the name; and
        sentences about what it cannot express.
    """
    config = _config(checkpoint)
    if not is_of(config, count) or not _suits(config, family):
        return None
    found = preprocessing_of(config.get("pretrained_cfg", config))
    if found is not None:
        return found, _CONFIG, []
    processor = _json(checkpoint.with_name(_PREPROCESSOR))
    if not is_processor(processor):
        return None
    told, problems = from_processor(processor)
    return told, _PREPROCESSOR, problems


def outputs_beside(checkpoint: Path, count: int) -> Outputs | None:
    """Return what a config.json of transformers says that so many outputs are, if it does."""
    config = transformers_config(checkpoint)
    return outputs_told(config) if is_of(config, count) else None


def outputs_told(config: Mapping[str, Any]) -> Outputs | None:
    """Return what a config of transformers says that the outputs are; None where it does not."""
    told = config.get("problem_type")
    return _OUTPUTS.get(told) if isinstance(told, str) else None


def lobe_signature(model: Path) -> Mapping[str, object]:
    """Return the description that Lobe writes beside its exports; empty where there is none."""
    signature = _json(model.with_name(_LOBE))
    return signature if signature.get("filename") == model.name else {}


def lobe_names_beside(model: Path, count: int) -> tuple[tuple[str, ...], str] | None:
    """Return the class names that Lobe writes beside its exports, and the file's name."""
    classes = lobe_signature(model).get("classes")
    labels = classes.get("Label") if isinstance(classes, Mapping) else None
    names = class_names.from_value(labels)
    return None if names is None or not class_names.fits(names, count) else (names, _LOBE)


def _config(checkpoint: Path) -> Mapping[str, object]:
    return _json(checkpoint.with_name(_CONFIG))


def _config_names(config: Mapping[str, object], count: int) -> tuple[str, ...] | None:
    names = class_names.from_value(config.get("id2label"), "id2label")
    if names is None:
        names = class_names.from_value(config.get("label2id"), "class_to_idx")
    labels = class_names.from_value(config.get("label_names"))
    spoken = config.get("label_descriptions")
    if labels is not None and isinstance(spoken, Mapping):
        labels = tuple(str(spoken.get(name, name)) for name in labels)
    for found in (names, labels):
        if found is not None and class_names.fits(found, count):
            return found
    return None


def is_of(config: Mapping[str, object], count: int) -> bool:
    """Return whether a config is of a model with so many classes."""
    told = config.get("num_classes", config.get("num_labels"))
    if told is None and "model_type" in config and "id2label" not in config:
        told = _UNWRITTEN_CLASSES
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
