"""How well a network knows a photo again in its mirror image, which tells wrong numbers.

Prepared as when it learnt, it names both images alike, surely, and otherwise than other photos. Too
small numbers leave it unsure, too large ones sure of one thing in an image and of another in its
mirror image, and the wrong colours a little of both. This needs neither labels nor batch norms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_LEAST_SHARE = 1e-4
"""What is denied more firmly than this is no worse: a single photo would outweigh all others."""


def recognition(
    shares: npt.NDArray[np.float32], mirrored: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Return for each photo how many bits the mirror image's classes say of it.

    The mean over both directions of the pointwise mutual information of the classes that one image
    has and those that the other has, among the photos given.

    Args:
        shares: probabilities, shape (N, K).
        mirrored: of the mirror images, in the same order.

    Returns:
        Shape (N,); 0 where every photo is named alike, log2(K) at most, below 0 where images and
        mirror images are named otherwise.
    """
    return (_said(shares, mirrored) + _said(mirrored, shares)) / 2


def _said(of: npt.NDArray[np.float32], by: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    kept = np.maximum(by.astype(np.float64), _LEAST_SHARE)
    found: npt.NDArray[np.float64] = (of * np.log2(kept / kept.mean(axis=0))).sum(axis=1)
    return found
