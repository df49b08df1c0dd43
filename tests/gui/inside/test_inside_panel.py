from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.inside.class_activation import ClassActivation, Method
from core.inside.colouring import colour
from core.inside.exporting import export_maps, export_table
from core.inside.feature_maps import FeatureMaps, FeatureMapsOfPhoto
from core.inside.layers import Layer
from core.inside.layouts import Layout
from core.inside.lens import BlockOfPhoto, ComparedPhoto, EvidenceOfPhoto
from core.inside.names import BlockName
from core.inside.rendering import strength, to_grey
from core.inside.residual_blocks import BlockInfo, ResidualBlock, Step
from core.inside.summary import LayerTable
from gui.inside.inside_panel import InsidePanel
from tests.gui.conftest import predict

PHOTO = Path("photo.png")


def layer(
    name: str, kind: str, call: int = 1, calls: int = 1, shape: tuple[int, int, int] = (4, 8, 8)
) -> Layer:
    return Layer(
        name=name,
        kind=kind,
        call=call,
        calls=calls,
        input_shapes=((1, 3, 8, 8),),
        output_shape=(1, *shape),
        parameters=12,
        layout="maps",
        shape=shape,
        minimum=-1.0,
        mean=0.5,
        maximum=2.0,
        dead=0.25,
        is_leaf=True,
        has_attention=kind == "MultiheadAttention",
    )


LAYERS = (
    layer("stem", "Identity", shape=(3, 8, 8)),
    layer("stage.0", "BasicBlock"),
    layer("stage.0.conv", "Conv2d"),
    layer("stage.0.relu", "ReLU", 1, 2),
    layer("stage.0.relu", "ReLU", 2, 2),
    layer("attention", "MultiheadAttention"),
)
INFO = BlockInfo(
    "stage.0", "BasicBlock", "projection", "stride 2", (Step("stage.0.conv", "3×3 4→4", 2),)
)
TABLE = LayerTable(LAYERS, {"": 10**9, "stage.0.conv": 100}, {"stage.0": INFO}, "", (3, 8, 8))


def maps(name: str = "stage.0.conv", layout: Layout = "maps", side: int = 8) -> FeatureMapsOfPhoto:
    scale = np.array([1, 3, 2, 0], np.float32)[:, None, None]
    values = np.random.default_rng(0).random((4, side, side), np.float32) * scale
    seen = np.zeros((8, 8, 3), np.uint8)
    found = FeatureMaps(name, 1, layout, values)
    return FeatureMapsOfPhoto(PHOTO, found, to_grey(values), strength(values), seen, None)


@pytest.fixture
def panel(qtbot: QtBot) -> InsidePanel:
    made = InsidePanel()
    qtbot.addWidget(made)
    fatal = QAbstractItemModelTester.FailureReportingMode.Fatal
    made.testers = [
        QAbstractItemModelTester(model, fatal)
        for model in (made.maps.grid.model(), made.table.model)
    ]
    made.resize(540, 450)
    made.show()
    return made


def channels(panel: InsidePanel) -> list[str]:
    model = panel.maps.grid.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


# The tree


def test_the_first_convolution_is_where_people_begin(panel: InsidePanel) -> None:
    assert panel.layer is None
    assert panel.set_table(TABLE)
    assert panel.layer == LAYERS[2]
    assert not panel.set_table(TABLE)  # the same network


def test_layers_fold_by_module_and_calls_stand_apart(qtbot: QtBot, panel: InsidePanel) -> None:
    panel.set_table(TABLE)
    tops = [item.text(0) for item in panel.tree._tops()]
    assert tops == ["stem", "stage", "attention"]  # "stage" is only a heading
    with qtbot.waitSignal(panel.layer_chosen):
        panel.tree.choose(("stage.0.relu", 2))
    assert (panel.layer, panel.call) == (LAYERS[4], 2)
    panel.tree.choose(("attention", 0))
    assert (panel.layer, panel.call) == (LAYERS[5], 0)


def test_a_narrow_tree_keeps_the_names(panel: InsidePanel) -> None:
    panel.set_table(TABLE)
    item = next(item for item in panel.tree._items.values() if item.text(1))
    for width, is_hidden in ((140, True), (240, False)):
        size = QSize(width, 300)
        panel.tree.setFixedSize(size)
        QApplication.sendEvent(panel.tree, QResizeEvent(size, size))
        assert panel.tree.tree.isColumnHidden(1) is is_hidden
    assert item.text(1) in item.toolTip(0)


def test_a_new_network_keeps_a_layer_of_the_same_name(panel: InsidePanel) -> None:
    panel.set_table(TABLE)
    panel.tree.choose(("stage.0.relu", 2))
    other = LayerTable(LAYERS[1:], {}, {}, "", (3, 8, 8))
    assert panel.set_table(other)
    assert (panel.layer, panel.call) == (LAYERS[4], 2)
    panel.set_table(LayerTable(LAYERS[:1], {}, {}, "", (3, 8, 8)))
    assert panel.layer == LAYERS[0]


def test_the_search_narrows_by_name_and_kind(qtbot: QtBot, panel: InsidePanel) -> None:
    panel.set_table(TABLE)
    qtbot.keyClicks(panel.tree.filter, "conv")
    shown = [key for key, item in panel.tree._items.items() if not item.isHidden()]
    assert shown == [("stage.0", 1), ("stage.0.conv", 1)]
    panel.tree.filter.setText("RELU 0")
    shown = [key for key, item in panel.tree._items.items() if not item.isHidden()]
    assert ("stage.0.relu", 2) in shown
    assert ("stem", 1) not in shown


# Maps


def test_orders(panel: InsidePanel) -> None:
    panel.maps.show_maps(maps())
    assert channels(panel) == ["0", "1", "2", "3"]
    for order in ("strength", "mean", "maximum"):
        panel.maps.set_order(order)
        assert channels(panel) == ["1", "2", "0", "3"]


def test_a_channel_stays_enlarged_over_other_photos(qtbot: QtBot, panel: InsidePanel) -> None:
    panel.maps.show_maps(maps())
    with qtbot.waitSignal(panel.map_chosen) as caught:
        panel.maps.grid.clicked.emit(panel.maps.grid.model().index(2, 0))
    assert caught.args[1] == "stage.0.conv, channel 2"
    assert caught.args[0].shape == (8, 8, 3)
    with qtbot.waitSignal(panel.map_chosen):
        panel.maps.show_maps(maps())
    with qtbot.waitSignal(panel.map_chosen):
        panel.enlarge_again(PHOTO)
    panel.forget_map()
    with qtbot.assertNotEmitted(panel.map_chosen):
        panel.maps.show_maps(maps())
        panel.enlarge_again(PHOTO)


def test_another_layer_forgets_the_channel(qtbot: QtBot, panel: InsidePanel) -> None:
    panel.set_table(TABLE)
    panel.maps.show_maps(maps())
    panel.maps.grid.clicked.emit(panel.maps.grid.model().index(3, 0))
    panel.tree.choose(("stem", 1))
    with qtbot.assertNotEmitted(panel.map_chosen):
        panel.maps.show_maps(maps("stem"))


def test_colours_and_one_scale(panel: InsidePanel) -> None:
    panel.maps.show_maps(maps())
    model = panel.maps._model
    assert model.coloured(1).max() == 255
    panel.maps.shared.setChecked(True)
    assert model.coloured(0).max() < 128 < model.coloured(1).max()
    panel.maps.colours.setCurrentIndex(panel.maps.colours.findData("viridis"))
    assert not np.array_equal(model.coloured(1)[..., 0], model.coloured(1)[..., 2])
    assert not panel.grab().isNull()


def test_a_vector_is_drawn_as_bars_and_not_laid_over(qtbot: QtBot, panel: InsidePanel) -> None:
    panel.maps.show_maps(maps("fc", "vector", side=1))
    assert panel.maps._facts.text() == "4 numbers"
    with qtbot.assertNotEmitted(panel.map_chosen):
        panel.maps.grid.clicked.emit(panel.maps.grid.model().index(1, 0))
    begin, end = panel.maps._model.bar(1)
    assert (begin, end) == (0, 1)
    assert not panel.maps.grid.grab().isNull()


def test_errors_and_nothing(panel: InsidePanel) -> None:
    panel.maps.show_maps(maps())
    panel.maps.show_error("Nothing of this photo.")
    assert channels(panel) == []
    assert panel.maps._facts.text() == "Nothing of this photo."
    panel.clear()
    assert not panel.maps.grid.grab().isNull()


# The other tabs


def test_a_block_whose_channels_cancel_out_begins_with_the_strongest(panel: InsidePanel) -> None:
    flat = np.stack([np.ones((4, 4)), -np.ones((4, 4))]).astype(np.float32)
    residual = np.stack([np.zeros((4, 4)), np.ones((4, 4))]).astype(np.float32)
    made = ResidualBlock(INFO, "", flat, residual, flat, residual + flat, residual + flat)
    panel.block.show_block(BlockOfPhoto(PHOTO, made))
    assert panel.block.channel.value() == 1


def block(channels: int = 4) -> BlockOfPhoto:
    rng = np.random.default_rng(0)
    residual = rng.normal(size=(channels, 4, 4)).astype(np.float32)
    shortcut = rng.normal(size=(channels, 4, 4)).astype(np.float32)
    total = residual + shortcut
    given = rng.normal(size=(2, 8, 8)).astype(np.float32)
    made = ResidualBlock(INFO, "", given, residual, shortcut, total, np.maximum(total, 0))
    return BlockOfPhoto(PHOTO, made)


def test_a_block_shows_both_paths_at_one_scale(qtbot: QtBot, panel: InsidePanel) -> None:
    panel.set_table(TABLE)
    panel.set_tab("block")
    assert panel.block.name == BlockName("stage.0")
    panel.block.show_block(block())
    titles = [one.title for one in panel.block.pictures._entries]
    assert titles == ["Input", "F(x)", "Shortcut", "Sum", "Output"]
    assert "projection: stride 2" in panel.block._facts.text()
    assert "3×3 4→4  ↓2" in panel.block._steps.text()
    before = panel.block.pictures._entries[1].line
    panel.block.channel.setValue(3)
    assert panel.block.pictures._entries[1].line != before
    assert not panel.grab().isNull()
    panel.set_table(LayerTable(LAYERS[:1], {}, {}, "", (3, 8, 8)))
    assert "no residual blocks" in panel.block._facts.text()


def test_a_block_of_a_graph_is_chosen_by_the_steps_on_its_way(panel: InsidePanel) -> None:
    blocks = [
        BlockInfo(name, "Add", "identity", "", (Step(step, "3×3 4→4", 1),))
        for name, step in (("Add_1", "Conv_0"), ("Add_3", "Conv_2"))
    ]
    panel.block.set_table(LayerTable((), {}, {one.name: one for one in blocks}, "", (3, 8, 8)))
    for layer, name in (("Conv_2", "Add_3"), ("Add_1", "Add_1"), ("Conv_2", "Add_3")):
        panel.block.choose(layer)
        assert panel.block.name == BlockName(name)
    panel.block.choose("Conv_9")  # of no block
    assert panel.block.name == BlockName("Add_3")


def evidence(method: Method = "CAM", passes: tuple[int, int] = (0, 0)) -> EvidenceOfPhoto:
    values = np.linspace(-1, 1, 2 * 9, dtype=np.float32).reshape(2, 3, 3)
    logits = np.array([2.0, 1.0], np.float32)
    found = ClassActivation((0, 1), method, "layer4", values, logits, passes)
    return EvidenceOfPhoto(PHOTO, found, np.zeros((8, 8, 3), np.uint8), None)


def test_evidence_of_the_top_classes_is_laid_over_the_photo(
    qtbot: QtBot, panel: InsidePanel
) -> None:
    panel.set_tab("evidence")
    assert panel.evidence.wanted(None) == ()
    assert panel.evidence.wanted(predict(PHOTO)) == (0,)
    panel.evidence.show_evidence(evidence())
    assert panel.evidence.pictures._entries[0].title == "ant 75%"
    with qtbot.waitSignal(panel.map_chosen) as caught:
        panel.evidence.pictures.clicked.emit(0)
    assert caught.args[1] == "Evidence for ant 75%"
    with qtbot.waitSignal(panel.map_chosen):
        panel.enlarge_again(PHOTO)
    panel.evidence.show_evidence(evidence("Grad-CAM"))
    assert "Grad-CAM at layer4" in panel.evidence._facts.text()
    panel.evidence.show_evidence(evidence("covering", (20, 100)))
    assert "20 of 100" in panel.evidence._facts.text()
    panel.evidence.show_evidence(evidence("covering", (100, 100)))
    assert "blurring 100 parts" in panel.evidence._facts.text()
    panel.evidence.show_evidence(evidence("Score-CAM", (64, 64)))
    assert "Score-CAM at layer4" in panel.evidence._facts.text()
    assert "64 of 64" not in panel.evidence._facts.text()
    panel.forget_map()
    with qtbot.assertNotEmitted(panel.map_chosen):
        panel.enlarge_again(PHOTO)
    assert not panel.grab().isNull()


def test_the_table_filters_and_leads_to_a_layer(qtbot: QtBot, panel: InsidePanel) -> None:
    panel.set_table(TABLE)
    panel.set_tab("table")
    assert panel.tree.isHidden()
    view = panel.table
    assert "3×8×8" in view._stages.text()
    assert view.view.model().rowCount() == len(LAYERS)
    view.filter.setText("projection")
    assert view.view.model().rowCount() == 1
    view.filter.setText("attention")
    view.view.activated.emit(view.view.model().index(0, 0))
    assert (panel.tab, panel.layer) == ("maps", LAYERS[5])
    assert not panel.grab().isNull()


def test_photos_are_compared_the_most_excited_first(qtbot: QtBot, panel: InsidePanel) -> None:
    images = tuple(Path(f"{number}.png") for number in range(3))
    seen = np.zeros((8, 8, 3), np.uint8)
    assert panel.compare.begin(images, "conv", 1, 2)
    assert not panel.compare.begin(images, "conv", 1, 2)
    panel.compare.add(
        [
            ComparedPhoto(image, np.full((2, 2), value, np.float32), seen, reason)
            for image, value, reason in zip(images, (1, 9, 3), ("", "", "broken"), strict=True)
        ]
    )
    panel.compare.add([ComparedPhoto(Path("other.png"), np.ones((2, 2), np.float32), seen)])
    assert [one.title for one in panel.compare.pictures._entries] == ["1.png", "0.png"]
    assert "3 of 3 photos" in panel.compare._facts.text()
    with qtbot.waitSignal(panel.compare.photo_chosen) as caught:
        panel.compare.pictures.clicked.emit(0)
    assert caught.args == [Path("1.png")]
    panel.compare.forget()
    assert panel.compare.images == ()


def test_channels_by_their_say_for_the_class(panel: InsidePanel) -> None:
    found = replace(maps(), counts=np.array([1, -5, 3, 0], np.float32))
    panel.maps.set_order("class")
    panel.maps.show_maps(found)
    assert channels(panel) == ["2", "0", "3", "1"]
    tip = panel.maps.grid.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "+3 of the class" in tip
    panel.maps.grid.setCurrentIndex(panel.maps.grid.model().index(0, 0))
    assert not panel.maps.grid.grab().isNull()


def test_before_and_after_an_edit(panel: InsidePanel) -> None:
    values, seen = np.ones((2, 2), np.float32), np.zeros((8, 8, 3), np.uint8)
    one = ComparedPhoto(PHOTO, values, seen)
    panel.compare.show_before_and_after((one, replace(one, values=2 * values)))
    assert [entry.title for entry in panel.compare.changes._entries] == [
        "Before",
        "Before",
        "After",
        "After",
    ]
    panel.compare.show_before_and_after(None)
    assert panel.compare.changes._entries == []


# Files and colours


def test_exports(tmp_path: Path) -> None:
    from PIL import Image

    export_maps(maps(), tmp_path / "maps.npy")
    assert np.array_equal(np.load(tmp_path / "maps.npy"), maps().maps.values)
    export_maps(maps(), tmp_path / "maps.png")
    with Image.open(tmp_path / "maps.png") as picture:
        assert picture.mode == "L"
    export_table(TABLE, tmp_path / "layers.csv")
    assert (tmp_path / "layers.csv").read_bytes().count(b"\n") == len(LAYERS) + 1


def test_colours_have_their_ends_and_their_middle() -> None:
    values = np.array([[-2.0, 0.0, 2.0, np.nan]], np.float32)
    signed = colour(values, "signed", -2, 1)[0]
    assert signed[0].tolist() == [33, 102, 172]
    assert signed[1].tolist() == signed[3].tolist() == [247, 247, 247]
    assert signed[2].tolist() == [178, 24, 43]
    viridis = colour(values, "viridis", -2, 2)[0]
    assert viridis[0].tolist() == [68, 1, 84]
    assert viridis[2].tolist() == [253, 231, 37]
    assert colour(values, "grey", 0, 0).max() == 0
