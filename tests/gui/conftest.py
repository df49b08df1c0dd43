"""What tests of the window share: a session whose worker the test holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pytestqt.qtbot import QtBot

from core.inference.devices import Device
from core.inference.engine import ReadyModel
from core.settings import Settings
from core.values.predictions import ClassProbability, Prediction
from core.values.spec import ModelChoice, ModelSpec
from core.work.lane import Lane, Lanes
from core.work.requests import Request
from gui.app import Droplens
from gui.main_window import MainWindow
from gui.session import Session
from gui.tasks import Tasks
from tests.specs import make_spec

DEVICE = Device("cpu", "Processor", "a test")

_Request = TypeVar("_Request", bound=Request[Any, Any])


def predict(path: Path, probability: float = 0.75, name: str = "ant") -> Prediction:
    top = (ClassProbability(0, name, probability),)
    return Prediction(path, top, None, make_spec(names=(name, "other")))


def fail(path: Path, reason: str = "the file is empty") -> Prediction:
    return Prediction(path, (), reason, make_spec())


def ready(spec: ModelSpec | None = None, choice: ModelChoice | None = None) -> ReadyModel:
    return ReadyModel(choice or ModelChoice(), "auto", spec or make_spec(), DEVICE, (DEVICE,))


class HeldWorker(Executor):
    """Carries nothing out: the test looks at what was asked, and answers it."""

    def __init__(self) -> None:
        self._jobs: list[tuple[tuple[Any, ...], Future[Any]]] = []

    def submit(self, job: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._jobs.append((arguments, future))
        return future

    def all(self, kind: type[_Request]) -> list[_Request]:
        """Return what was asked of a kind, the newest last."""
        return [given[0] for given, _ in self._jobs if given and isinstance(given[0], kind)]

    def newest(self, kind: type[_Request]) -> _Request:
        return self.all(kind)[-1]

    def future(self, kind: type[Request[Any, Any]]) -> Future[Any]:
        """Return the answer that the newest of a kind waits for."""
        return next(
            future for given, future in reversed(self._jobs) if given and isinstance(given[0], kind)
        )


@pytest.fixture
def worker() -> HeldWorker:
    """Stands in for the thread that owns the network."""
    return HeldWorker()


@pytest.fixture
def tasks(qtbot: QtBot, worker: HeldWorker) -> Iterator[Tasks]:
    made = Tasks(Lanes(engine=Lane("engine", executor=worker)))
    yield made
    made.shut_down()


@pytest.fixture
def session(tasks: Tasks, tmp_path: Path) -> Session:
    return Session(tasks, Settings(), tmp_path / "settings.json")


@pytest.fixture
def window(qtbot: QtBot, tasks: Tasks) -> MainWindow:
    made = MainWindow()
    qtbot.addWidget(made)
    tasks.failed.connect(made.reporter.report)
    return made


@pytest.fixture
def droplens(qtbot: QtBot, tmp_path: Path) -> Iterator[Droplens]:
    """Return the whole program, whose rooms have not begun."""
    window = MainWindow()
    qtbot.addWidget(window)
    made = Droplens(window, Settings(), tmp_path / "settings.json")
    yield made
    window.close()
