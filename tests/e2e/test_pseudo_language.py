"""Every sentence that a person can see has gone through the one function."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDockWidget,
    QGroupBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTabBar,
    QTreeWidget,
    QWidget,
)

import resources
from gui.images.viewer import PhotoViewer
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]

DIALOGS = (
    "name_classes",
    "edit_preprocessing",
    "show_details",
    "open_weights",
    "edit_classes",
    "label_statistics",
    "export_labels",
    "show_keys",
    "show_problems",
    "check_installation",
    "about",
    "choose_architecture",
)

QT_OWN = {"Close", "Cancel", "Float", "Scroll Left", "Scroll Right"}
"""Qt says these by its own translations."""

DATA = {
    *("BGR", "RGB", "bicubic", "bilinear", "box", "hamming", "lanczos", "nearest", "CIFAR-10"),
    *("FiftyOne", "Hugging Face imagefolder", "JSON Lines", "Label Studio", "features", "Fusion"),
    *("ImageNet text (Datumaro, CVAT)", "tf_efficientnet_lite0", "ImageNet"),
}
"""Names of the field, of formats and of architectures."""

NAMES = re.compile(
    r"""^(
    (Droplens|EfficientNet|ResNet|VGG|AlexNet|torchvision|ImageNet|SHA-256).*   # products, networks
    |[\w.\u200b/-]+\.(png|jpg|csv|npy|safetensors|droplens)(\ –\ Droplens)?   # files
    |.*(https?://|/tmp/|BSD|GPL|MIT|Apache|Copyright).*                       # addresses, licences
    |[0-9a-f\u200b]{64,}                                                      # a hash
    |classifier:.*                                                            # a layer
    |blocks\.[\d.]+\ \ ·\ \ \w+                                                  # a block
    |[\d.,:/×→%≥<>=+()\ –·-]*((px|s|MB|GB|h|min|seed|Ctrl|Alt|Shift|F\d+|[A-Z])\b[\d\ +]*)*
    )$""",
    re.VERBOSE | re.DOTALL,
)


pytestmark = pytest.mark.usefixtures("pseudo")


def texts_of(widget: QWidget) -> Iterator[str]:
    """Yield what a widget shows, its tool tip and its name for screen readers included."""
    yield from (widget.windowTitle(), widget.toolTip(), widget.accessibleName())
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    elif isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    elif isinstance(widget, QGroupBox):
        yield widget.title()
    elif isinstance(widget, QComboBox):
        yield from (widget.itemText(at) for at in range(widget.count()))
    elif isinstance(widget, QTabBar):
        yield from (widget.tabText(at) for at in range(widget.count()))
    elif isinstance(widget, QTreeWidget):
        header = widget.headerItem()
        yield from (header.text(column) for column in range(widget.columnCount()))
    elif isinstance(widget, QPlainTextEdit):
        yield widget.placeholderText()
    elif isinstance(widget, QMenu):
        yield widget.title()
    for action in widget.actions():
        yield from (action.text(), action.iconText())


def plain(text: str) -> str:
    """Return a text without markup and the marks of keys."""
    return re.sub(r"<[^>]*>", "", text).replace("&&", "&").strip()


def untranslated(window: QWidget, known: set[str]) -> set[str]:
    """Return what is seen in a window and has not gone through the function."""
    found = set()
    for widget in [window, *window.findChildren(QWidget)]:
        for text in map(plain, texts_of(widget)):
            is_said = "[" in text or not re.search(r"[A-Za-z]{3,}", text)
            is_data = text in known | DATA | QT_OWN or NAMES.match(text)
            is_prediction = any(f"{name} " in text and "%" in text for name in known)
            if not (is_said or is_data or is_prediction):
                found.add(f"{type(widget).__name__}: {text[:80]}")
    return found


def test_no_text_bypasses_the_function() -> None:
    found: set[str] = set()

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        names = {name for row in person.rows() for name in row.class_names}
        known = names | {row.name for row in person.rows()}
        for tab in ("maps", "block", "evidence", "compare", "table"):
            person.choose(f"inside_{tab}")
            yield lambda: not person.see(PhotoViewer).canvas._photo.isNull()
        found.update(untranslated(person.window, known))
        for name in DIALOGS:
            before = set(QApplication.topLevelWidgets())
            person.choose(name)
            yield lambda before=before: opened(before)
            for dialog in opened(before):
                found.update(f"{name}: {text}" for text in untranslated(dialog, known))
                dialog.close()
                dialog.deleteLater()
            yield lambda: True

    samples = [str(resources.path(f"samples/{name}")) for name in ("coffee.png", "china.jpg")]
    assert drive(samples, script) == 0
    assert sorted(found) == []


def opened(before: set[QWidget]) -> list[QWidget]:
    """Return the windows that have opened since."""
    return [
        top
        for top in QApplication.topLevelWidgets()
        if top not in before and top.isVisible() and not isinstance(top, QDockWidget | QAction)
    ]
