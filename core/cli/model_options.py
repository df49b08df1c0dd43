"""Options that say which model a command is about, and the engine that opens it."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from core import settings
from core.cli.terminal import path_option, say
from core.errors import ArchitectureMismatchError, UnusableCheckpointError
from core.language import number, tr
from core.models.families import EXAMPLE, EXAMPLE_WEIGHTS
from core.models.weights.named import Weights, find_weights
from core.values.questions import ARCHITECTURE
from core.values.spec import Dilation, ModelChoice, ModelSpec, Outputs, Overrides

if TYPE_CHECKING:
    from core.inference.engine import Engine, ModelRequest

Answer = TypeVar("Answer")


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which model."""
    group = parser.add_argument_group("model", tr("without these, the checkpoint that is shipped"))
    group.add_argument(
        "--architecture",
        metavar="NAME",
        help=tr("torchvision's name, e.g. {example}", example=EXAMPLE),
    )
    one = group.add_mutually_exclusive_group()
    one.add_argument("--checkpoint", type=path_option, metavar="FILE")
    one.add_argument(
        "--weights", metavar="NAME", help=tr("e.g. {example}", example=EXAMPLE_WEIGHTS)
    )
    group.add_argument("--class-names", type=path_option, metavar="FILE", help=tr("text or JSON"))
    group.add_argument("--preprocessing", type=path_option, metavar="FILE.json")
    group.add_argument(
        "--outputs", choices=get_args(Outputs), help=tr("what the outputs are, where no file tells")
    )
    group.add_argument(
        "--dilation",
        type=_dilation,
        metavar="0,1,1",
        help=tr("torchvision's replace_stride_with_dilation, which no file tells"),
    )
    group.add_argument(
        "--answer",
        action="append",
        type=_answer,
        metavar="KEY=VALUE",
        help=tr("to a question that inspect shows, e.g. activation=tanh"),
    )
    group.add_argument(
        "--unsure-below",
        type=_probability,
        metavar="0.6",
        help=tr("call a class of less probability unsure; 0 calls none so, whatever the file says"),
    )
    group.add_argument("--device", default="auto", metavar="auto|cpu|cuda|cuda:N|mps")


@contextlib.contextmanager
def opened_model(options: argparse.Namespace, cache: Path | None = None) -> Iterator[Engine]:
    """Open the model of the options and close it after.

    Args:
        options: as they were parsed.
        cache: folder for what can be made again; None makes it again.
    """
    from core.inference.engine import Engine

    engine = Engine(say, cache=cache)
    try:
        mixed = getattr(options, "precision", "full") == "mixed"
        ready = engine.open(_choice(options), options.device, mixed_precision=mixed)
        _check_answers(ready.spec)
        yield engine
    finally:
        engine.close()


def ask(options: argparse.Namespace, request: ModelRequest[Answer]) -> Answer:
    """Return the answer of the model of the options."""
    with opened_model(options) as engine:
        return request.run(engine)


def _choice(options: argparse.Namespace) -> ModelChoice:
    checkpoint, architecture = options.checkpoint, options.architecture
    if options.weights is not None:
        weights = find_weights(options.weights)
        if architecture not in (None, weights.architecture):
            raise ArchitectureMismatchError(
                "{name} are weights of {title} ({architecture}), not of "
                "{architecture_2}; leave one of the two out.",
                name=weights.name,
                title=weights.title,
                architecture=weights.architecture,
                architecture_2=architecture,
            )
        checkpoint, architecture = _file_of(weights), weights.architecture
    return ModelChoice(
        checkpoint=checkpoint,
        architecture=architecture,
        class_names=options.class_names,
        preprocessing=options.preprocessing,
        overrides=Overrides(
            outputs=options.outputs,
            dilation=options.dilation,
            answers=tuple(sorted(dict(options.answer or ()).items())),
            unsure_below=options.unsure_below,
        ),
    )


def _file_of(weights: Weights) -> Path:
    """Return the file of torchvision's weights, downloaded first where it is not there yet."""
    from core.models.weights.downloads import Download, Progress

    if weights.path.is_file():
        return weights.path

    def show(progress: Progress) -> None:
        if sys.stderr.isatty():
            said = tr(
                "{file}: {done} of {total} MB",
                file=weights.file_name,
                done=number(progress.done_bytes / 1e6, 1),
                total=number(progress.total_bytes / 1e6, 1),
            )
            print(f"\r{said} ", end="", file=sys.stderr)  # noqa: T201

    mirror = settings.load(settings.default_path()).mirror
    try:
        path = Download(weights, mirror, show).run()
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # noqa: T201
    assert path is not None  # nobody pauses it here
    return path


def _check_answers(spec: ModelSpec) -> None:
    """Refuse answers to what was not asked: they would change nothing, without a word.

    Raises:
        UnusableCheckpointError: one is.
    """
    asked = {one.key: [answer.value for answer in one.answers] for one in spec.inspection.questions}
    for key, value in spec.overrides.answers:
        is_unused = key == ARCHITECTURE and value != spec.architecture
        if is_unused or value not in asked.get(key, ()):
            raise UnusableCheckpointError(
                "{key}={value} answers nothing that {path} leaves open; inspect shows what does.",
                key=key,
                value=value,
                path=spec.checkpoint,
            )


def _answer(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(
            tr("{text!r} is not an answer, such as activation=tanh", text=text)
        )
    return key, value


def _probability(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(tr("{text!r} is no probability, such as 0.6", text=text))
    return found


def _dilation(text: str) -> Dilation:
    if not re.fullmatch("[01],[01],[01]", text):
        raise argparse.ArgumentTypeError(
            tr("{text!r} is not three of 0 and 1, such as 0,1,1", text=text)
        )
    one, two, three = (part == "1" for part in text.split(","))
    return one, two, three
