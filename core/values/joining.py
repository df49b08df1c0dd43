"""Things that belong together, told in pairs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable


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

    def of(self, number: int) -> int:
        """Return a number that is the same for all of a group."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def all(self) -> list[int]:
        """Return ``of`` each number."""
        return [self.of(number) for number in range(len(self._parents))]
