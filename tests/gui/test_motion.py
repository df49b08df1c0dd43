from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gui import motion

_LINUX = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the files are Linux's")


@_LINUX
@pytest.mark.parametrize(
    ("file", "content", "wants"),
    [
        ("gtk-4.0/settings.ini", "[Settings]\ngtk-enable-animations=0\n", True),
        ("gtk-3.0/settings.ini", "[Settings]\ngtk-enable-animations=false\n", True),
        ("gtk-4.0/settings.ini", "[Settings]\ngtk-enable-animations=1\n", False),
        ("kdeglobals", "[KDE]\nAnimationDurationFactor=0\n", True),
        ("kdeglobals", "[KDE]\nAnimationDurationFactor=0.5\n", False),
    ],
)
def test_what_the_desktop_wants(
    file: str, content: str, wants: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(content)
    assert motion.wants_little_motion() is wants


@_LINUX
def test_a_desktop_that_does_not_tell_wants_motion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert not motion.wants_little_motion()
