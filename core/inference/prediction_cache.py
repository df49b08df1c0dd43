"""Predictions kept on the disk, so that photos need not be classified again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import struct
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from core.inference.kept_rows import KeptRows
from core.inference.speed import EXACT, Speed
from core.values.predictions import Prediction, pack, unpack

if TYPE_CHECKING:
    from core.values.spec import ModelSpec

log = logging.getLogger(__name__)

LIMIT = 1_000_000
"""Photos whose predictions are kept, about 120 MB; the oldest go."""

_FORMAT = 1


class PredictionCache:
    """What models said of files; whatever goes wrong with it, photos are classified again.

    Made anywhere, used in one thread.

    Args:
        path: of the database.
        limit: predictions that are kept.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._rows = KeptRows(path, limit, ("photo", "top"))
        self._settings: tuple[object, ...] = ()
        self._spec: ModelSpec | None = None
        self._model = b""
        self._asked: dict[Path, bytes] = {}

    def use(self, top_k: int, speed: Speed = EXACT) -> None:
        """Say what predictions depend on besides the file and the model."""
        settings = (top_k, *astuple(speed))
        if settings != self._settings:
            self._settings, self._spec = settings, None
            self._asked.clear()

    def find(self, path: Path, spec: ModelSpec) -> Prediction | None:
        """Return what a model said of a file, if the file is the same as then."""
        key = self._key(path, spec)
        if key is None:
            return None
        self._asked[path] = key
        found = self._rows.find(key)
        if found is None:
            return None
        try:
            top = unpack(found, spec)
        except (struct.error, IndexError, TypeError, ValueError) as error:
            log.info("what was kept of %s is damaged: %s", path, error)
            self._rows.forget(key)
            return None
        del self._asked[path]
        return Prediction(path, top, None, spec)

    def keep(self, predictions: Iterable[Prediction]) -> None:
        """Remember predictions of photos that were asked for, as the files were then.

        Failures are not kept, for they may be over next time.
        """
        asked = [(self._asked.pop(one.photo, None), one.top) for one in predictions]
        self._rows.keep([(key, pack(top)) for key, top in asked if key and top])

    def close(self) -> None:
        """Close the database."""
        self._rows.close()

    def _key(self, path: Path, spec: ModelSpec) -> bytes | None:
        """Return what stands for a file as it is now, seen by a model.

        Copying another file over it changes its number, its size or one of its times; so does
        renaming it, after which it is only classified once more.
        """
        try:
            status = path.stat()
        except OSError:
            return None
        if spec is not self._spec:
            self._spec, self._model = spec, self._model_key(spec)
        identity = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        found = hashlib.blake2b(self._model, digest_size=16)
        found.update(struct.pack("<4Q", *(number & (2**64 - 1) for number in identity)))
        found.update(os.fsencode(path))
        return found.digest()

    def _model_key(self, spec: ModelSpec) -> bytes:
        depends_on = [
            _FORMAT,
            *spec.network_key,
            spec.outputs,
            len(spec.class_names),
            spec.preprocessing.to_json(),
            self._settings,
        ]
        return hashlib.sha256(json.dumps(depends_on).encode()).digest()
