"""In which order Tab goes through the window: as it is read, panel by panel."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QLayout,
    QMainWindow,
    QScrollArea,
    QTabBar,
    QToolBar,
    QWidget,
)

_AREAS = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.NoDockWidgetArea,  # here the middle of the window
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)


def tab_order(window: QMainWindow) -> list[QWidget]:
    """Return all that Tab can reach now: the strips above, the panels, the status bar.

    Qt's own order is that in which widgets were made, and rooms make theirs at different times.
    """
    bars = [bar for bar in window.findChildren(QToolBar) if bar.parentWidget() is window]
    docks = [dock for dock in window.findChildren(QDockWidget) if not dock.isFloating()]
    docks.sort(key=lambda dock: (dock.y(), dock.x()))
    found: list[QWidget] = []
    for bar in sorted(bars, key=lambda bar: bar.y()):
        found += _reached(bar)
    middle = window.centralWidget()
    for area in _AREAS:
        if area is Qt.DockWidgetArea.NoDockWidgetArea and middle is not None:
            found += _reached(middle)
        for dock in docks:
            if window.dockWidgetArea(dock) == area:
                found += _reached(dock)
    found += _reached(window.statusBar())
    return found


def _reached(widget: QWidget) -> Iterator[QWidget]:
    if not widget.isVisible() or not widget.isEnabled():
        return
    takes_focus = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    if takes_focus and widget.focusProxy() is None:
        yield widget
    for part in _parts(widget):
        if part.focusProxy() is not widget:  # the field in a box of numbers is the box itself
            yield from _reached(part)


def _parts(widget: QWidget) -> list[QWidget]:
    """Return what stands in a widget: what is laid out in that order, then the rest."""
    if isinstance(widget, QScrollArea):
        held = widget.widget()
        return [] if held is None else [held]
    layout = widget.layout()
    parts = [] if layout is None else list(_laid_out(layout))
    inner = (child for child in widget.children() if isinstance(child, QWidget))
    rest = [child for child in inner if not child.isWindow() and child not in parts]
    rest.sort(key=lambda child: not isinstance(child, QTabBar))  # tabs come before their pages
    return [*parts, *rest]


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    for at in range(layout.count()):
        item = layout.itemAt(at)
        if item is None:
            continue
        widget, below = item.widget(), item.layout()
        if widget is not None:
            yield widget
        elif below is not None:
            yield from _laid_out(below)
