from __future__ import annotations

import os
import socket as python_socket
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QProcess, QUrl
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


@pytest.mark.parametrize(
    "message",
    [b"[1, 2]", b"{}", b"[" * 100_000, b'["a", ["b"]]', b'["\\u0000"]', b"\xff", b"9" * 5000],
    ids=["numbers", "object", "deep", "nested", "zero byte", "no text", "digits"],
)
def test_what_is_no_list_of_paths_is_refused(message: bytes, tmp_path: Path, qtbot: QtBot) -> None:
    instance = SingleInstance(str(tmp_path / "s"))
    called: list[object] = []
    instance.called.connect(called.append)
    socket = QLocalSocket()
    socket.connectToServer(str(tmp_path / "s"))
    assert socket.waitForConnected(1000)
    socket.write(message + b"\n")
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


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such sockets")
def test_a_window_that_does_not_answer_keeps_its_socket(tmp_path: Path, qtbot: QtBot) -> None:
    first = SingleInstance(str(tmp_path / "s"))  # its event loop does not run meanwhile
    assert not call(str(tmp_path / "s"), [Path("/a.jpg")])
    second = SingleInstance(str(tmp_path / "s"))
    assert first.is_listening
    assert not second.is_listening
    second.end()
    assert Path(tmp_path / "s").exists()
    first.end()
    third = SingleInstance(str(tmp_path / "s"))
    assert third.is_listening
    third.end()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such folders")
def test_no_paths_are_handed_to_where_others_can_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = tmp_path / f"droplens-{os.getuid()}"
    place = instance_of(tmp_path / "settings.json")[1]
    assert place is not None
    assert place.parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert instance_of(tmp_path / "settings.json") == ("", None)
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    assert instance_of(tmp_path / "settings.json") == ("", None)


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="another user is needed")
def test_another_user_is_not_answered(tmp_path: Path, qtbot: QtBot) -> None:
    tmp_path.chmod(0o755)
    name = str(tmp_path / "s")
    instance = SingleInstance(name)
    called: list[object] = []
    instance.called.connect(called.append)
    (tmp_path / "s").chmod(0o777)
    program = (
        "import os, socket, sys\nos.setuid(65534)\n"
        "one = socket.socket(socket.AF_UNIX)\none.connect(sys.argv[1])\n"
        "try:\n one.sendall(b'[\"/etc\"]\\n')\n answer = one.recv(1)\n"
        "except OSError:\n answer = b''\nsys.exit(answer != b'')"
    )
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)
    other = QProcess()
    other.start(sys.executable, ["-c", program, name])
    with qtbot.waitSignal(other.finished):
        pass
    assert (other.exitCode(), called) == (0, [])
    instance.end()
