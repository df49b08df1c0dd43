from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QListView
from pytestqt.qtbot import QtBot

from core.labels.label_index import Filter
from gui.labels.filter_bar import FilterBar
from gui.labels.view_state import restore, view_state
from gui.session import Session


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
def test_whatever_a_project_says_of_the_window_it_opens(
    kept: dict[str, str], session: Session, qtbot: QtBot
) -> None:
    session.list_photos([Path("/a.jpg")])
    view, bar = QListView(), FilterBar()
    for widget in (view, bar):
        qtbot.addWidget(widget)
    restore(kept, session, view, bar)
    QApplication.processEvents()
    assert session.photos.filter == Filter()
    assert session.photos.total == 1


def test_what_was_kept_comes_back(session: Session, qtbot: QtBot) -> None:
    session.list_photos([Path(f"/{name}.jpg") for name in "abcd"])
    view, bar = QListView(), FilterBar()
    for widget in (view, bar):
        qtbot.addWidget(widget)
    session.select(["/b.jpg", "/c.jpg"], Path("/c.jpg"))
    session.photos.set_filter(Filter("none"))
    kept = view_state(session, view)
    session.select([], Path("/a.jpg"))
    session.photos.set_filter(Filter())
    restore(kept, session, view, bar)
    assert session.current == Path("/c.jpg")
    assert session.photos.filter == bar.filter == Filter("none")
