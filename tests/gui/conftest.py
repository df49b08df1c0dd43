"""A fake engine whose futures the test completes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from core.inference.runs import RunOutcome
from gui.engine_bridge import EngineBridge
from pytestqt.qtbot import QtBot

from core.images.viewing import ImageLoader
from core.inference.devices import Device
from core.inference.engine import ReadyModel
from core.inference.predictions import ClassProbability, Prediction
from core.models.spec import ModelChoice, ModelSpec
from tests.specs import make_spec

DEVICE = Device("cpu", "Processor", "a test")


def predict(path: Path, probability: float = 0.75, name: str = "ant") -> Prediction:
    top = (ClassProbability(0, name, probability),)
    return Prediction(path, top, None, make_spec(names=(name, "other")))


def fail(path: Path, reason: str = "the file is empty") -> Prediction:
    return Prediction(path, (), reason, make_spec())


def ready(spec: ModelSpec | None = None, choice: ModelChoice | None = None) -> ReadyModel:
    return ReadyModel(choice or ModelChoice(), "auto", spec or make_spec(), DEVICE, (DEVICE,))


class FakeRun:
    def __init__(self, paths: Iterable[Path], deliver: Callable[[list[Prediction]], None]) -> None:
        self.paths, self.deliver = iter(paths), deliver
        self.finished: Future[RunOutcome] = Future()
        self.is_stopped = False
        self.recall = False
        self.done = 0

    def stop(self) -> None:
        self.is_stopped = True

    def take(self, count: int) -> list[Path]:
        """Predict the next photos, as the worker would."""
        taken = [path for _, path in zip(range(count), self.paths, strict=False)]
        self.deliver([predict(path) for path in taken])
        self.done += len(taken)
        return taken

    def end(self) -> None:
        self.finished.set_result(RunOutcome(self.done, 0, self.is_stopped, DEVICE))


class FakeEngine:
    def __init__(self, on_notice: Callable[[str], None]) -> None:
        self.notice = on_notice
        self.asked: list[tuple[str, tuple[Any, ...], Future[Any]]] = []
        self.runs: list[FakeRun] = []
        self.ready: ReadyModel | None = None

    def _ask(self, kind: str, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.asked.append((kind, arguments, future))
        return future

    def future(self, kind: str) -> Future[Any]:
        """Return the newest request of a kind."""
        return next(future for name, _, future in reversed(self.asked) if name == kind)

    def arguments(self, kind: str) -> tuple[Any, ...]:
        return next(arguments for name, arguments, _ in reversed(self.asked) if name == kind)

    def warm_up(self) -> Future[None]:
        return self._ask("warm-up")

    def open_model(self, choice: ModelChoice, device: str) -> Future[ReadyModel]:
        return self._ask("model", choice, device)

    def layer_table(self, image: Path | None) -> Future[Any]:
        return self._ask("table", image)

    def residual_block(self, image: Path, name: str) -> Future[Any]:
        return self._ask("block", image, name)

    def evidence(self, image: Path, classes: Any) -> Future[Any]:
        return self._ask("evidence", image, classes)

    def feature_maps(
        self, image: Path, layer: str, call: int, for_class: int | None = None
    ) -> Future[Any]:
        return self._ask("maps", image, layer, call, for_class)

    def before_and_after(self, *arguments: Any) -> Future[Any]:
        return self._ask("before and after", *arguments)

    def classify(
        self,
        paths: Iterable[Path],
        deliver: Callable[[list[Prediction]], None],
        *,
        recall: bool = False,
    ) -> FakeRun:
        self.runs.append(FakeRun(paths, deliver))
        self.runs[-1].recall = recall
        return self.runs[-1]

    def compare(self, *arguments: Any) -> Any:
        finished = self._ask("compare", *arguments)
        return type("Comparison", (), {"finished": finished, "stop": lambda _: None})()

    def list_weights(self) -> Future[Any]:
        return self._ask("weights")

    def save_model(self, path: Path) -> Future[Path]:
        return self._ask("save", path)

    def shut_down(self) -> None:
        pass


@pytest.fixture
def engine() -> list[FakeEngine]:
    """Filled by ``bridge``."""
    return []


@pytest.fixture
def bridge(qtbot: QtBot, engine: list[FakeEngine]) -> Iterator[EngineBridge]:
    def make(on_notice: Callable[[str], None]) -> Any:
        engine.append(FakeEngine(on_notice))
        return engine[0]

    made = EngineBridge(make, ImageLoader())
    yield made
    made.shut_down()
