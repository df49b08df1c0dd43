"""What must not be on a screen: texts that are cut, controls outside, nameless or too small."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QFontMetrics, QTextDocument
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QDialogButtonBox,
    QDockWidget,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenuBar,
    QScrollBar,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QToolBar,
    QWidget,
)

from gui.models.pick_button import PickButton
from gui.widgets.fields import NarrowBox

LEAST_TARGET_PX = 24
"""Of what is clicked on, as WCAG 2.2 has it."""

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTabBar,
)
_ELIDED = "…"
_SLACK_PX = 1


def faults(window: QWidget, screen: QSize) -> list[str]:
    """Return all of them in a window that is seen.

    Args:
        window: of the program, a dialog or a popup.
        screen: how large it may be.
    """
    least = window.minimumSizeHint()
    is_larger = least.width() > screen.width() or least.height() > screen.height()
    found = [f"{told(window)}: needs more than the screen"] if is_larger else []
    for widget in [window, *window.findChildren(QWidget)]:
        if widget.isVisible():
            found += [f"{told(widget)}: {fault}" for fault in _faults(widget)]
    return found


def _faults(widget: QWidget) -> Iterator[str]:
    cut = _cut_text(widget)
    if cut:
        yield f"cut: {cut!r}"
    if isinstance(widget, (*CONTROLS, QLabel)) and _is_hidden_in_part(widget):
        seen, whole = widget.visibleRegion().boundingRect(), widget.rect()
        yield f"{seen.width()} x {seen.height()} px are seen of {whole.width()} x {whole.height()}"
    is_target = isinstance(widget, QAbstractButton | QComboBox | QAbstractSpinBox)
    is_small = min(widget.width(), widget.height()) < LEAST_TARGET_PX
    if is_target and is_small and not _is_of_qt(widget):
        yield f"{widget.width()} x {widget.height()} px is too small to click on"


def _cut_text(widget: QWidget) -> str:
    """Return the text that has less room than it needs, "" where all have enough."""
    metrics = widget.fontMetrics()
    if isinstance(widget, QLabel):
        return _cut_label(widget)
    if isinstance(widget, PickButton):
        return ""  # it elides, and tells the whole by a tool tip
    if isinstance(widget, QAbstractButton):
        needs = widget.sizeHint().width()
        return widget.text() if widget.text() and needs > widget.width() + _SLACK_PX else ""
    if isinstance(widget, QComboBox) and not isinstance(widget, NarrowBox):  # that elides
        return _cut_choice(widget)
    if isinstance(widget, QTabBar):
        at = widget.currentIndex()  # arrows lead to the others where there is no room for all
        return "" if widget.rect().contains(widget.tabRect(at)) else widget.tabText(at)
    if isinstance(widget, QLineEdit) and not widget.text():
        room = widget.contentsRect().width() - (34 if widget.actions() else 12)
        text = widget.placeholderText()
        return text if metrics.horizontalAdvance(text) > room + _SLACK_PX else ""
    if isinstance(widget, QAbstractSpinBox):
        field = widget.findChild(QLineEdit)
        text = field.text()
        return text if metrics.horizontalAdvance(text) > field.width() else ""
    if isinstance(widget, QGroupBox):
        return widget.title() if metrics.horizontalAdvance(widget.title()) > widget.width() else ""
    if isinstance(widget, QDockWidget):
        return widget.windowTitle() if _dock_title_px(widget) > widget.width() else ""
    if isinstance(widget, QHeaderView) and widget.orientation() == Qt.Orientation.Horizontal:
        return _cut_header(widget)
    return ""


def _cut_label(label: QLabel) -> str:
    text = label.text()
    if not text or not label.pixmap().isNull() or text.endswith(_ELIDED):
        return ""
    room = label.contentsRect().adjusted(0, 0, _SLACK_PX, _SLACK_PX)
    if label.wordWrap():
        needs = label.heightForWidth(label.width())
        return _plain(text) if needs > label.height() + _SLACK_PX else ""
    if label.textFormat() == Qt.TextFormat.RichText:
        document = QTextDocument()
        document.setDefaultFont(label.font())
        document.setDocumentMargin(0)
        document.setHtml(text)
        return _plain(text) if document.idealWidth() > room.width() + 2 else ""
    wide = max(label.fontMetrics().horizontalAdvance(line) for line in text.split("\n"))
    return text if wide > room.width() else ""


def _cut_choice(box: QComboBox) -> str:
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    field = box.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, box
    )
    text = box.currentText()
    return text if box.fontMetrics().horizontalAdvance(text) > field.width() + _SLACK_PX else ""


def _cut_header(header: QHeaderView) -> str:
    model = header.model()
    for at in range(header.count()):
        text = str(model.headerData(at, header.orientation()) or "")
        needs = QFontMetrics(header.font()).horizontalAdvance(text)
        if text and not header.isSectionHidden(at) and needs > header.sectionSize(at):
            return text
    return ""


def _dock_title_px(dock: QDockWidget) -> int:
    return dock.fontMetrics().horizontalAdvance(dock.windowTitle()) + 40  # its close button


def _is_hidden_in_part(widget: QWidget) -> bool:
    """Return whether something else, or an edge, covers a part; what scrolls may be covered."""
    above: QWidget | None = widget
    while above is not None and not above.isWindow():
        parent = above.parentWidget()
        if isinstance(parent, QAbstractScrollArea | QToolBar | QMenuBar):
            return False
        above = parent
    seen = widget.visibleRegion().boundingRect()
    whole = QRect(0, 0, widget.width(), widget.height())
    return seen.width() < whole.width() or seen.height() < whole.height()


def _is_of_qt(widget: QWidget) -> bool:
    """Return whether Qt itself made a control, a table's corner or a dock's button say."""
    above = QDockWidget | QTabBar | QAbstractScrollArea | QAbstractSpinBox | QComboBox | QLineEdit
    return isinstance(widget.parentWidget(), above)


def nameless(window: QWidget) -> list[str]:
    """Return what a screen reader would meet in a window that has no name.

    It is the tree that Qt's bridge gives to AT-SPI and to UI Automation.
    """
    root = QAccessible.queryAccessibleInterface(window)
    return sorted(set(_nameless(root)))


_NAMED = {
    getattr(QAccessible.Role, name)
    for name in (
        "Button", "ButtonMenu", "CheckBox", "RadioButton", "ComboBox", "SpinBox", "Slider",
        "EditableText", "List", "Tree", "Table", "ListItem", "MenuItem", "PageTab", "ProgressBar",
        "Graphic", "Dialog", "Window", "PageTabList", "Canvas", "Chart",
    )
}  # fmt: skip


def _nameless(one: QAccessibleInterface) -> Iterator[str]:
    if one is None or not one.isValid():
        return
    state = one.state()
    widget = one.object()
    if getattr(state, "invisible", False) or isinstance(widget, QScrollBar):
        return
    name = one.text(QAccessible.Text.Name)
    is_inner = isinstance(widget, QLineEdit) and isinstance(widget.parentWidget(), QAbstractSpinBox)
    if one.role() in _NAMED and not name.strip() and not is_inner:
        path = told(widget) if isinstance(widget, QWidget) else "item"
        above = one.parent()
        inside = above.object() if above is not None and above.isValid() else None
        yield f"{one.role().name} {path} in {type(inside).__name__}"
    for at in range(min(one.childCount(), 200)):
        child = one.child(at)
        if child is not None:
            yield from _nameless(child)


def told(widget: QWidget) -> str:
    """Return where a widget is: its class and name, and those of what it stands in."""
    parts: list[str] = []
    above: QWidget | None = widget
    while above is not None and len(parts) < 3:
        if not isinstance(above, QDialogButtonBox) and type(above) is not QWidget:
            said = above.objectName() or above.accessibleName()
            parts.append(f"{type(above).__name__}({said})" if said else type(above).__name__)
        above = above.parentWidget()
    return " < ".join(parts)


def _plain(text: str) -> str:
    return re.sub(r"<[^>]*>", "", text)
