"""``review``: labels that are likely wrong, and photos that stand there twice."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

from core import settings
from core.cli.labelled import NamedPhotos, add_labelled_options, labelled_photos
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
from core.csv_cells import Writer
from core.errors import CheckError, left_out
from core.files import write_result
from core.language import percent, tr, tr_n

if TYPE_CHECKING:
    from core.checks.reviewing import Reviewed
    from core.training.holding_out import HeldOut

_SHOWN = 20


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    review = commands.add_parser(
        "review", help=tr("find labels that are likely wrong, and photos that are there twice")
    )
    review.set_defaults(command=_run)
    add_labelled_options(review)
    review.add_argument(
        "--json", type=path_option, metavar="FILE|-", help=tr("write JSON; - is standard output")
    )
    review.add_argument(
        "--csv",
        type=path_option,
        metavar="FILE",
        help=tr("write a table with a row a photo that is to be looked at"),
    )
    add_model_options(review)


def _run(options: argparse.Namespace) -> int:
    from core.checks.reviewing import Review
    from core.images.facts import facts_of

    require_writable(options.json, options.csv)
    named = labelled_photos(options)
    if named.is_several:
        raise CheckError("Labels of photos that may have several classes are not reviewed yet.")
    held = _held_out(named, options)
    photos = tuple((path, classes[0]) for path, classes in named.photos)
    facts = {path: found for path, _ in photos if (found := facts_of(path)) is not None}
    reviewed = Review(
        photos,
        named.classes,
        dict(zip(held.photos, held.shares, strict=True)),
        dict(zip(held.photos, held.contents, strict=True)),
        dict(zip(held.photos, held.alike, strict=True)),
        {path: one.dhash for path, one in facts.items()},
        named.right,
    ).run(None)
    failed = len(photos) - len(held.photos)
    if failed:
        say(left_out(failed))
    if options.json is not None:
        write_json(_to_json(reviewed, failed), options.json)
    if options.csv is not None:
        write_result(options.csv, _to_csv(reviewed))
    if options.json != STANDARD_OUTPUT:
        _tell(reviewed)
    return SOME_FAILED if failed else ALL_DONE


def _held_out(named: NamedPhotos, options: argparse.Namespace) -> HeldOut:
    from core.training.holding_out import HoldOut
    from core.training.teaching import Labelled

    index = {name: at for at, name in enumerate(named.classes)}
    labelled = tuple(Labelled(path, (index[classes[0]],)) for path, classes in named.photos)
    progress = ProgressLine()
    with opened_model(options, settings.cache_path()) as engine:
        try:
            for found in HoldOut(labelled, named.classes).run(engine):
                if not isinstance(found, int):
                    return found
                progress.show(found)
        finally:
            progress.end()
    raise AssertionError


def _tell(reviewed: Reviewed) -> None:
    count, groups = len(reviewed.suspects), len(reviewed.duplicates)
    if reviewed.tested < len(reviewed.photos):
        say(
            tr(
                "{n} photos were tried; a class of one photo, or of one scene, cannot be.",
                n=reviewed.tested,
            )
        )
    say_result(
        tr_n(
            "{n} label looks wrong: another class is likelier.",
            "{n} labels look wrong: another class is likelier.",
            count,
        )
    )
    for one in reviewed.suspects[:_SHOWN]:
        said = tr("{label}, rather {proposal}", label=one.label, proposal=one.proposal)
        say_result(f"  {percent(one.share):>5}  {said}  {reviewed.photos[one.position]}")
    if count > _SHOWN:
        say_result(tr("  … and {n} that look less so", n=count - _SHOWN))
    say_result(
        tr_n("{n} group of photos shows the same.", "{n} groups of photos show the same.", groups)
    )
    for same in reviewed.duplicates[:_SHOWN]:
        labels = ", ".join(same.labels)
        files = ", ".join(str(reviewed.photos[at]) for at in same.positions[:4])
        say_result(f"  {labels}: {files}")


def _to_json(reviewed: Reviewed, failed: int) -> dict[str, object]:
    return {
        "photos": len(reviewed.photos),
        "failed": failed,
        "tested": reviewed.tested,
        "suspects": [
            {
                "image": str(reviewed.photos[one.position]),
                "label": one.label,
                "proposal": one.proposal,
                "probability_of_label": one.share,
                "probability_of_proposal": one.proposed,
            }
            for one in reviewed.suspects
        ],
        "duplicates": [
            {
                "images": [str(reviewed.photos[at]) for at in one.positions],
                "exact": one.is_exact,
                "labels": list(one.labels),
                "sets": [name for name in one.sets if name],
            }
            for one in reviewed.duplicates
        ],
    }


def _to_csv(reviewed: Reviewed) -> bytes:
    text = io.StringIO(newline="")
    writer = Writer(text)
    writer.write(("why", "group", "image", "label", "proposal", "probability_of_label"))
    for suspect in reviewed.suspects:
        file, share = str(reviewed.photos[suspect.position]), f"{suspect.share:.6f}"
        writer.write(["label", "", file, suspect.label, suspect.proposal, share])
    for number, same in enumerate(reviewed.duplicates, 1):
        why = "same file" if same.is_exact else "nearly the same"
        for at in same.positions:
            writer.write([why, number, str(Path(reviewed.photos[at])), "", "", ""])
    return text.getvalue().encode("utf-8-sig", "surrogateescape")
