"""Figures of a check as pictures (SVG) that stand alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from core.checks.calibration import BINS, Bin, reliability, risk_by_coverage
from core.checks.figures import Report
from core.language import number, percent, tr

_XMLNS = 'xmlns="http://www.w3.org/2000/svg"'
_LETTERS = 'font-family="sans-serif" font-size="11"'
_INK, _PAPER = "#1b1d22", "#ffffff"
_MARGIN, _HEADING, _LETTER = 24, 26, 7
_SIDE = 260
_FEW = 10
_MOST_POINTS = 200
_MOST_CLASSES = 40
_CELL = 44
_BLUE = "#3d7eff"
_FRAME = 'fill="none" stroke="#888" stroke-opacity="0.5"'
_LONGEST_NAME = 18


@dataclass(frozen=True)
class Picture:
    """A picture of a check.

    Attributes:
        inside: what is drawn, as SVG.
        said: what it shows, for those who do not see it.
        box: left, top, width and height of what is drawn, in pixels.
    """

    inside: str
    said: str
    box: tuple[int, int, int, int]

    def alone(self) -> str:
        """Return it as an SVG file."""
        return self._svg(_XMLNS)

    def of_page(self) -> str:
        """Return it as a part of an HTML page."""
        return self._svg("")

    def _svg(self, more: str) -> str:
        left, top, width, height = self.box
        return (
            f'<svg {more} role="img" aria-label="{escape(self.said)}" '
            f'viewBox="{left} {top} {width} {height}" width="{width}" height="{height}" '
            f'{_LETTERS} fill="currentColor">{self.inside}</svg>'
        )


def plots(report: Report) -> dict[str, Picture]:
    """Return the pictures by their names: "reliability", "risk" and "confusion"."""
    return {
        "reliability": reliability_plot(reliability(report.answers)),
        "risk": risk_plot(report),
        "confusion": confusion_plot(report),
    }


def sheet(report: Report) -> str:
    """Return all pictures below each other, each under what it is, as an SVG file."""
    drawn, y, widest = [], _MARGIN, 0
    for plot in plots(report).values():
        left, top, width, height = plot.box
        drawn.append(f'<text x="{_MARGIN}" y="{y + 14}" font-size="13">{escape(plot.said)}</text>')
        y += _HEADING
        place = f"translate({_MARGIN - left} {y - top})"
        drawn.append(f'<g transform="{place}">{plot.inside}</g>')
        y += height + _MARGIN
        widest = max(widest, width, _LETTER * len(plot.said))
    width = widest + 2 * _MARGIN
    return (
        f'<svg {_XMLNS} viewBox="0 0 {width} {y}" width="{width}" height="{y}" {_LETTERS} '
        f'fill="{_INK}" color="{_INK}"><rect width="{width}" height="{y}" fill="{_PAPER}"/>'
        f"{''.join(drawn)}</svg>"
    )


def reliability_plot(bins: Sequence[Bin]) -> Picture:
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


def risk_plot(report: Report) -> Picture:
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


def confusion_plot(report: Report) -> Picture:
    """Return the confusion matrix: labels in rows, predictions in columns."""
    shown = list(range(len(report.names)))
    if len(shown) > _MOST_CLASSES:
        shown = report.most_confused[:_MOST_CLASSES]
    names, cells = [report.names[at] for at in shown], report.confusion[np.ix_(shown, shown)]
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    room = 12 + _LETTER * min(_LONGEST_NAME, max(map(len, names), default=0))
    parts = []
    for row, name in enumerate(names):
        y = room + row * _CELL
        middle = y + _CELL / 2 + 4
        parts.append(_text(room - 6, middle, name, "end"))
        column = room + row * _CELL + _CELL / 2 + 4
        turned = f'transform="rotate(-90 {column:.0f} {room - 6})"'
        parts.append(_text(column, room - 6, name, "start", turned))
        for other in np.flatnonzero(cells[row]).tolist():
            x = room + other * _CELL
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="{_BLUE}" '
                f'fill-opacity="{shares[row, other]:.2f}"/>'
            )
            parts.append(_text(x + _CELL / 2, middle, number(int(cells[row, other])), "middle"))
    side = len(names) * _CELL
    frame = f'<rect x="{room}" y="{room}" width="{side}" height="{side}" {_FRAME}/>'
    said = tr("labels (rows) and predictions (columns)")
    if len(names) < len(report.names):
        said = tr(
            "labels (rows) and predictions (columns) of the {n} most confused classes", n=len(names)
        )
    return Picture("".join(parts) + frame, said, (0, 0, room + side + 1, room + side + 1))


def _square(inside: str, said: str, top: str) -> Picture:
    """Return a picture whose axes go from nothing to all."""
    frame = f'<rect width="{_SIDE}" height="{_SIDE}" {_FRAME}/>'
    below = _SIDE + 15
    texts = (
        _text(0, below, percent(0.0), "start")
        + _text(_SIDE, below, percent(1.0), "end")
        + _text(4, 13, top, "start")
    )
    return Picture(frame + inside + texts, said, (-1, -1, _SIDE + 2, _SIDE + 20))


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    shown = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {more}>{escape(shown)}</text>'
