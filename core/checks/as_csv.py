"""A check as a table."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from core.checks.calibration import conformal_sets, conformal_threshold
from core.csv_cells import Writer

if TYPE_CHECKING:
    from core.checks.requests import Checked, CheckedSeveral

_COVERED = 0.95


def to_csv(checked: Checked) -> bytes:
    """Return a row for each photo."""
    answers = checked.report.answers
    text = io.StringIO(newline="")
    writer = Writer(text)
    writer.write(
        (
            *("image", "label", "prediction", "probability", "probability_of_label", "right"),
            "classes_that_cover_95",
        )
    )
    sets = conformal_sets(answers, conformal_threshold(answers, _COVERED))
    predicted = answers.predicted.tolist()
    for at, photo in enumerate(checked.photos):
        label = int(answers.labels[at])
        writer.write(
            [
                str(photo),
                answers.classes[label],
                answers.classes[predicted[at]],
                f"{answers.shares[at, predicted[at]]:.6f}",
                f"{answers.shares[at, label]:.6f}",
                int(label == predicted[at]),
                " | ".join(answers.classes[one] for one in sets[at].tolist()),
            ]
        )
    return text.getvalue().encode("utf-8-sig", "surrogateescape")


def several_to_csv(checked: CheckedSeveral) -> bytes:
    """Return a row for each photo and class."""
    report = checked.report
    text = io.StringIO(newline="")
    writer = Writer(text)
    writer.write(("image", "class", "label", "probability"))
    for at, photo in enumerate(checked.photos):
        for number_, name in enumerate(report.classes):
            probability = f"{report.shares[at, number_]:.6f}"
            writer.write([str(photo), name, int(report.shown[at, number_]), probability])
    return text.getvalue().encode("utf-8-sig", "surrogateescape")
