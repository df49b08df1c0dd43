"""What the viewer says of a photo beside showing it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from core.images.preprocessing import Preprocessing
from core.images.viewing import view
from gui.images.viewer import PhotoViewer
from tests.tiff_files import write_tiff


@pytest.fixture
def viewer(qtbot: QtBot) -> PhotoViewer:
    made = PhotoViewer()
    qtbot.addWidget(made)
    made.show()
    return made


def said(viewer: PhotoViewer) -> str:
    return " ".join(label.text() for label in viewer.findChildren(QLabel) if label.isVisible())


def test_the_values_that_are_black_and_white(viewer: PhotoViewer, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "deep.tif", np.array([[0, 5, 4000]], np.uint16))
    viewer.show_photo(view(path, Preprocessing()))
    assert "4,095" in said(viewer)


def test_what_is_cut_off_is_marked(viewer: PhotoViewer, make_photo: Callable[..., Path]) -> None:
    path = make_photo("half.png")
    viewer.show_photo(view(path, Preprocessing()))
    before = said(viewer)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    shown = view(path, Preprocessing())
    assert shown.seen is None
    viewer.show_photo(shown)
    assert shown.photo.damage
    assert shown.photo.damage in said(viewer)
    assert shown.photo.damage not in before


def test_pages_are_stepped_through(qtbot: QtBot, viewer: PhotoViewer, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    path = tmp_path / "scan.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    viewer.show_photo(view(path, None))
    assert "1 of 3" in said(viewer)
    before, after = (one for one in viewer.findChildren(QToolButton) if "Page" in one.toolTip())
    assert not before.isEnabled()
    with qtbot.waitSignal(viewer.page_wanted) as wanted:
        after.click()
    assert wanted.args == [1]
    viewer.show_photo(view(path, None, 2))
    assert "3 of 3" in said(viewer)
    assert not after.isEnabled()
    viewer.clear()
    assert "of 3" not in said(viewer)


def test_a_large_photo_is_told_by_its_own_size(
    viewer: PhotoViewer, make_photo: Callable[..., Path]
) -> None:
    path = make_photo("large.jpg", (8000, 6000))
    shown = view(path, Preprocessing())
    assert shown.pixels.shape[0] * shown.pixels.shape[1] <= 24_000_000
    assert shown.box == pytest.approx(
        tuple(
            side * shown.pixels.shape[1] / 8000 for side in Preprocessing().seen_box((8000, 6000))
        ),
        rel=0.01,
    )
    viewer.show_photo(shown)
    assert "8000 × 6000" in said(viewer)
