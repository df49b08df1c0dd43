"""Other ways in which photos may have been prepared for a model, each by one change."""

from __future__ import annotations

from dataclasses import replace

from core.images.preprocessing import IMAGENET_MEAN, IMAGENET_STD, ChannelOrder, Preprocessing

_BYTES = 255.0
_HALF, _NOTHING, _ONE = (0.5, 0.5, 0.5), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_CAFFE_MEAN = (103.939, 116.779, 123.68)
"""Of blue, green and red, 0 to 255. Source: Caffe's VGG and ResNet models."""

_SIDES = (96, 128, 160, 192, 224, 256, 288, 299, 384)
_SHARES = (0.875, 1.0)
"""Of the shorter side that the middle is cut from."""


def other_numbers(now: Preprocessing) -> dict[str, Preprocessing]:
    """Return by name how else the numbers of pixels may be made the input; photos stay as cut.

    Each has the order of colours that goes with it; where that alone differs it is left out.
    """
    if now.channels != 3:
        return {}
    rgb = replace(now, channel_order="RGB")
    found = {
        "imagenet": replace(rgb, scale=1.0, mean=IMAGENET_MEAN, std=IMAGENET_STD),
        "half": replace(rgb, scale=1.0, mean=_HALF, std=_HALF),
        "unit": replace(rgb, scale=1.0, mean=_NOTHING, std=_ONE),
        "bytes": replace(rgb, scale=_BYTES, mean=_NOTHING, std=_ONE),
        "caffe": replace(now, scale=_BYTES, mean=_CAFFE_MEAN, std=_ONE, channel_order="BGR"),
    }
    return {name: one for name, one in found.items() if not _same_numbers(one, now)}


def other_colours(now: Preprocessing) -> dict[str, Preprocessing]:
    """Return the order of colours that is not in use."""
    if now.channels != 3:
        return {}
    other: ChannelOrder = "BGR" if now.channel_order == "RGB" else "RGB"
    return {other: replace(now, channel_order=other)}


def other_cuts(now: Preprocessing) -> dict[str, Preprocessing]:
    """Return by name how else photos may be made as large as the network takes them."""
    size = now.input_size
    found = {"squash": replace(now, resize=size, crop=None)}
    for share in _SHARES:
        found[f"middle {share}"] = replace(now, resize=round(min(size) / share), crop=size)
    return {name: one for name, one in found.items() if one != now}


def other_sizes(now: Preprocessing) -> dict[str, Preprocessing]:
    """Return other usual sizes of the input, cut out as now."""
    height, width = now.input_size
    found = {}
    for side in _SIDES:
        if height != width or side == height or not height / 2 <= side <= 2 * height:
            continue
        if now.crop is None:
            changed = replace(now, resize=(side, side))
        elif isinstance(now.resize, int):
            changed = replace(now, resize=round(now.resize * side / height), crop=(side, side))
        else:
            continue
        found[str(side)] = changed
    return found


def other_turns(now: Preprocessing) -> dict[str, Preprocessing]:
    """Return whether what a camera says of up and down is left out, where it is followed now."""
    name = "as stored" if now.apply_orientation else "upright"
    return {name: replace(now, apply_orientation=not now.apply_orientation)}


def _same_numbers(one: Preprocessing, other: Preprocessing) -> bool:
    """Return whether two make nearly the same numbers of a pixel, whatever the colours' order."""
    ends = [
        [(value * used.scale - mean) / std for mean, std in zip(used.mean, used.std, strict=True)]
        for used in (one, other)
        for value in (0.0, 1.0)
    ]
    pairs = (*zip(ends[0], ends[2], strict=True), *zip(ends[1], ends[3], strict=True))
    return all(abs(left - right) < 0.05 for left, right in pairs)
