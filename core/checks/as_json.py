"""A check as JSON values."""

from __future__ import annotations

from core.checks.confidence import Confidence
from core.checks.figures import NAMES, ClassFigures, Figure, Report
from core.checks.several import SeveralReport
from core.values.spec import ModelSpec


def to_json(report: Report, spec: ModelSpec, failed: int, learnt: int) -> dict[str, object]:
    """Return the figures as JSON values.

    Args:
        report: of the photos that could be opened.
        spec: of the model.
        failed: photos that could not.
        learnt: photos that the model has learnt from.
    """
    answers = report.answers
    return {
        "photos": len(answers),
        "failed": failed,
        "learnt": learnt,
        "classes": list(report.names),
        "accuracy": report.accuracy.value,
        "interval": list(report.accuracy.interval),
        "top5": _value(report.top5),
        **{name: _value(report.others.get(name)) for name in NAMES},
        "intervals": {name: list(one.interval) for name, one in report.others.items()},
        "per_class": [_of_class(one) for one in report.classes],
        "confusion": report.confusion.tolist(),
        **Confidence.of(report, spec.outputs).to_json(),
        "model": _of_model(spec),
    }


def several_to_json(
    report: SeveralReport, spec: ModelSpec, failed: int, learnt: int
) -> dict[str, object]:
    """Return the figures where photos may have several classes; arguments as for ``to_json``."""
    return {
        "photos": len(report.shown),
        "failed": failed,
        "learnt": learnt,
        "classes": list(report.classes),
        "exact_match": report.exact_match.value,
        "interval": list(report.exact_match.interval),
        **{name: one.value for name, one in report.others.items()},
        "intervals": {name: list(one.interval) for name, one in report.others.items()},
        "per_class": [
            {**_of_class(one), "average_precision": precision}
            for one, precision in zip(report.per_class, report.average_precisions, strict=True)
        ],
        "model": _of_model(spec),
    }


def _of_model(spec: ModelSpec) -> dict[str, object]:
    return {
        "title": spec.title,
        "checkpoint": str(spec.checkpoint),
        "sha256": spec.sha256,
        "preprocessing": spec.preprocessing.to_json(),
    }


def _of_class(one: ClassFigures) -> dict[str, object]:
    return {
        "class_name": one.name,
        "precision": _value(one.precision),
        "recall": _value(one.recall),
        "recall_interval": None if one.recall is None else list(one.recall.interval),
        "f1": one.f1,
        "support": one.support,
    }


def _value(figure: Figure | None) -> float | None:
    return None if figure is None else figure.value
