"""Models that tests speak of without a file behind them."""

from __future__ import annotations

from pathlib import Path

from core.images.preprocessing import Preprocessing
from core.values.spec import Inspection, ModelSpec, NamedBy, NamesSource, Outputs


def make_spec(
    title: str = "Tiny",
    architecture: str = "resnet18",
    names: tuple[str, ...] = ("ant", "bee"),
    preprocessing: Preprocessing | None = None,
    outputs: Outputs = "softmax",
    num_classes: int | None = -1,
) -> ModelSpec:
    """Return a model with one class a name; another number is that of its outputs."""
    found = preprocessing or Preprocessing()
    inspection = Inspection(
        usable=True,
        summary=f"{title} with {len(names)} classes.",
        architecture=architecture,
        num_classes=len(names) if num_classes == -1 else num_classes,
        class_names=names,
        class_names_source=NamesSource(NamedBy.CHECKPOINT),
        preprocessing=found,
        sha256="0" * 64,
        outputs=outputs,
    )
    return ModelSpec(
        architecture=architecture,
        title=title,
        checkpoint=Path("tiny.pth"),
        sha256="0" * 64,
        class_names=names,
        class_names_source=NamesSource(NamedBy.CHECKPOINT),
        preprocessing=found,
        outputs=outputs,
        inspection=inspection,
    )
