"""How the window looks at a project, as text, so that it looks the same next time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from core.labels.label_index import LABEL_FILTERS, Filter

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractItemView

    from gui.labels.filter_bar import FilterBar
    from gui.session import Session

_KEPT_SELECTION = 10_000
_FARTHEST_SCROLL = 2**30


def view_state(session: Session, view: QAbstractItemView) -> dict[str, str]:
    """Return photo, selection, search, filter and scroll position."""
    selected = [str(path) for path in session.selected()[:_KEPT_SELECTION]]
    return {
        "current": json.dumps(str(session.current) if session.current else ""),
        "selected": json.dumps(selected),
        "search": session.photos.search,
        "filter": json.dumps(asdict(session.photos.filter)),
        "scroll": str(view.verticalScrollBar().value()),
    }


def restore(
    state: Mapping[str, str], session: Session, view: QAbstractItemView, filter_bar: FilterBar
) -> None:
    """Let gallery and filter be as they were; what cannot be read is passed over."""
    try:
        file = json.loads(state.get("current", '""'))
        current = Path(file) if file else None
        selected = [str(file) for file in json.loads(state.get("selected", "[]"))]
        scroll = min(max(0, int(state.get("scroll", "0"))), _FARTHEST_SCROLL)
    except (ValueError, TypeError, RecursionError):
        return
    if session.is_led:  # photos were given meanwhile, and are looked at
        current, scroll = None, 0
    if current is not None:
        session.select(selected, current)
    # Then only, for a photo that is hidden stays the current one.
    shown = _filter(state.get("filter", ""))
    filter_bar.show_filter(shown)
    session.photos.set_filter(shown)
    session.photos.set_search(state.get("search", ""))
    if current is not None:
        QTimer.singleShot(0, view, lambda: _scroll(view, scroll))  # once the rows are laid out


def _scroll(view: QAbstractItemView, to: int) -> None:
    """Scroll as it was, and at least so far that the photo in front is seen."""
    view.verticalScrollBar().setValue(to)
    view.scrollTo(view.currentIndex())


def _filter(text: str) -> Filter:
    try:
        kept = json.loads(text)
        terms = kept.pop("predicted", ())
        terms = [terms] if isinstance(terms, str) else terms  # one class, as it was once
        found = Filter(**kept, predicted=tuple(str(term) for term in terms if term))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Filter()
    fits = isinstance(found.class_id, int) and isinstance(found.at_least, int | float)
    return found if fits and found.label in LABEL_FILTERS else Filter()
