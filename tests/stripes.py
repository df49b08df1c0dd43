"""Photos of two classes that any network tells apart: stripes that lie, and stripes that stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("lying", "standing")


def write_stripes(root: Path, photos: int) -> Path:
    """Fill a folder with a folder for each class, so many photos in each."""
    random = np.random.default_rng(0)
    for axis, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for number in range(photos):
            along = np.arange(240) // int(random.integers(8, 20)) % 2
            pixels = np.repeat(along[:, None] if axis == 0 else along[None], 240, 1 - axis)
            colours = random.integers(0, 256, (2, 3), np.uint8)
            Image.fromarray(colours[pixels]).save(root / name / f"{name} {number}.png")
    return root
