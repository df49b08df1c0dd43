"""Write the predictions to a file of the user's choice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from core.files import write_result
from core.inference.predictions import to_csv

if TYPE_CHECKING:
    from core.inference.predictions import Prediction

_TOP_K = 5
_ENDINGS = (".csv", ".json")


def ask_where_to_save(window: QWidget, folder: str) -> Path | None:
    """Return the file to write, or None where the user thought better of it."""
    translate = QCoreApplication.translate
    file, chosen = QFileDialog.getSaveFileName(
        window,
        translate("saving", "Save predictions"),
        str(Path(folder) / "predictions.csv"),
        translate("saving", "Table for spreadsheets (*.csv);;JSON (*.json)"),
    )
    if not file:
        return None
    path = Path(file)
    if path.suffix.lower() in _ENDINGS:
        return path
    return path.with_name(path.name + (".json" if "*.json" in chosen else ".csv"))


def save_predictions(predictions: Iterable[Prediction], path: Path) -> None:
    """Write predictions as CSV or, by the file's ending, as JSON.

    Raises:
        DroplensError: the file cannot be written; what stood there before still stands.
    """
    if path.suffix.lower() == ".json":
        content = json.dumps([one.to_json() for one in predictions], indent=1).encode()
    else:
        content = to_csv(predictions, top_k=_TOP_K)
    write_result(path, content)
