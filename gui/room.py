"""What each room of the window has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from pathlib import Path

    from gui.actions import Action
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks
    from gui.workspaces import Panel


class Room(QObject):
    """One part of the program: its panels, its actions, and what it does with the session.

    Rooms know the session, the tasks and the window, never each other.

    Args:
        session: what the rooms share.
        tasks: asks the workers.
        window: it stands already.
    """

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__()
        self.session, self.tasks, self.window = session, tasks, window

    def panels(self) -> list[Panel]:
        """Return the panels that it brings."""
        return []

    def actions(self) -> list[Action]:
        """Return the actions that it brings."""
        return []

    def furnish(self) -> None:
        """Finish, now that the panels and actions of all rooms stand."""

    def take(self, paths: list[Path]) -> list[Path]:
        """Take the files that are its own of those that were dropped or opened; return these."""
        return []

    def start(self) -> None:
        """Begin with what takes time."""

    def stop(self) -> bool:
        """End what Escape ends; return whether there was something."""
        return False

    def close(self) -> None:
        """End what is going on; the program closes."""
