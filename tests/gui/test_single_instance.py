from __future__ import annotations

import socket as python_socket
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from gui.instance_name import instance_of
from gui.single_instance import SingleInstance, call


def test_each_settings_file_has_a_window_of_its_own(tmp_path: Path) -> None:
    one, two = instance_of(tmp_path / "a.json")[0], instance_of(tmp_path / "b.json")[0]
    assert one != two
    assert len(one) < 100  # longer names are no sockets


def test_nobody_answers_where_no_window_is_open(tmp_path: Path, qtbot: QtBot) -> None:
    assert not call(str(tmp_path / "nobody"), [Path("/a.jpg")])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such sockets")
def test_a_socket_of_a_killed_program_is_taken_over(tmp_path: Path, qtbot: QtBot) -> None:
    name = str(tmp_path / "s")
    with python_socket.socket(python_socket.AF_UNIX) as left:
        left.bind(name)
    assert Path(name).exists()
    instance = SingleInstance(name)
    socket = QLocalSocket()
    socket.connectToServer(name)
    assert socket.waitForConnected(1000)
    socket.abort()
    instance.end()


def test_what_is_no_list_of_paths_is_refused(tmp_path: Path, qtbot: QtBot) -> None:
    instance = SingleInstance(str(tmp_path / "s"))
    called: list[object] = []
    instance.called.connect(called.append)
    socket = QLocalSocket()
    socket.connectToServer(str(tmp_path / "s"))
    assert socket.waitForConnected(1000)
    socket.write(b"[1, 2]\n")
    qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState)
    assert called == []
    instance.end()


def test_what_the_finder_opens(tmp_path: Path, qtbot: QtBot) -> None:
    instance = SingleInstance(str(tmp_path / "s"))
    application = QCoreApplication.instance()
    assert application is not None
    application.installEventFilter(instance)
    photo = tmp_path / "\u732b \u00e9.jpg"
    with qtbot.waitSignal(instance.called) as told:
        QCoreApplication.sendEvent(application, QFileOpenEvent(QUrl.fromLocalFile(str(photo))))
    assert told.args == [[photo]]
    application.removeEventFilter(instance)
    instance.end()
