"""What the user picks, and what that turned out to be: plain values, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.images.preprocessing import Preprocessing


@dataclass(frozen=True)
class ModelChoice:
    """What the user asked for; None leaves the decision to Droplens.

    Attributes:
        checkpoint: file with the trained parameters; None with ``weights`` None is the
            checkpoint that Droplens ships.
        architecture: torchvision's name; None recognises it from the file.
        weights: torchvision's named weights, e.g. "ResNet50_Weights.IMAGENET1K_V2".
        class_names: text or JSON file.
        preprocessing: JSON file.
    """

    checkpoint: Path | None = None
    architecture: str | None = None
    weights: str | None = None
    class_names: Path | None = None
    preprocessing: Path | None = None


@dataclass(frozen=True)
class ModelSpec:
    """A model: architecture, checkpoint, preprocessing and class names.

    Attributes:
        architecture: torchvision's name.
        title: the architecture as papers write it.
        checkpoint: the file.
        sha256: of the file, in hexadecimal.
        class_names: one for each class index.
        class_names_source: where they come from, in words.
        preprocessing: from photo to input.
        summary: one sentence that says what the file is.
        problems: sentences about what had to be assumed or left out.
    """

    architecture: str
    title: str
    checkpoint: Path
    sha256: str
    class_names: tuple[str, ...]
    class_names_source: str
    preprocessing: Preprocessing
    summary: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What a file turned out to be; the fields of the command line's ``inspect --json``."""

    usable: bool
    summary: str
    problems: tuple[str, ...] = ()
    architecture: str | None = None
    num_classes: int | None = None
    class_names: tuple[str, ...] | None = None
    class_names_source: str | None = None
    wrapper: str = ""
    key_prefix: str = ""
    head: str | None = None
    matched: float = 0.0
    preprocessing: Preprocessing | None = None
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "usable": self.usable,
            "summary": self.summary,
            "problems": list(self.problems),
            "architecture": self.architecture,
            "num_classes": self.num_classes,
            "class_names": None if self.class_names is None else list(self.class_names),
            "class_names_source": self.class_names_source,
            "wrapper": self.wrapper,
            "key_prefix": self.key_prefix,
            "head": self.head,
            "matched": round(self.matched, 6),
            "preprocessing": self.preprocessing.to_json() if self.preprocessing else None,
            "sha256": self.sha256,
        }
