"""torchvision's own pretrained weights, by name."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch

from core.errors import ArchitectureMismatchError, UnusableCheckpointError
from core.models.architectures import BY_NAME
from core.models.checkpoints import OpenedModel
from core.models.presets import preset_of
from core.models.reading import sha256_of
from core.models.spec import ModelSpec
from core.models.torchvision_import import torchvision_models


def open_weights(name: str, wanted: str | None) -> OpenedModel:
    """Open weights from torch hub's folder, downloaded first where they are not there yet.

    Args:
        name: as torchvision writes it, e.g. "ResNet50_Weights.IMAGENET1K_V2".
        wanted: the architecture that was asked for beside them, if any.

    Raises:
        UnusableCheckpointError: no such weights, or the download failed.
        ArchitectureMismatchError: they are of another architecture than ``wanted``.
    """
    models = torchvision_models()
    try:
        entry = models.get_weight(name)
        architecture = _architecture(entry)
    except (ValueError, AttributeError, KeyError, TypeError, StopIteration) as error:
        raise UnusableCheckpointError(
            f"torchvision has no classification weights {name!r}; a name looks like "
            "ResNet50_Weights.IMAGENET1K_V2."
        ) from error
    if wanted not in (None, architecture):
        raise ArchitectureMismatchError(
            f"{name} are weights of {BY_NAME[architecture].title} ({architecture}), not of "
            f"{wanted}; leave one of the two out."
        )
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(entry.url).name
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torch hub speaks where results belong
            network = models.get_model(architecture, weights=entry)
    except (URLError, OSError, RuntimeError) as error:
        raise UnusableCheckpointError(
            f"{name} could not be downloaded; check the connection, or save {entry.url} as {file}."
        ) from error
    network.requires_grad_(False)
    network.eval()
    return OpenedModel(_spec(name, architecture, entry, file), network)


def _spec(name: str, architecture: str, entry: Any, file: Path) -> ModelSpec:
    names = tuple(entry.meta["categories"])
    title = BY_NAME[architecture].title
    return ModelSpec(
        architecture=architecture,
        title=title,
        checkpoint=file,
        sha256=sha256_of(file),
        class_names=names,
        class_names_source="named by torchvision",
        preprocessing=preset_of(entry, architecture),
        summary=f"{title} with torchvision's weights {name}, {len(names):,} classes.",
    )


def _architecture(entry: object) -> str:
    models = torchvision_models()
    return next(name for name in BY_NAME if entry in models.get_model_weights(name))
