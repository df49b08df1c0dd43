"""What the drawing of a network says of each box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.language import number, percent, tr, tr_n

if TYPE_CHECKING:
    from core.inside.drawing import Arrow, Box, Drawing
    from core.inside.layers import Layer
    from core.inside.residual_blocks import BlockInfo
    from core.inside.summary import LayerTable


class NetworkWords:
    """Knows a network's layers by name.

    Args:
        table: of a pass.
        drawing: of the same network.
    """

    def __init__(self, table: LayerTable, drawing: Drawing) -> None:
        self._table, self._boxes = table, drawing.boxes
        self._layers = {(one.name, one.call): one for one in table.layers}
        self._steps = {
            step.layer: step.text for block in table.blocks.values() for step in block.steps
        }
        self._projections = {
            block.projection: tr("projection: {reason}", reason=block.reason)
            for block in table.blocks.values()
            if block.projection
        }
        left_out = {name for box in drawing.boxes for name, _ in box.also}
        self._left_out = sorted(left_out, key=len, reverse=True)
        self._lines = [self._said(box) for box in drawing.boxes]

    def lines(self, at: int) -> tuple[str, str, str]:
        """Return a box's name within what it lies in, what it does, and the shape it gives."""
        return self._lines[at]

    def layer(self, at: int) -> Layer | None:
        """Return the layer of a box; None of what is none."""
        box = self._boxes[at]
        return self._layers.get((box.name, box.call))

    def block(self, at: int) -> BlockInfo | None:
        """Return what is known of a box that is a residual block; None of others."""
        return self._table.blocks.get(self._boxes[at].name) if self._boxes[at].call else None

    def shortcut(self, parent: int, arrow: Arrow) -> str:
        """Return what a shortcut's arc says: that it is an identity; "" of other ways."""
        ends_in_sum = arrow.target is not None and self._boxes[arrow.target].role == "sum"
        if not arrow.is_arc or not ends_in_sum:
            return ""
        block = self.block(parent)
        if block is None or block.shortcut != "identity":
            return tr("shortcut x (identity)")
        return tr("shortcut x: identity ({reason})", reason=block.reason)

    def whole(self) -> str:
        """Return the network's size in one line."""
        parts = []
        weighted = self._table.weighted_layers
        if weighted is not None:
            parts.append(tr_n("{n} weighted layer", "{n} weighted layers", weighted))
        if self._table.parameters:
            parts.append(tr("{n} parameters", n=_short(self._table.parameters)))
        total = self._table.multiply_adds.get("", 0)
        if total:
            parts.append(tr("{n} multiply-adds", n=_short(total)))
        return "  ·  ".join(parts)

    def set_answer(self, answer: str) -> None:
        """Let the box of the classes say what the model says of the photo."""
        for at, box in enumerate(self._boxes):
            if box.role == "output":
                title, _, shape = self._lines[at]
                self._lines[at] = (title, answer or tr("one logit each"), shape)

    def details(self, at: int, shares: tuple[float, ...] = ()) -> str:
        """Return all that is known of a box, in lines.

        Args:
            at: its place.
            shares: of the energy of the paths into a sum, where known.
        """
        box = self._boxes[at]
        if box.role == "network":
            return f"{self.whole()}\n{_legend()}"
        if box.role == "idle":
            return self._of_idle(box.name)
        layer = self.layer(at)
        first = [_full_name(box), box.kind if layer is None else layer.kind]
        first += [_shape(box.shape)]
        if box.role in ("input", "output"):
            first = [_full_name(box), self._lines[at][1], _shape(box.shape)]
        lines = ["  ·  ".join(dict.fromkeys(one for one in first if one))]
        if layer is not None:
            lines.append("  ·  ".join(self._numbers(layer)))
        lines.append(_told(box) if layer is None or not box.children else "")
        if shares:
            said = ", ".join(percent(share) for share in shares)
            lines.append(
                tr(
                    "Of the sum of all squares (energy) the two paths have {shares}: so thick are "
                    "their lines.",
                    shares=said,
                )
            )
        lines += self._of_block(at)
        if box.also:
            names = ", ".join(name for name, _ in box.also)
            lines.append(tr("What it gives is what {names} gives, too.", names=names))
        return "\n".join(line for line in lines if line)

    def _of_idle(self, name: str) -> str:
        part = next(one for one in self._table.idle if one.name == name)
        return tr(
            "{name}  ·  {kind}  ·  {n} parameters\nIt runs only while the network learns; for a "
            "photo it is not needed.",
            name=part.name,
            kind=part.kind,
            n=number(part.parameters),
        )

    def _of_block(self, at: int) -> list[str]:
        block = self.block(at)
        if block is None:
            return []
        reason = block.reason
        silent = tr("Its last norm has zeros alone, so F(x) is 0: it is not taught yet.")
        return [
            {
                "identity": tr("Its shortcut is the input itself ({reason}).", reason=reason),
                "projection": tr("Its shortcut is a projection: {reason}.", reason=reason),
                "none": tr("It adds no shortcut: {reason}.", reason=reason),
            }[block.shortcut],
            silent if block.is_silent else "",
        ]

    def _numbers(self, layer: Layer) -> list[str]:
        said = [f"{term} {value}" for term, value in layer.described.settings]
        if layer.parameters:
            said.append(
                tr_n("{count} parameter", "{count} parameters", layer.parameters,
                     count=number(layer.parameters))
            )  # fmt: skip
        adds = self._table.multiply_adds.get(layer.name, 0) // max(1, layer.calls)
        if adds:
            said.append(tr("{n} multiply-adds", n=number(adds)))
        if layer.calls > 1:
            said.append(tr("call {call} of {calls}", call=layer.call, calls=layer.calls))
        return said

    def _within(self, box: Box) -> str:
        """Return a box's name without those of what it lies in; but a number keeps the last."""
        parent = self._boxes[box.parent or 0].name
        for above in (parent, *self._left_out):
            for mark in (".", "/"):
                if above and box.name.startswith(above + mark):
                    rest = box.name[len(above) + 1 :]
                    return rest if above == parent or not rest[:1].isdigit() else box.name
        return box.name

    def _of_parts(self, box: Box) -> str:
        """Return how many of what a group is made of where all its parts are alike; else ""."""
        kinds = {self._boxes[one].kind for one in box.children}
        alike = len(kinds) == 1 and all(self._boxes[one].children for one in box.children)
        return f"{len(box.children)} × {kinds.pop()}" if alike else ""

    def _said(self, box: Box) -> tuple[str, str, str]:
        if box.role == "network":
            return ("", "", "")
        if box.role == "input":
            return (tr("photo"), "", _shape(box.shape))
        if box.role == "output":
            return (tr("classes"), tr("one logit each"), _shape(box.shape))
        name = self._within(box)
        title = f"{name} ({box.call})" if box.calls > 1 else name
        layer = self._layers.get((box.name, box.call))
        if layer is None:
            return (_operation(title), "", _shape(box.shape) if box.children else "")
        step = self._steps.get(box.name) or self._projections.get(box.name)
        kind = self._of_parts(box) or layer.kind
        does = step or " ".join(one for one in (kind, layer.described.short) if one)
        return (title, does, _shape(box.shape))


def _legend() -> str:
    """Return how the drawing is read."""
    return tr(
        "Each box is a layer: as high as its maps, as deep as it has channels. Its picture shows "
        "where it answers, yellow most. Blue: convolution, grey: norm, orange: activation, green: "
        "pooling, violet: linear, turquoise: attention. White boxes hold others; double-click one."
    )


def _told(box: Box) -> str:
    """Return what a kind of layer does, for who has not met it before; "" of others."""
    texts = {
        "sum": tr("It adds what comes in, number by number."),
        "product": tr("It multiplies what comes in, number by number."),
        "join": tr("It puts the channels of all that comes in behind each other."),
    }
    if box.role in texts:
        return texts[box.role]
    kind = box.kind.lower()
    by_kind = (
        ("norm", tr("A norm: it brings the numbers to one range.")),
        ("conv", tr("A convolution: it looks for patterns in small squares of what comes in.")),
        ("relu", tr("An activation: it keeps what is above zero.")),
        ("gelu", tr("An activation: it keeps what is above zero, with a soft bend.")),
        ("silu", tr("An activation: it keeps what is above zero, with a soft bend.")),
        ("maxpool", tr("It keeps the largest number of each small square.")),
        ("avgpool", tr("It takes the mean of each square, or of the whole map.")),
        ("averagepool", tr("It takes the mean of each square, or of the whole map.")),
        ("attention", tr("Attention: each place takes up what fits of all others.")),
        ("dropout", tr("It does something only while the network learns.")),
        ("linear", tr("It weighs all numbers anew for each number that it gives.")),
        ("gemm", tr("It weighs all numbers anew for each number that it gives.")),
    )
    return next((text for part, text in by_kind if part in kind), "")


def _full_name(box: Box) -> str:
    names = {"input": tr("The photo as the network takes it"), "output": tr("What it says")}
    name = names.get(box.role, _operation(box.name) if not box.call else box.name)
    return f"{name} ({box.call})" if box.calls > 1 else name


def _operation(name: str) -> str:
    """Return what a step between layers is called."""
    return {
        "add": tr("sum"),
        "mul": tr("product"),
        "cat": tr("concatenate"),
        "scaled_dot_product_attention": tr("attention"),
        "multi_head_attention_forward": tr("attention"),
        "roll": tr("shift windows"),
        "adaptive_avg_pool2d": tr("average pool"),
        "avg_pool2d": tr("average pool"),
        "max_pool2d": tr("max pool"),
        "masked_fill": tr("mask"),
    }.get(name, name)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _short(count: int) -> str:
    """Return a large number with its unit, e.g. "11.7 M"."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{number(count / size, 1)} {unit}"
    return number(count)
