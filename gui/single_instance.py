"""One window for each user: other starts, and macOS' Finder, hand it their paths."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal, Slot
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_PATIENCE_MS = 1_000
_LONGEST_BYTES = 2**24


def call(name: str, paths: Sequence[Path]) -> bool:
    """Give paths to the window that is open; return whether there is one that took them."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_PATIENCE_MS):
        return False
    socket.write(json.dumps([str(path) for path in paths]).encode() + b"\n")
    answered = socket.waitForBytesWritten(_PATIENCE_MS) and socket.waitForReadyRead(_PATIENCE_MS)
    socket.disconnectFromServer()
    return answered


class SingleInstance(QObject):
    """Listens for further starts."""

    called = Signal(list)
    """Paths that another start was given; none where it was given none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._waiting: dict[QLocalSocket, bytes] = {}
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._welcome)
        if not self._server.listen(name):
            QLocalServer.removeServer(name)  # of a program that was killed
            self._server.listen(name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what macOS asks the program to open; it tells so by events, not arguments."""
        if isinstance(event, QFileOpenEvent):
            if event.file():
                self.called.emit([Path(event.file())])
            return True
        return super().eventFilter(watched, event)

    def end(self) -> None:
        """Listen no more."""
        self._server.close()

    @Slot()
    def _welcome(self) -> None:
        socket = self._server.nextPendingConnection()
        self._waiting[socket] = b""
        socket.readyRead.connect(self._read)
        socket.disconnected.connect(self._forget)

    @Slot()
    def _read(self) -> None:
        socket = self.sender()
        if not isinstance(socket, QLocalSocket) or socket not in self._waiting:
            return
        self._waiting[socket] += bytes(socket.readAll().data())
        if len(self._waiting[socket]) > _LONGEST_BYTES:
            socket.abort()
            return
        if self._waiting[socket].endswith(b"\n"):
            try:
                paths = [Path(path) for path in json.loads(self._waiting[socket])]
            except (ValueError, TypeError):
                socket.abort()
                return
            socket.write(b"taken\n")
            self.called.emit(paths)

    @Slot()
    def _forget(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._waiting.pop(socket, None)
            socket.deleteLater()
