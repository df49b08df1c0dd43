"""One window for each user: other starts, and macOS' Finder, hand it their paths."""

from __future__ import annotations

import json
import logging
import os
import socket as sockets
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from PySide6.QtCore import QEvent, QObject, Signal, Slot
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from gui.instance_name import paths_in

log = logging.getLogger(__name__)

_PATIENCE_MS = 1_000
_LONGEST_BYTES = 2**24
_CREDENTIALS = struct.Struct("3i")  # of the other side: process, user, group


def call(name: str, paths: Sequence[Path]) -> bool:
    """Give paths to the window that is open; return whether there is one that took them."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_PATIENCE_MS):
        return False
    if not _is_of_this_user(socket):
        socket.abort()
        return False
    socket.write(json.dumps([str(path) for path in paths]).encode() + b"\n")
    answered = socket.waitForBytesWritten(_PATIENCE_MS) and socket.waitForReadyRead(_PATIENCE_MS)
    socket.disconnectFromServer()
    return answered


class SingleInstance(QObject):
    """Listens for further starts, where no other window does.

    Args:
        name: as ``instance_of`` gives it; "" listens to nobody.
    """

    called = Signal(list)
    """Paths that another start was given; none where it was given none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._waiting: dict[QLocalSocket, bytearray] = {}
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._welcome)
        self._lock: FileLock | None = None
        if name and self._is_first(name) and not self._server.listen(name):
            QLocalServer.removeServer(name)  # of a program that was killed
            self._server.listen(name)

    @property
    def is_listening(self) -> bool:
        """Return whether this is the window that other starts hand their paths to."""
        return self._server.isListening()

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
        if self._lock is not None:
            self._lock.release()

    def _is_first(self, name: str) -> bool:
        """Return whether no other window lives, even one that does not answer just now.

        Its socket would be taken away from it.
        """
        if sys.platform == "win32":
            return True  # names of pipes go with their program
        lock = FileLock(f"{name}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            log.warning("another window is open and does not answer; this one stands beside it")
            return False
        except (OSError, NotImplementedError) as error:
            log.info("no lock for %s: %s", name, error)
            return True
        self._lock = lock
        return True

    @Slot()
    def _welcome(self) -> None:
        socket = self._server.nextPendingConnection()
        if not _is_of_this_user(socket):
            socket.abort()
            socket.deleteLater()
            return
        self._waiting[socket] = bytearray()
        socket.readyRead.connect(self._read)
        socket.disconnected.connect(self._forget)

    @Slot()
    def _read(self) -> None:
        socket = self.sender()
        if not isinstance(socket, QLocalSocket) or socket not in self._waiting:
            return
        message = self._waiting[socket]
        message += socket.readAll().data()
        if len(message) > _LONGEST_BYTES:
            socket.abort()
            return
        if message.endswith(b"\n"):
            paths = paths_in(bytes(message))
            if paths is None:
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


def _is_of_this_user(socket: QLocalSocket) -> bool:
    """Return whether the other side runs as the same user; told by Linux alone.

    Elsewhere the folder of the socket and the access rights of the pipe keep others away.
    """
    if not hasattr(sockets, "SO_PEERCRED"):
        return True
    try:
        with sockets.socket(fileno=os.dup(int(socket.socketDescriptor()))) as same:
            found = same.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _CREDENTIALS.size)
    except OSError:
        return False
    _, user, _ = _CREDENTIALS.unpack(found)
    return bool(user == os.getuid())
