"""What a model that was taught here has learnt from, as its file says."""

from __future__ import annotations

import json
from pathlib import Path

from core.models.sources.checkpoint.archives import read_safetensors
from core.models.sources.checkpoint.stored import CheckpointFile

_LONGEST = 100_000_000


def learnt_from(model: Path) -> frozenset[str]:
    """Return the SHA-256 of the photos that a model has learnt from; of other files none."""
    try:
        with CheckpointFile(model) as file:
            _, notes = read_safetensors(file)
        text = notes["training"]
        told = json.loads(text) if len(text) <= _LONGEST else {}
        return frozenset(one for one in told["sha256"] if isinstance(one, str))
    except Exception:  # noqa: BLE001 - whatever a file provokes that says nothing of the kind
        return frozenset()
