"""What a layer is set to: kernel, stride, padding, heads and the like, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from core.language import lazy, tr

Settings = tuple[tuple[str, str], ...]

_POOLS = (nn.MaxPool2d, nn.AvgPool2d)
_TERMS = {
    "kernel": lazy("kernel"),
    "stride": lazy("stride"),
    "padding": lazy("padding"),
    "dilation": lazy("dilation"),
    "groups": lazy("groups"),
    "channels": lazy("channels"),
    "features": lazy("features"),
    "bias": lazy("bias"),
    "heads": lazy("heads"),
    "window": lazy("window"),
    "shift": lazy("shift"),
    "epsilon": lazy("epsilon"),
    "output size": lazy("output size"),
    "dropped": lazy("dropped"),
}
_TO_SIZE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


@dataclass(frozen=True)
class Described:
    """A layer's settings.

    Attributes:
        settings: pairs of a term and its value, e.g. ("kernel", "7×7").
        short: those that tell it from others of its kind, e.g. "7×7, stride 2".
    """

    settings: Settings = ()
    short: str = ""


def describe(module: nn.Module) -> Described:
    """Return what a module is set to; nothing of what has no settings that people ask for."""
    given = vars(module).get("settings")  # of a step of a graph, which says them itself
    if isinstance(given, tuple) and given:
        kernel, stride = (dict(given).get(term, "") for term in ("kernel", "stride"))
        return Described(_said(given), _in_short(kernel, stride))
    if isinstance(module, nn.Conv2d):
        return _convolution(module)
    if isinstance(module, _POOLS):
        kernel, stride = _pair(module.kernel_size), _pair(module.stride)
        settings = [("kernel", kernel), ("stride", stride), ("padding", _pair(module.padding))]
        return Described(_said(settings), _in_short(kernel, stride))
    if isinstance(module, _TO_SIZE):
        size = _pair(module.output_size)
        return Described(_said([("output size", size)]), tr("to {size}", size=size))
    if isinstance(module, nn.Linear):
        change = f"{module.in_features}→{module.out_features}"
        return Described(_said([("features", change), ("bias", _yes(module.bias))]), change)
    if isinstance(module, nn.Dropout):
        return Described(_said([("dropped", f"{module.p:g}")]))
    return _other(module)


def _convolution(module: nn.Conv2d) -> Described:
    kernel, stride = _pair(module.kernel_size), _pair(module.stride)
    change = f"{module.in_channels}→{module.out_channels}"
    settings = [
        ("kernel", kernel),
        ("stride", stride),
        ("padding", module.padding if isinstance(module.padding, str) else _pair(module.padding)),
        ("dilation", _pair(module.dilation)),
        ("groups", str(module.groups)),
        ("channels", change),
        ("bias", _yes(module.bias)),
    ]
    more = []
    if module.groups == module.in_channels > 1:
        more.append(tr("depthwise"))
    elif module.groups > 1:
        more.append(tr("{n} groups", n=module.groups))
    if _pair(module.dilation) != "1×1":
        more.append(tr("dilation {n}", n=module.dilation[0]))
    return Described(_said(settings), _in_short(kernel, stride, *more))


def _other(module: nn.Module) -> Described:
    """Return what attention, windows and norms are set to, by what their attributes are called."""
    settings, short = [], []
    held = vars(module)  # asked for what it lacks, a module takes its time to say so
    heads = int(held.get("num_heads", 0) or held.get("n_heads", 0) or 0)
    if heads:
        settings.append(("heads", str(heads)))
        short.append(tr("{n} heads", n=heads))
    window: Any = held.get("window_size")
    if _is_pair(window):
        settings.append(("window", _pair(window)))
        short.append(tr("window {size}", size=_pair(window)))
    shift: Any = held.get("shift_size")
    if _is_pair(shift):
        settings.append(("shift", _pair(shift)))
        if any(shift):
            short.append(tr("shifted by {n}", n=shift[0]))
    channels = held.get("num_features") or held.get("normalized_shape")
    if channels and isinstance(held.get("eps"), float):
        settings.append(("channels", "×".join(map(str, _items(channels)))))
        settings.append(("epsilon", f"{held['eps']:g}"))
    return Described(_said(settings), ", ".join(short))


def _in_short(kernel: str, stride: str, *more: str) -> str:
    said = [kernel]
    if stride and set(stride.split("×")) != {"1"}:
        said.append(tr("stride {n}", n=stride.split("×")[0] if _is_square(stride) else stride))
    return ", ".join(one for one in (*said, *more) if one)


def _is_square(size: str) -> bool:
    return len(set(size.split("×"))) == 1


def _is_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _pair(value: Any) -> str:
    """Return two numbers, or one that stands for both, e.g. "3×3"."""
    if isinstance(value, list | tuple):
        return "×".join(map(str, value if len(value) > 1 else (value[0], value[0])))
    return f"{value}×{value}"


def _yes(value: object) -> str:
    return tr("no") if value is None else tr("yes")


def _said(settings: Iterable[tuple[str, str]]) -> Settings:
    return tuple((str(_TERMS[term]), value) for term, value in settings)
