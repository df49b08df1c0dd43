"""The network as a drawing, with what can be done with it around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from core.language import tr
from gui import theme
from gui.inside.network_pair import NetworkPair
from gui.inside.network_play import NetworkPlay
from gui.inside.tour_bar import TourBar
from gui.widgets.plain_text import PlainLabel, literal
from gui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from core.inside.page import Stage
    from core.inside.summary import LayerTable
    from core.inside.tours import Stop


class NetworkView(QWidget):
    """Draws a network once; other photos change its pictures alone.

    Attributes:
        layer_chosen: called with the name and the call of a layer that is chosen.
        other_chosen: called when a box is chosen that has no maps of its own.
        redrawn: called when the network was drawn anew.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layer_chosen: Callable[[str, int], None] = lambda _, __: None
        self.other_chosen: Callable[[], None] = lambda: None
        self.redrawn: Callable[[], None] = lambda: None
        self._table: LayerTable | None = None
        self.pair = NetworkPair()
        self.canvas = self.pair.first
        self.canvas.chosen = self._tell
        self.pair.second.chosen = self._choose_beside
        self.canvas.needs_drawing = self._draw_again
        self.search = SearchField(tr("Search layers"), tr("Search layers"))
        self.search.setMinimumWidth(90)
        self.search.setMaximumWidth(240)
        self._whole = self._button("maximize", tr("Whole network"), self._show_whole)
        self._back = self._button("undo-2", tr("Back to where you looked before"), self._go_back)
        self._nearer = self._button("zoom-in", tr("Nearer"), self._come_nearer)
        self._farther = self._button("zoom-out", tr("Farther"), self._go_farther)
        self._facts = PlainLabel(wordWrap=True)
        self._facts.setProperty("muted", True)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts.setAccessibleName(tr("What is known of the layer"))
        self._facts.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._facts.setMinimumHeight(3 * self._facts.fontMetrics().lineSpacing() + 4)
        self._answer = ""
        self._is_typed = False
        self.play = NetworkPlay(self.canvas, self._say)
        self.tour = TourBar()
        self.tour.went = self._go_to
        self.tour.ended = self._end_tour
        self._tour_of: Callable[[], tuple[Stop, ...]] = lambda: ()
        self._lay_out()
        self.search.textChanged.connect(self._search)
        self.search.left.connect(self._search_on)
        self.search.installEventFilter(self)
        self.clear()

    def _lay_out(self) -> None:
        self.bar = QHBoxLayout()
        self.bar.setContentsMargins(8, 4, 8, 0)
        self.bar.setSpacing(4)
        self.bar.addWidget(self.search, 1)
        self.bar.addStretch()
        self.tour_button = QPushButton(tr("Tour"))
        self.tour_button.setProperty("small", True)
        self.tour_button.setToolTip(literal(tr("What does the network see? Seven steps")))
        self.tour_button.clicked.connect(self.tour_network)
        self.menu = QPushButton(tr("More"))
        self.menu.setProperty("small", True)
        self.menu.setToolTip(literal(tr("Tours, play, two photos, files")))
        self.bar.addWidget(self.tour_button)
        self.bar.addWidget(self.menu)
        for button in (self._back, self._farther, self._nearer, self._whole):
            self.bar.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(self.bar)
        layout.addWidget(self.pair, 1)
        layout.addWidget(self.tour)
        layout.addWidget(self._facts)
        self._facts.setContentsMargins(8, 0, 8, 2)

    def set_table(self, table: LayerTable) -> None:
        """Show a network, or another photo's pass through the same one."""
        is_other = self._table is None or table.flow != self._table.flow
        self._table = table
        if not table.flow.steps:
            self.show_error(tr("The way of the data through this network is not known."))
        elif is_other:
            self._draw(is_other=True)
        else:
            self._show_pictures()

    def choose(self, layer: str, call: int, *, goes_there: bool = True) -> None:
        """Mark a layer that was chosen elsewhere, and bring it into sight."""
        drawing = self.canvas.drawing
        at = None if drawing is None else drawing.place_of(layer, max(1, call))
        if at is not None and at != self.canvas.marks.chosen:
            self.canvas.choose(at, goes_there=goes_there)
            self._say(at)

    def show_beside(self, table: LayerTable, names: tuple[str, str], answer: str) -> None:
        """Show another photo's pass through the same network beside the first.

        Args:
            table: of its pass.
            names: of both photos.
            answer: what the model says of it.
        """
        painter = self.canvas.painter
        if painter is None or self._table is None or table.flow != self._table.flow:
            return
        from gui.inside.network_painter import NetworkPainter
        from gui.inside.network_pictures import NetworkPictures
        from gui.inside.network_words import NetworkWords

        words = NetworkWords(table, painter.drawing)
        words.set_answer(answer)
        beside = NetworkPainter(painter.drawing, words, NetworkPictures(table))
        beside.opened = painter.opened
        self.pair.show_two(beside, names)

    def show_error(self, sentence: str) -> None:
        """Say why there is no drawing."""
        self.clear()
        self._facts.setText(sentence)

    def clear(self) -> None:
        """Show no network."""
        self._table, self._answer = None, ""
        self.tour.end()
        self.play.stop()
        self.pair.show_one()
        self.canvas.show_drawing(None, is_other=True)
        self._facts.setText(tr("The network is drawn here once a model and a photo are there."))

    def wait(self) -> None:
        """Say that the network is being looked into, where there is no drawing yet."""
        if self.canvas.drawing is None:
            self._facts.setText(tr("Looking into the network…"))

    def set_answer(self, answer: str) -> None:
        """Say in the drawing what the model says of the photo; "" where it says nothing."""
        if answer == self._answer:
            return
        self._answer = answer
        painter = self.canvas.painter
        if painter is not None:
            painter.words.set_answer(answer)
            self.canvas.viewport().update()
            self.tour.begin_again(self._tour_of())

    def clear_pictures(self) -> None:
        """Show the network without a photo."""
        if self._table is not None and self.canvas.painter is not None:
            self.set_answer("")
            self._table = replace(self._table, strengths=None, seen=None, photo=None)
            self._show_pictures()

    def tour_network(self) -> None:
        """Lead from the pixels to the class."""
        self._begin_tour(self._stops_of_network)

    def tour_block(self) -> None:
        """Lead through a residual block: the chosen one, else the first that shows it well."""
        from core.inside.tours import first_block

        drawing = self.canvas.drawing
        if self._table is None or drawing is None:
            return
        name = self._chosen_block() or first_block(self._table, drawing) or ""
        self._begin_tour(partial(self._stops_of_block, name))

    @property
    def table(self) -> LayerTable | None:
        """Return the pass that is drawn."""
        return self._table

    def stages(self) -> tuple[Stage, ...]:
        """Return the parts of the network that stand side by side in the drawing."""
        from core.inside.page import Stage

        painter = self.canvas.painter
        if painter is None:
            return ()
        boxes, words = painter.drawing.boxes, painter.words
        return tuple(
            Stage(words.lines(at)[0], words.lines(at)[1], boxes[at].step, boxes[at].shape)
            for at in boxes[0].children
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let Down go from the search to what was found."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() == Qt.Key.Key_Down
        ):
            self.canvas.setFocus()
            return True
        return super().eventFilter(watched, event)

    def _draw(self, *, is_other: bool) -> None:
        from core.inside.drawing import draw
        from gui.inside.network_painter import NetworkPainter
        from gui.inside.network_pictures import NetworkPictures
        from gui.inside.network_words import NetworkWords

        assert self._table is not None
        chosen = self._chosen_layer()
        drawing = draw(self._table, self.canvas.aspect)
        words, pictures = NetworkWords(self._table, drawing), NetworkPictures(self._table)
        words.set_answer(self._answer)
        painter = NetworkPainter(drawing, words, pictures)
        self.play.stop()
        if is_other:
            self.pair.show_one()
        self.canvas.show_drawing(painter, is_other=True)
        at = None if chosen is None else drawing.place_of(*chosen)
        if at is not None and not is_other:
            self.canvas.choose(at)
        self._say(at or 0)
        if is_other:
            self.tour.end()
        else:
            self.tour.begin_again(self._tour_of())
        self.redrawn()

    def _draw_again(self) -> None:
        if self._table is not None:
            self._draw(is_other=False)

    def _show_pictures(self) -> None:
        from gui.inside.network_pictures import NetworkPictures

        painter = self.canvas.painter
        assert painter is not None
        painter.pictures = NetworkPictures(self._table)
        self.canvas.viewport().update()
        self.tour.begin_again(self._tour_of())

    def _chosen_layer(self) -> tuple[str, int] | None:
        drawing, at = self.canvas.drawing, self.canvas.marks.chosen
        if drawing is None or at is None:
            return None
        return drawing.boxes[at].name, drawing.boxes[at].call

    def _choose_beside(self, at: int) -> None:
        self.canvas.choose(at)
        self._tell(at)

    def _tell(self, at: int) -> None:
        self.pair.update_marks()
        self._say(at)
        painter = self.canvas.painter
        layer = None if painter is None else painter.words.layer(at)
        if layer is not None and layer.shape is not None:
            self.layer_chosen(layer.name, layer.call)
        else:
            self.other_chosen()

    def _say(self, at: int) -> None:
        painter = self.canvas.painter
        if painter is not None:
            shares = painter.pictures.shares_of(painter.drawing.boxes[at].step)
            self._facts.setText(painter.words.details(at, shares))

    # Tours

    def _begin_tour(self, stops_of: Callable[[], tuple[Stop, ...]]) -> None:
        self.tour.end()
        self.play.stop()
        stops = stops_of()
        if not stops:
            self._facts.setText(tr("The drawing of this network has nothing to lead you through."))
            return
        self._tour_of = stops_of
        self._facts.hide()
        self.tour.begin(stops)

    def _go_to(self, at: int) -> None:
        self.canvas.choose(at, comes_near=True)
        self._tell(at)

    def _end_tour(self) -> None:
        self._facts.show()
        self.canvas.choose(None)
        self.canvas.show_box(0)
        self._say(0)

    def _stops_of_network(self) -> tuple[Stop, ...]:
        from core.inside.tours import tour_of_network

        drawing = self.canvas.drawing
        if self._table is None or drawing is None:
            return ()
        return tour_of_network(self._table, drawing, self._answer)

    def _stops_of_block(self, name: str) -> tuple[Stop, ...]:
        from core.inside.tours import tour_of_block

        drawing = self.canvas.drawing
        if self._table is None or drawing is None:
            return ()
        return tour_of_block(self._table, drawing, name)

    def _chosen_block(self) -> str | None:
        """Return the residual block in which the chosen box lies."""
        drawing, at = self.canvas.drawing, self.canvas.marks.chosen
        assert drawing is not None
        assert self._table is not None
        while at:
            name = drawing.boxes[at].name
            if name in self._table.blocks and self._table.blocks[name].shortcut != "none":
                return name
            at = drawing.boxes[at].parent
        return None

    # Search

    @Slot(str)
    def _search(self, text: str) -> None:
        self._is_typed = True
        found = self._fitting(text)
        if found:
            self.canvas.choose(found[0], comes_near=True)
            self._tell(found[0])
        elif text.strip():
            self._facts.setText(tr("No layer is called “{text}”.", text=text.strip()))

    @Slot()
    def _search_on(self) -> None:
        """Stay at the first that fits, where one has just typed; else go to the next."""
        found = self._fitting(self.search.text())
        if not found:
            return
        if self._is_typed:
            self._is_typed = False
            return
        chosen = self.canvas.marks.chosen
        later = [at for at in found if chosen is not None and at > chosen]
        at = later[0] if later else found[0]
        self.canvas.choose(at, comes_near=True)
        self._tell(at)

    def _fitting(self, text: str) -> list[int]:
        drawing, words = self.canvas.drawing, text.casefold().split()
        if drawing is None or not words:
            return []
        boxes = list(enumerate(drawing.boxes))[1:]
        named = [at for at, box in boxes if all(word in box.name.casefold() for word in words)]
        return named or [
            at
            for at, box in boxes
            if all(word in f"{box.name} {box.kind}".casefold() for word in words)
        ]

    # Buttons

    def _show_whole(self) -> None:
        self.canvas.show_box(0)

    def _go_back(self) -> None:
        self.canvas.go_back()

    def _come_nearer(self) -> None:
        self.canvas.zoom(1.6, self.canvas.place_of_chosen())

    def _go_farther(self) -> None:
        self.canvas.zoom(1 / 1.6, self.canvas.place_of_chosen())

    def _button(self, icon: str, name: str, do: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setAccessibleName(name)
        button.setToolTip(literal(name))
        theme.set_icon(button, icon)
        button.clicked.connect(do)
        return button
