"""What can be asked about labels: which are likely wrong, which photos show the same, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.work.requests import Request

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.checks.slices import Slice
    from core.checks.suspects import Duplicates, Suspect

_SETS = ("train", "training", "val", "valid", "validation", "test", "testing")
"""Names of folders that keep photos apart which a model learns from and is tried on."""


@dataclass(frozen=True)
class FindSlices(Request[None, "tuple[Slice, ...]"]):
    """Find groups of photos on which a model is worse, or better.

    Attributes:
        photos: with whether each is named rightly.
        shared: by photo what it may have in common with others, by kind.
        labels: of the photos, for the folders: those that are named as labels say nothing more.
    """

    lane = "write"
    slot = "slices"
    photos: tuple[tuple[Path, bool], ...]
    shared: Mapping[Path, Mapping[str, str]]
    labels: frozenset[str] = frozenset()

    def run(self, _: None) -> tuple[Slice, ...]:
        """Return the groups, the surest first."""
        import numpy as np

        from core.checks.slices import slices

        paths = [path for path, _ in self.photos]
        groups: dict[str, dict[int, str]] = {
            "folder": dict(enumerate(_folders(paths, self.labels)))
        }
        for at, path in enumerate(paths):
            for kind, value in self.shared.get(path, {}).items():
                groups.setdefault(kind, {})[at] = value
        return slices(np.array([right for _, right in self.photos], np.bool_), groups)


@dataclass(frozen=True)
class Reviewed:
    """What came of a review.

    Attributes:
        photos: all of them.
        tested: how many could be held out.
        suspects: labels that are likely wrong, the worst first.
        duplicates: groups of photos that show the same, those with different labels first.
        same: by photo a number that is the same for those that show the same.
    """

    photos: tuple[Path, ...]
    tested: int
    suspects: tuple[Suspect, ...]
    duplicates: tuple[Duplicates, ...]
    same: Mapping[Path, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Review(Request[None, Reviewed]):
    """Find labels that are likely wrong, and photos that stand there twice.

    Attributes:
        photos: with the label of each.
        classes: K names.
        shares: by photo the probability of each class, shape (K,), by what has not learnt from it;
            NaN, or none, where there is none.
        contents: by photo the hash of its file.
        alike: by photo a number that is the same for those that a network takes for the same.
        dhashes: by photo its perceptual hash.
        right: photos whose label a person has looked at and left; they are no suspects.
        same: of a review of these photos before: comparing all takes seconds.
    """

    lane = "write"
    slot = "review"
    photos: tuple[tuple[Path, str], ...]
    classes: tuple[str, ...]
    shares: Mapping[Path, npt.NDArray[np.float32]]
    contents: Mapping[Path, str]
    alike: Mapping[Path, int]
    dhashes: Mapping[Path, bytes]
    right: frozenset[Path] = frozenset()
    same: Mapping[Path, int] | None = None

    def run(self, _: None) -> Reviewed:
        """Return what is to be looked at."""
        import numpy as np

        from core.checks.answers import Answers
        from core.checks.suspects import duplicates, same_photos, suspects

        paths = tuple(path for path, _ in self.photos)
        tested = [
            at
            for at, (path, label) in enumerate(self.photos)
            if path in self.shares
            and label in self.classes
            and np.isfinite(self.shares[path]).all()
        ]
        found: tuple[Suspect, ...] = ()
        if tested:
            labels = [self.classes.index(self.photos[at][1]) for at in tested]
            shares = np.stack([self.shares[paths[at]] for at in tested])
            answers = Answers(self.classes, np.array(labels, np.int64), shares)
            found = tuple(
                replace(one, position=tested[one.position])
                for one in suspects(answers)
                if paths[tested[one.position]] not in self.right
            )
        contents = [self.contents.get(path, "") for path in paths]
        same = self.same
        if same is None or not all(path in same for path in paths):
            hashes = [self.dhashes.get(path) for path in paths]
            alike = [self.alike.get(path, -1 - at) for at, path in enumerate(paths)]
            same = dict(zip(paths, same_photos(contents, hashes, alike), strict=True))
        groups = duplicates(
            [same[path] for path in paths],
            contents,
            [label for _, label in self.photos],
            [_set_of(path) for path in paths],
        )
        return Reviewed(paths, len(tested), found, groups, same)


def _set_of(path: Path) -> str:
    """Return the set that a photo stands in, as its folders name it; "" where they do not."""
    names = (part.casefold() for part in reversed(path.parts[:-1]))
    return next((name for name in names if name in _SETS), "")


def _folders(paths: Sequence[Path], labels: frozenset[str]) -> list[str]:
    """Return the folder of each photo: the nearest that is not named as a label."""
    plain = {label.casefold() for label in labels}
    return [
        str(next((one for one in path.parents if one.name.casefold() not in plain), ""))
        for path in paths
    ]
