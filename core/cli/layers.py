"""``layers``: list the layers of a model."""

from __future__ import annotations

import argparse

from core.cli.model_options import add_model_options, ask
from core.cli.terminal import ALL_DONE, STANDARD_OUTPUT, Parser, path_option, say_result, write_json
from core.errors import DroplensError
from core.inside.requests import Layers
from core.language import tr


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    layers = commands.add_parser("layers", help=tr("list the layers of a model"))
    layers.set_defaults(command=_run)
    add_model_options(layers)
    layers.add_argument(
        "--image", type=path_option, metavar="PATH", help=tr("measured for this photo")
    )
    layers.add_argument("--json", action="store_true", help=tr("print JSON"))


def _run(options: argparse.Namespace) -> int:
    from core.inside.summary import said, to_json

    table = ask(options, Layers(options.image))
    if options.json:
        write_json(to_json(table.layers), STANDARD_OUTPUT)
    else:
        stages = " → ".join(f"{name} {said(shape)}" for name, shape in table.stages)
        say_result(f"{said(table.input_shape)} → {stages}")
        for layer in table.layers:
            call = f", call {layer.call}" if layer.calls > 1 else ""
            say_result(f"{layer.name}{call}  {layer.kind}  {said(layer.output_shape)}")
    if table.error:
        raise DroplensError("The pass ended in the middle: {error}", error=table.error)
    return ALL_DONE
