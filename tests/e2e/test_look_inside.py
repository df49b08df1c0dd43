"""A person looks at feature maps, enlarges one over the photo, and moves on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import torch

import resources
from gui.images.viewer import PhotoViewer
from gui.inside.inside_panel import InsidePanel
from gui.inside.map_grid import MapGrid
from tests.e2e.driver import Person, drive
from tests.networks import trained

Steps = Generator[Callable[[], object], None, None]


def test_choose_a_layer_and_enlarge_a_map() -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(5)
        panel, grid = person.see(InsidePanel), person.see(MapGrid)
        assert panel.layer is None  # nothing is computed for what nobody looks at
        person.choose("workspace_inside")
        yield lambda: grid.model().rowCount() == 32
        assert panel.layer is not None
        assert panel.layer.name == "conv_stem"
        panel.tree.choose(("blocks.1.0.conv_pwl", 1))
        yield lambda: grid.model().rowCount() == 24
        canvas = person.see(PhotoViewer).canvas
        yield lambda: not canvas._photo.isNull()
        grid.clicked.emit(grid.model().index(3, 0))
        assert canvas._map.width() == 56
        first = canvas._map
        person.choose("next")
        yield lambda: not canvas._map.isNull() and canvas._map != first
        assert panel.layer.name == "blocks.1.0.conv_pwl"
        panel.maps.set_order("strength")
        person.choose("stop")
        assert canvas._map.isNull()

    drive([str(resources.path("samples"))], script)


def test_every_tab_follows_the_photo(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    torch.save({"model": trained("resnet18", 3).state_dict(), "classes": list("abc")}, path)

    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        yield lambda: panel.layer is not None and panel.layer.name == "conv1"
        yield lambda: person.all_classified(5)
        panel.set_tab("block")
        yield lambda: len(panel.block.pictures._entries) == 5
        panel.block.choose("layer2.0")
        yield lambda: "projection: stride 2" in panel.block._facts.text()
        person.choose("next")
        image = person.current
        yield lambda: panel.block._found is not None and panel.block._found.photo == image
        panel.set_tab("evidence")
        yield lambda: len(panel.evidence.pictures._entries) == 3
        panel.evidence.pictures.clicked.emit(0)
        canvas = person.see(PhotoViewer).canvas
        # As large as what the model saw lies in the photo, and without edges between its cells.
        box = panel.evidence._found.box if panel.evidence._found is not None else None
        assert box is not None
        assert (canvas._map.width(), canvas._map.height()) == (
            round(box[2] - box[0]), round(box[3] - box[1]),
        )  # fmt: skip
        panel.set_tab("compare")
        yield lambda: len(panel.compare.shown) == 5
        best = panel.compare.shown[0].photo
        panel.compare.pictures.clicked.emit(0)
        assert person.current == best
        panel.set_tab("maps")
        yield lambda: panel.maps.grid.model().rowCount() == 64
        panel.maps.grid.clicked.emit(panel.maps.grid.model().index(5, 0))
        panel.maps.exciting.click()
        yield lambda: "channel 5" in panel.compare._facts.text() and len(panel.compare.shown) == 5
        most = [float(one.values.max()) for one in panel.compare.shown]
        assert most == sorted(most, reverse=True)
        panel.set_tab("table")
        yield lambda: "layer4 512×7×7" in panel.table._stages.text()
        assert "18 layers with weights" in panel.table._stages.text()
        panel.set_tab("maps")
        panel.tree.choose(("fc", 1))
        yield lambda: panel.maps._facts.text() == "3 numbers"

    drive([str(resources.path("samples")), str(path)], script)


def test_what_the_model_saw() -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        canvas = person.see(PhotoViewer).canvas
        yield lambda: not canvas._seen.isNull()
        assert (canvas._seen.width(), canvas._seen.height()) == (224, 224)
        person.choose("show_seen")
        assert canvas._show_seen
        assert person.current == resources.path("samples/coffee.png")

    drive([str(resources.path("samples/coffee.png"))], script)
