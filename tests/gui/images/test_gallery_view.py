from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPixmap, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.settings import THUMBNAIL_WIDTHS
from gui.gallery_model import GalleryModel
from gui.images.gallery_panel import GalleryPanel
from gui.images.gallery_view import ThumbnailCache
from gui.session import Session

PATHS = [Path(f"/photos/{number}.png") for number in range(5000)]


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> GalleryPanel:
    made = GalleryPanel(session)
    qtbot.addWidget(made)
    made.resize(330, 600)
    made.show()
    qtbot.waitExposed(made)
    return made


def model_of(panel: GalleryPanel) -> GalleryModel:
    model = panel.view.model()
    assert isinstance(model, GalleryModel)
    return model


def test_only_what_is_seen_gets_a_thumbnail(qtbot: QtBot, panel: GalleryPanel) -> None:
    with qtbot.waitSignal(panel.view.thumbnails_wanted) as caught:
        model_of(panel).add(PATHS)
    (paths,) = caught.args
    assert paths[0] == PATHS[0]
    assert len(paths) < 60
    with qtbot.waitSignal(panel.view.thumbnails_wanted) as caught:
        panel.view.scrollToBottom()
    assert PATHS[-1] in caught.args[0]


def test_a_thumbnail_that_is_there_is_not_asked_for_again(
    qtbot: QtBot, panel: GalleryPanel
) -> None:
    model_of(panel).add(PATHS[:2])
    panel.view.put_thumbnail(PATHS[0], QPixmap(4, 4))
    with qtbot.waitSignal(panel.view.thumbnails_wanted) as caught:
        panel.view.note_change()
    assert caught.args[0] == [PATHS[1]]


def test_the_cache_is_bounded_and_forgets_what_was_unseen_longest() -> None:
    cache = ThumbnailCache()
    cache.put(PATHS[0], None)
    for path in PATHS[1:400]:
        cache.put(path, None)
    cache.get(PATHS[0])
    cache.put(PATHS[400], None)
    assert PATHS[0] in cache
    assert PATHS[1] not in cache


def test_the_first_photo_becomes_the_current_one(panel: GalleryPanel, session: Session) -> None:
    model_of(panel).add(PATHS[:3])
    assert session.current == PATHS[0]
    session.step(-1)
    assert session.current == PATHS[0]
    session.step(1)
    session.step(5)
    assert session.current == PATHS[2]


def test_the_current_photo_survives_search_and_sort(
    panel: GalleryPanel, session: Session, qtbot: QtBot
) -> None:
    model_of(panel).add(PATHS[:30])
    session.show_photo(PATHS[12])
    panel._search.setText("12")
    assert session.current == PATHS[12]
    assert session.selected() == [PATHS[12]]
    panel._search.setText("3")
    assert session.current == PATHS[12]
    panel._search.setText("")
    session.photos.set_order("probability")
    assert session.selected() == [PATHS[12]]


def test_removing_the_current_photo_shows_another(panel: GalleryPanel, session: Session) -> None:
    model_of(panel).add(PATHS[:3])
    shown: list[Path | None] = []
    session.current_changed.connect(shown.append)
    model_of(panel).remove([PATHS[0]])
    assert session.current == PATHS[1]
    model_of(panel).clear()
    assert shown[-1] is None


def test_the_arrow_keys_go_through_the_photos(
    panel: GalleryPanel, session: Session, qtbot: QtBot
) -> None:
    model_of(panel).add(PATHS[:5])
    panel.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    assert session.current == PATHS[1]
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert session.current == PATHS[3]


def test_the_count(panel: GalleryPanel, session: Session) -> None:
    model_of(panel).add(PATHS[:12])
    assert panel._count.text() == "12 photos"
    panel._search.setText("11")
    assert panel._count.text() == "1 of 12 photos"
    model_of(panel).remove(PATHS[:11])
    assert panel._count.text() == "1 photo"


def test_cards_are_painted_with_and_without_a_picture(
    panel: GalleryPanel, session: Session
) -> None:
    from tests.gui.conftest import fail, predict

    model = model_of(panel)
    model.add(PATHS[:3])
    before = panel.view.grab().toImage()
    model.set_predictions([predict(PATHS[0]), fail(PATHS[1])])
    picture = QPixmap(64, 48)
    picture.fill(Qt.GlobalColor.red)
    panel.view.put_thumbnail(PATHS[2], picture)
    assert panel.view.grab().toImage() != before


def test_twenty_thousand_photos_are_selected_at_once(panel: GalleryPanel, session: Session) -> None:
    paths = [Path(f"/photos/{number}.png") for number in range(20_000)]
    session.list_photos(paths)
    session.select(map(str, paths[::-1]), paths[5])
    assert session.selected() == paths
    session.select(map(str, paths[::2]), paths[0])
    assert session.selected() == paths[::2]
    assert session.current == paths[0]


def test_thumbnails_are_larger_by_the_wheel_and_the_slider(
    panel: GalleryPanel, session: Session
) -> None:
    model_of(panel).add(PATHS[:50])
    before = panel.view.tile.width()
    place = QPointF(panel.view.viewport().rect().center())
    wheel = QWheelEvent(
        place,
        panel.view.viewport().mapToGlobal(place),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(panel.view.viewport(), wheel)
    assert session.settings.thumbnail_px == 168
    assert panel.view.verticalScrollBar().value() == 0
    panel._size.setValue(panel._size.maximum())
    assert panel.view.tile.width() > before
    assert session.settings.thumbnail_px == THUMBNAIL_WIDTHS.stop - 1
    panel.zoom(5)  # there it ends
    assert session.settings.thumbnail_px == THUMBNAIL_WIDTHS.stop - 1


def test_the_photo_in_front_stays_in_sight_and_a_scrolled_list_where_it_is(
    qtbot: QtBot, panel: GalleryPanel
) -> None:
    view, model = panel.view, model_of(panel)
    model.add(PATHS[:200])
    panel.resize(700, 500)
    view.setCurrentIndex(model.index(150, 0))
    view.scrollTo(view.currentIndex())
    panel.resize(220, 500)  # one column: the photo stands far below
    qtbot.waitUntil(lambda: PATHS[150] in view.seen_photos())
    view.verticalScrollBar().setValue(0)
    panel.resize(700, 480)
    QApplication.processEvents()
    assert PATHS[0] in view.seen_photos()
