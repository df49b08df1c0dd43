"""The command line: the same core without a window."""

from __future__ import annotations

import argparse
import io
import logging
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from core import settings
from core.errors import ArchitectureMismatchError, DroplensError, os_reason
from core.files import write_result
from core.inference.speed import EXACT, FAST_AGREEMENT, Decoding, Speed
from core.models.spec import Dilation, ModelChoice, Outputs, Settled
from core.models.weights import Weights, find_weights
from core.terminal import (
    ALL_DONE,
    NOT_CARRIED_OUT,
    SOME_FAILED,
    STANDARD_OUTPUT,
    Parser,
    ProgressLine,
    forget_output,
    path_option,
    positive_option,
    refuse_unwritable,
    say,
    say_result,
    write_json,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

    from core.inference.engine import Engine
    from core.inference.predictions import Prediction

_Answer = TypeVar("_Answer")

log = logging.getLogger(__name__)

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except DroplensError as error:
        say(str(error))
        return NOT_CARRIED_OUT
    except BrokenPipeError:  # "| head" has seen enough
        forget_output()
        return ALL_DONE
    except OSError as error:
        forget_output()
        say(f"The output could not be written: {os_reason(error)}.")
        return NOT_CARRIED_OUT
    except Exception as error:
        log.debug("unexpected", exc_info=True)
        first_line = (str(error).splitlines() or [""])[0]
        say(f"Droplens did not expect this: {type(error).__name__}: {first_line}")
        return NOT_CARRIED_OUT
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="droplens-cli", description="Classify photos and look inside networks.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    classify = commands.add_parser("classify", help="say what photos show")
    classify.set_defaults(command=_classify)
    classify.add_argument(
        "paths", nargs="+", type=path_option, metavar="PATH", help="photo or folder"
    )
    _add_model_options(classify)
    classify.add_argument("--top-k", type=positive_option, default=5, metavar="K")
    classify.add_argument("--batch-size", type=positive_option, metavar="N")
    classify.add_argument(
        "--decoding",
        choices=get_args(Decoding),
        default=EXACT.decoding,
        help=f"fast shrinks large JPEGs as it decodes; {FAST_AGREEMENT:.0%}% keep their class",
    )
    classify.add_argument(
        "--precision",
        choices=("full", "mixed"),
        default="full",
        help="mixed computes in half precision on NVIDIA cards, where the classes stay the same",
    )
    classify.add_argument(
        "--json", type=path_option, metavar="FILE|-", help="write JSON; - is standard output"
    )
    classify.add_argument(
        "--csv", metavar="FILE", type=path_option, help="write a table for spreadsheets"
    )

    inspect = commands.add_parser("inspect", help="say what a checkpoint is")
    inspect.set_defaults(command=_inspect)
    inspect.add_argument("checkpoint", type=path_option, metavar="CHECKPOINT")
    inspect.add_argument("--json", action="store_true", help="print JSON")

    layers = commands.add_parser("layers", help="list the layers of a model")
    layers.set_defaults(command=_layers)
    _add_model_options(layers)
    layers.add_argument("--image", type=path_option, metavar="PATH", help="measured for this photo")
    layers.add_argument("--json", action="store_true", help="print JSON")

    block = commands.add_parser("residual-blocks", help="write both paths of a residual block")
    block.set_defaults(command=_residual_blocks)
    block.add_argument("image", type=path_option, metavar="IMAGE")
    block.add_argument(
        "--block",
        required=True,
        metavar="NAME",
        help="e.g. layer2.0; of a transformer's block also NAME:attention or NAME:mlp",
    )
    _add_model_options(block)
    block.add_argument(
        "--npz", type=path_option, metavar="FILE", help="input, residual, shortcut, sum, output"
    )
    block.add_argument("--png", type=path_option, metavar="FILE", help="their means side by side")

    maps = commands.add_parser("feature-maps", help="write what a layer computes for a photo")
    maps.set_defaults(command=_feature_maps)
    maps.add_argument("image", type=path_option, metavar="IMAGE")
    maps.add_argument("--layer", required=True, metavar="NAME", help="e.g. layer1.0.conv2")
    maps.add_argument("--call", type=positive_option, default=1, metavar="N", help="from 1")
    _add_model_options(maps)
    maps.add_argument("--npy", type=path_option, metavar="FILE", help="float32, shape (C, h, w)")
    maps.add_argument("--png", type=path_option, metavar="FILE", help="all maps in one picture")
    from core.labels import command as labels_command

    labels_command.add_to(commands)
    return parser


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model", "without these, the checkpoint that is shipped")
    group.add_argument("--architecture", metavar="NAME", help="torchvision's name, e.g. resnet50")
    one = group.add_mutually_exclusive_group()
    one.add_argument("--checkpoint", type=path_option, metavar="FILE")
    one.add_argument("--weights", metavar="NAME", help="e.g. ResNet50_Weights.IMAGENET1K_V2")
    group.add_argument("--class-names", type=path_option, metavar="FILE", help="text or JSON")
    group.add_argument("--preprocessing", type=path_option, metavar="FILE.json")
    group.add_argument(
        "--outputs", choices=get_args(Outputs), help="what the outputs are, where no file tells"
    )
    group.add_argument(
        "--dilation",
        type=_dilation,
        metavar="0,1,1",
        help="torchvision's replace_stride_with_dilation, which no file tells",
    )
    group.add_argument("--device", default="auto", metavar="auto|cpu|cuda|cuda:N|mps")


def _classify(options: argparse.Namespace) -> int:
    from core.images.finding import PassedOver, find_images
    from core.inference.engine import Engine

    for target in (options.json, options.csv):
        if target not in (None, STANDARD_OUTPUT):
            refuse_unwritable(target)
    predictions: list[Prediction] = []
    progress = ProgressLine()
    passed_over = PassedOver()
    unreadable: list[str] = []

    def on_problem(sentence: str) -> None:
        unreadable.append(sentence)
        say(sentence)

    def on_predictions(batch: list[Prediction]) -> None:
        predictions.extend(batch)
        progress.show(len(predictions))

    speed = Speed(options.decoding, options.precision == "mixed")
    engine = Engine(on_notice=say, cache=settings.cache_path(), speed=speed)
    try:
        spec = engine.open_model(_choice(options), options.device).result().spec
        if not spec.predicts:
            raise DroplensError(f"{spec.checkpoint} predicts nothing. {' '.join(spec.problems)}")
        run = engine.classify(
            find_images(options.paths, on_problem, passed_over=passed_over),
            on_predictions,
            top_k=options.top_k,
            batch_size=options.batch_size,
        )
        interrupted = _wait(run)
    finally:
        engine.shut_down()
        progress.end()
    if passed_over:
        say(passed_over.sentence())
    if not predictions and not unreadable and not interrupted:
        raise DroplensError(f"No photos were found in {', '.join(map(str, options.paths))}.")
    _write_predictions(predictions, options)
    if interrupted:
        return _INTERRUPTED
    failed = [one.error for one in predictions if one.error is not None]
    for sentence in failed:
        say(sentence)
    return SOME_FAILED if failed or unreadable else ALL_DONE


def _write_predictions(predictions: list[Prediction], options: argparse.Namespace) -> None:
    from core.inference.predictions import to_csv

    if options.json is not None:
        write_json([one.to_json() for one in predictions], options.json)
    if options.csv is not None:
        write_result(options.csv, to_csv(predictions, options.top_k))
    if options.json is None and options.csv is None:
        _print_table(predictions)


def _inspect(options: argparse.Namespace) -> int:
    from core.models.checkpoints import inspect_checkpoint

    found = inspect_checkpoint(options.checkpoint)
    if options.json:
        write_json(found.to_json(), STANDARD_OUTPUT)
    elif found.usable:
        say_result(found.summary)
        for problem in found.problems:
            say_result(problem)
    if not found.usable:
        say(found.summary)
    return ALL_DONE if found.usable else NOT_CARRIED_OUT


def _layers(options: argparse.Namespace) -> int:
    from core.inside.summary import said, to_json

    table = _ask_engine(options, lambda engine: engine.layer_table(options.image))
    if options.json:
        write_json(to_json(table.layers), STANDARD_OUTPUT)
    else:
        stages = " → ".join(f"{name} {said(shape)}" for name, shape in table.stages)
        say_result(f"{said(table.input_shape)} → {stages}")
        for layer in table.layers:
            call = f", call {layer.call}" if layer.calls > 1 else ""
            say_result(f"{layer.name}{call}  {layer.kind}  {said(layer.output_shape)}")
    if table.error:
        raise DroplensError(f"The pass ended in the middle: {table.error}")
    return ALL_DONE


def _residual_blocks(options: argparse.Namespace) -> int:
    import numpy as np
    from PIL import Image

    from core.inside.rendering import side_by_side

    found = _ask_engine(options, lambda engine: engine.residual_block(options.image, options.block))
    block = found.block
    arrays = {
        name: getattr(block, name) for name in ("input", "residual", "shortcut", "sum", "output")
    }
    if options.npz is not None:
        content = io.BytesIO()
        np.savez(content, **arrays)
        write_result(options.npz, content.getvalue())
    if options.png is not None:
        content = io.BytesIO()
        pictures = [arrays[name].mean(axis=0) for name in ("residual", "shortcut", "sum")]
        Image.fromarray(side_by_side(pictures)).save(content, "PNG")
        write_result(options.png, content.getvalue())
    info = block.info
    say_result(
        f"{options.block}: {info.kind}, {info.shortcut} shortcut ({info.reason}); F(x) has "
        f"{block.residual_share:.1%} of the energy of the two paths"
    )
    return ALL_DONE


def _ask_engine(options: argparse.Namespace, ask: Callable[[Engine], Future[_Answer]]) -> _Answer:
    """Open the model of the options and return the answer to one request."""
    from core.inference.engine import Engine

    engine = Engine(on_notice=say)
    try:
        engine.open_model(_choice(options), options.device).result()
        return ask(engine).result()
    finally:
        engine.shut_down()


def _feature_maps(options: argparse.Namespace) -> int:
    import numpy as np
    from PIL import Image

    from core.inside.lens import require_maps
    from core.inside.rendering import grid

    found = require_maps(
        _ask_engine(
            options, lambda one: one.feature_maps(options.image, options.layer, options.call)
        )
    )
    values = found.maps.values
    if options.npy is not None:
        content = io.BytesIO()
        np.save(content, values, allow_pickle=False)
        write_result(options.npy, content.getvalue())
    if options.png is not None:
        content = io.BytesIO()
        Image.fromarray(grid(values)).save(content, "PNG")
        write_result(options.png, content.getvalue())
    channels, height, width = values.shape
    say_result(
        f"{options.layer}, call {options.call}: {channels} maps of {height}×{width}, "
        f"from {values.min():.4g} to {values.max():.4g}"
    )
    return ALL_DONE


def _choice(options: argparse.Namespace) -> ModelChoice:
    checkpoint, architecture = options.checkpoint, options.architecture
    if options.weights is not None:
        weights = find_weights(options.weights)
        if architecture not in (None, weights.architecture):
            raise ArchitectureMismatchError(
                f"{weights.name} are weights of {weights.title} ({weights.architecture}), not of "
                f"{architecture}; leave one of the two out."
            )
        checkpoint, architecture = _file_of(weights), weights.architecture
    return ModelChoice(
        checkpoint=checkpoint,
        architecture=architecture,
        class_names=options.class_names,
        preprocessing=options.preprocessing,
        settled=Settled(outputs=options.outputs, dilation=options.dilation),
    )


def _file_of(weights: Weights) -> Path:
    """Return the file of torchvision's weights, downloaded first where it is not there yet."""
    from core.models.downloads import Download, Progress

    if weights.path.is_file():
        return weights.path

    def show(progress: Progress) -> None:
        if sys.stderr.isatty():
            done, total = progress.done_bytes / 1e6, progress.total_bytes / 1e6
            said = f"\r{weights.file_name}: {done:,.1f} of {total:,.1f} MB "
            print(said, end="", file=sys.stderr)  # noqa: T201

    mirror = settings.load(settings.default_path()).mirror
    try:
        path = Download(weights, mirror, show).run()
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # noqa: T201
    assert path is not None  # nobody pauses it here
    return path


def _wait(run: Any) -> bool:
    """Wait for a run; return whether Ctrl+C ended it, its results so far kept."""
    try:
        run.finished.result()
    except KeyboardInterrupt:
        run.stop()
        run.finished.result()
        return True
    return False


def _print_table(predictions: Sequence[Prediction]) -> None:
    for one in predictions:
        if one.error is None:
            classes = ", ".join(f"{c.class_name} {c.probability:.1%}" for c in one.top)
            say_result(f"{one.image}: {classes}")


def _dilation(text: str) -> Dilation:
    if not re.fullmatch("[01],[01],[01]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not three of 0 and 1, such as 0,1,1")
    one, two, three = (part == "1" for part in text.split(","))
    return one, two, three


if __name__ == "__main__":
    sys.exit(main())
