"""The pooled features of a photo: what a network's last layer decides by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


def pooled_features(network: nn.Module, batch: Tensor) -> npt.NDArray[np.float32]:
    """Return one vector a photo: the input of the last linear layer or convolution.

    Maps are averaged over their height and width. A network without a head gives its output, and
    so does one whose layers are not torch's.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        batch: preprocessed, shape (N, C, H, W).

    Returns:
        float32, shape (N, D), each of length 1, so that a dot product is the cosine.
    """
    layers = [one for one in network.modules() if isinstance(one, nn.Linear | nn.Conv2d)]
    taken: list[Tensor] = []

    def take(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        taken.append(inputs[0].detach())

    last = layers[-1] if layers else network
    is_head = isinstance(last, nn.Linear) or getattr(last, "kernel_size", None) == (1, 1)
    handle = last.register_forward_pre_hook(take)
    try:
        with torch.inference_mode():
            output = network(batch)
    finally:
        handle.remove()
    features = (taken[-1] if is_head and taken else output).float()
    if features.ndim == 4:
        features = features.mean(dim=(2, 3))
    features = features.flatten(1)
    length = features.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return np.asarray((features / length).cpu().numpy(), dtype=np.float32)
