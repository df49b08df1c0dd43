"""``check``: how right a model is on labelled photos."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from core import settings
from core.cli.labelled import add_labelled_options, labelled_photos
from core.cli.model_options import add_model_options, opened_model
from core.cli.terminal import (
    ALL_DONE,
    SOME_FAILED,
    STANDARD_OUTPUT,
    Parser,
    ProgressLine,
    path_option,
    require_writable,
    say,
    say_result,
    write_json,
)
from core.errors import CheckError, left_out
from core.files import write_result
from core.language import number, percent, tr, tr_n

if TYPE_CHECKING:
    from core.checks.figures import Report
    from core.checks.requests import Checked, CheckedSeveral, Joined
    from core.inference.shares import PhotoShares
    from core.values.spec import ModelSpec

_SHOWN_CLASSES = 20


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    check = commands.add_parser("check", help=tr("say how right a model is on labelled photos"))
    check.set_defaults(command=_run)
    add_labelled_options(check)
    check.add_argument(
        "--mapping",
        type=path_option,
        metavar="FILE.csv",
        help=tr("two columns: a class of the model, and the class of the labels that it means"),
    )
    check.add_argument(
        "--json", type=path_option, metavar="FILE|-", help=tr("write JSON; - is standard output")
    )
    check.add_argument(
        "--html", type=path_option, metavar="FILE", help=tr("write a page for a browser")
    )
    check.add_argument(
        "--csv", type=path_option, metavar="FILE", help=tr("write a table with a row a photo")
    )
    check.add_argument(
        "--plots",
        type=path_option,
        metavar="FOLDER",
        help=tr("write pictures (SVG): reliability, risk by coverage, confusion"),
    )
    check.add_argument(
        "--slices",
        action="store_true",
        help=tr(
            "say on which photos it is worse: by folder, month, camera, size and brightness, which "
            "reads each once more"
        ),
    )
    check.add_argument(
        "--against",
        type=path_option,
        metavar="MODELFILE",
        help=tr("another model, which is tried on the same photos"),
    )
    add_model_options(check)


def _run(options: argparse.Namespace) -> int:
    from core.checks.requests import Check, CheckSeveral

    require_writable(options.json, options.html, options.csv)
    given = {} if options.mapping is None else _table(options.mapping)
    named = labelled_photos(options)
    if named.is_several and options.html is not None:
        raise CheckError("There is no page yet for photos that may have several classes.")
    if named.is_several and (options.slices or options.against is not None):
        raise CheckError("Photos that may have several classes are neither grouped nor compared.")
    if named.is_several and options.plots is not None:
        raise CheckError("There are no pictures yet for photos that may have several classes.")
    spec, found = _looked_at([photo for photo, _ in named.photos], options)
    first = next(iter(given), "")
    if len(given) > 1 and first not in spec.class_names:
        say(tr("The first row of the table, {name!r}, is taken for its heading.", name=first))
        del given[first]
    given = {**_known(named.mapping, spec), **given}
    failed = [one for one in found if one.shares is None]
    for one in failed:
        say(tr("{photo} was left out: {reason}.", photo=one.photo, reason=one.reason))
    learnt = sum(one.was_learnt for one in found)
    notes = _notes(len(failed), learnt)
    shares = {one.photo: one.shares for one in found if one.shares is not None}
    if named.is_several:
        several = CheckSeveral(named.photos, shares, spec, given).run(None)
        _say_all([*notes, *_joined(several, spec)])
        _write_several(several, spec, (len(failed), learnt), options)
    else:
        photos = tuple((photo, names[0]) for photo, names in named.photos)
        checked = Check(photos, shares, spec, given, _synonyms(spec)).run(None)
        notes += _joined(checked, spec)
        _say_all(notes)
        more = _more(checked, given, options)
        _write(checked, spec, (len(failed), learnt), [*notes, *more.sentences], more.json, options)
        if options.json != STANDARD_OUTPUT:
            for sentence in more.sentences:
                say_result(sentence)
    return SOME_FAILED if failed else ALL_DONE


def _notes(failed: int, learnt: int) -> list[str]:
    """Return what has to be said of photos that are left out, or that the model knows."""
    notes = []
    if failed:
        notes.append(left_out(failed))
    if learnt:
        notes.append(
            tr_n(
                "The model has learnt from {n} of these photos: the figures are too good.",
                "The model has learnt from {n} of these photos: the figures are too good.",
                learnt,
            )
        )
    return notes


def _say_all(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        say(sentence)


class _More:
    """What was asked for beside the figures: as sentences, and as JSON values."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.json: dict[str, object] = {}


def _more(checked: Checked, given: Mapping[str, str], options: argparse.Namespace) -> _More:
    more = _More()
    if options.slices:
        _add_slices(more, checked)
    if options.against is not None:
        _add_comparison(more, checked, given, options)
    return more


def _add_slices(more: _More, checked: Checked) -> None:
    from core.checks.reviewing import FindSlices
    from core.checks.slices import sentence_of
    from core.images.requests import FindFacts

    answers = checked.report.answers
    right = (answers.labels == answers.predicted).tolist()
    facts = FindFacts(checked.photos).run(None)
    shared = {path: one.shared for path, one in facts if one is not None}
    request = FindSlices(
        tuple(zip(checked.photos, right, strict=True)), shared, frozenset(answers.classes)
    )
    slices = request.run(None)
    more.json["slices"] = [
        {
            "kind": one.kind,
            "value": one.value,
            "photos": len(one.positions),
            "accuracy": one.accuracy.value,
            "interval": list(one.accuracy.interval),
            "accuracy_of_others": one.others,
            "chance": one.chance,
        }
        for one in slices
    ]
    more.sentences.append(sentence_of(slices))


def _known(given: Mapping[str, str], spec: ModelSpec) -> dict[str, str]:
    """Return what is given of classes that a model has."""
    return {name: meant for name, meant in given.items() if name in spec.class_names}


def _add_comparison(
    more: _More, checked: Checked, given: Mapping[str, str], options: argparse.Namespace
) -> None:
    """Check the other model with the same labels."""
    from core.checks.comparing import Compare
    from core.checks.requests import Check

    other = argparse.Namespace(**vars(options))
    other.checkpoint, other.architecture, other.weights = options.against, None, None
    other.class_names = other.preprocessing = None
    spec, found = _looked_at(checked.photos, other)
    answers = checked.report.answers
    labels = [answers.classes[at] for at in answers.labels.tolist()]
    shares = {one.photo: one.shares for one in found if one.shares is not None}
    photos = tuple(zip(checked.photos, labels, strict=True))
    against = Check(photos, shares, spec, _known(given, spec), _synonyms(spec)).run(None)
    comparison = Compare(checked, against).run(None)
    learnt = sum(one.was_learnt for one in found)
    more.json["compared"] = {**comparison.to_json(), "learnt": learnt}
    more.sentences += [*comparison.sentences(), *_notes(0, learnt)]


def _write(
    checked: Checked,
    spec: ModelSpec,
    counts: tuple[int, int],
    notes: Sequence[str],
    more: Mapping[str, object],
    options: argparse.Namespace,
) -> None:
    report = checked.report
    if options.json is not None:
        from core.checks.as_json import to_json
        from core.checks.fingerprint import fingerprint_of

        made = {"date": date.today().isoformat(), "data_fingerprint": fingerprint_of(checked)}
        write_json({**to_json(report, spec, *counts), **more, **made}, options.json)
    if options.csv is not None:
        from core.checks.as_csv import to_csv

        write_result(options.csv, to_csv(checked))
    if options.html is not None:
        from core.checks.requests import WriteReport

        WriteReport(checked, options.html, tuple(notes)).run(None)
    if options.plots is not None:
        _write_plots(report, options.plots)
    if options.json != STANDARD_OUTPUT:
        _tell(report)


def _write_plots(report: Report, folder: Path) -> None:
    from core.checks.plots import plots

    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in plots(report).items():
        write_result(folder / f"{name}.svg", plot.alone().encode(errors="replace"))


def _write_several(
    checked: CheckedSeveral, spec: ModelSpec, counts: tuple[int, int], options: argparse.Namespace
) -> None:
    report = checked.report
    if options.json is not None:
        from core.checks.as_json import several_to_json

        write_json(several_to_json(report, spec, *counts), options.json)
    if options.csv is not None:
        from core.checks.as_csv import several_to_csv

        write_result(options.csv, several_to_csv(checked))
    if options.json == STANDARD_OUTPUT:
        return
    low, high = report.exact_match.interval
    say_result(
        tr(
            "All classes right on {share} of {n} photos; the true share lies between {low} and "
            "{high}.",
            share=percent(report.exact_match.value),
            n=len(report.shown),
            low=percent(low),
            high=percent(high),
        )
    )
    for one, precision in zip(report.per_class, report.average_precisions, strict=True):
        recall = 0.0 if one.recall is None else one.recall.value
        figures = f"{percent(recall):>5}  {number(precision, 2):>5}  {number(one.support):>6}"
        say_result(f"  {figures}  {one.name}")


def _looked_at(
    photos: Sequence[Path], options: argparse.Namespace
) -> tuple[ModelSpec, list[PhotoShares]]:
    from core.inference.shares import FindShares

    found: list[PhotoShares] = []
    progress = ProgressLine()
    with opened_model(options, settings.cache_path()) as engine:
        spec = engine.classifier().spec
        if not spec.predicts or spec.outputs == "value":
            raise CheckError(
                "{title} names no classes, so there is nothing to check.", title=spec.title
            )
        try:
            for batch in FindShares(tuple(photos)).run(engine):
                found += batch
                progress.show(len(found))
        finally:
            progress.end()
    return spec, found


def _synonyms(spec: ModelSpec) -> dict[str, tuple[str, ...]]:
    """Return the numbers in WordNet of a model of ImageNet's classes."""
    from core.models.class_names.lists import imagenet_synonyms

    return imagenet_synonyms(spec.class_names)


def _joined(checked: Joined, spec: ModelSpec) -> list[str]:
    """Return which classes were taken for the same, and which of the labels no class means."""
    notes = []
    if checked.renamed:
        more = " …" if len(checked.renamed) > _SHOWN_CLASSES else ""
        listed = ", ".join(checked.renamed[:_SHOWN_CLASSES]) + more
        notes.append(tr("Taken for the same: {names}.", names=listed))
    if checked.without:
        notes.append(
            tr(
                "No class of {title} means {names}: all photos of these count as wrong.",
                title=spec.title,
                names=", ".join(checked.without[:_SHOWN_CLASSES]),
            )
        )
    return notes


def _table(path: Path) -> dict[str, str]:
    """Return a table of two columns, a class of the model and one of the labels.

    Raises:
        CheckError: it is no such table.
    """
    from core.labels.reading import ReadOptions, read_text

    rows = [row for row in csv.reader(io.StringIO(read_text(path, ReadOptions()))) if any(row)]
    if not rows or any(len(row) != 2 for row in rows):
        raise CheckError(
            "{path} must have two columns: a class of the model, and one of the labels.", path=path
        )
    return {ours.strip(): theirs.strip() for ours, theirs in rows}


def _tell(report: Report) -> None:
    low, high = report.accuracy.interval
    say_result(
        tr(
            "{share} right on {photos}; the true share lies between {low} and {high}.",
            share=percent(report.accuracy.value),
            photos=tr_n("{n} photo", "{n} photos", len(report.answers)),
            low=percent(low),
            high=percent(high),
        )
    )
    rows = sorted(
        (one for one in report.classes if one.recall is not None),
        key=lambda one: one.recall.value if one.recall is not None else 0.0,
    )
    for one in rows[:_SHOWN_CLASSES]:
        recall = 0.0 if one.recall is None else one.recall.value
        say_result(f"  {percent(recall):>5}  {number(one.support):>6}  {one.name}")
    if len(rows) > _SHOWN_CLASSES:
        say_result(tr("  … and {n} classes that are better", n=len(rows) - _SHOWN_CLASSES))
