"""torchvision's own pretrained weights: which there are, and where their files lie."""

from __future__ import annotations

import functools
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resources
from core.errors import UnusableCheckpointError
from core.language import lazy
from core.models.families import ARCHITECTURES, EXAMPLE_WEIGHTS

_TOLERANCE = 1.1
_OWN_LICENCE = "BSD 3-Clause"
_SWAG_LICENCE = lazy("CC BY-NC 4.0, not for commercial use")


@dataclass(frozen=True)
class Weights:
    """One named set of pretrained weights.

    Attributes:
        name: as torchvision writes it, e.g. "ResNet50_Weights.IMAGENET1K_V2".
        architecture: torchvision's name.
        title: of the architecture, as papers write it.
        accuracy: share of ImageNet's validation photos that it names right, in percent; None
            for a body whose classifier was never trained.
        accuracy_top_5: the same, where one of five answers may be right.
        size_bytes: of the file, as torchvision tells it, to about 1 %.
        parameters: how many.
        licence: of the weights.
        url: where torchvision's makers keep the file.
    """

    name: str
    architecture: str
    title: str
    accuracy: float | None
    accuracy_top_5: float | None
    size_bytes: int
    parameters: int
    licence: str
    url: str

    @property
    def file_name(self) -> str:
        """Return the file's name, which ends in the first digits of its hash."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def hash_start(self) -> str:
        """Return the file's SHA-256, or how it begins where no more is known."""
        return known_hash(self.file_name)

    @property
    def largest_bytes(self) -> int:
        """Return what the file cannot be larger than."""
        return round(_TOLERANCE * self.size_bytes) + 2**20

    @property
    def path(self) -> Path:
        """Return where the file lies, or would lie: where torch hub puts it."""
        return hub_folder() / self.file_name

    @property
    def part_path(self) -> Path:
        """Return where a download in progress lies."""
        return hub_folder() / f"{self.file_name}.part"


@functools.cache
def _whole_hashes() -> dict[str, str]:
    text = resources.path("weights_hashes.json").read_text(encoding="utf-8")
    return {name: sha256 for name, (sha256, _) in json.loads(text).items()}


def known_hash(file_name: str) -> str:
    """Return a file's SHA-256, or how it begins.

    Its name tells the first 8 digits, for which another file can be made in minutes. torchvision
    publishes no more; the whole hashes are of those files that others have published.

    Args:
        file_name: as torchvision writes it, e.g. "resnet18-f37072fd.pth".
    """
    return _whole_hashes().get(file_name) or Path(file_name).stem.rsplit("-", 1)[-1]


def hub_folder() -> Path:
    """Return the folder in which torch hub keeps checkpoints, without importing torch.

    Source: ``torch.hub.get_dir``.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", f"{cache}/torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def list_weights() -> tuple[Weights, ...]:
    """Return all weights of torchvision's classifiers, by architecture."""
    return tuple(
        _weights(architecture.name, architecture.title, entry)
        for architecture in ARCHITECTURES
        for entry in architecture.family.weights(architecture.name)
    )


def find_weights(name: str) -> Weights:
    """Return the weights of this name.

    Raises:
        UnusableCheckpointError: torchvision has none of this name for a classifier.
    """
    for one in list_weights():
        if one.name == name:
            return one
    raise UnusableCheckpointError(
        "torchvision has no classification weights {name!r}; a name looks like {example}.",
        name=name,
        example=EXAMPLE_WEIGHTS,
    )


def _weights(architecture: str, title: str, entry: Any) -> Weights:
    meta = entry.meta
    metrics = meta["_metrics"]["ImageNet-1K"]
    return Weights(
        name=str(entry),
        architecture=architecture,
        title=title,
        accuracy=_finite(metrics["acc@1"]),
        accuracy_top_5=_finite(metrics["acc@5"]),
        size_bytes=round(meta["_file_size"] * 2**20),
        parameters=int(meta["num_params"]),
        licence=str(_SWAG_LICENCE) if "license" in meta else _OWN_LICENCE,
        url=entry.url,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
