"""Names of stages that other libraries count otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable


def stage(offset: int, factor: int, rest: str) -> Callable[[re.Match[str]], str]:
    r"""Return the replacement "features.N.…" for a stage whose number the pattern's first group is.

    Args:
        offset: N of stage 0.
        factor: how much N grows a stage.
        rest: what follows, with the pattern's other groups, e.g. ``\2.block``.
    """

    def replace(found: re.Match[str]) -> str:
        place = factor * int(found[1]) + offset
        return found.expand(f"features.{place}.{rest}")

    return replace
