"""What a photo's file says of it, for people who ask."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from core.errors import UnreadableImageError
from core.files import readable
from core.images.camera_notes import CameraNotes, camera_notes
from core.images.decoding import stored_photo
from core.images.turning import Size
from core.language import number, tr

_SIDE = 64
"""Pixels to which a JPEG is shrunk while it is decoded: its pixels are not shown."""


def details_of(path: Path) -> list[tuple[str, str]]:
    """Return captions and values; of a file that cannot be decoded what is known without.

    Raises:
        OSError: the file is not there.
    """
    found = path.stat()
    changed = datetime.datetime.fromtimestamp(found.st_mtime)
    rows = [
        (tr("File"), readable(path.name)),
        (tr("Folder"), readable(str(path.parent))),
        (tr("Size of the file"), tr("{n} bytes", n=number(found.st_size))),
        (tr("Changed"), _said(changed)),
    ]
    sizes: list[Size] = []

    def least_size(size: Size) -> Size:
        sizes.append(size)
        return _SIDE, _SIDE

    try:
        with stored_photo(path, least_size=least_size, may_be_partial=True) as stored:
            notes, kind = camera_notes(stored.image), stored.image.format or ""
            size = sizes[0] if sizes else stored.size
    except UnreadableImageError as error:
        return [*rows, (tr("Photo"), str(error))]
    width, height = size
    rows.append((tr("Photo"), f"{width} × {height} {kind}".strip()))
    return rows + list(_of_camera(notes))


def _of_camera(notes: CameraNotes) -> Iterator[tuple[str, str]]:
    taken = _said(notes.taken_at) if notes.taken_at is not None else notes.taken
    said = {
        tr("Taken"): taken,
        tr("Camera"): notes.camera,
        tr("Lens"): notes.lens,
        tr("Exposure"): notes.exposure,
        tr("Place"): notes.place,
        tr("Description"): notes.description,
        tr("By"): notes.author,
    }
    for caption in (tr("Taken"), tr("Camera"), tr("Place")):  # asked for most, so never missing
        said[caption] = said[caption] or tr("not stored in the photo")
    return ((caption, value) for caption, value in said.items() if value)


def _said(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
