"""Several people's answers for one photo: what most of them say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.language import tr


class Votes:
    """Collects answers, and says what came of them.

    Attributes:
        several: photos that more than one person answered for.
        tied: photos of those for which no answer has the most votes; they get no label.
    """

    def __init__(self) -> None:
        self.several = self.tied = 0

    def override(self, answers: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        """Return the answer with the most votes; none where two have as many."""
        given = [answer for answer in answers if answer]
        if len(given) < 2:
            return given[0] if given else ()
        self.several += 1
        counted = Counter(tuple(sorted(answer)) for answer in given)
        (best, most), *rest = counted.most_common()
        if rest and rest[0][1] == most:
            self.tied += 1
            return ()
        return next(answer for answer in given if tuple(sorted(answer)) == best)

    @property
    def notes(self) -> list[str]:
        """Return what a person should know, in sentences."""
        if not self.several:
            return []
        said = tr(
            "{several} photos were labelled by several people; the most votes count.",
            several=self.several,
        )
        if self.tied:
            said += tr(
                " Of these, {tied} have as many votes for two answers and get no label.",
                tied=self.tied,
            )
        return [said]
