"""Write feature maps and the layer table to files of the user's choice."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import write_result

if TYPE_CHECKING:
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from core.inside.summary import LayerTable


def export_maps(found: FeatureMapsOfPhoto, path: Path) -> None:
    """Write the grid as PNG, or the numbers as NPY, float32 of shape (C, h, w).

    Raises:
        DroplensError: it cannot be written; what stood there before still stands.
    """
    import numpy as np
    from PIL import Image

    from core.inside.rendering import grid

    content = io.BytesIO()
    if path.suffix.lower() == ".npy":
        np.save(content, found.maps.values, allow_pickle=False)
    else:
        Image.fromarray(grid(found.maps.values)).save(content, "PNG")
    write_result(path, content.getvalue())


def export_table(table: LayerTable, path: Path) -> None:
    """Write the layer table as CSV for spreadsheets.

    Raises:
        DroplensError: it cannot be written; what stood there before still stands.
    """
    from core.inside.summary import to_csv

    write_result(path, to_csv(table))
