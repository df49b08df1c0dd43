"""The gallery model: one row a photo, searched and sorted without touching the disk."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QStringListModel,
    Qt,
    QUrl,
    Signal,
)

from core.files import readable
from core.labels.label_index import Filter, LabelIndex
from core.language import tr
from core.values.predictions import Prediction
from gui.gallery_rows import DECIDED_BY_PREDICTIONS, GalleryRow, sorted_by_predictions
from gui.widgets.plain_text import literal

if TYPE_CHECKING:
    from core.labels.classes import ClassList, Labels
    from core.values.spec import ModelSpec

ROW_ROLE = Qt.ItemDataRole.UserRole
"""The GalleryRow itself, for the delegate."""

ORDERS = (
    "added",
    "name",
    "class",
    "probability",
    "uncertain",
    "unlabelled",
    "disagreeing",
    "similar",
    "chosen",
    "helpful",
)

_UNLIKE = -2.0
"""Below every cosine: where photos go that were not compared."""

_Index = QModelIndex | QPersistentModelIndex
_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled


class GalleryModel(QStringListModel):
    """Rows in the order shown; all rows stay known while a search hides some.

    Of the list of strings only its length is used: a view asks for the index of every row when
    it lays them out, and a Python model would be called 100,000 times for that.
    """

    order_set = Signal(str)
    """Another order holds."""
    search_set = Signal(str)
    """Something else is searched for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, GalleryRow] = {}
        self._shown: list[GalleryRow] = []
        self._order = "added"
        self._search = self.search = ""
        self._filter = Filter()
        self._similarity: Mapping[str, float] = {}
        self._next: Mapping[str, int] = {}
        self.label_index = LabelIndex()

    # Qt's side

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return _FLAGS  # asked for each of 20,000 photos that are selected

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        rows = sorted(index.row() for index in indexes)
        data.setUrls([QUrl.fromLocalFile(self._shown[row].file) for row in rows])
        return data

    def supportedDragActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._shown[index.row()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return literal(self._tool_tip(row))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            label = self.label_index.classes.said(self.label_index.resolve(row.label))
            return " ".join((row.name, row.error or self._said(row), label)).strip()
        return None

    # Reading

    @property
    def total(self) -> int:
        """Return how many photos there are, hidden ones included."""
        return len(self._rows)

    def row(self, path: Path) -> GalleryRow | None:
        """Return what is known of a photo."""
        return self._rows.get(str(path))

    def found_classes(self) -> Counter[int]:
        """Count the likeliest classes of the photos that would be shown if any class were."""
        any_class = replace(self._filter, predicted=())
        accepts = self.label_index.accepts
        doubted = self._filter.label == "doubted"
        searched = (row for row in self._rows.values() if self._is_searched(row))
        rows = (row for row in searched if row.is_unsure or not doubted)
        tops = ((row.label, *row.top) for row in rows if row.class_name)
        return Counter(top[1] for top in tops if accepts(any_class, *top))

    def agreement(self) -> tuple[int, int]:
        """Return how many labels the model in use agrees with, and how many it has seen."""
        disagrees, resolve = self.label_index.is_disagreeing, self.label_index.resolve
        seen = [
            row for row in self._rows.values() if row.class_name and resolve(row.label)[:1] > (0,)
        ]
        return sum(not disagrees(row.label, row.top[0]) for row in seen), len(seen)

    def rows(self) -> Iterable[GalleryRow]:
        """Return all photos in the order in which they were added."""
        return self._rows.values()

    def shown_row(self, position: int) -> GalleryRow:
        """Return the photo at a position."""
        return self._shown[position]

    def position(self, path: Path) -> int:
        """Return where a photo stands now, -1 where it is hidden or unknown."""
        row = self.row(path)
        try:
            return -1 if row is None else self._shown.index(row)
        except ValueError:
            return -1

    def positions(self, files: Iterable[str]) -> dict[str, int]:
        """Return where those of some photos stand that are shown; fast for many."""
        places = {row.file: at for at, row in enumerate(self._shown)}
        return {file: places[file] for file in files if file in places}

    def shown_rows(self) -> Sequence[GalleryRow]:
        """Return the photos that are shown, in their order."""
        return self._shown

    def labelled(self) -> list[tuple[Path, tuple[str, ...]]]:
        """Return the photos that have classes, hidden ones included, with the names of these.

        They stand in the order of the classes, and within one in that of their adding.
        """
        index = self.label_index
        order = {one.id: at for at, one in enumerate(index.classes.classes)}
        found = []
        for row in self._rows.values():
            ids = [one for one in index.resolve(row.label) if one in order]
            if ids:
                found.append((order[ids[0]], row.path, tuple(index.by_id[one].name for one in ids)))
        found.sort(key=lambda one: one[0])
        return [(path, names) for _, path, names in found]

    # Changing

    def add(self, paths: Iterable[Path]) -> list[Path]:
        """Append photos, whatever the order, and return those that were not there yet.

        ``arrange`` brings them into order: once after a search, not at each of its chunks.
        """
        unknown = [path for path in dict.fromkeys(paths) if str(path) not in self._rows]
        new = [GalleryRow(path) for path in unknown]
        self._rows.update((row.file, row) for row in new)
        shown = [row for row in new if self._matches(row)]
        if shown:
            first = len(self._shown)
            self._shown.extend(shown)
            self.insertRows(first, len(shown))
        return unknown

    def put_in_order(self, files: Iterable[str]) -> None:
        """Let photos stand in this order among those that were added, after the others."""
        for file in files:
            row = self._rows.pop(file, None)
            if row is not None:
                self._rows[row.file] = row
        self.arrange()

    def remove(self, paths: Iterable[Path]) -> None:
        """Forget photos; their files are not touched."""
        for path in paths:
            self._rows.pop(str(path), None)
        self.arrange()

    def clear(self) -> None:
        """Forget all photos."""
        self._rows.clear()
        self.arrange()

    def set_predictions(self, predictions: Iterable[Prediction]) -> None:
        """Note what the model says; photos that are gone meanwhile are passed over."""
        for prediction in predictions:
            row = self._rows.get(str(prediction.photo))
            if row is not None:
                row.take(prediction)
                self.label_index.set_names(prediction.model.class_names)
        self._tell_change()

    def speak_as(self, model: ModelSpec) -> None:
        """Let what the model has said be in the names that it has now."""
        for row in self._rows.values():
            row.speak_as(model)
        self.label_index.set_names(model.class_names)
        if self.depends_on_predictions:
            self.arrange()
        self._tell_change()

    def forget_predictions(self) -> None:
        """Forget what an earlier model said."""
        for row in self._rows.values():
            row.take(None)
        self._tell_change()

    def set_labels(self, labels: Mapping[str, Labels]) -> None:
        """Note labels by file; photos that are not in the list are passed over.

        What is shown and its order stay until ``arrange``, so that nobody loses his place.
        """
        for file, label in labels.items():
            row = self._rows.get(file)
            if row is not None:
                row.label = label
        self._tell_change()

    def forget_labels(self) -> None:
        """Forget all labels, as another project is opened."""
        for row in self._rows.values():
            row.label = ()
        self._tell_change()

    def set_classes(self, classes: ClassList) -> None:
        """Let another list of classes hold."""
        self.label_index.set_classes(classes)
        self._tell_change()

    def set_away(self, files: Iterable[str], *, away: bool) -> None:
        """Note which photos are not where they were."""
        for file in files:
            row = self._rows.get(file)
            if row is not None:
                row.is_away = away
        self._tell_change()

    @property
    def is_sorted(self) -> bool:
        """Return whether photos stand in another order than that of their adding."""
        return self._order != "added"

    @property
    def depends_on_predictions(self) -> bool:
        """Return whether new predictions can change what is shown and in which order."""
        shown = self._filter
        of_model = shown.label in ("disagreeing", "doubted")
        filters = bool(shown.predicted) or shown.at_least > 0 or of_model
        return bool(self._search) or filters or self._order in DECIDED_BY_PREDICTIONS

    def set_order(self, order: str) -> None:
        """Sort by one of ``ORDERS``."""
        known = order if order in ORDERS else "added"
        if known == self._order:
            return
        self._order = known
        self.arrange()
        self.order_set.emit(known)

    def set_search(self, text: str) -> None:
        """Show only photos whose name, class or group of classes holds the text, or whose path."""
        if text == self.search:
            return
        self.search = text
        self._search = text.strip().casefold()
        self.arrange()
        self.search_set.emit(text)

    def set_filter(self, shown: Filter) -> None:
        """Show only photos that pass a filter, besides the search."""
        self._filter = shown
        self.arrange()

    @property
    def filter(self) -> Filter:
        """Return the filter in use."""
        return self._filter

    def set_similarity(self, similarity: Mapping[str, float]) -> None:
        """Say how alike photos are to a chosen one, for the order "similar": the higher, the more.

        Args:
            similarity: by file; those that are missing come last.
        """
        self._similarity = similarity
        if self._order in ("similar", "chosen"):
            self.arrange()

    def set_next(self, files: Sequence[str]) -> None:
        """Say which photos come first in the order "helpful"; those that are missing come last."""
        self._next = {file: at for at, file in enumerate(files)}
        if self._order == "helpful":
            self.arrange()

    def name_from(self, probability: float) -> None:
        """Name all classes of photos from a probability on; 0 names the likeliest alone."""
        if probability != self.label_index.named_from:
            self.label_index.named_from = probability
            self._tell_change()

    def arrange(self) -> None:
        """Search and sort again, after predictions have come in for instance."""
        rows = list(self._rows.values())
        if self._search:
            rows = [row for row in rows if self._matches(row)]
        if not self._filter.passes_all:
            rows = [row for row in rows if self._passes(row)]
        self._shown = self._sorted(rows)
        self.setStringList([""] * len(rows))

    def _sorted(self, rows: list[GalleryRow]) -> list[GalleryRow]:
        label_index = self.label_index
        if self._order == "name":
            rows.sort(key=attrgetter("natural_key"))
        elif self._order in ("class", "probability", "uncertain"):
            return sorted_by_predictions(rows, self._order)
        elif self._order == "unlabelled":
            rows.sort(key=lambda row: bool(label_index.resolve(row.label)))
        elif self._order == "disagreeing":
            rows.sort(key=self._agreement)
        elif self._order in ("similar", "chosen"):
            similarity = self._similarity
            rows.sort(key=lambda row: -similarity.get(row.file, _UNLIKE))
        elif self._order == "helpful":
            after = len(self._next)
            rows.sort(key=lambda row: self._next.get(row.file, after))
        return rows

    def _agreement(self, row: GalleryRow) -> float:
        """Return the lower, the surer the model contradicts the label; above 1 if it does not."""
        index, probability = row.top
        return (0.0 if self.label_index.is_disagreeing(row.label, index) else 2.0) - probability

    def _tell_change(self) -> None:
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def _passes(self, row: GalleryRow) -> bool:
        if self._filter.label == "doubted" and not row.is_unsure:
            return False
        return self.label_index.accepts(self._filter, row.label, *row.top)

    def _matches(self, row: GalleryRow) -> bool:
        return self._is_searched(row) and (self._filter.passes_all or self._passes(row))

    def _is_searched(self, row: GalleryRow) -> bool:
        text = self._search
        if not text or text in row.file_name.casefold() or text in row.class_name.casefold():
            return True
        is_path = "/" in text or "\\" in text
        meant = self.label_index.find_classes((text,))
        return (is_path and text in row.file.casefold()) or (row.top[0] in meant)

    def _tool_tip(self, row: GalleryRow) -> str:
        label = self.label_index.classes.said(self.label_index.resolve(row.label))
        labelled = tr("Label: {label}", label=label) if label else ""
        parts = (readable(row.file), readable(row.error or ""), self._said(row), labelled)
        return html.escape("\n".join(part for part in parts if part)).replace("\n", "<br>")

    def _said(self, row: GalleryRow) -> str:
        if not row.class_name:
            return ""
        values = {"name": row.named(self.label_index.named_from), "probability": row.figure(1)}
        if row.is_unsure:
            return tr("Unsure, {name}: {probability}", **values)
        return tr("{name}: {probability}", **values)
