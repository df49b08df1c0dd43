"""Figures of a check as pictures (SVG) that stand alone."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from core.checks.calibration import BINS, Bin, reliability, risk_by_coverage
from core.checks.figures import Report
from core.language import number, percent, tr

XMLNS = ' xmlns="http://www.w3.org/2000/svg"'
"""What a picture needs that is a file of its own, and not within a page."""

_SIDE = 260
_FEW = 10
_MOST_POINTS = 200
_CELL, _NAME = 44, 120
_BLUE = "#3d7eff"
_FRAME = 'fill="none" stroke="#888" stroke-opacity="0.5"'
_LONGEST_NAME = 18


def plots(report: Report) -> dict[str, str]:
    """Return the pictures by their names: "reliability", "risk" and "confusion"."""
    return {
        "reliability": reliability_plot(reliability(report.answers)),
        "risk": risk_plot(report),
        "confusion": confusion_plot(report),
    }


def reliability_plot(bins: Sequence[Bin]) -> str:
    """Return the share that is right at each probability; on the diagonal as it is promised."""
    width = _SIDE / BINS
    bars = [
        f'<rect x="{at * width + 1:.1f}" y="{_SIDE * (1 - one.accuracy):.1f}" '
        f'width="{width - 2:.1f}" height="{_SIDE * one.accuracy:.1f}" fill="{_BLUE}" '
        f'fill-opacity="{0.25 if one.photos < _FEW else 0.8}"/>'
        for at, one in enumerate(bins)
        if one.photos
    ]
    line = (
        f'<line x1="0" y1="{_SIDE}" x2="{_SIDE}" y2="0" stroke="currentColor" '
        'stroke-dasharray="4 4"/>'
    )
    said = tr("share that is right, by probability; pale bars have fewer than 10 photos")
    return _square("".join(bars) + line, said, percent(1.0))


def risk_plot(report: Report) -> str:
    """Return the share that is wrong among the surest photos, by how many these are."""
    coverage, risk, _ = risk_by_coverage(report.answers)
    at = np.unique(np.linspace(0, len(risk) - 1, min(len(risk), _MOST_POINTS)).astype(np.int64))
    most = max(0.01, float(risk[at].max()))
    points = " ".join(
        f"{coverage[one] * _SIDE:.1f},{_SIDE * (1 - risk[one] / most):.1f}" for one in at.tolist()
    )
    line = f'<polyline points="{points}" fill="none" stroke="{_BLUE}" stroke-width="2"/>'
    said = tr("share that is wrong among the surest photos, by how many these are")
    return _square(line, said, percent(most, 1))


def confusion_plot(report: Report) -> str:
    """Return the confusion matrix: labels in rows, predictions in columns."""
    names, cells = report.names, report.confusion
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    parts = []
    for row, name in enumerate(names):
        y = _NAME + row * _CELL
        middle = y + _CELL / 2 + 4
        parts.append(_text(_NAME - 6, middle, name, "end"))
        column = _NAME + row * _CELL + _CELL / 2 + 4
        turned = f'transform="rotate(-90 {column:.0f} {_NAME - 6})"'
        parts.append(_text(column, _NAME - 6, name, "start", turned))
        for other in np.flatnonzero(cells[row]).tolist():
            x = _NAME + other * _CELL
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="{_BLUE}" '
                f'fill-opacity="{shares[row, other]:.2f}"/>'
            )
            parts.append(_text(x + _CELL / 2, middle, number(int(cells[row, other])), "middle"))
    side = len(names) * _CELL
    frame = f'<rect x="{_NAME}" y="{_NAME}" width="{side}" height="{side}" {_FRAME}/>'
    said = tr("Labels (rows) and predictions (columns)")
    return _picture("".join(parts) + frame, said, (0, 0, _NAME + side + 1, _NAME + side + 1))


def _square(inside: str, said: str, top: str) -> str:
    """Return a picture whose axes go from nothing to all."""
    frame = f'<rect width="{_SIDE}" height="{_SIDE}" {_FRAME}/>'
    below = _SIDE + 15
    texts = (
        _text(0, below, percent(0.0), "start")
        + _text(_SIDE, below, percent(1.0), "end")
        + _text(4, 13, top, "start")
    )
    return _picture(frame + inside + texts, said, (-1, -1, _SIDE + 2, _SIDE + 20))


def _picture(inside: str, said: str, box: tuple[int, int, int, int]) -> str:
    x, y, width, height = box
    return (
        f'<svg{XMLNS} role="img" aria-label="{escape(said)}" '
        f'viewBox="{x} {y} {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11" fill="currentColor">{inside}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    shown = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {more}>{escape(shown)}</text>'
