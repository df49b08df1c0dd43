"""What a look at a model's set-up has found, and how it is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.language import number, percent, tr

if TYPE_CHECKING:
    from core.images.preprocessing import Preprocessing
    from core.values.spec import ModelSpec

By = Literal["norm", "mirror", "labels"]
Kind = Literal["numbers", "colours", "cut", "size", "turn", "sideways", "order"]


@dataclass(frozen=True)
class Example:
    """A photo that is named otherwise after a change.

    Attributes:
        photo: the file.
        before, after: names of the likeliest class.
    """

    photo: Path
    before: str
    after: str


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong, and what would be better.

    Attributes:
        kind: of the change.
        name: which change, as ``core.inference.setups`` and ``core.checks.class_orders`` name them.
        before, after: accuracies by labels; mismatches of the first batch norm; bits by mirror
            images (``core.inference.mirrored``).
        by: what tells it.
        preprocessing: that would be better; None where it is not about that.
        class_names: likewise.
        examples: photos that are named otherwise then, some.
    """

    kind: Kind
    name: str
    before: float
    after: float
    by: By
    preprocessing: Preprocessing | None = None
    class_names: tuple[str, ...] | None = None
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What a look at a model's set-up has found.

    Attributes:
        photos: that were looked at.
        failed: that could not be opened.
        mismatch: of the first batch norm; None where there is none.
        recognition: bits by mirror images; None where they were not asked.
        accuracy: on labels; None where there are none.
        findings: the likeliest first; empty where all looks right.
    """

    photos: int
    failed: int
    mismatch: float | None
    recognition: float | None
    accuracy: float | None
    findings: tuple[Finding, ...]

    @property
    def is_told(self) -> bool:
        """Return whether anything could be told at all."""
        told = (self.accuracy, self.mismatch, self.recognition)
        return any(one is not None for one in told)


def sentences(found: Diagnosis, spec: ModelSpec) -> Iterator[str]:
    """Yield what was found, in words."""
    if found.accuracy is not None:
        yield tr(
            "{share} right on {n} photos as it is set up.",
            share=percent(found.accuracy),
            n=found.photos,
        )
    if not found.findings:
        yield nothing_found(found, spec)
        return
    for finding in found.findings:
        yield sentence_of(finding)
    yield tr("Nothing was changed. Set it in the preprocessing or the class names, and look again.")


def nothing_found(found: Diagnosis, spec: ModelSpec) -> str:
    """Return what it means that nothing was found."""
    if found.accuracy is not None:
        return tr("It looks set up right: nothing that was tried is surely better.")
    if found.mismatch is not None:
        return tr(
            "The numbers that it is given look right. What else may be wrong (colours, size, "
            "cutting, order of class names) is told by labels."
        )
    if found.recognition is not None:
        return tr(
            "The numbers and colours that it is given look right. What else may be wrong (size, "
            "cutting, order of class names) is told by labels."
        )
    return tr(
        "{title} has no batch norm and is no one-class-a-photo classifier, so that nothing can be "
        "told without labels.",
        title=spec.title,
    )


def sentence_of(finding: Finding) -> str:
    """Return what looks wrong, and why."""
    because = {
        "labels": tr(
            "{before} of the photos are right now, {after} then",
            before=percent(finding.before),
            after=percent(finding.after),
        ),
        "norm": tr(
            "what its first batch norm is given fits what it knows then: {after} apart instead "
            "of {before}",
            before=number(finding.before, 2),
            after=number(finding.after, 2),
        ),
        "mirror": tr(
            "photos are known again in their mirror images more surely then, by {after} bits "
            "instead of {before}",
            before=number(finding.before, 2),
            after=number(finding.after, 2),
        ),
    }[finding.by]
    return tr("It looks as if {what}: {because}.", what=what(finding), because=because)


def what(finding: Finding) -> str:
    """Return what seems to be the case, in words that follow “as if”."""
    used = finding.preprocessing
    if finding.kind == "numbers" and used is not None:
        return tr(
            "it learnt from pixels of 0 to {scale}, less {mean}, over {std}",
            scale=number(used.scale, 0),
            mean=_listed(used.mean),
            std=_listed(used.std),
        )
    if finding.kind == "order":
        return tr("its class names stand in another order, {order}", order=_order(finding.name))
    if finding.kind == "cut":
        if finding.name == "squash":
            return tr("it learnt from whole photos, squashed")
        return tr("it learnt from the middle of photos, cut in another way")
    words = {
        "colours": tr("it takes colours in the order {name}", name=finding.name),
        "size": tr("it learnt from photos of {name} pixels", name=finding.name),
        "turn": tr("it learnt from photos upright, as their cameras noted it")
        if finding.name == "upright"
        else tr("it learnt from photos as they are stored, whatever their cameras noted"),
        "sideways": tr("the photos are turned by {name} degrees", name=finding.name),
    }
    return words[finding.kind]


def _order(name: str) -> str:
    words = {
        "sorted": tr("sorted by letters"),
        "numbers": tr("sorted by numbers, 2 before 10"),
        "usual": tr("that of ImageNet"),
        "reversed": tr("the last first"),
        "next": tr("each one place further"),
        "previous": tr("each one place back"),
        "as the labels say": tr("as your labels say"),
    }
    return words[name]


def _listed(values: tuple[float, ...]) -> str:
    return " ".join(number(value, 3) for value in values)
