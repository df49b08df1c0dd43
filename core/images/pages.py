"""Makes a photo of each page, or picture of an animation, so that each can have a label."""

from __future__ import annotations

from pathlib import Path

from core.errors import DroplensError, UnreadableImageError, cannot_write
from core.files import replacing
from core.images import colours
from core.images.decoding import stored_photo
from core.images.turning import turned
from core.language import tr

_KEPT_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B")
"""Those that a PNG holds as they are."""


def save_pages(path: Path) -> list[Path]:
    """Write each page of a file as a PNG into a folder beside it; what is there already stays.

    Returns:
        The photos, in order.

    Raises:
        UnreadableImageError: a page could not be read.
        DroplensError: its photo could not be written.
    """
    folder = path.with_name(f"{path.name} pages")
    with stored_photo(path, may_be_partial=True) as first:
        frames = first.frames
    width = len(str(frames))
    made = []
    for frame in range(frames):
        target = folder / f"{path.stem} page {frame + 1:0{width}}.png"
        if not target.exists():
            _save(path, frame, target)
        made.append(target)
    return made


def _save(path: Path, frame: int, target: Path) -> None:
    with stored_photo(path, frame=frame, may_be_partial=True) as stored:
        if stored.damage is not None:
            raise UnreadableImageError(
                path, tr("on page {frame}, {damage}", frame=frame + 1, damage=stored.damage)
            )
        image = turned(stored.image, stored.orientation)
        profile = stored.image.info.get("icc_profile")
        if image.mode not in _KEPT_MODES:
            image, profile = colours.plain_rgb(image, "dropped"), None
        try:
            target.parent.mkdir(exist_ok=True)
            with replacing(target) as temporary:
                image.save(temporary, "PNG", icc_profile=profile)
        except OSError as error:
            raise DroplensError(cannot_write(target, error)) from error
