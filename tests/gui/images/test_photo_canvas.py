from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.images.photo_canvas import PhotoCanvas


def picture(width: int, height: int, colour: str) -> QImage:
    made = QImage(width, height, QImage.Format.Format_RGB888)
    made.fill(QColor(colour))
    return made


@pytest.fixture
def canvas(qtbot: QtBot) -> PhotoCanvas:
    made = PhotoCanvas()
    qtbot.addWidget(made)
    made.resize(424, 324)
    made.show()
    made.set_photo(picture(200, 100, "red"), picture(50, 50, "lime"), QRectF(50, 0, 100, 100))
    return made


def colour_at(canvas: PhotoCanvas, x: float, y: float) -> str:
    """Return the colour on the screen at a point of the photo."""
    place = canvas._to_screen(QRectF(x, y, 0, 0)).topLeft().toPoint()
    return canvas.grab().toImage().pixelColor(place).name()


def test_a_photo_fits(canvas: PhotoCanvas) -> None:
    assert canvas.zoom == pytest.approx(2.0)
    assert colour_at(canvas, 10, 50) == "#ff0000"
    canvas.resize(324, 324)
    assert canvas.zoom == pytest.approx(1.5)


def test_zoom_keeps_the_point_under_the_pointer(canvas: PhotoCanvas) -> None:
    at = QPointF(100, 120)
    before = canvas._to_photo(at)
    wheel = QWheelEvent(
        at,
        at,
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, wheel)
    assert canvas.zoom == pytest.approx(2.0 * 1.25**2)
    after = canvas._to_photo(at)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))
    canvas.fit()
    assert canvas.zoom == pytest.approx(2.0)


def test_zoom_has_ends(canvas: PhotoCanvas) -> None:
    canvas.zoom_by(100)
    assert canvas.zoom == 32
    canvas.zoom_by(-100)
    assert canvas.zoom == pytest.approx(0.5)


def test_panning_holds_the_photo_in_reach(qtbot: QtBot, canvas: PhotoCanvas) -> None:
    canvas.zoom_to(10)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 160))
    qtbot.mouseMove(canvas, QPoint(150, 160))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(150, 160))
    assert canvas._middle.x() == pytest.approx(105, abs=0.2)
    canvas._grabbed = QPointF(0, 0)
    qtbot.mouseMove(canvas, QPoint(-9000, 0))
    canvas._middle = QPointF(1e6, 1e6)
    canvas._hold_inside()
    assert (canvas._middle.x(), canvas._middle.y()) == (200, 100)


def test_what_the_model_saw_lies_in_its_place(canvas: PhotoCanvas) -> None:
    canvas.set_show_seen(True)
    assert colour_at(canvas, 100, 50) == "#00ff00"
    outside = QColor(colour_at(canvas, 10, 50))
    assert 0 < outside.red() < 255
    canvas.set_show_seen(False)
    assert colour_at(canvas, 100, 50) == "#ff0000"


def test_a_map_lies_over_the_photo_with_its_opacity(canvas: PhotoCanvas) -> None:
    canvas.set_map(picture(5, 5, "white"))
    canvas.set_opacity(1.0)
    assert colour_at(canvas, 100, 50) == "#ffffff"
    assert colour_at(canvas, 10, 50) == "#ff0000"
    canvas.set_opacity(0.0)
    assert colour_at(canvas, 100, 50) == "#ff0000"
    canvas.set_map(QImage())
    canvas.set_opacity(1.0)
    assert colour_at(canvas, 100, 50) == "#ff0000"


def test_a_photo_that_the_model_sees_turned_shows_its_own_picture(canvas: PhotoCanvas) -> None:
    canvas.set_photo(picture(100, 200, "red"), picture(50, 50, "lime"), None)
    assert colour_at(canvas, 50, 100) == "#ff0000"
    canvas.set_show_seen(True)
    assert canvas._whole() == QRectF(0, 0, 50, 50)
    assert colour_at(canvas, 25, 25) == "#00ff00"


def test_keys_ask_for_the_neighbours(qtbot: QtBot, canvas: PhotoCanvas) -> None:
    steps: list[int] = []
    canvas.stepped.connect(steps.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Space, Qt.Key.Key_A):
        qtbot.keyClick(canvas, key)
    assert steps == [1, -1, 1]


def test_a_message_takes_the_photos_place(canvas: PhotoCanvas) -> None:
    canvas.set_message("it is not there")
    assert canvas._whole().isEmpty()
    canvas.zoom_by(1)
    canvas.fit()
    assert not canvas.grab().isNull()
