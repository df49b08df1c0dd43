"""What an output is: maps, tokens of a transformer, windows, or a vector; and all as maps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from core.models.families import families_in
from core.models.families.base import Attention

Layout = Literal["maps", "tokens", "vector"]

_SWAPPED = ("partition_swap", "attn_layer", "mlp_layer", "stochastic_dropout")
"""Parts of MaxViT's attention layer whose windows stand the other way round for a grid."""


@dataclass(frozen=True)
class Shown:
    """An output as it is shown.

    Attributes:
        layout: "maps" for an image's layout; "tokens" for a transformer's, laid out as an
            image with the class token apart; "vector" for one number a channel.
        maps: float, shape (C, h, w); (C, 1, 1) for a vector.
        class_token: shape (C,); None but for tokens.
    """

    layout: Layout
    maps: Tensor
    class_token: Tensor | None = None


class Layouts:
    """Knows where in a network channels stand last and where windows are.

    Args:
        network: any that Droplens builds.
    """

    def __init__(self, network: nn.Module) -> None:
        self._modules = dict(network.named_modules())
        self._families = families_in(network)
        self._prefix = int(getattr(network, "num_prefix_tokens", 1))
        """Tokens before those of the patches: the class token, and registers in some."""
        windows = {family.windows for family in self._families}
        self._partitions = {
            name: module
            for name, module in self._modules.items()
            if type(module).__name__ in windows
        }

    def show(self, layer: str, output: object) -> Shown | None:
        """Return an output as maps; None where it holds no numbers of one image.

        Args:
            layer: dotted name of the module that gave it.
            output: whatever it gave, for one image.
        """
        if isinstance(output, tuple) and output:  # attention gives its weights beside
            output = output[0]
        if not isinstance(output, Tensor) or output.dim() < 2 or output.shape[0] != 1:
            return None
        values = output[0]
        if values.dim() == 1:
            return Shown("vector", values[:, None, None])
        if values.dim() == 2:
            return _tokens(values, self._prefix)
        if values.dim() != 3:
            return None
        inside = next((one for one in self._partitions if layer.startswith(f"{one}.")), None)
        if inside is not None:
            return self._windows(layer, inside, values)
        return Shown("maps", values.permute(2, 0, 1) if self._is_last(layer) else values)

    def join_windows(self, partition: str, values: Tensor, *, swapped: bool) -> Tensor:
        """Return MaxViT's windows put together again, shape (C, h, w).

        Args:
            partition: name of the attention layer.
            values: shape (windows, cells, C), or (cells, windows, C) where swapped.
            swapped: whether the two stand the other way round.
        """
        module: Any = self._partitions[partition]
        if swapped and module.partition_type == "grid":
            values = values.transpose(0, 1)
        high, wide = (side // module.p for side in module.grid_size)
        cells = values.reshape(high, wide, module.p, module.p, values.shape[-1])
        return cells.permute(4, 0, 2, 1, 3).reshape(
            values.shape[-1], high * module.p, wide * module.p
        )

    def _windows(self, layer: str, partition: str, values: Tensor) -> Shown | None:
        part = layer.removeprefix(f"{partition}.").split(".", 1)[0]
        if part == "departition_op":
            return Shown("maps", values)
        swapped = part in _SWAPPED
        return Shown("maps", self.join_windows(partition, values, swapped=swapped))

    def _is_last(self, layer: str) -> bool:
        """Return whether a layer gives (N, H, W, C)."""
        return any(family.channels_last(self._modules, layer) for family in self._families)


def _tokens(values: Tensor, prefix: int) -> Shown | None:
    """Return tokens laid out as an image: the class token first, then row by row.

    Args:
        values: shape (T, C).
        prefix: how many tokens stand before those of the patches, as a rule; some layers see the
            patches alone.
    """
    for before in (prefix, 0):
        side = math.isqrt(max(0, values.shape[0] - before))
        if side > 0 and side * side == values.shape[0] - before:
            maps = values[before:].T.reshape(values.shape[1], side, side)
            return Shown("tokens", maps, values[0] if before else None)
    return None


def attention_maps(network: nn.Module, inputs: Tensor, layer: str) -> Tensor | None:
    """Return how much each place is attended to, a map a head; None for other layers.

    It is the class token's attention to the patches, or for windowed attention the mean over the
    queries of each window.

    Args:
        network: in evaluation mode; left as it was found.
        inputs: preprocessed, float32, shape (1, C, H, W).
        layer: dotted name of an attention module.

    Returns:
        float32, shape (heads, h, w).
    """
    module = network.get_submodule(layer)
    kinds = [family.attention.get(type(module).__name__) for family in families_in(network)]
    kind = next((one for one in kinds if one is not None), None)
    if kind is Attention.TOKENS:
        return _token_attention(network, inputs, module)
    if kind is Attention.SHIFTED_WINDOWS:
        return _window_attention(network, inputs, module)
    if kind is Attention.PARTITIONS:
        weights = _softmax_of(network, inputs, module)[0]
        received = weights[0].mean(dim=-2).permute(0, 2, 1)  # (windows, cells, heads)
        layouts = Layouts(network)
        return layouts.join_windows(layer.split(".attn_layer", 1)[0], received, swapped=True)
    return None


def _token_attention(network: nn.Module, inputs: Tensor, module: nn.Module) -> Tensor | None:
    if isinstance(module, nn.MultiheadAttention):
        weights = _weights_given(network, inputs, module)
    else:
        weights = _softmax_of(network, inputs, module)[0][0]
    prefix = int(getattr(network, "num_prefix_tokens", 1))
    # Without a class token it is what all patches attend to in the mean.
    rows = weights[:, 0, prefix:] if prefix else weights.mean(dim=1)
    side = math.isqrt(rows.shape[1])
    return rows.reshape(-1, side, side) if side * side == rows.shape[1] else None


def _weights_given(network: nn.Module, inputs: Tensor, module: nn.MultiheadAttention) -> Tensor:
    """Return the attention of every token to every other, shape (heads, T, T)."""
    found: list[Tensor] = []

    def look(_: nn.Module, given: tuple[Any, ...], __: Any) -> None:
        query, key, value = given[:3]
        # The forward itself, not the module: it calls no hooks.
        attended = module.forward(query, key, value, need_weights=True, average_attn_weights=False)
        assert attended[1] is not None
        found.append(attended[1][0])

    _run_with(network, inputs, module, look)
    return found[0]


def _window_attention(network: nn.Module, inputs: Tensor, module: Any) -> Tensor:
    weights, given = _softmax_of(network, inputs, module)
    _, height, width, _ = given.shape
    window_h, window_w = module.window_size
    rows, columns = math.ceil(height / window_h), math.ceil(width / window_w)
    received = weights.mean(dim=-2)  # (windows, heads, cells)
    maps = received.reshape(rows, columns, -1, window_h, window_w).permute(2, 0, 3, 1, 4)
    maps = maps.reshape(-1, rows * window_h, columns * window_w)
    shifts = [
        0 if window >= padded else shift
        for window, padded, shift in zip(
            module.window_size, maps.shape[1:], module.shift_size, strict=True
        )
    ]
    return torch.roll(maps, shifts, dims=(1, 2))[:, :height, :width]


def _softmax_of(network: nn.Module, inputs: Tensor, module: nn.Module) -> tuple[Tensor, Tensor]:
    """Return the softmax that a module takes in its pass, and the input that it was given."""
    found: list[Tensor] = []
    taken: list[Tensor] = []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            output = func(*args, **(kwargs or {}))
            if func in (torch.nn.functional.softmax, Tensor.softmax):
                found.append(output)
            return output

    def look(module: nn.Module, given: tuple[Any, ...], _: object) -> None:
        taken.append(given[0])
        fused = vars(module).get("fused_attn")  # timm's attention, which else takes no softmax
        if fused is not None:
            vars(module)["fused_attn"] = False
        try:
            with Watch():
                module.forward(*given)
        finally:
            if fused is not None:
                vars(module)["fused_attn"] = fused

    _run_with(network, inputs, module, look)
    return found[0], taken[0]


def _run_with(network: nn.Module, inputs: Tensor, module: nn.Module, look: Any) -> None:
    with module.register_forward_hook(look), torch.no_grad():
        network(inputs)
