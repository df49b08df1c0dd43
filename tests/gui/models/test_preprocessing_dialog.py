from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.images.preprocessing import Preprocessing
from core.images.viewing import ViewedPhoto
from gui.models.preprocessing_dialog import PreprocessingDialog

VALUES = [
    Preprocessing(),
    Preprocessing(resize=(32, 48), crop=None, channel_order="BGR", apply_orientation=False),
    Preprocessing(resize=None, crop=(100, 90), interpolation="bicubic", scale=255.0),
    Preprocessing(mean=(0.5, 0.25, 0.125), std=(0.3, 0.2, 0.1), transform_input=True),
    Preprocessing(channel_order="grey", mean=(0.449,), std=(0.226,)),
    Preprocessing(channel_order="grey"),
    Preprocessing(
        channel_order="RGBA", mean=(0.1, 0.2, 0.3, 0.0), std=(1.0, 1.0, 1.0, 1.0), scale=2.0
    ),
]


def make(qtbot: QtBot, found: Preprocessing, used: Preprocessing) -> PreprocessingDialog:
    window = QWidget()
    qtbot.addWidget(window)
    dialog = PreprocessingDialog(found, used, "inception_v3", window)
    dialog.window_kept = window  # type: ignore[attr-defined]
    return dialog


@pytest.mark.parametrize("value", VALUES)
def test_the_fields_hold_every_preprocessing(value: Preprocessing, qtbot: QtBot) -> None:
    dialog = make(qtbot, value, value)
    assert dialog.value == value
    assert not dialog._apply.isEnabled()


def test_each_change_asks_for_a_preview_and_can_be_applied(qtbot: QtBot) -> None:
    dialog = make(qtbot, Preprocessing(), Preprocessing())
    with qtbot.waitSignal(dialog.preview_wanted) as caught:
        dialog.crop_width.setValue(100)
    assert caught.args[0].crop == (224, 100)
    dialog.order.setCurrentIndex(dialog.order.findData("BGR"))
    with qtbot.waitSignal(dialog.applied) as applied:
        dialog._apply.click()
    assert applied.args == [Preprocessing(crop=(224, 100), channel_order="BGR")]
    assert not dialog._apply.isEnabled()
    back = next(one for one in dialog.findChildren(QPushButton) if "at first" in one.text())
    back.click()
    with qtbot.waitSignal(dialog.applied) as applied:
        dialog._apply.click()
    assert applied.args == [None]  # nothing of its own is remembered


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("squash", {"resize": (224, 224), "crop": None}),
        ("none", {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}),
        ("0.5 / 0.5", {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}),
        ("ImageNet", {"resize": 256, "crop": (224, 224), "mean": (0.485, 0.456, 0.406)}),
    ],
)
def test_presets_change_what_they_are_about(
    preset: str, expected: dict[str, Any], qtbot: QtBot
) -> None:
    dialog = make(qtbot, VALUES[0], Preprocessing(interpolation="box"))
    dialog.use_preset(preset)
    for name, value in expected.items():
        assert getattr(dialog.value, name) == value
    assert dialog.value.interpolation == "box"


def test_what_makes_no_sense_is_said_and_cannot_be_applied(qtbot: QtBot) -> None:
    dialog = make(qtbot, Preprocessing(), Preprocessing())
    dialog.crops.setChecked(False)
    assert "different sizes" in dialog._status.text()
    assert not dialog._apply.isEnabled()


def test_the_preview_shows_what_the_model_sees(qtbot: QtBot) -> None:
    dialog = make(qtbot, Preprocessing(), Preprocessing())
    dialog.show_no_photo()
    assert "Open a photo" in dialog._preview.text()
    seen = np.full((32, 16, 3), (255, 0, 0), np.uint8)
    dialog.show_preview(ViewedPhoto(Path("a.jpg"), seen, seen, None))
    assert "16×32" in dialog._preview_text.text()
    picture = dialog._preview.pixmap().toImage()
    assert picture.pixelColor(5, 5).getRgb() == (255, 0, 0, 255)
    assert (picture.width(), picture.height()) == (150, 300)
