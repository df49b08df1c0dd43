"""The menu of what was opened last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from core.files import readable
from core.language import tr
from gui.widgets.plain_text import literal

_KEPT = 8
_LONGEST = 70


def newest_first(path: str, kept: Sequence[str]) -> list[str]:
    """Return what is remembered when something has been opened."""
    return [path, *(one for one in kept if one != path)][:_KEPT]


def open_recent(
    window: QWidget,
    kept: Sequence[str],
    choose: Callable[[str], object],
    titles: Mapping[str, str] | None = None,
) -> None:
    """Open a menu of what was opened last; nothing is looked for on the disk until it is chosen.

    Args:
        window: over which it opens.
        kept: paths, the newest first.
        choose: given the path that is chosen.
        titles: of paths that have one.
    """
    menu = QMenu(window)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    for path in kept:
        said = (titles or {}).get(path) or readable(path)
        short = said if len(said) <= _LONGEST else f"…{said[-_LONGEST:]}"
        entry = menu.addAction(short.replace("&", "&&"))
        entry.setToolTip(literal(readable(path)))
        entry.triggered.connect(partial(choose, path))
    if not kept:
        menu.addAction(tr("Nothing was opened yet")).setEnabled(False)
    menu.popup(window.mapToGlobal(QPoint(window.width() // 4, window.height() // 6)))
