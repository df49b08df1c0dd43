"""``train``: teach a model the classes of labelled photos."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from core import settings
from core.cli.labelled import NamedPhotos, add_labelled_options, labelled_photos, photos_in_folders
from core.cli.model_options import add_model_options, opened_model
from core.cli.terminal import (
    ALL_DONE,
    INTERRUPTED,
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
from core.errors import TeachingError
from core.language import number, percent, tr, tr_n

if TYPE_CHECKING:
    from core.training.fine_tuning import FineTune
    from core.training.progress import Progress
    from core.training.teaching import Labelled, Taught, TeachHead

_MOST_MINUTES, _MOST_EPOCHS = 7 * 24 * 60, 1000


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    train = commands.add_parser("train", help=tr("teach a model the classes of labelled photos"))
    train.set_defaults(command=_run)
    add_labelled_options(train)
    train.add_argument(
        "--out",
        required=True,
        type=path_option,
        metavar="FILE.safetensors",
        help=tr("the model that is written"),
    )
    train.add_argument(
        "--method",
        choices=("head", "fine-tune"),
        default="head",
        help=tr(
            "head teaches the last layer alone, on what the others make of the photos; fine-tune "
            "most or all layers, which takes minutes"
        ),
    )
    train.add_argument(
        "--minutes", type=float, default=10.0, help=tr("that fine-tuning may take; 10 by default")
    )
    train.add_argument(
        "--epochs", type=int, default=0, help=tr("of fine-tuning, whatever time they take")
    )
    train.add_argument(
        "--validation",
        metavar="FOLDER|SHARE",
        help=tr(
            "other labelled photos to try it on, or the share of the photos to hold out, such as "
            "0.2; without it each photo is held out in turn"
        ),
    )
    train.add_argument("--seed", type=int, default=0, help=tr("of what is held out"))
    train.add_argument(
        "--json", type=path_option, metavar="FILE|-", help=tr("write JSON; - is standard output")
    )
    add_model_options(train)


def _run(options: argparse.Namespace) -> int:
    from core.training.progress import Progress
    from core.training.teaching import Looked

    begun = time.monotonic()
    require_writable(options.out, options.json)
    named = labelled_photos(options)
    share, others = _validation(options.validation)
    request = _request(options, named, others, share)
    progress = ProgressLine()
    taught: Taught | None = None
    with opened_model(options, settings.cache_path()) as engine:
        try:
            for step in request.run(engine):
                if isinstance(step, Looked):
                    progress.show(step.done)
                elif isinstance(step, Progress):
                    _show(step, progress)
                else:
                    taught = step
        except KeyboardInterrupt:
            progress.end()
            if options.method == "fine-tune" and options.out.exists():
                say(tr("Stopped. The same command goes on from the last epoch."))
            return INTERRUPTED
        finally:
            progress.end()
        title = engine.classifier().spec.architecture
    assert taught is not None
    _tell(taught, options, title, time.monotonic() - begun)
    return SOME_FAILED if taught.failed else ALL_DONE


def _request(
    options: argparse.Namespace, named: NamedPhotos, others: NamedPhotos, share: float
) -> TeachHead | FineTune:
    from core.training.fine_tuning import SHARE, FineTune
    from core.training.recipe import recipe_for
    from core.training.teaching import TeachHead

    photos, tried = _numbered(named, named.classes), _numbered(others, named.classes)
    classes, is_several = named.classes, named.is_several
    if options.method == "head":
        return TeachHead(photos, classes, options.out, tried, share, options.seed, is_several)
    if not 0 < options.minutes < _MOST_MINUTES or not 0 <= options.epochs <= _MOST_EPOCHS:
        raise TeachingError("--minutes and --epochs must be numbers above 0.")
    return FineTune(
        photos,
        classes,
        options.out,
        settings.cache_path() / "trainings",
        tried,
        share or SHARE,
        options.seed,
        recipe_for(options.minutes, options.epochs),
        is_several=is_several,
    )


def _show(step: Progress, line: ProgressLine) -> None:
    if not step.epochs:
        return  # how many there will be is being measured
    best = max(one.accuracy for one in step.history)
    line.say(
        tr(
            "epoch {epoch} of {epochs}, {time} min left, {share} right so far",
            epoch=min(len(step.history), step.epochs),
            epochs=step.epochs,
            time=number(step.seconds_left / 60, 1),
            share=percent(best),
        )
    )


def _validation(given: str | None) -> tuple[float, NamedPhotos]:
    """Return the share to hold out and the photos to try the model on, one of which is nothing."""
    if given is None:
        return 0.0, NamedPhotos()
    try:
        share = float(given)
    except ValueError:
        return 0.0, photos_in_folders(path_option(given))
    if not 0 < share <= 0.5:
        raise TeachingError(
            "{given} is not a share between 0 and 0.5 of the photos, nor a folder.", given=given
        )
    return share, NamedPhotos()


def _numbered(named: NamedPhotos, classes: tuple[str, ...]) -> tuple[Labelled, ...]:
    from core.training.teaching import Labelled

    numbers = {name: at for at, name in enumerate(classes)}
    unknown = sorted(set(named.classes) - set(numbers))
    if unknown:
        raise TeachingError(
            "The photos to try it on have classes that it is not taught: {names}.",
            names=", ".join(unknown[:5]),
        )
    return tuple(
        Labelled(path, tuple(numbers[name] for name in names)) for path, names in named.photos
    )


def _tell(taught: Taught, options: argparse.Namespace, architecture: str, seconds: float) -> None:
    for one in taught.failed:
        say(tr("{photo} was left out: {reason}.", photo=one.photo, reason=one.reason))
    if taught.figures.alike:
        say(
            tr_n(
                "{n} photo to try it on is nearly the same as one that it learnt from, and does "
                "not count.",
                "{n} photos to try it on are nearly the same as some that it learnt from, and do "
                "not count.",
                taught.figures.alike,
            )
        )
    if options.json is not None:
        write_json(_to_json(taught, options, architecture, seconds), options.json)
    if options.json == STANDARD_OUTPUT:
        return
    learnt = tr_n("{n} photo", "{n} photos", taught.figures.trained)
    said = tr(
        "{model}: learnt from {photos} of {n} classes.",
        model=taught.model,
        photos=learnt,
        n=len(taught.classes),
    )
    if taught.figures.accuracy is None:
        say_result(said)
        say(taught.figures.said)
        return
    if taught.figures.is_selected:
        say(tr("The best epoch was chosen by these photos, so the figure is a little too good."))
    say_result(f"{said} {taught.figures.said}")


def _to_json(
    taught: Taught, options: argparse.Namespace, architecture: str, seconds: float
) -> dict[str, object]:
    return {
        "model": str(taught.model),
        "classes": list(taught.classes),
        **taught.to_json(),
        "seconds": round(seconds, 2),
        "method": options.method,
        "architecture": architecture,
        "seed": options.seed,
    }
