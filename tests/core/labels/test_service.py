from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from core.errors import LabelsError
from core.labels.changes import Labelling
from core.labels.exporting import Report
from core.labels.formats.table import FORMATS
from core.labels.photos import content_of
from core.labels.plans import ExportOptions
from core.labels.requests import (
    EditClasses,
    Export,
    FlushLabels,
    Label,
    LabelRequest,
    OpenProject,
    PlanExport,
    RegisterPhotos,
    Undo,
)
from core.labels.service import LabelService
from core.labels.store import LabelStore
from core.work.handles import Handle
from core.work.lane import Lanes
from core.work.requests import Request

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Look(LabelRequest[object]):
    """Whatever a test wants to see of the store."""

    look: Callable[[LabelStore], object]

    def apply(self, store: LabelStore) -> object:
        return self.look(store)


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes()
    LabelService.in_lanes(made)
    yield made
    made.stop_all()
    made.shut_down()


def ask(lanes: Lanes, request: Request[LabelService, _Answer]) -> _Answer:
    return lanes[request.lane].ask(request).future.result(30)


@pytest.fixture
def project(lanes: Lanes, tmp_path: Path) -> Path:
    path = tmp_path / "p.droplens"
    opened = ask(lanes, OpenProject(path))
    ask(lanes, EditClasses("add", opened.state.classes.add(["cat"])))
    return path


def label(path: Path) -> Labelling:
    path.write_text(path.name)
    return Labelling(path, (1,))


def unread(lanes: Lanes) -> int:
    files = ask(lanes, Look(lambda store: store.without_content()))
    assert isinstance(files, list)
    return len(files)


def test_contents_are_read_in_the_background(lanes: Lanes, project: Path, tmp_path: Path) -> None:
    labelling = tuple(label(tmp_path / f"{number}.jpg") for number in range(120))
    ask(lanes, Label(labelling, "person"))
    limit = time.monotonic() + 60
    while unread(lanes):
        assert time.monotonic() < limit
    last = labelling[-1].path
    moved = last.rename(tmp_path / "moved.jpg")
    met, _ = ask(lanes, RegisterPhotos((moved,)))
    assert met.moved == {str(last): str(moved)}


def test_a_file_that_is_gone_is_not_tried_for_ever(
    lanes: Lanes, project: Path, tmp_path: Path
) -> None:
    gone, there = Labelling(tmp_path / "gone.jpg", (1,)), label(tmp_path / "a.jpg")
    ask(lanes, Label((gone, there), "person"))
    limit = time.monotonic() + 60
    while unread(lanes) > 1:
        assert time.monotonic() < limit
    content = content_of(there.path).sha256
    statement = "SELECT count(*) FROM photos WHERE sha256 = ?"
    found = ask(lanes, Look(lambda store: store.database.execute(statement, (content,)).fetchone()))
    assert found == (1,)


def test_the_project_before_stays_where_another_cannot_be_opened(
    lanes: Lanes, project: Path, tmp_path: Path
) -> None:
    with LabelStore(tmp_path / "other.droplens"):
        with pytest.raises(LabelsError, match="another Droplens"):
            ask(lanes, OpenProject(tmp_path / "other.droplens"))
        assert ask(lanes, Look(lambda store: store.path.name)) == "p.droplens"
    assert ask(lanes, OpenProject(tmp_path / "other.droplens")).path.name == "other.droplens"
    with LabelStore(project) as free:
        assert free.classes.names == ("cat",)


def test_without_a_project_there_is_a_sentence(lanes: Lanes) -> None:
    with pytest.raises(LabelsError, match="No project is open"):
        ask(lanes, Undo())
    lanes.shut_down()
    assert lanes["label"].ask(Undo()).future.cancelled()


def export(lanes: Lanes, target: Path) -> Export:
    """Plan an export."""
    form, options = FORMATS["class-folders"], ExportOptions()
    plan = ask(lanes, PlanExport("labelled", None, form, target, options))
    return Export(plan, form, target, options)


def begin_export(
    lanes: Lanes, target: Path, news: list[object]
) -> tuple[Handle[None], threading.Event]:
    """Begin an export that waits at its first photo, until the event is set."""
    request = export(lanes, target)
    reached, go_on = threading.Event(), threading.Event()

    def hold(item: object) -> None:
        news.append(item)
        reached.set()
        assert go_on.wait(30)

    running = lanes[request.lane].stream(request, hold)
    assert reached.wait(30)
    return running, go_on


def test_labelling_goes_on_while_photos_are_exported(
    lanes: Lanes, project: Path, tmp_path: Path
) -> None:
    ask(lanes, Label(tuple(label(tmp_path / f"{n}.jpg") for n in range(5)), "person"))
    news: list[object] = []
    running, go_on = begin_export(lanes, tmp_path / "out", news)
    ask(lanes, Label((label(tmp_path / "more.jpg"),), "person"))
    go_on.set()
    running.future.result(30)
    assert isinstance(news[-1], Report)
    assert news[-1].written == 6


def test_an_export_that_is_stopped_goes_on_from_there(
    lanes: Lanes, project: Path, tmp_path: Path
) -> None:
    ask(lanes, Label(tuple(label(tmp_path / f"{n}.jpg") for n in range(5)), "person"))
    news: list[object] = []
    running, go_on = begin_export(lanes, tmp_path / "out", news)
    running.stop()
    go_on.set()
    running.future.result(30)
    assert isinstance(news[-1], Report)
    assert news[-1].is_stopped
    again = export(lanes, tmp_path / "out")
    news = []
    lanes[again.lane].stream(again, news.append).future.result(30)
    assert isinstance(news[-1], Report)
    assert (news[-1].present, news[-1].failed) == (1, [])


def test_the_file_alone_holds_all_labels_once_it_is_flushed(
    lanes: Lanes, project: Path, tmp_path: Path
) -> None:
    ask(lanes, Label((label(tmp_path / "a.jpg"),), "person"))
    ask(lanes, FlushLabels())
    shutil.copy(project, tmp_path / "copied.droplens")  # as people do it, without the log
    lanes.shut_down()
    with LabelStore(tmp_path / "copied.droplens") as store:
        assert store.state().labels == {str(tmp_path / "a.jpg"): (1,)}
