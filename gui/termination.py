"""End properly when the system asks for it."""

from __future__ import annotations

import signal
import socket

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QWidget


def catch_termination(window: QWidget) -> None:
    """Close the window properly when the system asks the program to end.

    Qt's loop runs no Python while it waits; the signal's number, written to a socket, wakes it.
    """
    waking, woken = socket.socketpair()
    waking.setblocking(False)
    signal.set_wakeup_fd(waking.fileno())
    notifier = QSocketNotifier(woken.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(lambda: woken.recv(1))

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def forget() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        waking.close()
        woken.close()

    window.destroyed.connect(forget)
    for number in before:
        signal.signal(number, lambda *_: window.close())
