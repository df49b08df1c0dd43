from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from gui.inside.picture_row import Captioned, PictureRow


def test_keys_go_through_the_pictures_and_choose_one(qtbot: QtBot) -> None:
    row = PictureRow(2, chooses=True)
    qtbot.addWidget(row)
    row.resize(300, 400)
    row.set_entries([Captioned(QImage(8, 8, QImage.Format.Format_RGB888), name) for name in "abc"])
    chosen: list[int] = []
    row.clicked.connect(chosen.append)
    qtbot.keyClick(row, Qt.Key.Key_Space)
    qtbot.keyClick(row, Qt.Key.Key_Right)
    qtbot.keyClick(row, Qt.Key.Key_Return)
    qtbot.keyClick(row, Qt.Key.Key_Down)  # there is none below: the last
    qtbot.keyClick(row, Qt.Key.Key_Return)
    for _ in range(3):
        qtbot.keyClick(row, Qt.Key.Key_Left)
    qtbot.keyClick(row, Qt.Key.Key_Return)
    assert chosen == [0, 1, 2, 0]
    row.set_entries([])
    qtbot.keyClick(row, Qt.Key.Key_Return)
    assert chosen == [0, 1, 2, 0]


def test_pictures_that_nobody_chooses_take_no_focus(qtbot: QtBot) -> None:
    row = PictureRow()
    qtbot.addWidget(row)
    assert row.focusPolicy() == Qt.FocusPolicy.NoFocus
