"""ResNet's two kinds of residual block, each as a drawing, one click apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTabBar, QVBoxLayout, QWidget

from core.language import tr
from core.models.families.resnet import told_of_blocks
from gui.inside.network_canvas import NetworkCanvas
from gui.inside.network_painter import NetworkPainter
from gui.inside.network_pictures import NetworkPictures
from gui.inside.network_words import NetworkWords
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.inside.summary import LayerTable


class BlockKindsDialog(QDialog):
    """Shows one of the two; the keys walk through its layers."""

    def __init__(
        self, tables: tuple[LayerTable, LayerTable], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("BasicBlock and Bottleneck"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._tables = tables
        self._told = told_of_blocks()
        self.kinds = QTabBar(drawBase=False, expanding=False)
        self.kinds.setAccessibleName(tr("Kind of block"))
        for kind, _ in self._told:
            self.kinds.addTab(kind)
        self.canvas = NetworkCanvas()
        self.canvas.setAccessibleName(tr("The block as a drawing"))
        self.canvas.chosen = self._say
        self._facts = PlainLabel(wordWrap=True)
        self._facts.setMinimumHeight(60)
        self._facts.setAlignment(Qt.AlignmentFlag.AlignTop)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.kinds)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self._facts)
        layout.addWidget(buttons)
        self.kinds.currentChanged.connect(self._draw)
        resize_within_screen(self, 1280, 520)
        QTimer.singleShot(0, self, self._draw)

    @Slot()
    def _draw(self) -> None:
        from core.inside.drawing import draw

        at = self.kinds.currentIndex()
        table = self._tables[at]
        drawing = draw(table, self.canvas.aspect)
        words = NetworkWords(table, drawing)
        self.canvas.show_drawing(
            NetworkPainter(drawing, words, NetworkPictures(None)), is_other=True
        )
        block = next((at for at, box in enumerate(drawing.boxes) if box.role == "group"), 0)
        self.canvas.show_box(block)
        self._facts.setText(self._told[at][1])

    def _say(self, at: int) -> None:
        painter = self.canvas.painter
        if painter is not None:
            self._facts.setText(painter.words.details(at))
