"""One row of the gallery a photo, in few bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import readable
from core.images.naming import natural_key
from core.language import tr
from core.values.predictions import (
    LIKELIEST_FIELDS,
    Prediction,
    is_unsure,
    likeliest,
    pack,
    packed_likeliest,
    unpack,
)

if TYPE_CHECKING:
    from core.labels.classes import Labels
    from core.values.spec import ModelSpec


class GalleryRow:
    """One photo and what is known of it, in few bytes: there may be 100,000."""

    __slots__ = ("_model", "_reason", "_top", "file", "is_away", "label", "natural_key")

    def __init__(self, path: Path) -> None:
        self.file = str(path)
        self.natural_key = natural_key(self.file_name)
        self._model: ModelSpec | None = None
        self._reason: str | None = None
        self._top = b""
        self.label: Labels = ()
        self.is_away = False

    @property
    def path(self) -> Path:
        """Return the file."""
        return Path(self.file)

    @property
    def file_name(self) -> str:
        """Return the last part of the path, as the system has it."""
        return self.file.rpartition(os.sep)[2]

    @property
    def name(self) -> str:
        """Return the last part of the path, for people."""
        return readable(self.file_name)

    @property
    def prediction(self) -> Prediction | None:
        """Return what the model says."""
        if self._model is None:
            return None
        return Prediction(self.path, unpack(self._top, self._model), self._reason, self._model)

    def take(self, prediction: Prediction | None) -> None:
        """Note what the model says; None forgets it."""
        self._model = None if prediction is None else prediction.model
        self._reason = None if prediction is None else prediction.reason
        self._top = b"" if prediction is None else pack(prediction.top)

    def speak_as(self, model: ModelSpec) -> None:
        """Keep what was said, in the names of the model as it is now."""
        if self._model is not None:
            self._model = model

    @property
    def is_classified(self) -> bool:
        """Return whether the model has seen it, in vain perhaps."""
        return self._model is not None

    @property
    def error(self) -> str | None:
        """Return why the photo could not be classified."""
        prediction = self.prediction if self._reason is not None else None
        return None if prediction is None else prediction.error

    @property
    def reason(self) -> str | None:
        """Return the same in few words."""
        return self._reason

    @property
    def likeliest(self) -> bytes:
        """Return index and probability of the likeliest class, packed."""
        return packed_likeliest(self._top)

    @property
    def top(self) -> tuple[int, float]:
        """Return index and probability of the likeliest class; beyond all and -1 without one."""
        return likeliest(self._top)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the names of all classes that the model knows."""
        return () if self._model is None else self._model.class_names

    @property
    def class_name(self) -> str:
        """Return the likeliest class, or nothing."""
        return self.class_names[self.top[0]] if self._top else ""

    @property
    def is_unsure(self) -> bool:
        """Return whether its likeliest class stays below what the model is trusted from."""
        return self._model is not None and bool(self._top) and is_unsure(self.top[1], self._model)

    def named(self, at_least: float) -> str:
        """Return the likeliest class, and all others that are at least so likely; 0 for none."""
        prediction = self.prediction if at_least else None
        if prediction is None:
            return self.class_name
        names = [one.class_name for one in prediction.top if one.probability >= at_least]
        # Of more classes than are kept it is not known which; that there may be more is shown.
        more = " …" if len(prediction.top) == len(names) < len(self.class_names) else ""
        return f"{tr(' or ').join(names)}{more}" or self.class_name

    @property
    def probability(self) -> float:
        """Return the likeliest class's probability, -1 where there is none."""
        return self.top[1]

    def figure(self, decimals: int) -> str:
        """Return the likeliest class's probability in percent, "" where there is none."""
        prediction = self.prediction if self._top else None
        return "" if prediction is None else prediction.top[0].figure(decimals)


DECIDED_BY_PREDICTIONS = ("class", "probability", "uncertain", "disagreeing")


def sorted_by_predictions(rows: list[GalleryRow], order: str) -> list[GalleryRow]:
    """Return rows in an order that predictions decide; those without a class come last."""
    import numpy as np  # costs start-up time, so only when sorting so

    names = next((row.class_names for row in rows if row.class_names), ())
    tops = b"".join([row.likeliest for row in rows])
    table = np.frombuffer(tops, np.dtype(list(LIKELIEST_FIELDS)))
    by_name = sorted(range(len(names)), key=lambda index: names[index].casefold())
    rank = np.full(len(names) + 1, len(names))
    rank[by_name] = np.arange(len(names))
    ranks = rank[np.minimum(table["index"], len(names))]
    probability = table["probability"]
    keys = {
        "class": (-probability, ranks),
        "probability": (-probability,),
        "uncertain": (np.where(ranks < len(names), probability, np.inf),),
    }
    return [rows[at] for at in np.lexsort(keys[order]).tolist()]
