"""Things that belong together, told in pairs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Groups:
    """Numbers 0 to N-1, each alone until it is joined to another.

    Source: Galler and Fischer, "An Improved Equivalence Algorithm", 1964.
    """

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def join(self, one: int, other: int) -> None:
        """Let two numbers, and all that are with each, be of one group."""
        self._parents[self.of(one)] = self.of(other)

    def join_same(self, keys: Iterable[Hashable]) -> None:
        """Let the numbers of equal keys be of one group; an empty key is equal to none."""
        first: dict[Hashable, int] = {}
        for at, key in enumerate(keys):
            if key:
                self.join(at, first.setdefault(key, at))

    def join_near(self, first: int, near: npt.NDArray[np.bool_]) -> None:
        """Let each of some numbers be of one group with the earlier ones that it is near to.

        Args:
            first: of these numbers.
            near: a row for each, shape (R, N); what stands at or after the number itself is not
                looked at.
        """
        import numpy as np

        members = np.array(self.all())  # any number of a group stands for it
        for at, row in enumerate(near, first):
            found = np.unique(members[np.flatnonzero(row[:at])]).tolist()
            for other in found:
                self.join(at, other)
            if found:
                members[at] = found[0]

    def of(self, number: int) -> int:
        """Return a number that is the same for all of a group."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def all(self) -> list[int]:
        """Return ``of`` each number."""
        return [self.of(number) for number in range(len(self._parents))]
