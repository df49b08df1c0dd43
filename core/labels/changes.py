"""What is asked of the label store, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.labels.classes import ClassList, Labels

if TYPE_CHECKING:
    from core.values.predictions import Prediction


@dataclass(frozen=True)
class Labelling:
    """A label to be given.

    Attributes:
        path: the photo.
        classes: its whole label from now on; empty takes the label away.
        seen: the prediction that the person saw beside it.
    """

    path: Path
    classes: Labels
    seen: Prediction | None = None


@dataclass(frozen=True)
class Change:
    """What is new in a project, on the disk already.

    Attributes:
        labels: file → its label now, as ``ClassList.resolve`` takes it.
        classes: the classes as they are now.
        undo: kind of the step that ``undo`` would take back, "" where there is none.
        redo: kind of the step that ``redo`` would do again, likewise.
        today: photos that were labelled today.
    """

    labels: Mapping[str, Labels]
    classes: ClassList
    undo: str
    redo: str
    today: int = 0
