"""Asks what classes of the model mean that the project does not have, before a label is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QVBoxLayout,
    QWidget,
)

from core.language import tr, tr_n
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel
from gui.widgets.scroll_area import ScrollArea

_MOST_ASKED = 20
_NEW, _NONE = "new", "none"


class MeaningDialog(QDialog):
    """A row for each class, with what it may mean; the rest of very many is settled together.

    Args:
        counts: photos by the class that the model proposes, which the project does not have.
        classes: names of the project's.
        parent: the window.
    """

    def __init__(self, counts: Mapping[str, int], classes: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("What does the model mean?"))
        ordered = sorted(counts, key=lambda name: (-counts[name], name))
        self._asked, self._rest = ordered[:_MOST_ASKED], ordered[_MOST_ASKED:]
        about = PlainLabel(
            tr("Your classes lack what the model proposes. Say once what it means to you."),
            wordWrap=True,
        )
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        self._boxes: dict[str, QComboBox] = {}
        for name in self._asked:
            photos = tr_n("{name}, {n} photo", "{name}, {n} photos", counts[name], name=name)
            self._boxes[name] = _choices(name, classes)
            self._boxes[name].setAccessibleName(tr("What {name} means", name=name))
            form.addRow(PlainLabel(photos), self._boxes[name])
        if self._rest:
            self._others = _choices("", classes)
            self._others.setAccessibleName(tr("What all others mean"))
            form.addRow(PlainLabel(tr("{n} other classes", n=len(self._rest))), self._others)
        self._adds = QCheckBox(tr("Add the model’s other classes from now on without asking"))
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        agree = buttons.button(kinds.Ok)
        agree.setAutoDefault(False)
        agree.setDefault(False)  # Return, pressed once too often, would settle it unread
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        inside = QWidget()
        inside.setLayout(form)
        area = ScrollArea(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        for widget in (about, area, self._adds, buttons):
            layout.addWidget(widget)
        resize_within_screen(self, 460, min(420, 190 + 38 * form.rowCount()))

    @property
    def adds_all(self) -> bool:
        """Return whether further classes of the model are to become the project's unasked."""
        return self._adds.isChecked()

    @property
    def given(self) -> dict[str, str]:
        """Return what each class means; "" for none, and nothing of those that become new ones."""
        boxes = dict(self._boxes)
        boxes.update({name: self._others for name in self._rest})
        found = {}
        for name, box in boxes.items():
            kind = box.currentData()
            if kind != _NEW:
                found[name] = "" if kind == _NONE else box.currentText()
        return found


def _choices(name: str, classes: Sequence[str]) -> QComboBox:
    """Return what a class may mean, the likeliest chosen: one of the project's within its name."""
    box = QComboBox()
    box.addItem(tr("none of my classes"), _NONE)
    box.addItem(tr("a new class, {name}", name=name) if name else tr("new classes"), _NEW)
    for one in classes:
        box.addItem(one)
    words = set(name.casefold().split())
    near = [one for one in classes if set(one.casefold().split()) <= words]
    box.setCurrentIndex(box.findText(near[0]) if near else 0)
    return box
