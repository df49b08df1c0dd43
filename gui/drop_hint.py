"""Says over the window what will happen to what is dragged over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from core.images.kinds import Kind, kind_of
from core.language import tr, tr_n
from gui.widgets.plain_text import PlainLabel

_MOST_LOOKED_AT = 20
"""Of many that are dragged; a folder on the network takes its time to say that it is one."""


class DropHint(PlainLabel):
    """Stands in the middle of the window, above everything."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(parent=window, alignment=Qt.AlignmentFlag.AlignCenter)
        self._window = window
        self.setObjectName("dropHint")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_for(self, paths: Sequence[Path]) -> None:
        """Say what a drop of some paths would do."""
        self.setText(what_happens(paths))
        self.adjustSize()
        around = self._window.rect()
        self.move(around.center() - self.rect().center())
        self.raise_()
        self.show()


def what_happens(paths: Sequence[Path]) -> str:
    """Return in words what a drop of some paths would do."""
    kinds = Counter(kind_of(path) for path in paths[:_MOST_LOOKED_AT])
    if not kinds:
        return tr("Nothing there is a file on this computer")
    said = []
    if kinds[Kind.CHECKPOINT]:
        said.append(tr("Open the model"))
    if kinds[Kind.PROJECT]:
        said.append(tr("Open the project of labels"))
    if kinds[Kind.LABELS]:
        said.append(tr("Import labels"))
    photos = kinds[Kind.PHOTO] + max(0, len(paths) - _MOST_LOOKED_AT)
    if kinds[Kind.FOLDER]:
        said.append(tr("Add the photos of the folder"))
    elif photos:
        said.append(tr_n("Add {n} photo", "Add {n} photos", photos))
    return " · ".join(said)
