from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import LabelsError
from core.labels.exporting import choose, plan_export
from core.labels.formats.table import FORMATS
from core.labels.keeper import LabelKeeper
from core.labels.photos import content_of
from core.labels.plans import ExportOptions
from core.labels.store import Labelling, LabelStore


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[LabelKeeper]:
    made = LabelKeeper()
    made.open(tmp_path / "p.droplens").result()
    made.ask(lambda store: store.edit_classes("add", store.classes.add(["cat"]))).result()
    yield made
    made.shut_down()


def label(path: Path) -> Labelling:
    path.write_text(path.name)
    return Labelling(path, (1,))


def test_contents_are_read_in_the_background(keeper: LabelKeeper, tmp_path: Path) -> None:
    labelling = [label(tmp_path / f"{number}.jpg") for number in range(120)]
    keeper.ask(lambda store: store.label(labelling)).result()
    limit = time.monotonic() + 10
    while keeper.ask(lambda store: store.without_content()).result():
        assert time.monotonic() < limit
    last = labelling[-1].path
    moved = last.rename(tmp_path / "moved.jpg")
    met, _ = keeper.ask(lambda store: store.meet([moved])).result()
    assert met.moved == {str(last): str(moved)}


def test_a_file_that_is_gone_is_not_tried_for_ever(keeper: LabelKeeper, tmp_path: Path) -> None:
    gone, there = Labelling(tmp_path / "gone.jpg", (1,)), label(tmp_path / "a.jpg")
    keeper.ask(lambda store: store.label([gone, there])).result()
    limit = time.monotonic() + 10
    while len(keeper.ask(lambda store: store.without_content()).result()) > 1:
        assert time.monotonic() < limit
    content = content_of(there.path).sha256
    found = keeper.ask(
        lambda store: store.database.execute(
            "SELECT count(*) FROM photos WHERE sha256 = ?", (content,)
        ).fetchone()
    ).result()
    assert found == (1,)


def test_the_project_before_stays_where_another_cannot_be_opened(
    keeper: LabelKeeper, tmp_path: Path
) -> None:
    with LabelStore(tmp_path / "other.droplens"):
        with pytest.raises(LabelsError, match="another Droplens"):
            keeper.open(tmp_path / "other.droplens").result()
        assert keeper.ask(lambda store: store.path.name).result() == "p.droplens"
    assert keeper.open(tmp_path / "other.droplens").result().path.name == "other.droplens"
    with LabelStore(tmp_path / "p.droplens") as free:
        assert free.classes.names == ("cat",)


def test_without_a_project_there_is_a_sentence() -> None:
    keeper = LabelKeeper()
    with pytest.raises(LabelsError, match="No project is open"):
        keeper.ask(lambda store: store.undo()).result()
    keeper.shut_down()
    assert keeper.ask(lambda store: store.undo()).cancelled()


def test_labelling_goes_on_while_photos_are_exported(keeper: LabelKeeper, tmp_path: Path) -> None:
    labelling = [label(tmp_path / f"{number}.jpg") for number in range(5)]
    keeper.ask(lambda store: store.label(labelling)).result()
    form, target, options = FORMATS["class-folders"], tmp_path / "out", ExportOptions()
    plan = keeper.ask(
        lambda store: plan_export(store, choose(store), form, target, options)
    ).result()
    reached, go_on = threading.Event(), threading.Event()

    def hold(done: int, total: int) -> None:
        reached.set()
        assert go_on.wait(10)

    future = keeper.export(plan, form, target, options, hold, lambda _: None, threading.Event())
    assert reached.wait(10)
    more = label(tmp_path / "more.jpg")
    keeper.ask(lambda store: store.label([more])).result(timeout=10)
    go_on.set()
    assert future.result().written == 6


def test_once_idle_the_file_alone_holds_all_labels(tmp_path: Path) -> None:
    keeper = LabelKeeper(idle_s=0.01)
    project = tmp_path / "p.droplens"
    log = tmp_path / "p.droplens-wal"
    keeper.open(project).result()
    keeper.ask(lambda store: store.edit_classes("add", store.classes.add(["cat"]))).result()
    keeper.ask(lambda store: store.label([label(tmp_path / "a.jpg")])).result()
    limit = time.monotonic() + 60
    while log.stat().st_size:
        assert time.monotonic() < limit
        time.sleep(0.01)
    shutil.copy(project, tmp_path / "copied.droplens")  # as people do it, without the log
    keeper.shut_down()
    with LabelStore(tmp_path / "copied.droplens") as store:
        assert store.state().labels == {str(tmp_path / "a.jpg"): (1,)}
