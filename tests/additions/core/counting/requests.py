"""What can be asked about the number of photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.work.requests import Request


@dataclass(frozen=True)
class CountPhotos(Request[None, int]):
    lane = "search"
    photos: tuple[Path, ...]

    def run(self, _: None) -> int:
        return len(self.photos)
