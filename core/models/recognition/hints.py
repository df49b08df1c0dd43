"""What a file says of its architecture; tensors decide, this breaks ties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.models.sources.checkpoint.inert import Stub
from core.models.sources.checkpoint.reading import FileContent

_KEYS = ("arch", "architecture", "model_name", "model")
_CONFIGS = ("pretrained_cfg", "default_cfg")
_LONGEST_HINT = 100
_MOST_HINTS = 8


def architecture_hints(content: FileContent) -> tuple[str, ...]:
    """Return the names that training scripts left in a checkpoint, likeliest first."""
    written = content.metadata.get("architecture")
    found = [*([written] if written else []), *_carried(content)]
    return tuple(hint[:_LONGEST_HINT] for hint in found[:_MOST_HINTS])


def _carried(content: FileContent) -> Iterator[str]:
    network = content.network
    for place in (content.content, *content.content.values(), network):
        values = place.state if isinstance(place, Stub) else place
        if not isinstance(values, Mapping):
            continue
        for key in _CONFIGS:
            config = values.get(key)
            if isinstance(config, Mapping) and isinstance(config.get("architecture"), str):
                yield config["architecture"]
        for key in _KEYS:
            if isinstance(values.get(key), str):
                yield values[key]
