"""A network with its batch norms taken into the convolutions before them, for the processor.

In evaluation mode a batch norm multiplies and shifts each channel, which the convolution can do as
well; what is left of the network shares its parameters with the original. Convolutions keep their
weights as the processor likes them, channels last.

Source: Jacob et al., arXiv:1712.05877, section 3.2.
"""

from __future__ import annotations

import copy
import weakref
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

_LARGEST_BYTES = 512 * 2**20
"""Of the weights of convolutions, which lie in memory twice."""

_WITH_ACTIVATION = "BatchNormAct2d"
"""timm's, whose ``act`` stands for itself once it is folded."""


def folded(network: nn.Module, photo: Tensor) -> nn.Module | None:
    """Return a network that computes the same in fewer steps; None where nothing is gained.

    Whoever uses it holds its answers against the original's: what else reads a convolution's
    output than the norm after it is not seen here.

    Args:
        network: on the processor, in evaluation mode; left as it was.
        photo: an input, shape (1, C, H, W), which tells what follows what.
    """
    pairs = _pairs(network, photo)
    weights = [one.weight for one in network.modules() if isinstance(one, nn.Conv2d)]
    if not pairs or sum(one.nbytes for one in weights) > _LARGEST_BYTES:
        return None
    shared = {id(one): one for one in (*network.parameters(), *network.buffers())}
    made = copy.deepcopy(network, shared)
    for convolution, norm in pairs:
        _fold(made, convolution, norm)
    for module in made.modules():
        if isinstance(module, nn.Conv2d):
            last = module.weight.detach().contiguous(memory_format=torch.channels_last)
            module.weight = nn.Parameter(last, requires_grad=False)
    return made


def _pairs(network: nn.Module, photo: Tensor) -> list[tuple[str, str]]:
    """Return convolutions and the norms that are given their outputs, each used once."""
    calls: Counter[str] = Counter()
    last: dict[str, Callable[[], Tensor | None]] = {}
    found: list[tuple[str, str]] = []

    def after(name: str) -> Callable[..., None]:
        def note(_: nn.Module, __: object, output: Tensor) -> None:
            calls[name] += 1
            last.clear()
            last[name] = weakref.ref(output)

        return note

    def before(name: str) -> Callable[..., None]:
        def note(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            calls[name] += 1
            found.extend((one, name) for one, output in last.items() if output() is given[0])

        return note

    handles = []
    for name, module in network.named_modules():
        if type(module) is nn.Conv2d:
            handles.append(module.register_forward_hook(after(name)))
        elif type(module) is nn.BatchNorm2d or type(module).__name__ == _WITH_ACTIVATION:
            handles.append(module.register_forward_pre_hook(before(name)))
    try:
        with torch.inference_mode():
            network(photo)
    finally:
        for handle in handles:
            handle.remove()
    return [(one, norm) for one, norm in found if calls[one] == calls[norm] == 1]


def _fold(network: nn.Module, convolution: str, norm: str) -> None:
    one, other = network.get_submodule(convolution), network.get_submodule(norm)
    assert isinstance(one, nn.Conv2d)
    assert isinstance(other, nn.BatchNorm2d)
    if other.running_mean is None or other.running_var is None:
        return
    one.weight, one.bias = fuse_conv_bn_weights(
        one.weight,
        one.bias,
        other.running_mean,
        other.running_var,
        other.eps,
        other.weight,
        other.bias,
    )
    one.requires_grad_(False)
    parent, _, name = norm.rpartition(".")
    activation = other.act if type(other).__name__ == _WITH_ACTIVATION else nn.Identity()
    setattr(network.get_submodule(parent), name, activation)
