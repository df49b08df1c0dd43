"""The panel of teaching: how far the labels have come, and what helps most now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from core.language import tr
from gui.widgets.plain_text import PlainLabel

FEW = 6
"""Photos of a class, below which one may as well guess."""

_MOST_NAMED = 5


class TeachPanel(QWidget):
    """Says what has been learnt, which classes lack photos, and offers the steps to a model."""

    def __init__(self) -> None:
        super().__init__()
        self._heading = PlainLabel(tr("A model of your own classes"))
        self._heading.setProperty("heading", True)
        self._heading.setWordWrap(True)
        self._said = PlainLabel(wordWrap=True)
        self._few = PlainLabel(wordWrap=True)
        self._few.setProperty("muted", True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(14, 12, 14, 12)
        self._layout.setSpacing(10)
        for widget in (self._heading, self._said, self._few):
            self._layout.addWidget(widget)
        self.show_counts({})

    def offer(self, actions: Iterable[QAction], wanted: QAction) -> None:
        """Offer what can be done, from the first step to the last, and whether to learn at all."""
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setText(f"   {action.text().replace('&', '')}")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setProperty("framed", True)
            self._layout.addWidget(button)
        box = QCheckBox(wanted.text().replace("&", ""))
        box.setChecked(wanted.isChecked())
        box.toggled.connect(wanted.setChecked)
        wanted.toggled.connect(box.setChecked)
        self._layout.addWidget(box)
        self._layout.addStretch()

    def show_counts(self, counts: Mapping[str, int], learnt: str = "", knows: str = "") -> None:
        """Show how far the labels have come.

        Args:
            counts: labelled photos by the names of the classes.
            learnt: what has been learnt of them, in a sentence; "" for nothing.
            knows: the model in use, where it has these classes itself.
        """
        if counts and knows and not learnt:
            learnt = tr(
                "{title} knows these classes already, so the proposals are its own. Teach a model "
                "anew to take in labels that are new.",
                title=knows,
            )
        few = [name for name, count in counts.items() if count < FEW]
        self._few.setVisible(bool(counts) and bool(few))
        named = ", ".join(f"{name} ({counts[name]})" for name in few[:_MOST_NAMED])
        if len(few) > _MOST_NAMED:
            named += ", …"
        self._few.setText(tr("Label more of {names}.", names=named))
        self._said.setText(
            learnt
            or tr(
                "Drag photos on a class, or press its key. From three photos of each of two "
                "classes on, the proposals are learnt from your labels."
            )
        )
