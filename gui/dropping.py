"""The files that a drop or the clipboard names."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl


def paths_in(data: QMimeData) -> list[Path]:
    """Return the local files of a drop or of the clipboard; text counts if it names files."""
    if data.hasUrls():
        return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if not data.hasText():
        return []
    found = []
    for line in data.text().splitlines():
        text = line.strip().strip('"')
        named = QUrl(text).toLocalFile() if text.startswith("file:") else text
        try:
            path = Path(named).expanduser()
            if text and path.is_absolute() and path.exists():
                found.append(path)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: "~nobody"
            continue
    return found
