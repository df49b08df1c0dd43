"""``feature-maps``: write what a layer computes for a photo."""

from __future__ import annotations

import argparse
import io

from core.cli.model_options import add_model_options, ask
from core.cli.terminal import ALL_DONE, Parser, path_option, positive_option, say_result
from core.files import write_result
from core.inside.requests import AttentionMaps, FeatureMaps
from core.language import figure, tr

ATTENTION = "attention"


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command."""
    maps = commands.add_parser("feature-maps", help=tr("write what a layer computes for a photo"))
    maps.set_defaults(command=_run)
    maps.add_argument("image", type=path_option, metavar="IMAGE")
    maps.add_argument("--layer", required=True, metavar="NAME", help=tr("e.g. layer1.0.conv2"))
    maps.add_argument(
        "--call",
        type=_call,
        default=1,
        metavar=f"N|{ATTENTION}",
        help=tr("from 1, or the layer's attention, one map a head"),
    )
    add_model_options(maps)
    maps.add_argument(
        "--npy", type=path_option, metavar="FILE", help=tr("float32, shape (C, h, w)")
    )
    maps.add_argument("--png", type=path_option, metavar="FILE", help=tr("all maps in one picture"))


def _call(text: str) -> int | str:
    return text if text == ATTENTION else positive_option(text)


def _run(options: argparse.Namespace) -> int:
    import numpy as np
    from PIL import Image

    from core.inside.lens import require_maps
    from core.inside.rendering import grid

    request = (
        AttentionMaps(options.image, options.layer)
        if options.call == ATTENTION
        else FeatureMaps(options.image, options.layer, options.call)
    )
    found = require_maps(ask(options, request))
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
    call = ATTENTION if options.call == ATTENTION else f"call {options.call}"
    say_result(
        tr(
            "{layer}, {call}: {channels} maps of {height}×{width}, from {min} to {max}",
            layer=options.layer,
            call=call,
            channels=channels,
            height=height,
            width=width,
            min=figure(values.min(), 4),
            max=figure(values.max(), 4),
        )
    )
    return ALL_DONE
