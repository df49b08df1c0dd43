"""What can be asked about answers that are known: figures, and a page of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckError
from core.values.spec import ModelSpec
from core.work.requests import Request

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.checks.figures import Report


@dataclass(frozen=True)
class Checked:
    """What came of a check.

    Attributes:
        photos: in the order of the report's answers.
        report: of them.
        meant: for a class of the model the class of labels that it was taken for.
        without: classes of labels that no class of the model means.
    """

    photos: tuple[Path, ...]
    report: Report
    meant: Mapping[str, str]
    without: tuple[str, ...]


@dataclass(frozen=True)
class Check(Request[None, Checked]):
    """Compare what a model says with labels.

    Attributes:
        photos: each with its label.
        shares: the probability of each of the model's classes by photo, shape (K,).
        spec: of the model.
        given: for a class of the model the class of labels that it means, as a person says.
        synonyms: other names of the model's classes.
    """

    lane = "write"
    slot = "check"
    photos: tuple[tuple[Path, str], ...]
    shares: Mapping[Path, npt.NDArray[np.float32]]
    spec: ModelSpec
    given: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def run(self, _: None) -> Checked:
        """Return the figures.

        Raises:
            CheckError: no photo has an answer, or no class of the model means one of the labels'.
        """
        import numpy as np

        from core.checks.answers import Answers
        from core.checks.figures import Report
        from core.checks.mapping import joined

        usable = [(photo, label) for photo, label in self.photos if photo in self.shares]
        if not usable:
            raise CheckError("None of the photos can be opened, so there is nothing to check.")
        labels = tuple(label for _, label in usable)
        classes, names = tuple(dict.fromkeys(labels)), self.spec.class_names
        meant = joined(names, classes, self.given, self.synonyms)
        if not meant:
            raise CheckError(
                "No class of {title} means one of the labels’ ({names}), so it cannot be checked.",
                title=self.spec.title,
                names=", ".join(classes[:5]),
            )
        shares = np.stack([self.shares[photo] for photo, _ in usable])
        report = Report(Answers.of(labels, shares, names, meant))
        without = tuple(name for name in classes if name not in meant.values())
        return Checked(tuple(photo for photo, _ in usable), report, meant, without)


@dataclass(frozen=True)
class WritePage(Request[None, Path]):
    """Write the page of a check."""

    lane = "write"
    checked: Checked
    spec: ModelSpec
    path: Path

    def run(self, _: None) -> Path:
        """Return the file.

        Raises:
            DroplensError: it cannot be written.
        """
        from core.checks.page import to_html
        from core.files import write_result

        write_result(self.path, to_html(self.checked.report, self.spec).encode())
        return self.path
