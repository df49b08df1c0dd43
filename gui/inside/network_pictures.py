"""The pictures in the drawing of a network: how strong a photo makes each step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from gui.widgets.pictures import to_image

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.inside.summary import LayerTable


class NetworkPictures:
    """Makes each picture when it is first seen.

    Args:
        table: of a pass of a photo; None makes none.
    """

    def __init__(self, table: LayerTable | None) -> None:
        self._made: dict[tuple[int, float, float], QImage] = {}
        self._own: dict[int, QImage | None] = {}
        self._maps: tuple[npt.NDArray[np.float32] | None, ...] = ()
        self._highest: dict[int, float] = {}
        self._photo: QImage | None = None
        self._shares: dict[tuple[int, int], float] = {}
        self._trios: dict[int, tuple[int, int, int]] = {}
        if table is not None and table.strengths is not None:
            self._maps = table.strengths.maps
            self._photo = None if table.seen is None else _quick(to_image(table.seen))
            self._weigh(table)

    @property
    def is_empty(self) -> bool:
        """Return whether there is no photo."""
        return not self._maps

    def of(self, step: int) -> QImage | None:
        """Return the picture of a step; None where it has none."""
        if step not in self._own:
            self._own[step] = self._picture_of(step)
        return self._own[step]

    def of_sum(self, step: int) -> tuple[QImage, QImage, QImage] | None:
        """Return what is added and the sum, at one scale; None where they cannot be compared."""
        trio = self._trios.get(step)
        if trio is None:
            return None
        high = max(_highest(self._maps[one]) for one in trio)
        first, second, total = (self._picture(one, 0.0, high) for one in trio)
        return first, second, total

    def sources_of(self, step: int) -> tuple[int, int]:
        """Return the steps whose outputs a sum adds."""
        return self._trios[step][:2]

    def shares_of(self, step: int) -> tuple[float, ...]:
        """Return the shares of the energy of a sum's paths, in their order; () of others."""
        return tuple(share for (_, target), share in self._shares.items() if target == step)

    def share(self, source: int, target: int) -> float | None:
        """Return the share of the energy of a sum's paths that one has, 0..1; None of others."""
        return self._shares.get((source, target))

    def _picture_of(self, step: int) -> QImage | None:
        if step == 0 and self._photo is not None:
            return self._photo
        values = self._maps[step] if step < len(self._maps) else None
        if values is None or values.size == 1:
            return None
        if step in self._highest:
            return self._picture(step, 0.0, self._highest[step])
        return self._picture(step, float(values.min()), float(values.max()))

    def _picture(self, step: int, low: float, high: float) -> QImage:
        from core.inside.colouring import colour

        key = (step, low, high)
        if key not in self._made:
            values = self._maps[step]
            assert values is not None
            self._made[key] = _quick(to_image(colour(values, "viridis", low, high)))
        return self._made[key]

    def _weigh(self, table: LayerTable) -> None:
        """Find the sums of two paths: what shares they have, and which maps have one scale."""
        assert table.strengths is not None
        steps = table.flow.steps
        for at, energies in table.strengths.energies.items():
            sources = steps[at].sources
            total = sum(energies)
            if len(sources) != len(energies) or not 0 < total < math.inf:
                continue
            for source, energy in zip(sources, energies, strict=True):
                self._shares[source, at] = energy / total
            trio = (sources[0], sources[1], at)
            maps = [self._maps[one] for one in trio]
            if any(one is None for one in maps):
                continue
            self._trios[at] = trio
            high = max(map(_highest, maps))
            for one in trio:
                if steps[one].scope == steps[at].scope or one == at:
                    self._highest[one] = high


def _highest(values: npt.NDArray[np.float32] | None) -> float:
    return 0.0 if values is None else float(values.max())


def _quick(image: QImage) -> QImage:
    """Return a picture in the format that is painted fastest."""
    return image.convertToFormat(QImage.Format.Format_RGB32)
