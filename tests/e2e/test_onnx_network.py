"""A person drops an ONNX file, sees what it says, and looks at its layers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from pathlib import Path

import torch

import resources
from gui.inside.inside_panel import InsidePanel
from gui.inside.map_grid import MapGrid
from tests.e2e.driver import Person, drive
from tests.networks import trained

Steps = Generator[Callable[[], object], None, None]


def test_an_onnx_network_predicts_and_shows_its_layers(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            trained("squeezenet1_1", 3), (torch.rand(1, 3, 224, 224),), str(path), dynamo=False
        )
    (tmp_path / "labels.txt").write_text("ant\nbee\ncat\n")

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(5)
        panel, grid = person.see(InsidePanel), person.see(MapGrid)
        person.choose("workspace_inside")
        yield lambda: panel.layer is not None and panel.layer.kind == "Conv"
        yield lambda: grid.model().rowCount() == 64
        panel.tree.choose(("features/features_3/squeeze/Conv", 1))
        yield lambda: grid.model().rowCount() == 16
        person.choose("next")
        yield lambda: grid.model().rowCount() == 16
        panel.set_tab("table")
        yield lambda: "features/features_0/Conv" in panel.table._stages.text()
        panel.set_tab("block")
        yield lambda: "finds no residual blocks" in panel.block._facts.text()
        panel.set_tab("compare")
        yield lambda: len(panel.compare.shown) == 5
        panel.set_tab("evidence")  # it has no gradients
        yield lambda: len(panel.evidence.pictures._entries) == 3
        person.choose("next")
        panel.evidence.pictures.clicked.emit(0)
        yield lambda: "Score-CAM" in panel.evidence._facts.text()
        panel.set_tab("maps")  # what is not done yet is not done

    drive([str(path), str(resources.path("samples"))], script)
