"""What the user picks, and what that turned out to be: plain values, without torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.language import tr
from core.values.questions import ARCHITECTURE

if TYPE_CHECKING:
    from core.images.preprocessing import Preprocessing
    from core.values.questions import Question

Outputs = Literal["softmax", "sigmoid", "value"]
"""What a network's outputs are: one class of several, each a yes or no, or plain numbers."""


class NamedBy(Enum):
    """Who named the classes."""

    CHECKPOINT = "checkpoint"
    TORCHVISION = "torchvision"
    SIDECAR = "sidecar"
    """A file beside the checkpoint."""
    IMAGENET = "imagenet"
    """Assumed, as there are 1,000."""
    USER = "user"
    FILE = "file"
    """That the user chose."""
    NOBODY = "nobody"
    NO_HEAD = "no head"


@dataclass(frozen=True)
class NamesSource:
    """Where class names come from.

    Attributes:
        by: who named them.
        file: in which file, "" where that is not a file of its own.
    """

    by: NamedBy
    file: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        return {
            NamedBy.CHECKPOINT: tr("named by the checkpoint"),
            NamedBy.TORCHVISION: tr("named by torchvision"),
            NamedBy.SIDECAR: tr("named by {file} beside the checkpoint", file=self.file),
            NamedBy.IMAGENET: tr("taken for ImageNet's, as there are 1,000"),
            NamedBy.USER: tr("named by you"),
            NamedBy.FILE: tr("named by {file}", file=self.file),
            NamedBy.NOBODY: tr("not named by the checkpoint"),
            NamedBy.NO_HEAD: tr("it has no head"),
        }[self.by]


Dilation = tuple[bool, bool, bool]
"""torchvision's ``replace_stride_with_dilation``: stages 2, 3 and 4 of a Bottleneck ResNet."""


@dataclass(frozen=True)
class Overrides:
    """What the user said about a checkpoint that does not say it; None leaves what was found.

    Attributes:
        class_names: one for each class index.
        preprocessing: from photo to input.
        outputs: what the network's outputs are.
        dilation: whether late stages are dilated instead of strided.
        answers: to questions, (key, value) each.
        unsure_below: a likeliest class of less probability is said to be unsure; 0 for none.
    """

    class_names: tuple[str, ...] | None = None
    preprocessing: Preprocessing | None = None
    outputs: Outputs | None = None
    dilation: Dilation | None = None
    answers: tuple[tuple[str, str], ...] = ()
    unsure_below: float | None = None

    def answered(self, key: str, value: str) -> Overrides:
        """Return the overrides with a question answered."""
        return replace(self, answers=tuple(sorted({**dict(self.answers), key: value}.items())))


@dataclass(frozen=True)
class ModelChoice:
    """What the user asked for; None leaves the decision to Droplens.

    Attributes:
        checkpoint: file with the trained parameters; None is the checkpoint that Droplens
            ships.
        architecture: torchvision's name; None recognises it from the file.
        class_names: text or JSON file.
        preprocessing: JSON file.
        overrides: what the user said about the file; None takes what is saved for it.
    """

    checkpoint: Path | None = None
    architecture: str | None = None
    class_names: Path | None = None
    preprocessing: Path | None = None
    overrides: Overrides | None = None

    def answered(self, overrides: Overrides) -> ModelChoice:
        """Return the choice with answers, one of which may say the architecture."""
        said = ARCHITECTURE in dict(overrides.answers)
        return replace(self, architecture=None if said else self.architecture, overrides=overrides)


@dataclass(frozen=True)
class ModelSpec:
    """A model: architecture, checkpoint, preprocessing and class names.

    Attributes:
        architecture: torchvision's name.
        title: the architecture as papers write it.
        checkpoint: the file.
        sha256: of the file, in hexadecimal.
        class_names: one for each class index; two for the one output of a yes or no whose
            answers have names; none for a body without a head, which predicts nothing.
        class_names_source: where they come from.
        preprocessing: from photo to input.
        outputs: what the network's outputs are.
        inspection: what the file itself turned out to be.
        overrides: what the user said about it.
    """

    architecture: str
    title: str
    checkpoint: Path
    sha256: str
    class_names: tuple[str, ...]
    class_names_source: NamesSource
    preprocessing: Preprocessing
    outputs: Outputs
    inspection: Inspection
    overrides: Overrides = Overrides()

    @property
    def summary(self) -> str:
        """Return one sentence that says what the file is."""
        return self.inspection.summary

    @property
    def unsure_below(self) -> float:
        """Return from which probability on the likeliest class is not unsure; 0 where none is."""
        said = self.overrides.unsure_below
        return self.inspection.unsure_below if said is None else said

    def computes_as(self, other: ModelSpec) -> bool:
        """Return whether it gives the same probabilities; its classes may be named otherwise."""
        named = replace(
            self.overrides,
            class_names=other.overrides.class_names,
            unsure_below=other.overrides.unsure_below,
        )
        same = replace(
            self,
            class_names=other.class_names,
            class_names_source=other.class_names_source,
            overrides=named,
        )
        return same == other and len(self.class_names) == len(other.class_names)

    def says_as(self, other: ModelSpec) -> bool:
        """Return whether it gives photos the same probabilities of the same names."""
        limitless = replace(self.overrides, unsure_below=other.overrides.unsure_below)
        return replace(self, overrides=limitless) == other

    @property
    def network_key(self) -> list[object]:
        """Return all that the network depends on, as JSON values, for what is kept of it."""
        overrides = self.overrides
        answered = [overrides.dilation, overrides.answers, self.inspection.changes]
        return [self.sha256, self.architecture, *answered]

    @property
    def problems(self) -> tuple[str, ...]:
        """Return sentences about what had to be assumed or left out, and was not answered."""
        answers = dict(self.overrides.answers)
        answered = {one.note for one in self.inspection.questions if one.key in answers}
        return tuple(one for one in self.inspection.problems if one not in answered)

    @property
    def unanswered(self) -> tuple[Question, ...]:
        """Return what the file leaves open and nobody has said."""
        answers = dict(self.overrides.answers)
        return tuple(one for one in self.inspection.questions if one.key not in answers)

    @property
    def is_named(self) -> bool:
        """Return whether the classes have names of somebody's, not only numbers of ours."""
        return self.class_names_source.by is not NamedBy.NOBODY

    @property
    def shows_outputs(self) -> bool:
        """Return whether people want to see the raw output: there is one, or it is no share."""
        return self.inspection.num_classes == 1 or self.outputs == "value"

    @property
    def predicts(self) -> bool:
        """Return whether it has a head that names classes."""
        return bool(self.class_names)


@dataclass(frozen=True)
class Inspection:
    """What a file turned out to be; the fields of the command line's ``inspect --json``.

    Attributes:
        usable: whether it opens.
        summary: one sentence that says what it is.
        problems: sentences about what had to be assumed or left out, or why it does not open.
        architecture: torchvision's name, or a ResNet's form.
        num_classes: outputs of the head; None without a head.
        class_names: as many, or two for one output.
        class_names_source: where they come from.
        wrapper: the dotted keys that the state dict stood under; "" for a bare one.
        key_prefix: what was taken off the front of the names.
        head: its place and layers in words.
        matched: share of the network's parameters found in the file, 0..1.
        preprocessing: what the file says, else what suits the architecture.
        is_preprocessing_assumed: whether it is what suits the architecture, as nobody says it.
        sha256: of the file, in hexadecimal.
        outputs: what the outputs are, as far as the file tells.
        missing: parameters that the architecture needs and the file lacks.
        unexpected: entries that belong to no part of the network.
        can_dilate: whether stages can be dilated, which no file tells.
        questions: what the file leaves open of its network; where one has no assumed answer, it
            does not open before it is answered.
        unsure_below: the probability below which its classes were said to be unsure; 0 for none.
        changes: how the network computes otherwise than its parameters alone would tell, as JSON
            text; "" for not at all.
    """

    usable: bool
    summary: str
    problems: tuple[str, ...] = ()
    architecture: str | None = None
    num_classes: int | None = None
    class_names: tuple[str, ...] | None = None
    class_names_source: NamesSource | None = None
    wrapper: str = ""
    key_prefix: str = ""
    head: str | None = None
    matched: float = 0.0
    preprocessing: Preprocessing | None = None
    sha256: str = ""
    outputs: Outputs | None = None
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    can_dilate: bool = False
    questions: tuple[Question, ...] = ()
    unsure_below: float = 0.0
    is_preprocessing_assumed: bool = False
    changes: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the fields as JSON values."""
        source = self.class_names_source
        return {
            "usable": self.usable,
            "summary": self.summary,
            "problems": list(self.problems),
            "architecture": self.architecture,
            "num_classes": self.num_classes,
            "class_names": None if self.class_names is None else list(self.class_names),
            "class_names_source": None if source is None else str(source),
            "wrapper": self.wrapper,
            "key_prefix": self.key_prefix,
            "head": self.head,
            "matched": round(self.matched, 6),
            "preprocessing": self.preprocessing.to_json() if self.preprocessing else None,
            "sha256": self.sha256,
            "outputs": self.outputs,
            "unsure_below": self.unsure_below or None,
            "missing": list(self.missing),
            "unexpected": list(self.unexpected),
            "questions": [question.to_json() for question in self.questions],
        }
