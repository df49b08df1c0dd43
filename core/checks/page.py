"""A check as a page that stands alone: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

import numpy as np

from core.checks.confidence import Confidence
from core.checks.figures import Figure, Report
from core.checks.plots import reliability_plot, risk_plot
from core.files import readable
from core.html_pages import page as html_page
from core.language import number, percent, tr
from core.values.spec import ModelSpec

_SHOWN_CELLS = 20
_MOST_COLUMNS = 40
_STYLE = """
.matrix td { min-width: 2rem } .plots { display: flex; flex-wrap: wrap; gap: 2rem }
figure { margin: 0; max-width: 264px }
"""


def to_html(report: Report, spec: ModelSpec, notes: Sequence[str] = ()) -> str:
    """Return the page.

    Args:
        report: of the photos that could be opened.
        spec: of the model.
        notes: sentences about what the figures rest on.
    """
    named = f"{readable(spec.checkpoint.name)} ({spec.title})"
    title = tr("How right {title} is", title=named)
    parts = [
        f"<h1>{escape(title)}</h1>",
        _summary(report, spec),
        *(f"<p>{escape(note)}</p>" for note in notes),
        f"<h2>{escape(tr('What it takes for what'))}</h2>",
        _confusions(report),
        f"<h2>{escape(tr('Each class'))}</h2>",
        _classes(report),
        f"<h2>{escape(tr('Whether its probabilities mean what they say'))}</h2>",
        _confidence(report, spec),
        _matrix(report),
    ]
    return html_page(title, parts, _STYLE)


def _summary(report: Report, spec: ModelSpec) -> str:
    said = tr(
        "{share} right on {n} photos; the true share lies between {low} and {high}.",
        share=percent(report.accuracy.value),
        n=number(len(report.answers)),
        low=percent(report.accuracy.interval[0]),
        high=percent(report.accuracy.interval[1]),
    )
    names = {
        "balanced_accuracy": tr("Mean of the classes (balanced accuracy)"),
        "macro_f1": tr("F1, mean of the classes"),
        "kappa": tr("Cohen’s kappa"),
        "log_loss": tr("Log loss"),
    }
    rows = [
        (name, _rounded(report.others[key].value), _between(report.others[key]))
        for key, name in names.items()
        if key in report.others
    ]
    if report.top5 is not None:
        among = tr("Label among the five likeliest")
        rows.insert(0, (among, percent(report.top5.value), _between(report.top5, percent)))
    made = tr("{checkpoint}, SHA-256 {sha256}", checkpoint=spec.checkpoint, sha256=spec.sha256)
    header = (tr("Figure"), tr("Value"), tr("Between"))
    return f"<p>{escape(said)}</p>{_table(header, rows)}<p class='muted'>{escape(made)}</p>"


def _confusions(report: Report) -> str:
    cells = report.confusion - np.diag(np.diag(report.confusion))
    order = np.argsort(-cells, axis=None, kind="stable")[:_SHOWN_CELLS].tolist()
    names = report.names
    rows = []
    for at in order:
        label, predicted = divmod(at, len(names))
        if cells[label, predicted]:
            rows.append((names[label], names[predicted], number(int(cells[label, predicted]))))
    if not rows:
        return f"<p>{escape(tr('It makes no mistake on these photos.'))}</p>"
    return _table((tr("Label"), tr("Prediction"), tr("Photos")), rows)


def _classes(report: Report) -> str:
    header = (
        *(tr("Class"), tr("Photos"), tr("Of these found (recall)"), tr("Between")),
        *(tr("Of those named so right (precision)"), tr("F1")),
    )
    rows = [
        (
            one.name,
            number(one.support),
            "" if one.recall is None else percent(one.recall.value),
            "" if one.recall is None else _between(one.recall, percent),
            "" if one.precision is None else percent(one.precision.value),
            _rounded(one.f1),
        )
        for one in report.classes
    ]
    return _table(header, rows)


def _confidence(report: Report, spec: ModelSpec) -> str:
    found = Confidence.of(report, spec.outputs)
    drawn = reliability_plot(found.reliability), risk_plot(report)
    names = (
        tr("share that is right, by probability; pale bars have fewer than 10 photos"),
        tr("share that is wrong among the surest photos, by how many these are"),
    )
    figures = "".join(
        f"<figure>{plot.of_page()}<figcaption class='muted'>{escape(name)}</figcaption></figure>"
        for plot, name in zip(drawn, names, strict=True)
    )
    return f"<p>{escape(' '.join(found.sentences()))}</p><div class='plots'>{figures}</div>"


def _matrix(report: Report) -> str:
    """Return the confusion matrix; of many classes, the list of confusions tells more."""
    names, cells = report.names, report.confusion
    if len(names) > _MOST_COLUMNS:
        return ""
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    head = "".join(f"<th class='n'>{escape(name)}</th>" for name in names)
    lines = []
    for row, name in enumerate(names):
        tds = "".join(
            f"<td class='n' style='background: rgba(61,126,255,{shares[row, column]:.2f})'>"
            f"{cells[row, column] or ''}</td>"
            for column in range(len(names))
        )
        lines.append(f"<tr><th>{escape(name)}</th>{tds}</tr>")
    title = escape(tr("Labels (rows) and predictions (columns)"))
    body = f"<tr><th></th>{head}</tr>{''.join(lines)}"
    return f"<h2>{title}</h2><div class='scroll'><table class='matrix'>{body}</table></div>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is text, and all others numbers where they look so."""

    def cell(tag: str, text: str) -> str:
        is_number = bool(text) and (text[0].isdecimal() or text[0] in "-−")
        kind = " class='n'" if is_number and tag == "td" else ""
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    lines = ["".join(cell("th", text) for text in header)]
    lines += [
        f"<td>{escape(row[0])}</td>" + "".join(cell("td", text) for text in row[1:]) for row in rows
    ]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _rounded(value: float) -> str:
    return number(value, 2)


def _between(figure: Figure, written: Callable[[float], str] = _rounded) -> str:
    low, high = figure.interval
    return tr("{low} to {high}", low=written(low), high=written(high))
