"""A convolution that pads more after than before, as TensorFlow's networks do."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class PaddedConv2d(nn.Conv2d):
    """Pads by itself, height and width alike.

    Args:
        layer: the convolution in whose place it stands; it shares its parameters.
        edges: pixels of zeros before and after; None pads so that the output is the input's size
            over the stride, rounded up: TensorFlow's "same".
    """

    def __init__(self, layer: nn.Conv2d, edges: tuple[int, int] | None) -> None:
        vars(self).update(vars(layer))
        self.padding = (0, 0)
        self.edges = edges

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, C', h', w') for (N, C, h, w)."""
        top, bottom = self._edges_of(0, maps.shape[2])
        left, right = self._edges_of(1, maps.shape[3])
        return super().forward(functional.pad(maps, (left, right, top, bottom)))

    def _edges_of(self, dimension: int, side: int) -> tuple[int, int]:
        if self.edges is not None:
            return self.edges
        kernel, stride = self.kernel_size[dimension], self.stride[dimension]
        missing = max(kernel - (side % stride or stride), 0)
        return missing // 2, missing - missing // 2


def padded(layer: nn.Module, edges: object) -> PaddedConv2d | None:
    """Return a convolution that pads unevenly; None where the layer needs none.

    Args:
        layer: with stride 1 it pads evenly whatever the rule.
        edges: (before, after); True for TensorFlow's "same".
    """
    if not isinstance(layer, nn.Conv2d) or layer.stride == (1, 1):
        return None
    if edges is True:
        return PaddedConv2d(layer, None)
    if isinstance(edges, tuple) and len(edges) == 2:
        before, after = edges
        return PaddedConv2d(layer, (before, after))
    return None
