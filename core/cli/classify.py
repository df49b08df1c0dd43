"""``classify``: say what photos show."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from core import settings
from core.cli.model_options import add_model_options, opened_model
from core.cli.terminal import (
    ALL_DONE,
    INTERRUPTED,
    SOME_FAILED,
    Parser,
    ProgressLine,
    path_option,
    positive_option,
    require_writable,
    say,
    say_result,
    write_json,
)
from core.errors import DroplensError
from core.files import write_result
from core.inference.speed import EXACT, FAST_AGREEMENT, Decoding, Speed
from core.language import percent, tr

if TYPE_CHECKING:
    from core.values.predictions import Prediction


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    classify = commands.add_parser("classify", help=tr("say what photos show"))
    classify.set_defaults(command=_run)
    classify.add_argument(
        "paths", nargs="+", type=path_option, metavar="PATH", help=tr("photo or folder")
    )
    add_model_options(classify)
    classify.add_argument("--top-k", type=positive_option, default=5, metavar="K")
    classify.add_argument("--batch-size", type=positive_option, metavar="N")
    classify.add_argument(
        "--decoding",
        choices=get_args(Decoding),
        default=EXACT.decoding,
        help=tr(
            "fast shrinks large JPEGs as it decodes; {fast_agreement}% keep their class",
            fast_agreement=percent(FAST_AGREEMENT),
        ),
    )
    classify.add_argument(
        "--precision",
        choices=("full", "mixed"),
        default="full",
        help=tr(
            "mixed computes in half precision on NVIDIA cards, where the classes stay the same"
        ),
    )
    classify.add_argument(
        "--json", type=path_option, metavar="FILE|-", help=tr("write JSON; - is standard output")
    )
    classify.add_argument(
        "--csv", metavar="FILE", type=path_option, help=tr("write a table for spreadsheets")
    )


def _run(options: argparse.Namespace) -> int:
    from core.images.finding import PassedOver, find_images

    require_writable(options.json, options.csv)
    passed_over = PassedOver()
    unreadable: list[str] = []

    def on_problem(sentence: str) -> None:
        unreadable.append(sentence)
        say(sentence)

    photos = find_images(options.paths, on_problem, passed_over=passed_over)
    predictions, interrupted = _classify(options, photos)
    if passed_over:
        say(passed_over.sentence())
    if not predictions and not unreadable and not interrupted:
        raise DroplensError(
            "No photos were found in {names}.", names=", ".join(map(str, options.paths))
        )
    _write_predictions(predictions, options)
    if interrupted:
        return INTERRUPTED
    failed = [one.error for one in predictions if one.error is not None]
    for sentence in failed:
        say(sentence)
    return SOME_FAILED if failed or unreadable else ALL_DONE


def _classify(options: argparse.Namespace, photos: Iterable[Path]) -> tuple[list[Prediction], bool]:
    """Return the predictions, and whether Ctrl+C ended them; those so far are kept."""
    from core.inference.classifying import Classify

    predictions: list[Prediction] = []
    progress = ProgressLine()
    speed = Speed(options.decoding, options.precision == "mixed")
    request = Classify(photos, options.top_k, options.batch_size, speed=speed)
    with opened_model(options, settings.cache_path()) as engine:
        spec = engine.classifier().spec
        if not spec.predicts:
            raise DroplensError(
                "{checkpoint} predicts nothing. {names}",
                checkpoint=spec.checkpoint,
                names=" ".join(spec.problems),
            )
        try:
            for batch in request.run(engine):
                predictions += batch.predictions
                progress.show(len(predictions))
        except KeyboardInterrupt:
            return predictions, True
        finally:
            progress.end()
    return predictions, False


def _write_predictions(predictions: list[Prediction], options: argparse.Namespace) -> None:
    from core.values.predictions import to_csv

    if options.json is not None:
        write_json([one.to_json() for one in predictions], options.json)
    if options.csv is not None:
        write_result(options.csv, to_csv(predictions, options.top_k))
    if options.json is None and options.csv is None:
        _print_table(predictions)


def _print_table(predictions: Sequence[Prediction]) -> None:
    for one in predictions:
        if one.error is None:
            classes = ", ".join(f"{c.class_name} {c.probability:.1%}" for c in one.top)
            if one.is_unsure:
                classes = tr("unsure: {classes}", classes=classes)
            say_result(f"{one.photo}: {classes}")
