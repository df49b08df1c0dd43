"""What can be asked about answers that are known: figures, and a report of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckError
from core.values.spec import ModelSpec
from core.work.requests import Request

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.checks.confidence import Confidence
    from core.checks.figures import Report
    from core.checks.several import SeveralReport


@dataclass(frozen=True)
class Joined:
    """Photos whose labels and predictions are in the same words.

    Attributes:
        photos: in the order of the report's.
        spec: of the model.
        meant: for a class of the model the class of labels that it was taken for.
        without: classes of labels that no class of the model means.
    """

    photos: tuple[Path, ...]
    spec: ModelSpec
    meant: Mapping[str, str]
    without: tuple[str, ...]

    @property
    def renamed(self) -> tuple[str, ...]:
        """Return the classes that were taken for one of another name, as "name = label"."""
        return tuple(f"{name} = {label}" for name, label in self.meant.items() if name != label)


@dataclass(frozen=True)
class Checked(Joined):
    """What came of a check."""

    report: Report


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

        _require_answers(self.spec)
        usable = [(photo, label) for photo, label in self.photos if photo in self.shares]
        labels = tuple(label for _, label in usable)
        meant, without = _joined(self.spec, labels, self.given, self.synonyms)
        shares = np.stack([self.shares[photo] for photo, _ in usable])
        report = Report(Answers.of(labels, shares, self.spec.class_names, meant))
        return Checked(tuple(photo for photo, _ in usable), self.spec, meant, without, report)


@dataclass(frozen=True)
class CheckedSeveral(Joined):
    """What came of a check of photos that may have several classes."""

    report: SeveralReport


@dataclass(frozen=True)
class CheckSeveral(Request[None, CheckedSeveral]):
    """Compare what a model says with labels, of which a photo may have several.

    Attributes:
        photos: each with its labels.
        shares, spec, given: as for ``Check``.
    """

    lane = "write"
    slot = "check"
    photos: tuple[tuple[Path, tuple[str, ...]], ...]
    shares: Mapping[Path, npt.NDArray[np.float32]]
    spec: ModelSpec
    given: Mapping[str, str] = field(default_factory=dict)

    def run(self, _: None) -> CheckedSeveral:
        """Return the figures.

        Raises:
            CheckError: as for ``Check``.
        """
        import numpy as np

        from core.checks.several import SeveralReport

        usable = [(photo, labels) for photo, labels in self.photos if photo in self.shares]
        every = tuple(name for _, labels in usable for name in labels)
        meant, without = _joined(self.spec, every, self.given, {})
        shares = np.stack([self.shares[photo] for photo, _ in usable])
        report = SeveralReport.of(
            [labels for _, labels in usable], shares, self.spec.class_names, meant
        )
        return CheckedSeveral(
            tuple(photo for photo, _ in usable), self.spec, meant, without, report
        )


def _require_answers(spec: ModelSpec) -> None:
    """Make sure that there is something that a model could be wrong about.

    Raises:
        CheckError: it knows a single class.
    """
    if len(spec.class_names) < 2:
        raise CheckError(
            "{title} knows a single class; whether a photo shows that one cannot be told from "
            "others yet.",
            title=spec.title,
        )


def _joined(
    spec: ModelSpec,
    labels: Sequence[str],
    given: Mapping[str, str],
    synonyms: Mapping[str, Sequence[str]],
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return which class of the model means which label, and labels that none means.

    Raises:
        CheckError: there is no label, or no class of the model means one.
    """
    from core.values.class_mapping import joined

    if not labels:
        raise CheckError("None of the photos can be opened, so there is nothing to check.")
    unknown = sorted(set(given) - set(spec.class_names))
    if unknown:
        raise CheckError(
            "{title} has no class {names}; the table’s first column must name its classes.",
            title=spec.title,
            names=", ".join(unknown[:5]),
        )
    classes = tuple(dict.fromkeys(labels))
    meant = joined(spec.class_names, classes, given, synonyms)
    if not set(meant.values()).intersection(classes):
        raise CheckError(
            "No class of {title} means one of the labels’ ({names}), so it cannot be checked.",
            title=spec.title,
            names=", ".join(classes[:5]),
        )
    return meant, tuple(name for name in classes if name not in meant.values())


@dataclass(frozen=True)
class WriteReport(Request[None, Path]):
    """Write what came of a check, in the form that a file's ending names.

    Attributes:
        path: ".csv" is a row a photo, ".svg" and ".png" are the pictures, all else is the page.
        notes: what has to be said of the figures; stands in the page.
        to_png: makes an SVG file a PNG file.
    """

    lane = "write"
    checked: Checked
    path: Path
    notes: tuple[str, ...] = ()
    to_png: Callable[[str], bytes] | None = None

    def run(self, _: None) -> Path:
        """Return the file.

        Raises:
            DroplensError: it cannot be written.
        """
        from core.files import write_result

        write_result(self.path, self._content())
        return self.path

    def _content(self) -> bytes:
        ending = self.path.suffix.lower()
        if ending == ".csv":
            from core.checks.as_csv import to_csv

            return to_csv(self.checked)
        if ending in (".svg", ".png"):
            from core.checks.plots import sheet

            drawn = sheet(self.checked.report)
            if ending == ".png" and self.to_png is not None:
                return self.to_png(drawn)
            return drawn.encode(errors="replace")
        from core.checks.fingerprint import sentence_of
        from core.checks.page import to_html

        notes = (*self.notes, sentence_of(self.checked))
        page = to_html(self.checked.report, self.checked.spec, notes)
        return page.encode(errors="replace")


@dataclass(frozen=True)
class FindConfidence(Request[None, "Confidence"]):
    """Find what the probabilities of a check mean."""

    lane = "write"
    slot = "confidence"
    checked: Checked

    def run(self, _: None) -> Confidence:
        """Return it."""
        from core.checks.confidence import Confidence

        return Confidence.of(self.checked.report, self.checked.spec.outputs)
