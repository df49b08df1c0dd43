"""What models that were taught say of how they were: each in the notes of its own file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.work.requests import Request


@dataclass(frozen=True)
class Record:
    """One model that was taught.

    Attributes:
        model: its file.
        when: the file was written, in seconds since 1970; 0 where it is not there.
        architecture: of its body; "" where the file says nothing of it.
        method: "head" or "fine-tune"; "" likewise.
        photos: that it learnt from.
        classes: how many.
        accuracy: share of photos that it had not seen and named rightly; None where it is unknown.
        interval: within which the true share lies in 95 of 100 cases; None likewise.
    """

    model: Path
    when: float = 0.0
    architecture: str = ""
    method: str = ""
    photos: int = 0
    classes: int = 0
    accuracy: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class ReadRecords(Request[None, tuple[Record, ...]]):
    """Read what models say of themselves.

    Attributes:
        models: their files, some of which may be gone or be something else by now.
    """

    lane = "write"
    slot = "records"
    models: tuple[Path, ...]

    def run(self, _: None) -> tuple[Record, ...]:
        """Return a record for each."""
        return tuple(_read(model) for model in self.models)


def _read(model: Path) -> Record:
    from core.models.sources.checkpoint.archives import read_safetensors
    from core.models.sources.checkpoint.stored import CheckpointFile

    try:
        when = model.stat().st_mtime
        with CheckpointFile(model) as file:
            _, notes = read_safetensors(file)
        return _record(model, when, notes)
    except Exception:  # noqa: BLE001 - whatever a file provokes that is another one by now
        return Record(model)


def _record(model: Path, when: float, notes: Mapping[str, str]) -> Record:
    training: dict[str, Any] = json.loads(notes["training"])
    interval = training["interval"]
    return Record(
        model,
        when,
        str(notes["architecture"]),
        str(training["method"]),
        int(training["photos"]["train"]),
        len(json.loads(notes["class_names"])),
        None if training["accuracy"] is None else float(training["accuracy"]),
        None if interval is None else (float(interval[0]), float(interval[1])),
    )
