"""Carries out one command of the command line."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence

from core.cli import (
    check,
    classify,
    diagnose,
    feature_maps,
    inspect,
    labels,
    layers,
    residual_blocks,
    review,
    train,
)
from core.cli.terminal import ALL_DONE, INTERRUPTED, NOT_CARRIED_OUT, Parser, forget_output, say
from core.errors import DroplensError, os_reason
from core.language import catalogues, tr

log = logging.getLogger(__name__)

COMMANDS = (
    classify,
    inspect,
    layers,
    residual_blocks,
    feature_maps,
    labels,
    train,
    check,
    review,
    diagnose,
)
"""Each adds its parser, whose default ``command`` carries it out, by ``add_to``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit status."""
    catalogues.begin()
    options = parser().parse_args(arguments)
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
        say(tr("The output could not be written: {reason}.", reason=os_reason(error)))
        return NOT_CARRIED_OUT
    except Exception as error:
        log.debug("unexpected", exc_info=True)
        first_line = (str(error).splitlines() or [""])[0]
        say(
            tr(
                "Droplens did not expect this: {name}: {first_line}",
                name=type(error).__name__,
                first_line=first_line,
            )
        )
        return NOT_CARRIED_OUT
    except KeyboardInterrupt:
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    made = Parser(prog="droplens-cli", description=tr("Classify photos and look inside networks."))
    commands = made.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        command.add_to(commands)
    return made
