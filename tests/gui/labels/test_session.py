from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from core.labels.book import Filter
from gui.gallery_model import GalleryModel
from gui.images.gallery_panel import GalleryPanel
from gui.labels import session
from gui.labels.filter_bar import FilterBar


@pytest.mark.parametrize(
    "kept",
    [
        {"current": "5"},
        {"current": "[" * 100_000},
        {"selected": "5", "current": '"/a.jpg"'},
        {"selected": "[[1]]", "current": '"/a.jpg"'},
        {"scroll": "9" * 5000},
        {"scroll": "9999999999999"},
        {"filter": "[" * 100_000},
        {"filter": '{"label": "some", "class_id": [1]}'},
        {"filter": '{"label": "some", "predicted": 5, "at_least": "x"}'},
        {"filter": '{"unknown": 1}'},
    ],
    ids=range(10),
)
def test_whatever_a_project_says_of_the_window_it_opens(kept: dict[str, str], qtbot: QtBot) -> None:
    model = GalleryModel()
    model.add([Path("/a.jpg")])
    gallery, bar = GalleryPanel(model), FilterBar()
    for widget in (gallery, bar):
        qtbot.addWidget(widget)
    session.restore(kept, gallery, model, bar)
    qtbot.wait(1)
    assert model.filter == Filter()
    assert model.total == 1
