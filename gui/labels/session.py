"""How the window looks at a project, as text, so that it looks the same next time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from core.labels.book import LABEL_FILTERS, Filter

if TYPE_CHECKING:
    from gui.images.gallery_model import GalleryModel
    from gui.images.gallery_panel import GalleryPanel
    from gui.labels.filter_bar import FilterBar

_KEPT_SELECTION = 10_000
_FARTHEST_SCROLL = 2**30


def session_of(gallery: GalleryPanel, model: GalleryModel) -> dict[str, str]:
    """Return photo, selection, search, filter and scroll position."""
    selected = [str(path) for path in gallery.selected()[:_KEPT_SELECTION]]
    return {
        "current": json.dumps(str(gallery.current) if gallery.current else ""),
        "selected": json.dumps(selected),
        "search": gallery.search,
        "filter": json.dumps(asdict(model.filter)),
        "scroll": str(gallery.view.verticalScrollBar().value()),
    }


def restore(
    session: Mapping[str, str], gallery: GalleryPanel, model: GalleryModel, filter_bar: FilterBar
) -> None:
    """Let gallery and filter be as they were; what cannot be read is passed over."""
    try:
        found = json.loads(session.get("current", '""'))
        current = Path(found) if found else None
        selected = [Path(file) for file in json.loads(session.get("selected", "[]"))]
        scroll = min(max(0, int(session.get("scroll", "0"))), _FARTHEST_SCROLL)
    except (ValueError, TypeError, RecursionError):
        return
    if current is not None:
        gallery.select(selected, current)
    # Then only, for a photo that is hidden stays the current one.
    shown = _filter(session.get("filter", ""))
    filter_bar.show_filter(shown)
    model.set_filter(shown)
    gallery.search = session.get("search", "")
    if scroll:
        bar = gallery.view.verticalScrollBar()
        QTimer.singleShot(0, gallery, lambda: bar.setValue(scroll))  # once the rows are laid out


def _filter(text: str) -> Filter:
    try:
        found = Filter(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return Filter()
    usual = Filter()
    fits = (
        isinstance(found.class_id, int)
        and isinstance(found.predicted, str)
        and isinstance(found.at_least, int | float)
    )
    return found if fits and found.label in LABEL_FILTERS else usual
