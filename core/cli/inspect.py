"""``inspect``: say what a checkpoint is."""

from __future__ import annotations

import argparse

from core.cli.terminal import (
    ALL_DONE,
    NOT_CARRIED_OUT,
    STANDARD_OUTPUT,
    Parser,
    path_option,
    say,
    say_result,
    write_json,
)
from core.language import tr


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    inspect = commands.add_parser("inspect", help=tr("say what a checkpoint is"))
    inspect.set_defaults(command=_run)
    inspect.add_argument("checkpoint", type=path_option, metavar="CHECKPOINT")
    inspect.add_argument("--json", action="store_true", help=tr("print JSON"))


def _run(options: argparse.Namespace) -> int:
    from core.models.sources import source_of

    source = source_of(options.checkpoint)
    found = source.inspect(options.checkpoint)
    if options.json:
        write_json({**found.to_json(), "source": source.name}, STANDARD_OUTPUT)
    elif found.usable:
        say_result(found.summary)
        for problem in found.problems:
            say_result(problem)
    if not found.usable:
        say(found.summary)
    return ALL_DONE if found.usable else NOT_CARRIED_OUT
