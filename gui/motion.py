"""Whether the system wants little to move, as some people are made ill by it.

Qt does not tell, so each system is asked in its own way. Sources: Microsoft's documentation of
SystemParametersInfo, GTK's of gtk-enable-animations, KDE's AnimationDurationFactor, Apple's
reduceMotion in com.apple.universalaccess.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QSettings, QStandardPaths

_GET_CLIENT_AREA_ANIMATION = 0x1042


def wants_little_motion() -> bool:
    """Return whether the system says so; False where it does not tell."""
    if sys.platform == "win32":
        return _windows_wants_none()
    if sys.platform == "darwin":
        settings = QSettings("com.apple.universalaccess", "universalaccess")
        return str(settings.value("reduceMotion", "0")) in ("1", "true")
    return _linux_wants_none()


def _windows_wants_none() -> bool:
    import ctypes

    animates = ctypes.c_int(1)
    call = getattr(ctypes, "windll").user32.SystemParametersInfoW  # noqa: B009 - on Windows alone
    told = call(_GET_CLIENT_AREA_ANIMATION, 0, ctypes.byref(animates), 0)
    return bool(told) and not animates.value


def _linux_wants_none() -> bool:
    folder = Path(
        QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    )
    for name in ("gtk-4.0", "gtk-3.0"):
        value = _value(folder / name / "settings.ini", "Settings/gtk-enable-animations")
        if value.lower() in ("0", "false"):
            return True
    factor = _value(folder / "kdeglobals", "KDE/AnimationDurationFactor")
    return factor in ("0", "0.0")


def _value(file: Path, key: str) -> str:
    if not file.is_file():
        return ""
    return str(QSettings(str(file), QSettings.Format.IniFormat).value(key, ""))
