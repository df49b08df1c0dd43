"""How well the input of a network's first batch norm fits what it was when the network learnt.

A batch norm keeps mean and variance of what it was given in training; photos prepared in another
way give others. That tells wrong numbers without any label.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

_LEAST_VARIANCE = 1e-12


class _EnoughError(Exception):
    """The first batch norm was reached; the rest need not be computed."""


def first_norm(network: nn.Module) -> nn.BatchNorm2d | None:
    """Return the first batch norm of maps that has learnt what it is given; None without one."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            mean, variance = module.running_mean, module.running_var
            if mean is None or variance is None:
                return None
            is_fresh = not bool(mean.any()) and bool((variance == 1).all())
            return None if is_fresh else module
    return None


def mismatch(network: nn.Module, norm: nn.BatchNorm2d, inputs: Tensor) -> float:
    """Return how far the first batch norm is from what it knows; 0 is no difference.

    The median over channels of log(1 + the Kullback-Leibler divergence of two normal
    distributions): about 0.03 where photos are prepared as in training, also for photos of other
    things, and 0.5 to 10 where they are not.

    Args:
        network: in evaluation mode.
        norm: as ``first_norm`` gives it.
        inputs: of the network, shape (N, C, H, W), 24 photos or more.
    """
    caught: list[Tensor] = []

    def catch(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        caught.append(given[0].float())
        raise _EnoughError

    handle = norm.register_forward_pre_hook(catch)
    try:
        with torch.inference_mode():
            network(inputs)
    except _EnoughError:
        pass
    finally:
        handle.remove()
    values = caught[0].transpose(0, 1).flatten(1).double()
    mean, variance = _numbers(values.mean(dim=1)), _numbers(values.var(dim=1, correction=0))
    assert norm.running_mean is not None
    assert norm.running_var is not None
    known_mean = _numbers(norm.running_mean)
    known = _numbers(norm.running_var) + norm.eps
    variance = np.maximum(variance, _LEAST_VARIANCE)
    divergence = (np.log(known / variance) + (variance + (mean - known_mean) ** 2) / known - 1) / 2
    return float(np.median(np.log1p(np.maximum(divergence, 0))))


def _numbers(tensor: Tensor) -> npt.NDArray[np.float64]:
    to_numbers: Callable[[], npt.NDArray[np.float64]] = tensor.detach().cpu().double().numpy
    return to_numbers()
