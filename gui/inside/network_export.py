"""The drawing of a network as a file: SVG, PNG or PDF, as it is seen or as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, QSizeF
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTransform,
)
from PySide6.QtSvg import QSvgGenerator

from gui import theme
from gui.inside.network_marks import Marks

if TYPE_CHECKING:
    from gui.inside.network_painter import NetworkPainter

_PNG_SCALE = 2
_PDF_DPI = 72


def drawing_as(
    kind: str, painter: NetworkPainter, part: QRectF, size: tuple[int, int], font: QFont
) -> bytes:
    """Return a part of a drawing as a file.

    Args:
        kind: the file's ending, ".svg", ".png" or ".pdf".
        painter: of the drawing.
        part: of it, in its own units.
        size: of the result in pixels, or in points.
        font: of the words.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if kind == ".png":
        image = QImage(size[0] * _PNG_SCALE, size[1] * _PNG_SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(_PNG_SCALE)
        image.fill(QColor(theme.colours().canvas))
        _paint(QPainter(image), painter, part, size, font)
        image.save(buffer, "PNG")  # type: ignore[call-overload]
    elif kind == ".pdf":
        writer = QPdfWriter(buffer)
        writer.setResolution(_PDF_DPI)
        page = QPageSize(QSizeF(*size), QPageSize.Unit.Point)
        writer.setPageLayout(
            QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0))
        )
        _paint(QPainter(writer), painter, part, size, font)
    else:
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setViewBox(QRectF(0, 0, *size))
        _paint(QPainter(generator), painter, part, size, font)
    return bytes(buffer.data().data())


def _paint(
    device: QPainter, painter: NetworkPainter, part: QRectF, size: tuple[int, int], font: QFont
) -> None:
    room = QRectF(0, 0, *size)
    device.fillRect(room, QColor(theme.colours().canvas))
    scale = min(room.width() / part.width(), room.height() / part.height())
    transform = QTransform(
        scale, 0, 0, scale,
        room.center().x() - part.center().x() * scale,
        room.center().y() - part.center().y() * scale,
    )  # fmt: skip
    device.setClipRect(room)
    in_pixels = QFont(font)
    in_pixels.setPixelSize(QFontInfo(font).pixelSize())  # the same on paper as on the screen
    painter.paint(device, transform, room, Marks(), in_pixels)
    device.end()
