from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from gui.dropping import paths_in
from gui.images.pasting import save_pasted


def test_files_of_a_drop(tmp_path: Path) -> None:
    data = QMimeData()
    photo = tmp_path / "Jörg 张伟 é.jpg"
    data.setUrls([QUrl.fromLocalFile(str(photo)), QUrl("https://example.org/cat.jpg")])
    assert paths_in(data) == [photo]


def test_text_counts_where_it_names_files(tmp_path: Path) -> None:
    photo = tmp_path / "a b.jpg"
    photo.touch()
    data = QMimeData()
    data.setText(f'"{photo}"\n{QUrl.fromLocalFile(str(photo)).toString()}\nnot a file\n/\0bad\n')
    assert paths_in(data) == [photo, photo]


def test_a_pasted_picture_becomes_a_file(qtbot: QtBot, tmp_path: Path) -> None:
    picture = QImage(4, 3, QImage.Format.Format_RGB32)
    picture.fill(QColor("red"))
    data = QMimeData()
    data.setImageData(picture)
    first, second = (save_pasted(data, tmp_path / "new") for _ in range(2))
    assert first is not None
    assert second is not None
    assert first != second
    assert QImage(str(second)).size() == picture.size()
    assert save_pasted(QMimeData(), tmp_path) is None
