"""A residual block: what goes in, both paths and their sum side by side at one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from core.inside.names import BlockName
from core.language import percent, tr
from core.models.families.blocks import Part
from gui.inside.picture_row import Captioned, PictureRow
from gui.inside.scrolling import scrolling
from gui.widgets.fields import NarrowBox
from gui.widgets.pictures import to_image
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.inside.lens import BlockOfPhoto
    from core.inside.residual_blocks import BlockInfo, ResidualBlock
    from core.inside.summary import LayerTable

_FLAT = 0.02
"""Share of the mean magnitude below which a mean over channels shows nothing."""

_NAMES = ("input", "residual", "shortcut", "sum", "output")


class BlockView(QWidget):
    """Chooses a block, and shows it as the mean of all channels or channel by channel."""

    block_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: BlockOfPhoto | None = None
        self._names: list[BlockName] = []
        self._steps_of: dict[str, set[str]] = {}
        self.choice = NarrowBox(8)
        self.choice.setAccessibleName(tr("Residual block"))
        self.channel = QSpinBox(minimum=-1, maximum=-1)
        self.channel.setSpecialValueText(tr("mean"))
        self.channel.setAccessibleName(tr("Channel"))
        self.channel.setMinimumWidth(76)
        self.pictures = PictureRow(5)
        self._facts = PlainLabel(wordWrap=True)
        self._steps = PlainLabel(wordWrap=True)
        for label in (self._facts, self._steps):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._steps.setProperty("muted", True)
        top = QHBoxLayout()
        top.addWidget(self.choice, 1)
        top.addWidget(PlainLabel(tr("Channel")))
        top.addWidget(self.channel)
        area = scrolling(self._facts, self.pictures, self._steps, margin_px=0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(area, 1)
        self.choice.currentIndexChanged.connect(self._ask)
        self.channel.valueChanged.connect(self._draw)
        self.clear()

    @property
    def name(self) -> BlockName | None:
        """Return the block that is chosen, with its part; None where there is none."""
        at = self.choice.currentIndex()
        return self._names[at] if 0 <= at < len(self._names) else None

    def set_table(self, table: LayerTable) -> None:
        """Offer the blocks of a network; one of the same name stays chosen."""
        before = self.name
        blocks = [info for info in table.blocks.values() if info.shortcut != "none"]
        self._names = [
            BlockName(info.name, part) for info in blocks for part in (Part.WHOLE, *info.parts)
        ]
        kinds = {info.name: info.kind for info in blocks}
        self._steps_of = {info.name: {step.layer for step in info.steps} for info in blocks}
        with QSignalBlocker(self.choice):
            self.choice.clear()
            for name in self._names:
                said = f"{name.layer} {name.part.value}".strip()
                self.choice.addItem(f"{said}  ·  {kinds[name.layer]}")
            self.choice.setCurrentIndex(self._names.index(before) if before in self._names else 0)
        self.clear()
        if not self._names:
            self._facts.setText(tr("Droplens finds no residual blocks in this network."))

    def forget(self) -> None:
        """Offer no blocks."""
        self._names = []
        with QSignalBlocker(self.choice):
            self.choice.clear()
        self.clear()

    def choose(self, layer: str) -> None:
        """Choose the block that a layer belongs to, if any."""
        inside = [
            at
            for at, name in enumerate(self._names)
            if f"{layer}.".startswith(f"{name.layer}.") or layer in self._steps_of[name.layer]
        ]
        if inside:
            longest = max(inside, key=lambda at: (len(self._names[at].layer), -at))
            self.choice.setCurrentIndex(longest)

    @Slot(object)
    def show_block(self, found: BlockOfPhoto) -> None:
        """Show both paths of the chosen block."""
        self._found = found
        channels = len(found.block.residual)
        self.channel.setMaximum(channels - 1)
        if self.channel.value() < 0 and _says_nothing(found.block.input):
            with QSignalBlocker(self.channel):
                self.channel.setValue(_strongest(found.block.residual))
        self._facts.setText(self._described(found.block))
        self._steps.setText(self._drawn(found.block.info))
        self._draw()

    def show_error(self, sentence: str) -> None:
        """Say why there is nothing."""
        self.clear()
        self._facts.setText(sentence)

    def clear(self) -> None:
        """Show no block."""
        self._found = None
        self.pictures.set_entries([])
        self._facts.setText(tr("Both paths of a block appear here."))
        self._steps.clear()

    @Slot()
    def _ask(self) -> None:
        self.channel.setValue(-1)
        self.block_chosen.emit()

    @Slot()
    def _draw(self) -> None:
        if self._found is None:
            return
        from core.inside.colouring import colour

        block, channel = self._found.block, self.channel.value()
        titles = {
            "input": tr("Input"),
            "residual": "F(x)",
            "shortcut": tr("Shortcut"),
            "sum": tr("Sum"),
            "output": tr("Output"),
        }
        maps = {}
        for name in _NAMES:
            values = getattr(block, name)
            known = 0 <= channel < len(values)
            maps[name] = values[channel] if known else values.mean(axis=0)
        low = min(float(one.min()) for one in maps.values())
        high = max(float(one.max()) for one in maps.values())
        entries = []
        for name, one in maps.items():
            line = f"{one.min():.3g} … {one.max():.3g}"
            picture = to_image(colour(one, "signed", low, high))
            entries.append(Captioned(picture, titles[name], line))
        self.pictures.set_entries(entries)

    def _described(self, block: ResidualBlock) -> str:
        info = block.info
        words = {
            "identity": tr("The shortcut is the input itself ({reason}).", reason=info.reason),
            "projection": tr("The shortcut is a projection: {reason}.", reason=info.reason),
        }
        channels, height, width = block.output.shape
        share = tr(
            "F(x) has {share} of the energy of the two paths. {c} channels of {h}×{w}; one scale "
            "for all, blue below zero, red above.",
            share=percent(block.residual_share),
            c=channels,
            h=height,
            w=width,
        )
        return f"{words.get(info.shortcut, '')} {share}"

    def _drawn(self, info: BlockInfo) -> str:
        lines = [tr("The residual path F(x):")]
        for step in info.steps:
            mark = "  ↓2" if step.stride == 2 else f"  ↓{step.stride}" if step.stride > 1 else ""
            lines.append(f"    {step.layer.removeprefix(info.name + '.')}:  {step.text}{mark}")
        return "\n".join(lines)


def _says_nothing(values: npt.NDArray[np.float32]) -> bool:
    """Return whether channels cancel out in their mean, as they do after a layer norm."""
    return float(abs(values.mean(axis=0)).mean()) < _FLAT * float(abs(values).mean())


def _strongest(values: npt.NDArray[np.float32]) -> int:
    """Return the channel with most energy."""
    return int((values**2).sum(axis=(1, 2)).argmax())
