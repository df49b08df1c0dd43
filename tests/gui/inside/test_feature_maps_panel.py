from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from core.inside.feature_maps import FeatureMaps, FeatureMapsOfPhoto, Layer
from core.inside.rendering import strength, to_grey
from gui.inside.feature_maps_panel import FeatureMapsPanel

LAYERS = (
    Layer("stem", "Identity", 1, 1, (3, 8, 8)),
    Layer("conv", "Conv2d", 1, 1, (4, 8, 8)),
    Layer("relu", "ReLU", 1, 2, (4, 8, 8)),
    Layer("relu", "ReLU", 2, 2, (4, 4, 4)),
)
PHOTO = Path("photo.png")


def maps(layer: str = "conv", count: int = 4) -> FeatureMapsOfPhoto:
    scale = np.array([1, 3, 2, 0], np.float32)[:count, None, None]
    values = np.random.default_rng(0).random((count, 8, 8), np.float32) * scale
    seen = np.zeros((8, 8, 3), np.uint8)
    found = FeatureMaps(layer, 1, values)
    return FeatureMapsOfPhoto(PHOTO, found, to_grey(values), strength(values), seen, None)


@pytest.fixture
def panel(qtbot: QtBot) -> FeatureMapsPanel:
    made = FeatureMapsPanel()
    qtbot.addWidget(made)
    made.tester = QAbstractItemModelTester(
        made.grid.model(), QAbstractItemModelTester.FailureReportingMode.Fatal
    )
    made.resize(340, 420)
    made.show()
    return made


def channels(panel: FeatureMapsPanel) -> list[str]:
    model = panel.grid.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_the_first_convolution_is_where_people_begin(qtbot: QtBot, panel: FeatureMapsPanel) -> None:
    with qtbot.waitSignal(panel.layer_chosen):
        panel.set_layers(LAYERS)
    assert panel.layer == LAYERS[1]
    assert panel._layer.itemText(3).startswith("relu, call 2  ·  ReLU  ·  4 × 4 × 4")


def test_a_new_model_keeps_a_layer_of_the_same_name_and_call(panel: FeatureMapsPanel) -> None:
    panel.set_layers(LAYERS)
    panel._layer.setCurrentIndex(3)
    panel.set_layers(LAYERS[2:])
    assert panel.layer == LAYERS[3]
    panel.set_layers(LAYERS[:1])
    assert panel.layer == LAYERS[0]
    panel.set_layers(())
    assert panel.layer is None


def test_orders(panel: FeatureMapsPanel) -> None:
    panel.show_maps(maps())
    assert channels(panel) == ["0", "1", "2", "3"]
    panel.set_order("strength")
    assert channels(panel) == ["1", "2", "0", "3"]


def test_a_channel_stays_enlarged_over_other_photos(qtbot: QtBot, panel: FeatureMapsPanel) -> None:
    panel.show_maps(maps())
    with qtbot.waitSignal(panel.map_chosen) as caught:
        panel.grid.clicked.emit(panel.grid.model().index(2, 0))
    assert caught.args[1] == "conv, channel 2"
    with qtbot.waitSignal(panel.map_chosen):
        panel.show_maps(maps())
    with qtbot.waitSignal(panel.map_chosen):
        panel.enlarge_again(PHOTO)
    panel.forget_channel()
    with qtbot.assertNotEmitted(panel.map_chosen):
        panel.show_maps(maps())
        panel.enlarge_again(PHOTO)


def test_another_layer_forgets_the_channel(qtbot: QtBot, panel: FeatureMapsPanel) -> None:
    panel.set_layers(LAYERS)
    panel.show_maps(maps())
    panel.grid.clicked.emit(panel.grid.model().index(3, 0))
    panel._layer.setCurrentIndex(2)
    with qtbot.assertNotEmitted(panel.map_chosen):
        panel.show_maps(maps("relu"))


def test_errors_and_nothing(panel: FeatureMapsPanel) -> None:
    panel.show_maps(maps())
    panel.show_error("No feature maps for this photo.")
    assert channels(panel) == []
    assert panel._facts.text() == "No feature maps for this photo."
    panel.clear()
    assert not panel.grid.grab().isNull()
