"""The user's overrides for checkpoints, saved by the hash of the file."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from pathlib import Path

from core.errors import DroplensError, SettingsError, cannot_write
from core.files import make_private_folder, open_ordinary, write_atomically
from core.values.spec import Overrides

log = logging.getLogger(__name__)

_HASH = re.compile(r"[0-9a-f]{64}")
_LARGEST_BYTES = 64 * 2**20
_OUTPUTS = ("softmax", "sigmoid", "value")


class SavedOverrides:
    """One small JSON file a checkpoint.

    Args:
        folder: made when the first is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, sha256: str) -> Overrides:
        """Return the overrides for a file; empty ones where they cannot be read."""
        try:
            with open_ordinary(self._file(sha256)) as file:
                return from_json(json.loads(file.read(_LARGEST_BYTES)))
        except FileNotFoundError:
            return Overrides()
        except (OSError, ValueError, TypeError, RecursionError, DroplensError) as error:
            log.warning("the overrides for a checkpoint cannot be read: %s", error)
            return Overrides()

    def keep(self, sha256: str, overrides: Overrides) -> None:
        """Save the user's overrides for a file; empty overrides delete the entry.

        Raises:
            SettingsError: no room or no permission; what was remembered before still stands.
        """
        path = self._file(sha256)
        try:
            if overrides == Overrides():
                path.unlink(missing_ok=True)
                return
            make_private_folder(path.parent)
            content = json.dumps(to_json(overrides), indent=1).encode("ascii")
            write_atomically(path, content, is_private=True)
        except OSError as error:
            raise SettingsError(
                "What you set is used now but not remembered. {cannot_write}",
                cannot_write=cannot_write(path, error),
            ) from error

    def _file(self, sha256: str) -> Path:
        if not _HASH.fullmatch(sha256):
            raise ValueError("not a hash")
        return self._folder / f"{sha256}.json"


def to_json(overrides: Overrides) -> dict[str, object]:
    """Return overrides as JSON values."""
    preprocessing = overrides.preprocessing
    return {
        "class_names": overrides.class_names,
        "preprocessing": None if preprocessing is None else preprocessing.to_json(),
        "outputs": overrides.outputs,
        "dilation": overrides.dilation,
        "answers": dict(overrides.answers),
        "unsure_below": overrides.unsure_below,
    }


def from_json(found: object) -> Overrides:
    """Read what ``to_json`` gave; what has another type is left out."""
    overrides = Overrides()
    if not isinstance(found, dict):
        return overrides
    names = found.get("class_names")
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        overrides = replace(overrides, class_names=tuple(names))
    if found.get("preprocessing") is not None:
        from core.images import preprocessing  # numpy, which no window waits for

        edited = preprocessing.from_json(found["preprocessing"])
        overrides = replace(overrides, preprocessing=edited)
    if found.get("outputs") in _OUTPUTS:
        overrides = replace(overrides, outputs=found["outputs"])
    dilation = found.get("dilation")
    if isinstance(dilation, list) and len(dilation) == 3:
        one, two, three = map(bool, dilation)
        overrides = replace(overrides, dilation=(one, two, three))
    unsure = found.get("unsure_below")
    if isinstance(unsure, int | float) and 0 <= unsure <= 1:
        overrides = replace(overrides, unsure_below=float(unsure))
    answers = found.get("answers")
    if isinstance(answers, dict) and all(isinstance(value, str) for value in answers.values()):
        overrides = replace(overrides, answers=tuple(sorted(answers.items())))
    return overrides
