"""What can be asked of the model in use, and of the worker that owns it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import DroplensError
from core.inference.engine import Engine, ModelRequest, ReadyModel, import_torch
from core.language import tr
from core.models.sources.base import Capability
from core.values.spec import Overrides
from core.work.requests import Request

if TYPE_CHECKING:
    from core.values.predictions import ClassProbability, Prediction
    from core.values.spec import ModelChoice


@dataclass(frozen=True)
class WarmUp(ModelRequest[None]):
    """Import torch, which takes seconds, before anything else is asked."""

    def run(self, engine: Engine) -> None:
        import_torch()


@dataclass(frozen=True)
class OpenModel(ModelRequest[ReadyModel]):
    """Open a model and use it.

    Attributes:
        choice: what the user picked.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        mixed_precision: on CUDA, compute in half precision where that names the same classes.
    """

    slot = "model"
    choice: ModelChoice
    device: str
    mixed_precision: bool = False

    def run(self, engine: Engine) -> ReadyModel:
        return engine.open(self.choice, self.device, mixed_precision=self.mixed_precision)


@dataclass(frozen=True)
class ModelInUse(ModelRequest[ReadyModel | None]):
    """Which model is in use, also where the answer that told of it was overtaken."""

    def run(self, engine: Engine) -> ReadyModel | None:
        return engine.ready


@dataclass(frozen=True)
class Tried:
    """What a photo shows if a question about the model is answered so.

    Attributes:
        key: of the question.
        value: of the answer.
        top: classes, likeliest first.
        problem: why there are none, in a sentence; else "".
    """

    key: str
    value: str
    top: tuple[ClassProbability, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class TryAnswers(ModelRequest[Iterator[Tried]]):
    """Predict one photo with each answer to questions, while the model in use stays.

    Attributes:
        choice: the model that the questions are about, with its overrides.
        answers: key and value of each.
        photo: the file.
    """

    slot = "try answers"
    choice: ModelChoice
    answers: tuple[tuple[str, str], ...]
    photo: Path

    def run(self, engine: Engine) -> Iterator[Tried]:
        for key, value in self.answers:
            yield self._try(engine, key, value)

    def _try(self, engine: Engine, key: str, value: str) -> Tried:
        try:
            overrides = (self.choice.overrides or Overrides()).answered(key, value)
            choice = self.choice.answered(overrides)
            found = engine.predict_once(choice, self.photo)
        except DroplensError as error:
            return Tried(key, value, problem=str(error))
        if isinstance(found, str):
            return Tried(key, value, problem=found)
        return Tried(key, value, found)


@dataclass(frozen=True)
class SaveModel(ModelRequest[Path]):
    """Write the model in use as one file with its class names and preprocessing."""

    path: Path

    def run(self, engine: Engine) -> Path:
        from core.models.sources.checkpoint.saving import save_model

        engine.require(
            Capability.SAVE, tr("This kind of model cannot be written as a file of Droplens.")
        )
        classifier = engine.classifier()
        assert classifier.plan is not None
        save_model(classifier.network, classifier.spec, classifier.plan, self.path)
        return self.path


@dataclass(frozen=True)
class SaveForPyTorch(ModelRequest[Path]):
    """Write a folder with the model in use as a state dict, and a script that opens it."""

    folder: Path

    def run(self, engine: Engine) -> Path:
        from core.models.sources.checkpoint.for_pytorch import save_for_pytorch

        engine.require(Capability.SAVE, tr("This kind of model cannot be written for PyTorch."))
        classifier = engine.classifier()
        assert classifier.plan is not None
        return save_for_pytorch(classifier.network, classifier.spec, classifier.plan, self.folder)


@dataclass(frozen=True)
class SavePredictions(Request[None, None]):
    """Write predictions as CSV or, by the file's ending, as JSON.

    Attributes:
        predictions: in order.
        path: the file; what stood there before stays where it cannot be written.
        top_k: classes a photo, in CSV.
    """

    lane = "write"
    predictions: tuple[Prediction, ...]
    path: Path
    top_k: int = 5

    def run(self, _: None) -> None:
        from core.files import write_result
        from core.values.predictions import to_csv

        if self.path.suffix.lower() == ".json":
            content = json.dumps([one.to_json() for one in self.predictions], indent=1).encode()
        else:
            content = to_csv(self.predictions, top_k=self.top_k)
        write_result(self.path, content)
