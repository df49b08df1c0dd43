"""What the model says of a photo, in few words for the drawing of its network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gui.session import Session


def answer_of(session: Session, photo: Path | None) -> str:
    """Return the likeliest class with its probability, e.g. "tench 87%".

    It is "" where there is none yet, or where it is not of the network's own classes but learnt
    from labels.
    """
    row = None if photo is None else session.photos.row(photo)
    top = () if row is None or row.prediction is None else row.prediction.top
    if not top or session.taught is not None:
        return ""
    return f"{top[0].class_name} {top[0].figure(0)}"
