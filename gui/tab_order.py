"""In which order Tab goes through the window: as it is read, panel by panel."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QScrollArea, QToolBar, QWidget

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
    """Return what stands in a widget, row by row and from left to right.

    By where it is: the items of a layout are no QObjects, so that Python would hold on to such as
    Qt has deleted, and take whatever lies there next for them.
    """
    if isinstance(widget, QScrollArea):
        held = widget.widget()
        return [] if held is None else [held]
    inner = (child for child in widget.children() if isinstance(child, QWidget))
    parts = [child for child in inner if not child.isWindow() and child.isVisible()]
    rows: list[list[QWidget]] = []
    for part in sorted(parts, key=lambda part: part.geometry().center().y()):
        if rows and part.geometry().center().y() <= rows[-1][0].geometry().bottom():
            rows[-1].append(part)
        else:
            rows.append([part])
    return [part for row in rows for part in sorted(row, key=lambda part: part.x())]
