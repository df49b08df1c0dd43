"""What the benchmarks share: interleaved runs, medians, photos."""

from __future__ import annotations

import gc
import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from PIL import Image

import resources

_SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "imagenet_samples"
_TWELVE_MEGAPIXELS = (4000, 3000)


def medians(ways: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Return the median seconds of each way, run in turn so that noise meets all alike.

    The first round warms up and does not count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(runs + 1):
        for name, way in ways.items():
            gc.collect()
            begun = time.perf_counter()
            way()
            if number:
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def resident_bytes() -> int:
    """Return the memory of this process that is in use; on Linux alone."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def sample_photos() -> list[Path]:
    """Return a hundred photos: ImageNet's beside the project, else the shipped ones in turn."""
    found = sorted(_SAMPLES.glob("*.JPEG")) if _SAMPLES.is_dir() else []
    return found or list(itertools.islice(itertools.cycle(_shipped()), 100))


def make_large_photos(folder: Path) -> Iterator[Path]:
    """Yield each sample photo enlarged to 12 megapixels, as a camera's JPEG."""
    for number, path in enumerate(sample_photos()):
        made = folder / f"{number:03}.jpg"
        with Image.open(path) as image:
            size = _TWELVE_MEGAPIXELS
            upright = size if image.width >= image.height else size[::-1]
            large = image.convert("RGB").resize(upright, Image.Resampling.BICUBIC)
        large.save(made, quality=90)
        yield made


def table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Return rows as a table of text."""
    cells = [header, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _shipped() -> list[Path]:
    folder = resources.path("samples")
    return sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))
