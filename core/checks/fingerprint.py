"""What a report was made of, so that two can be told apart."""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING

from core.language import tr

if TYPE_CHECKING:
    from core.checks.requests import Checked


def fingerprint_of(checked: Checked) -> str:
    """Return the SHA-256 of names, sizes and labels of the photos, whatever their order.

    Their contents are not read: of 10,000 photos that would take minutes.
    """
    answers = checked.report.answers
    lines = []
    for photo, label in zip(checked.photos, answers.labels.tolist(), strict=True):
        try:
            size = photo.stat().st_size
        except OSError:  # away by now
            size = -1
        lines.append(f"{photo.name}\0{size}\0{answers.classes[label]}")
    joined = "\n".join(sorted(lines)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()


def sentence_of(checked: Checked) -> str:
    """Return what a report was made of, and when, in words."""
    return tr(
        "Made on {date} of photos whose names, sizes and labels have the SHA-256 {fingerprint}.",
        date=datetime.date.today().isoformat(),
        fingerprint=fingerprint_of(checked),
    )
