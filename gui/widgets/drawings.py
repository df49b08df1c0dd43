"""Drawings (SVG) as pictures."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

_SCALE = 2
"""Letters stay sharp where the picture is shown larger, or printed."""


def to_png(svg: str) -> bytes:
    """Return an SVG file as a PNG file of twice its size; any thread may."""
    renderer = QSvgRenderer(QByteArray(svg.encode(errors="replace")))
    image = QImage(renderer.defaultSize() * _SCALE, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())
