"""MobileNet V1, which torchvision does not provide.

Source: Howard et al., arXiv:1704.04861, table 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
"""Of the first convolution and of each depthwise one."""


class MobileNetV1(nn.Module):
    """A convolution, then 13 pairs of a depthwise and a pointwise one.

    Args:
        channels: that the first convolution and each pair give.
        outputs: of the head.
    """

    def __init__(self, channels: Sequence[int], outputs: int) -> None:
        super().__init__()
        inputs = channels[0]
        layers = [_layer(3, inputs, 3, STRIDES[0])]
        for width, stride in zip(channels[1:], STRIDES[1:], strict=True):
            layers.append(_layer(inputs, inputs, 3, stride, groups=inputs))
            layers.append(_layer(inputs, width, 1))
            inputs = width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(inputs, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) for (N, 3, H, W)."""
        logits: Tensor = self.classifier(self.avgpool(self.features(images)).flatten(1))
        return logits


def _layer(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU6())
