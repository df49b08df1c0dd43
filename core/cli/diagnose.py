"""``diagnose``: whether a model is given photos as when it learnt, and names in its order."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core import settings
from core.cli.labelled import photos_named_by
from core.cli.model_options import add_model_options, opened_model
from core.cli.terminal import (
    ALL_DONE,
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
from core.language import tr, tr_n

if TYPE_CHECKING:
    from core.inference.diagnosis import Diagnosis
    from core.values.spec import ModelSpec


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    diagnose = commands.add_parser(
        "diagnose", help=tr("say whether a model is set up right for photos")
    )
    diagnose.set_defaults(command=_run)
    diagnose.add_argument(
        "paths", nargs="*", type=path_option, metavar="PATH", help=tr("photos or folders")
    )
    diagnose.add_argument(
        "--labels",
        type=path_option,
        metavar="FOLDER|FILE",
        help=tr("class folders, a file of labels, or a project: much more can be told by labels"),
    )
    diagnose.add_argument(
        "--json", type=path_option, metavar="FILE|-", help=tr("write JSON; - is standard output")
    )
    add_model_options(diagnose)


def _run(options: argparse.Namespace) -> int:
    from core.inference.diagnosing import Diagnose
    from core.inference.diagnosis import Diagnosis

    require_writable(options.json)
    if options.labels is None and not options.paths:
        raise CheckError("Name photos, or labelled ones with --labels.")
    found: Diagnosis | None = None
    progress = ProgressLine()
    with opened_model(options, settings.cache_path()) as engine:
        spec = engine.classifier().spec
        photos, labels = _photos(options, spec)
        try:
            for step in Diagnose(photos, labels).run(engine):
                if isinstance(step, Diagnosis):
                    found = step
                else:
                    progress.say(tr("{n} set-ups tried", n=step))
        finally:
            progress.end()
    assert found is not None
    if found.failed:
        say(left_out(found.failed))
    if options.json is not None:
        write_json(_to_json(found), options.json)
    if options.json != STANDARD_OUTPUT:
        _tell(found, spec)
    return ALL_DONE


def _photos(
    options: argparse.Namespace, spec: ModelSpec
) -> tuple[tuple[Path, ...], tuple[int, ...]]:
    """Return photos, and the class indices of those that have labels.

    Raises:
        DroplensError: there are none, or no class of the model means one of the labels.
    """
    from core.images.finding import find_images
    from core.models.class_names.meaning import indices_of

    if options.labels is None:
        return tuple(find_images(options.paths, say)), ()
    named = photos_named_by(options.labels)
    index = indices_of(spec.class_names, named.classes, named.mapping)
    pairs = [
        (photo, index[names[0]])
        for photo, names in named.photos
        if len(names) == 1 and names[0] in index
    ]
    left_out = len(named.photos) - len(pairs)
    if left_out:
        say(
            tr_n(
                "{n} photo is left out: it has several classes, or one that the model lacks.",
                "{n} photos are left out: they have several classes, or one that the model lacks.",
                left_out,
            )
        )
    if not pairs:
        raise CheckError(
            "No class of {title} means one of the labels’ ({names}).",
            title=spec.title,
            names=", ".join(named.classes[:5]),
        )
    return tuple(photo for photo, _ in pairs), tuple(label for _, label in pairs)


def _tell(found: Diagnosis, spec: ModelSpec) -> None:
    from core.inference.diagnosis import sentences

    for sentence in sentences(found, spec):
        say_result(sentence)


def _to_json(found: Diagnosis) -> dict[str, object]:
    return {
        "photos": found.photos,
        "failed": found.failed,
        "mismatch": found.mismatch,
        "recognition": found.recognition,
        "accuracy": found.accuracy,
        "findings": [
            {
                "kind": one.kind,
                "name": one.name,
                "before": one.before,
                "after": one.after,
                "by": one.by,
                "preprocessing": None if one.preprocessing is None else one.preprocessing.to_json(),
                "class_names": None if one.class_names is None else list(one.class_names),
                "examples": [
                    {"image": str(seen.photo), "before": seen.before, "after": seen.after}
                    for seen in one.examples
                ],
            }
            for one in found.findings
        ],
    }
