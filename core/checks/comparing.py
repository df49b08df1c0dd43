"""Which of two models is right more often on the same photos, and whether that could be chance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckError
from core.language import percent, tr, tr_n
from core.work.requests import Request

if TYPE_CHECKING:
    from core.checks.requests import Checked

_SURE = 0.05


@dataclass(frozen=True)
class Comparison:
    """Two models on the same photos.

    Attributes:
        titles: of both.
        photos: how many both were checked on, with the same label.
        accuracies: of both on these.
        only: photos that the first alone names rightly, and those that the second alone does.
        chance: how likely so large a difference is where both are as good (McNemar's exact test).
    """

    titles: tuple[str, str]
    photos: int
    accuracies: tuple[float, float]
    only: tuple[tuple[Path, ...], tuple[Path, ...]]
    chance: float

    @property
    def is_sure(self) -> bool:
        """Return whether the difference is hardly chance."""
        return self.chance < _SURE

    def to_json(self) -> dict[str, object]:
        """Return the comparison as JSON values."""
        return {
            "models": list(self.titles),
            "photos": self.photos,
            "accuracies": list(self.accuracies),
            "only_right": [[str(path) for path in paths] for paths in self.only],
            "chance": self.chance,
        }

    def sentences(self) -> list[str]:
        """Return what came of it, in words."""
        (first, second), (one, other) = self.titles, self.accuracies
        said = [
            tr_n(
                "On {n} photo: {first} {one}, {second} {other} right.",
                "On {n} photos: {first} {one}, {second} {other} right.",
                self.photos,
                first=first,
                one=percent(one),
                second=second,
                other=percent(other),
            )
        ]
        if one == other:
            said.append(tr("Both are right as often."))
        elif self.is_sure:
            said.append(tr("The difference is hardly chance."))
        else:
            said.append(
                tr(
                    "The difference could be chance: where both are as good, one as large comes in "
                    "{share} of cases.",
                    share=percent(self.chance),
                )
            )
        return said


@dataclass(frozen=True)
class Compare(Request[None, Comparison]):
    """Compare what came of two checks."""

    lane = "write"
    slot = "compare"
    first: Checked
    second: Checked

    def run(self, _: None) -> Comparison:
        """Return the comparison.

        Raises:
            CheckError: no photo was checked with both.
        """
        import numpy as np

        from core.checks.mcnemar import chance_of

        rights = [_right(one) for one in (self.first, self.second)]
        common = [key for key in rights[0] if key in rights[1]]
        if not common:
            raise CheckError("No photo has the same label in both checks.")
        one, other = (np.array([right[key] for key in common], np.bool_) for right in rights)
        paths = [path for path, _ in common]
        return Comparison(
            _titles(self.first, self.second),
            len(common),
            (float(one.mean()), float(other.mean())),
            (
                tuple(paths[at] for at in np.flatnonzero(one & ~other).tolist()),
                tuple(paths[at] for at in np.flatnonzero(other & ~one).tolist()),
            ),
            chance_of(one, other),
        )


def _right(checked: Checked) -> dict[tuple[Path, str], bool]:
    answers = checked.report.answers
    right = (answers.labels == answers.predicted).tolist()
    labels = [answers.classes[at] for at in answers.labels.tolist()]
    keys = zip(checked.photos, labels, strict=True)
    return dict(zip(keys, right, strict=True))


def _titles(first: Checked, second: Checked) -> tuple[str, str]:
    """Return names of both models, those of their files where they have one architecture."""
    specs = first.spec, second.spec
    if specs[0].title != specs[1].title:
        return specs[0].title, specs[1].title
    names = [spec.checkpoint.name for spec in specs]
    if names[0] != names[1]:
        return names[0], names[1]
    return tr("{title} before", title=specs[0].title), tr("{title} now", title=specs[1].title)
