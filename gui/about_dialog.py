"""Help, “About”: what this is, and the licences of everything in it."""

from __future__ import annotations

from importlib.metadata import version

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPlainTextEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.language import tr
from core.licences import all_licences
from gui import theme
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel, RichLabel, literal


class AboutDialog(QDialog):
    """A list of parts; the licence of the one that is chosen stands beside it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About Droplens"))
        resize_within_screen(self, 860, 600)
        picture = PlainLabel()
        picture.setPixmap(theme.app_icon().pixmap(56, 56))
        picture.setAccessibleName("Droplens")
        said = RichLabel(
            tr(
                "<b>Droplens {version}</b><br>See what an image classifier says, and what it sees. "
                "MIT licence.<br>Built on PyTorch {torch}, torchvision, Qt for Python and Pillow.",
                version=version("droplens"),
                torch=version("torch"),
            )
        )
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(picture)
        head.addWidget(said, 1)
        self._licences = all_licences()
        self._list = QTreeWidget()
        self._list.setHeaderLabels([tr("Part"), tr("Licence")])
        self._list.setRootIsDecorated(False)
        self._list.setAccessibleName(tr("Licences of all parts"))
        for one in self._licences:
            item = QTreeWidgetItem([one.name, one.licence])
            item.setToolTip(1, literal(one.licence))
            self._list.addTopLevelItem(item)
        self._list.resizeColumnToContents(0)
        self._text = QPlainTextEdit(readOnly=True, tabChangesFocus=True)
        self._text.setAccessibleName(tr("Text of the licence"))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self._list)
        split.addWidget(self._text)
        split.setSizes([360, 460])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(12)
        layout.addLayout(head)
        layout.addWidget(split, 1)
        layout.addWidget(buttons)
        self._list.currentItemChanged.connect(self._show)
        self._list.setCurrentIndex(self._list.model().index(0, 0))

    @Slot()
    def _show(self) -> None:
        chosen = self._licences[self._list.currentIndex().row()]
        none = tr("This part brings no text of its own; see its project's page.")
        self._text.setPlainText(chosen.text or none)
