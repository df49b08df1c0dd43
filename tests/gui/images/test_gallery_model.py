from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from core.labels.classes import REJECT, ClassList
from core.labels.label_index import Filter
from core.values.predictions import ClassProbability, Prediction
from gui.gallery_model import ORDERS, GalleryModel
from tests.gui.conftest import fail, predict
from tests.specs import make_spec


@pytest.fixture
def model(qtbot: QtBot) -> GalleryModel:
    made = GalleryModel()
    made.tester = QAbstractItemModelTester(
        made, QAbstractItemModelTester.FailureReportingMode.Fatal
    )
    return made


def paths(*names: str) -> list[Path]:
    return [Path("/photos") / name for name in names]


def shown(model: GalleryModel) -> list[str]:
    return [model.shown_row(position).name for position in range(model.rowCount())]


def test_photos_are_appended_once(model: GalleryModel) -> None:
    assert model.add(paths("b", "a", "b")) == paths("b", "a")
    assert model.add(paths("a", "c")) == paths("c")
    assert shown(model) == ["b", "a", "c"]
    assert model.position(Path("/photos/c")) == 2


def test_orders(model: GalleryModel) -> None:
    model.add(paths("img10", "img2", "Img1", "broken"))
    model.set_predictions(
        [
            predict(Path("/photos/img10"), 0.5, "zebra"),
            predict(Path("/photos/img2"), 0.9, "ant"),
            predict(Path("/photos/Img1"), 0.7, "Bee"),
            fail(Path("/photos/broken")),
        ]
    )
    wanted = {
        "added": ["img10", "img2", "Img1", "broken"],
        "name": ["broken", "Img1", "img2", "img10"],
        "class": ["img2", "Img1", "img10", "broken"],
        "probability": ["img2", "Img1", "img10", "broken"],
        "uncertain": ["img10", "Img1", "img2", "broken"],
    }
    assert set(wanted) == set(ORDERS) - {
        *("unlabelled", "disagreeing", "similar", "chosen", "helpful")
    }
    for order, names in wanted.items():
        model.set_order(order)
        assert shown(model) == names
    model.add(paths("aaa"))
    model.set_order("name")
    model.add(paths("img3"))
    assert shown(model)[-1] == "img3"
    model.arrange()
    assert shown(model) == ["aaa", "broken", "Img1", "img2", "img3", "img10"]


def test_search_finds_names_and_classes(model: GalleryModel) -> None:
    model.add(paths("cat.png", "dog.png"))
    model.set_predictions([predict(Path("/photos/dog.png"), name="Tiger CAT")])
    model.set_search(" cat ")
    assert shown(model) == ["cat.png", "dog.png"]
    model.set_search("tiger")
    assert shown(model) == ["dog.png"]
    assert (model.total, model.position(Path("/photos/cat.png"))) == (2, -1)
    model.add(paths("tiger.png", "lion.png"))
    assert shown(model) == ["dog.png", "tiger.png"]


def test_predictions_tell_that_something_changed(model: GalleryModel, qtbot: QtBot) -> None:
    model.add(paths("a", "b", "c"))
    with qtbot.waitSignal(model.dataChanged) as caught:
        model.set_predictions([predict(Path("/photos/b")), predict(Path("/photos/gone"))])
    assert [index.row() for index in caught.args[:2]] == [0, 2]
    index = model.index(1)
    assert "ant: 75.0%" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "b ant: 75.0%"
    model.forget_predictions()
    assert model.shown_row(1).class_name == ""


def test_failures_carry_their_reason(model: GalleryModel) -> None:
    model.add(paths("a"))
    model.set_predictions([fail(Path("/photos/a"))])
    assert model.shown_row(0).reason == "the file is empty"
    tip = model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "/photos/a could not be read: the file is empty." in tip


def test_photos_that_came_early_are_put_in_order(model: GalleryModel) -> None:
    model.add(paths("x"))
    model.add(paths("c", "a"))
    model.add(paths("a", "b", "c"))
    model.put_in_order(map(str, paths("a", "b", "c")))
    assert shown(model) == ["x", "a", "b", "c"]
    assert model.position(Path("/photos/c")) == 3


def test_a_prediction_comes_back_as_it_was_noted(model: GalleryModel) -> None:
    model.add(paths("a", "b"))
    said = predict(Path("/photos/a"), 0.75, "猫")
    model.set_predictions([said, fail(Path("/photos/b"))])
    assert model.shown_row(0).prediction == said
    assert model.shown_row(1).prediction == fail(Path("/photos/b"))


def test_remove_and_clear(model: GalleryModel) -> None:
    model.add(paths("a", "b", "c"))
    model.remove(paths("b", "unknown"))
    assert shown(model) == ["a", "c"]
    model.clear()
    assert model.rowCount() == model.total == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "remove", "search", "order"]), st.integers(0, 12)),
        max_size=12,
    )
)
def test_any_sequence_equals_a_plain_list(steps: list[tuple[str, int]]) -> None:
    model = GalleryModel()
    plain: list[str] = []
    search = ""
    for step, number in steps:
        name = f"img{number}"
        if step == "add":
            model.add(paths(name))
            plain += [name] * (name not in plain)
        elif step == "remove":
            model.remove(paths(name))
            plain = [other for other in plain if other != name]
        elif step == "search":
            search = str(number % 3)
            model.set_search(search)
        else:
            model.set_order(ORDERS[number % len(ORDERS)])
    assert sorted(shown(model)) == sorted(name for name in plain if search in name)
    for at, name in enumerate(shown(model)):
        assert model.position(Path("/photos") / name) == at


def test_filters_and_queues_by_label(model: GalleryModel) -> None:
    a, b, c, d = paths("a", "b", "c", "d")
    model.add([a, b, c, d])
    model.set_classes(ClassList().add(["ant", "other"]))
    spec = make_spec(names=("ant", "other"))
    sure = {a: (0, 0.9), b: (0, 0.95), c: (1, 0.6)}
    model.set_predictions(
        Prediction(path, (ClassProbability(index, "", share),), None, spec)
        for path, (index, share) in sure.items()
    )
    model.set_labels({str(a): (2,), str(b): (1,), str(c): (1,), str(d): (REJECT,)})
    assert shown(model) == ["a", "b", "c", "d"]
    wanted = {
        Filter("some"): ["a", "b", "c"],
        Filter("none"): [],
        Filter("reject"): ["d"],
        Filter("unsure"): [],
        Filter("class", 1): ["b", "c"],
        Filter("disagreeing"): ["a", "c"],
        Filter(predicted=("ant",), at_least=0.93): ["b"],
        Filter("disagreeing", at_least=0.7): ["a"],
        Filter(): ["a", "b", "c", "d"],
    }
    for wish, names in wanted.items():
        model.set_filter(wish)
        assert shown(model) == names, wish
    model.set_order("disagreeing")
    assert shown(model)[:2] == ["a", "c"]
    model.set_labels({str(b): ()})
    model.set_order("unlabelled")
    assert shown(model)[0] == "b"
    model.set_similarity({str(c): 0.9, str(a): 0.2, str(d): -0.5})
    model.set_order("similar")
    assert shown(model) == ["c", "a", "d", "b"]


def test_photos_that_the_model_is_unsure_of(model: GalleryModel) -> None:
    a, b = paths("a", "b")
    model.add([a, b])
    spec = make_spec(names=("ant", "other"))
    limited = replace(spec, overrides=replace(spec.overrides, unsure_below=0.7))
    model.set_predictions(
        Prediction(path, (ClassProbability(0, "ant", share),), None, limited)
        for path, share in ((a, 0.6), (b, 0.8))
    )
    model.set_filter(Filter("doubted"))
    assert shown(model) == ["a"]
    assert model.found_classes() == {0: 1}
    model.set_filter(Filter())
    assert model.found_classes() == {0: 2}


def test_a_label_does_not_move_the_photos(model: GalleryModel) -> None:
    model.add(paths("a", "b", "c"))
    model.set_classes(ClassList().add(["ant"]))
    model.set_filter(Filter("none"))
    model.set_labels({str(paths("b")[0]): (1,)})
    assert shown(model) == ["a", "b", "c"]
    model.arrange()
    assert shown(model) == ["a", "c"]


def test_photos_are_dragged_as_files(model: GalleryModel) -> None:
    model.add(paths("a", "b"))
    data = model.mimeData([model.index(1), model.index(0)])
    assert [url.toLocalFile() for url in data.urls()] == ["/photos/a", "/photos/b"]


def test_photos_to_label_next_come_first_and_unknown_ones_last(model: GalleryModel) -> None:
    model.add(paths("a", "b", "c"))
    model.set_order("helpful")
    model.set_next(["/photos/c", "/photos/b"])
    assert [row.name for row in model.shown_rows()] == ["c", "b", "a"]
