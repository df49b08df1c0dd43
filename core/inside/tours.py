"""Tours through the drawing of a network: a sentence and a place at each step.

What channels answer to at which depth is told as Zeiler and Fergus found it (ECCV 2014,
arXiv:1311.2901): edges and colours first, then textures, then parts of things.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.language import percent, tr, tr_n

if TYPE_CHECKING:
    from core.inside.drawing import Box, Drawing
    from core.inside.layers import Layer
    from core.inside.residual_blocks import BlockInfo
    from core.inside.summary import LayerTable

_LEAST_SIDE = 2
"""Maps of a single place are none to look at."""


@dataclass(frozen=True)
class Stop:
    """A step of a tour.

    Attributes:
        sentence: what is to be seen.
        place: of the box in the drawing.
    """

    sentence: str
    place: int


def tour_of_network(table: LayerTable, drawing: Drawing, answer: str = "") -> tuple[Stop, ...]:
    """Return seven steps from the pixels to the class, those that the network has.

    Args:
        table: of a pass.
        drawing: of the same network.
        answer: what the model says of the photo, if it is known.
    """
    boxes, layers = drawing.boxes, {(one.name, one.call): one for one in table.layers}
    with_maps = [
        at
        for at in boxes[0].children
        if len(boxes[at].shape) == 3
        and min(boxes[at].shape[1:]) >= _LEAST_SIDE
        and _has_maps(boxes[at], layers)
    ]
    photo = next((at for at in with_maps if boxes[at].role == "input"), None)
    maps = [at for at in with_maps if at != photo]
    stops = [] if photo is None else [_pixels(boxes, photo)]
    stops += _on_maps(table, drawing, maps)
    vectors = [
        at for at in boxes[0].children if boxes[at].shape and boxes[at].shape[1:] in ((), (1, 1))
    ]
    output = next((at for at in boxes[0].children if boxes[at].role == "output"), None)
    pooled = [at for at in vectors if at != output and (not maps or at > maps[-1])]
    if pooled and _is_mean(boxes[pooled[0]]):
        count = boxes[pooled[0]].shape[0]
        sentence = tr(
            "Where something was no longer counts: each channel becomes one number. These {n} "
            "numbers are all that the rest of the network knows of the photo.",
            n=count,
        )
        stops.append(Stop(sentence, pooled[0]))
    if output is not None:
        sentence = tr_n(
            "The last layer weighs these numbers and gives one result. It makes the answer.",
            "The last layer weighs these numbers for each of {n} classes. The class with the "
            "largest sum is the answer.",
            boxes[output].shape[0] if boxes[output].shape else 1,
        )
        if answer:
            sentence += " " + tr("Here: {answer}.", answer=answer)
        stops.append(Stop(sentence, output))
    return tuple(stops)


def _pixels(boxes: tuple[Box, ...], photo: int) -> Stop:
    channels, height, width = boxes[photo].shape
    sentence = tr(
        "This is all that the network sees: {width}×{height} pixels, {n} numbers each. What was "
        "cut off or made smaller, it does not know.",
        width=width,
        height=height,
        n=channels,
    )
    return Stop(sentence, photo)


def _on_maps(table: LayerTable, drawing: Drawing, maps: list[int]) -> list[Stop]:
    boxes, layers = drawing.boxes, {(one.name, one.call): one for one in table.layers}
    stops = []
    first = next((at for at in range(1, len(boxes)) if _is_convolution(boxes[at])), None)
    if first is not None:
        layer = layers.get((boxes[first].name, boxes[first].call))
        stops.append(Stop(_of_first(boxes[first], layer), first))
    if not maps:
        return stops
    smaller = [at for at in maps if boxes[at].shape[1] < boxes[maps[0]].shape[1]]
    if smaller:
        stops.append(_smaller(boxes[smaller[0]], smaller[0]))
    if len(smaller) > 2:
        stops.append(_midway(boxes[smaller[len(smaller) // 2]], smaller[len(smaller) // 2]))
    if len(smaller) > 1:
        stops.append(_deep(boxes[smaller[-1]], smaller[-1]))
    if not smaller:
        stops += _on_tokens(drawing, maps)
    return stops


def _on_tokens(drawing: Drawing, maps: list[int]) -> list[Stop]:
    """Return the steps through a transformer, whose maps stay as large as they are."""
    boxes = drawing.boxes
    blocks = [at for at in maps if boxes[at].children]
    stops = []
    joined = next((at for at in boxes[0].children if boxes[at].role == "join"), None)
    if joined is not None:
        sentence = tr(
            "One more place is put before those of the photo. It stands for the photo as a whole, "
            "and in the end the answer is read from it."
        )
        stops.append(Stop(sentence, joined))
    if blocks:
        channels, height, width = boxes[blocks[0]].shape
        sentence = tr(
            "From here on the photo is {h}×{w} squares, each described by {n} numbers. In every "
            "block each square looks at all others (attention) and takes up what fits.",
            h=height,
            w=width,
            n=channels,
        )
        stops.append(Stop(sentence, blocks[0]))
    if len(blocks) > 2:
        sentence = tr(
            "Halfway through, squares that belong together have become alike: what stands behind "
            "each is no longer its own pixels alone."
        )
        stops.append(Stop(sentence, blocks[len(blocks) // 2]))
        sentence = tr("After the last block each square tells of the parts of things it is in.")
        stops.append(Stop(sentence, blocks[-1]))
    return stops


def _smaller(box: Box, at: int) -> Stop:
    _, height, width = box.shape
    sentence = tr(
        "The maps are {h}×{w} now. What was found is kept, but less exactly where: so a thing may "
        "stand a little elsewhere and is still the same.",
        h=height,
        w=width,
    )
    return Stop(sentence, at)


def _midway(box: Box, at: int) -> Stop:
    _, height, width = box.shape
    sentence = tr(
        "Each place of these {h}×{w} maps looks at more of the photo, so channels can answer to "
        "textures and shapes: fur, stripes, corners, wheels.",
        h=height,
        w=width,
    )
    return Stop(sentence, at)


def _deep(box: Box, at: int) -> Stop:
    channels, height, width = box.shape
    sentence = tr(
        "{n} channels of {h}×{w}. So deep inside they answer to parts of things, wherever in the "
        "photo these are.",
        n=channels,
        h=height,
        w=width,
    )
    return Stop(sentence, at)


def _has_maps(box: Box, layers: dict[tuple[str, int], Layer]) -> bool:
    """Return whether what a box gives is known to be maps; what lies otherwise is no picture."""
    layer = layers.get((box.name, box.call))
    return not box.call or (layer is not None and layer.shape is not None)


def _is_mean(box: Box) -> bool:
    """Return whether a layer makes one number of each map."""
    kind = box.kind.lower()
    return any(part in kind for part in ("avgpool", "averagepool", "avg_pool", "mean"))


def _is_convolution(box: Box) -> bool:
    return bool(box.call) and not box.children and "conv" in box.kind.lower()


def _of_first(box: Box, layer: Layer | None) -> str:
    kernel = "" if layer is None else dict(layer.described.settings).get(tr("kernel"), "")
    where = tr("The first layer looks at small squares of the photo.")
    if kernel:
        where = tr("The first layer looks at squares of {kernel} pixels.", kernel=kernel)
    what = tr(
        "Each of its {n} channels looks for one simple thing, such as an edge or a colour. Bright "
        "is where much was found.",
        n=box.shape[0] if box.shape else 1,
    )
    return f"{where} {what}"


def tour_of_block(table: LayerTable, drawing: Drawing, name: str) -> tuple[Stop, ...]:
    """Return the steps through one residual block; () of what is none or has no shortcut."""
    block, at = table.blocks.get(name), drawing.place_of(name)
    if block is None or at is None or block.shortcut == "none":
        return ()
    boxes = drawing.boxes
    if boxes[at].role == "sum":  # of a graph, where a sum stands for its block
        at = boxes[at].parent or 0
    inside = boxes[at].children
    sums = [one for one in inside if boxes[one].role == "sum"]
    if not sums:
        return ()
    before = [one for one in inside if one < sums[0]]
    path = [one for one in before if drawing.is_in_line(one, sums[0])]
    aside = [one for one in before if one not in path]
    stops = [Stop(_of_block(block), at)]
    if path:
        stops.append(Stop(_of_path(block), path[0]))
        stops.append(
            Stop(
                tr("Here the residual path ends. Its output F(x) has the very shape of what it is "
                   "added to: {shape}.", shape="×".join(map(str, boxes[path[-1]].shape))),
                path[-1],
            )
        )  # fmt: skip
    stops.append(Stop(_of_shortcut(block), aside[0] if aside else sums[0]))
    residual = boxes[path[-1]].steps if path else ()
    stops.append(Stop(_of_sum(table, boxes[sums[0]].step, residual), sums[0]))
    after = [one for one in inside if one > sums[0] and boxes[one].role == "layer"]
    if after and len(sums) == 1:
        sentence = tr(
            "Only after the sum comes {kind}, for both paths together. Then the next block begins.",
            kind=boxes[after[0]].kind,
        )
        stops.append(Stop(sentence, after[0]))
    return tuple(stops)


def first_block(table: LayerTable, drawing: Drawing) -> str | None:
    """Return the block that a tour shows best: a sum of two paths in a box; None without one."""
    fit = [name for name in table.blocks if len(tour_of_block(table, drawing, name)) > 3]
    plain = (name for name in fit if table.blocks[name].shortcut == "identity")
    return next(plain, fit[0] if fit else None)


def _of_block(block: BlockInfo) -> str:
    return tr(
        "A residual block ({kind}). What comes in, x, goes two ways: along the layers below, and "
        "past them.",
        kind=block.kind,
    )


def _of_path(block: BlockInfo) -> str:
    shown = block.steps[:1] if block.parts else block.steps  # the second addition comes later
    steps = "; ".join(step.text for step in shown)
    return tr("The residual path F(x): {steps}. It works out what is to be changed.", steps=steps)


def _of_shortcut(block: BlockInfo) -> str:
    if block.shortcut == "projection":
        return tr(
            "The shortcut, the upper way. Here x cannot be added as it is ({reason}), so one 1×1 "
            "convolution and its norm bring it into the shape of F(x): a projection. Most blocks "
            "need none.",
            reason=block.reason,
        )
    return tr(
        "The shortcut. The arc above carries x past all these layers, untouched: it has the size "
        "and the channels of F(x) already."
    )


def _of_sum(table: LayerTable, step: int, residual: tuple[int, ...]) -> str:
    sentence = tr(
        "F(x) and x are added, number by number. The block only has to learn what to change, and "
        "if there is nothing, F(x) may be 0: so hundreds of layers can be taught."
    )
    energies = () if table.strengths is None else table.strengths.energies.get(step, ())
    ours = [
        energy
        for source, energy in zip(table.flow.steps[step].sources, energies, strict=False)
        if source in residual
    ]
    if not ours or not 0 < sum(energies) < math.inf:
        return sentence
    share = percent(ours[0] / sum(energies))
    more = tr(
        "The thicker a line into the plus, the more it brings: for this photo F(x) brings {share} "
        "of both (of the sum of all squares).",
        share=share,
    )
    return f"{sentence} {more}"
