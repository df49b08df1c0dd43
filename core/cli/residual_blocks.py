"""``residual-blocks``: write both paths of a residual block."""

from __future__ import annotations

import argparse
import io

from core.cli.model_options import add_model_options, ask
from core.cli.terminal import ALL_DONE, Parser, path_option, say_result
from core.files import write_result
from core.inside.names import BlockName
from core.inside.requests import Block
from core.language import percent, tr


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    block = commands.add_parser("residual-blocks", help=tr("write both paths of a residual block"))
    block.set_defaults(command=_run)
    block.add_argument("image", type=path_option, metavar="IMAGE")
    block.add_argument(
        "--block",
        required=True,
        metavar="NAME",
        help=tr("e.g. layer2.0; of a transformer's block also NAME:attention or NAME:mlp"),
    )
    add_model_options(block)
    block.add_argument(
        "--npz", type=path_option, metavar="FILE", help=tr("input, residual, shortcut, sum, output")
    )
    block.add_argument(
        "--png", type=path_option, metavar="FILE", help=tr("their means side by side")
    )


def _run(options: argparse.Namespace) -> int:
    import numpy as np
    from PIL import Image

    from core.inside.rendering import side_by_side

    found = ask(options, Block(options.image, BlockName.read(options.block)))
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
        tr(
            "{block}: {kind}, {shortcut} shortcut ({reason}); F(x) has {residual_share} of "
            "the energy of the two paths",
            block=options.block,
            kind=info.kind,
            shortcut=info.shortcut,
            reason=info.reason,
            residual_share=percent(block.residual_share, 1),
        )
    )
    return ALL_DONE
