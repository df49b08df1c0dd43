"""Roboflow's _classes.csv: one in each set, beside its photos, with a column for each class."""

from __future__ import annotations

from pathlib import Path

from core.labels.formats.layouts import read_csv
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, unreadable
from core.language import tr

FILE = "_classes.csv"


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read the tables of all sets below a folder, or one of them.

    Raises:
        LabelsError: there are none, or one cannot be read.
    """
    files = [path] if path.is_file() else sorted(path.rglob(FILE))
    found = ReadLabels(folders=[path if path.is_dir() else path.parent])
    for file in files:
        one = read_csv(file, options)
        found.labels += [
            ReadLabel(str(file.parent / label.file.strip()), label.classes) for label in one.labels
        ]
        found.classes = list(dict.fromkeys([*found.classes, *one.classes]))
    if not files:
        raise unreadable(path, tr("it has no {file}", file=FILE))
    return found
