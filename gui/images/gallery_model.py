"""The gallery model: one row a photo, searched and sorted without touching the disk."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from core.files import readable

if TYPE_CHECKING:
    from core.inference.predictions import Prediction

ROW_ROLE = Qt.ItemDataRole.UserRole
"""The GalleryRow itself, for the delegate."""

ORDERS = ("added", "name", "class", "probability", "uncertain")
_NO_PARENT = QModelIndex()

_Index = QModelIndex | QPersistentModelIndex


class GalleryRow:
    """One photo and what is known of it."""

    __slots__ = ("name", "path", "prediction")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = readable(path.name)
        self.prediction: Prediction | None = None

    @property
    def error(self) -> str | None:
        """Return why the photo could not be classified."""
        return self.prediction.error if self.prediction is not None else None

    @property
    def reason(self) -> str | None:
        """Return the same in few words."""
        return self.prediction.reason if self.prediction is not None else None

    @property
    def class_name(self) -> str:
        """Return the likeliest class, or nothing."""
        top = self.prediction.top if self.prediction is not None else ()
        return top[0].class_name if top else ""

    @property
    def probability(self) -> float:
        """Return the likeliest class's probability, -1 where there is none."""
        top = self.prediction.top if self.prediction is not None else ()
        return top[0].probability if top else -1.0

    def figure(self, decimals: int) -> str:
        """Return the likeliest class's probability in percent, "" where there is none."""
        top = self.prediction.top if self.prediction is not None else ()
        return top[0].figure(decimals) if top else ""


def _natural_key() -> Callable[[GalleryRow], Any]:
    from natsort import natsort_keygen, ns  # costs start-up time, so only when sorting by name

    return natsort_keygen(key=lambda row: row.name, alg=ns.IGNORECASE)


def _by_class(row: GalleryRow) -> tuple[object, ...]:
    """Photos without a class come last."""
    return (not row.class_name, row.class_name.casefold(), -row.probability)


def _by_probability(row: GalleryRow) -> float:
    return -row.probability


def _by_uncertainty(row: GalleryRow) -> float:
    return row.probability if row.probability >= 0 else 2.0


_KEYS: dict[str, Callable[[GalleryRow], Any]] = {  # orders that predictions decide
    "class": _by_class,
    "probability": _by_probability,
    "uncertain": _by_uncertainty,
}


class GalleryModel(QAbstractListModel):
    """Rows in the order shown; all rows stay known while a search hides some."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[Path, GalleryRow] = {}
        self._shown: list[GalleryRow] = []
        self._position: dict[Path, int] = {}
        self._order = "added"
        self._search = ""

    # Qt's side

    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self._shown[index.row()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tool_tip(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return " ".join((row.name, row.error or self._said(row)))
        return None

    # Reading

    @property
    def total(self) -> int:
        """Return how many photos there are, hidden ones included."""
        return len(self._rows)

    def row(self, path: Path) -> GalleryRow | None:
        """Return what is known of a photo."""
        return self._rows.get(path)

    def rows(self) -> Iterable[GalleryRow]:
        """Return all photos in the order in which they were added."""
        return self._rows.values()

    def shown_row(self, position: int) -> GalleryRow:
        """Return the photo at a position."""
        return self._shown[position]

    def position(self, path: Path) -> int:
        """Return where a photo stands now, -1 where it is hidden or unknown."""
        return self._position.get(path, -1)

    # Changing

    def add(self, paths: Iterable[Path]) -> list[Path]:
        """Append photos, whatever the order, and return those that were not there yet.

        ``arrange`` brings them into order: once after a search, not at each of its chunks.
        """
        new = [GalleryRow(path) for path in dict.fromkeys(paths) if path not in self._rows]
        self._rows.update((row.path, row) for row in new)
        shown = [row for row in new if self._matches(row)]
        if shown:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(shown) - 1)
            self._shown.extend(shown)
            self._position.update((row.path, first + at) for at, row in enumerate(shown))
            self.endInsertRows()
        return [row.path for row in new]

    def remove(self, paths: Iterable[Path]) -> None:
        """Forget photos; their files are not touched."""
        for path in paths:
            self._rows.pop(path, None)
        self.arrange()

    def clear(self) -> None:
        """Forget all photos."""
        self._rows.clear()
        self.arrange()

    def set_predictions(self, predictions: Iterable[Prediction]) -> None:
        """Note what the model says; photos that are gone meanwhile are passed over."""
        changed: list[int] = []
        for prediction in predictions:
            row = self._rows.get(prediction.image)
            if row is None:
                continue
            row.prediction = prediction
            position = self._position.get(row.path, -1)
            if position >= 0:
                changed.append(position)
        if changed:
            self.dataChanged.emit(self.index(min(changed)), self.index(max(changed)))

    def forget_predictions(self) -> None:
        """Forget what an earlier model said."""
        for row in self._rows.values():
            row.prediction = None
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    @property
    def is_sorted(self) -> bool:
        """Return whether photos stand in another order than that of their adding."""
        return self._order != "added"

    @property
    def depends_on_predictions(self) -> bool:
        """Return whether new predictions can change what is shown and in which order."""
        return bool(self._search) or self._order in _KEYS

    def set_order(self, order: str) -> None:
        """Sort by one of ``ORDERS``."""
        self._order = order if order in ORDERS else "added"
        self.arrange()

    def set_search(self, text: str) -> None:
        """Show only photos whose name or class holds the text."""
        self._search = text.strip().casefold()
        self.arrange()

    def arrange(self) -> None:
        """Search and sort again, after predictions have come in for instance."""
        self.beginResetModel()
        self._shown = [row for row in self._rows.values() if self._matches(row)]
        key = _natural_key() if self._order == "name" else _KEYS.get(self._order)
        if key is not None:
            self._shown.sort(key=key)
        self._position = {row.path: at for at, row in enumerate(self._shown)}
        self.endResetModel()

    def _matches(self, row: GalleryRow) -> bool:
        text = self._search
        return not text or text in row.name.casefold() or text in row.class_name.casefold()

    def _tool_tip(self, row: GalleryRow) -> str:
        parts = (readable(str(row.path)), readable(row.error or ""), self._said(row))
        return html.escape("\n".join(part for part in parts if part)).replace("\n", "<br>")

    def _said(self, row: GalleryRow) -> str:
        if not row.class_name:
            return ""
        return self.tr("{name}: {probability}").format(
            name=row.class_name, probability=row.figure(1)
        )
