"""What a user may give up for speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Decoding = Literal["exact", "fast"]


@dataclass(frozen=True)
class Speed:
    """Both change predictions a little; the defaults change nothing.

    Attributes:
        decoding: "exact" decodes every pixel; "fast" lets the JPEG decoder shrink large photos.
        mixed_precision: whether NVIDIA GPUs compute in half precision what bears it.
    """

    decoding: Decoding = "exact"
    mixed_precision: bool = False


EXACT = Speed()

FAST_AGREEMENT = 0.99
"""Share of 12-megapixel photos that keep their likeliest class under fast decoding; measured with
the built-in model on 100 enlarged photos of ImageNet, by tests/benchmarks/throughput.py."""
