"""A preprocessing in a few words, for buttons and tool tips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.language import tr

if TYPE_CHECKING:
    from core.images.preprocessing import Preprocessing


def in_words(preprocessing: Preprocessing) -> tuple[str, str]:
    """Return a preprocessing in short, and in a sentence for a tool tip."""
    resize, crop = preprocessing.resize, preprocessing.crop
    names = {"none": tr("not normalised"), "own": tr("own normalisation")}
    normalised = names.get(preprocessing.normalisation, preprocessing.normalisation)
    height, width = preprocessing.input_size
    sides = str(width) if width == height else f"{width}×{height}"
    if isinstance(resize, tuple):
        size = tr("Squashed to {sides}", sides=sides)
    elif resize is None:
        size = tr("Cut to {sides}", sides=sides)
    else:
        size = f"{resize} → {sides}"
    short = f"{size}, {normalised}"
    if crop is not None and isinstance(resize, int):
        size = tr(
            "The shorter side is scaled to {side} pixels, the middle {w}×{h} cut",
            side=resize,
            w=width,
            h=height,
        )
    upright = (
        tr("the photo upright") if preprocessing.apply_orientation else tr("the photo as stored")
    )
    clear = (
        tr("transparent parts over white")
        if preprocessing.transparency == "white"
        else tr("transparency dropped")
    )
    order = preprocessing.channel_order
    return short, f"{size}; {order}; {normalised}; {upright}; {clear}."
