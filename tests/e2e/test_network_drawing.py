"""A person looks at the network as a drawing: comes near, walks, is led, compares, saves."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

import resources
from core.inside.drawing import Box
from gui.inside import network_play
from gui.inside.block_kinds import BlockKindsDialog
from gui.inside.inside_panel import InsidePanel
from gui.inside.network_canvas import NetworkCanvas
from tests.e2e.driver import Person, drive
from tests.networks import trained

Steps = Generator[Callable[[], object], None, None]


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    path = tmp_path / "mine.pth"
    torch.manual_seed(0)
    torch.save({"model": trained("resnet18", 3).state_dict(), "classes": list("abc")}, path)
    return str(path)


def place(canvas: NetworkCanvas, box: Box) -> QPoint:
    """Return where the middle of a box is on the screen."""
    middle = QPointF(box.left + box.width / 2, box.top + box.height / 2)
    return canvas.viewportTransform().map(middle).toPoint()


def chosen(canvas: NetworkCanvas) -> str:
    assert canvas.drawing is not None
    assert canvas.marks.chosen is not None
    box = canvas.drawing.boxes[canvas.marks.chosen]
    return f"{box.name} {box.call}"


def is_in_sight(canvas: NetworkCanvas) -> bool:
    at = canvas.marks.chosen
    assert at is not None
    assert canvas.painter is not None
    box = canvas.painter.drawing.boxes[at]
    spot = QPointF(box.left + box.width / 2, box.top + box.height / 2)
    return canvas.painter.is_seen(at, canvas.scale_px) and canvas.seen.contains(spot)


def test_come_near_and_walk(checkpoint: str) -> None:
    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        canvas, grid = panel.network.canvas, panel.maps.grid
        yield lambda: canvas.drawing is not None
        drawing = canvas.drawing
        assert drawing is not None
        # A click chooses a layer, whose maps appear below.
        stage = drawing.boxes[drawing.place_of("layer2") or 0]
        QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place(canvas, stage))
        yield lambda: grid.model().rowCount() == 128
        assert panel.layer is not None
        assert panel.layer.name == "layer2"
        # Enter goes in, the arrows follow the data, Backspace comes out.
        for key, expected in (
            (Qt.Key.Key_Return, "layer2.0 1"),
            (Qt.Key.Key_Return, "layer2.0.conv1 1"),
            (Qt.Key.Key_Right, "layer2.0.bn1 1"),
            (Qt.Key.Key_Right, "layer2.0.relu 1"),
            (Qt.Key.Key_Left, "layer2.0.bn1 1"),
            (Qt.Key.Key_Left, "layer2.0.conv1 1"),
            (Qt.Key.Key_Up, "layer2.0.downsample 1"),
            (Qt.Key.Key_Down, "layer2.0.relu 1"),
            (Qt.Key.Key_Backspace, "layer2.0 1"),
            (Qt.Key.Key_Right, "layer2.1 1"),
            (Qt.Key.Key_Right, "layer3 1"),
        ):
            QTest.keyClick(canvas, key)
            assert chosen(canvas) == expected
            assert is_in_sight(canvas)
        canvas.zoom(3)
        near = canvas.scale_px
        QTest.keyClick(canvas, Qt.Key.Key_Home)
        assert canvas.scale_px < near
        panel.network._back.click()
        assert canvas.scale_px == pytest.approx(near, rel=0.02)
        # The search comes to what it finds; Enter goes on to the next.
        panel.network.search.setText("layer4 conv2")
        assert chosen(canvas) == "layer4.0.conv2 1"
        panel.network.search.left.emit()  # stays at what was found first
        assert chosen(canvas) == "layer4.0.conv2 1"
        panel.network.search.left.emit()
        assert chosen(canvas) == "layer4.1.conv2 1"
        yield lambda: panel.layer is not None and panel.layer.name == "layer4.1.conv2"
        yield lambda: grid.model().rowCount() == 512

    assert drive([str(resources.path("samples")), checkpoint], script) == 0


def test_other_photos_and_the_wheel_keep_the_place(checkpoint: str) -> None:
    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        canvas = panel.network.canvas
        yield lambda: person.all_classified(5) and canvas.drawing is not None
        canvas.zoom(4, QPointF(50, 60))
        fixed = canvas._to_drawing(QPointF(50, 60))
        canvas.zoom(1.5, QPointF(50, 60))
        moved = canvas._to_drawing(QPointF(50, 60)) - fixed
        assert moved.manhattanLength() * canvas.scale_px < 3
        seen, painter = canvas.seen, canvas.painter
        assert painter is not None
        pictures = painter.pictures
        person.choose("next")
        yield lambda: painter.pictures is not pictures and not painter.pictures.is_empty
        assert canvas.painter is painter
        assert canvas.seen == seen
        middle = canvas.viewport().rect().center()
        QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
        QTest.mouseMove(canvas.viewport(), middle + QPoint(40, 20))
        QTest.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)

    assert drive([str(resources.path("samples")), checkpoint], script) == 0


def test_tours(checkpoint: str) -> None:
    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        network = panel.network
        yield lambda: network.canvas.drawing is not None and person.all_classified(5)
        person.choose("tour_network")
        said = []
        while network.tour.isVisible():
            said.append((network.tour.sentence.text(), chosen(network.canvas)))
            network.tour.next.click()
        assert len(said) == 7
        assert "224×224 pixels" in said[0][0]
        assert [where.split()[0] for _, where in said] == [
            "input", "conv1", "maxpool", "layer2", "layer4", "avgpool", "output",
        ]  # fmt: skip
        assert "squares of 7×7" in said[1][0]
        assert "each of 3 classes" in said[-1][0]
        assert re.search(r"Here: [abc] \d+%\.$", said[-1][0])
        panel.tree.choose(("layer3.0.conv2", 1))
        person.choose("tour_block")
        said = []
        while network.tour.isVisible():
            said.append((network.tour.sentence.text(), chosen(network.canvas)))
            person.choose("next")  # the sentences follow the photo, and one stays where one is
            network.tour.next.click()
        names = [where.split()[0] for _, where in said]
        assert names == [
            "layer3.0", "layer3.0.conv1", "layer3.0.bn2", "layer3.0.downsample", "add",
            "layer3.0.relu",
        ]  # fmt: skip
        assert "stride 2, 128→256 channels" in said[3][0]
        assert "% of both" in said[4][0]

    assert drive([str(resources.path("samples")), checkpoint], script) == 0


def test_the_photo_runs_through(checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        canvas, play = panel.network.canvas, panel.network.play
        yield lambda: canvas.drawing is not None and person.all_classified(5)
        assert canvas.drawing is not None
        stages = canvas.drawing.boxes[0].children
        play._timer.setInterval(1)
        lit: list[frozenset[int]] = []
        light = canvas.light

        def note(places: frozenset[int]) -> None:
            lit.append(places)
            light(places)

        monkeypatch.setattr(canvas, "light", note)
        person.choose("play_network")
        yield lambda: lit and not play.is_running
        assert lit == [frozenset({stage}) for stage in stages] + [frozenset()]
        assert "%" in panel.network._facts.text()  # what it says in the end
        monkeypatch.setattr(network_play, "wants_little_motion", lambda: True)
        lit.clear()
        for _ in range(3):
            person.choose("play_network")
        assert lit == [frozenset({stage}) for stage in stages[:3]]
        person.choose("stop")
        assert not play.is_running

    assert drive([str(resources.path("samples")), checkpoint], script) == 0


def test_two_photos_through_the_network(checkpoint: str) -> None:
    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        pair = panel.network.pair
        yield lambda: pair.first.drawing is not None and person.all_classified(5)
        person.choose("two_through_network")
        yield lambda: pair.has_two
        assert pair.second.painter is not None
        assert not pair.second.painter.pictures.is_empty
        names = [row.path.name for row in person.rows()]
        assert [label.text() for label in pair._names] == names[:2]
        pair.first.zoom(5)
        apart = pair.second.seen.center() - pair.first.seen.center()
        assert apart.manhattanLength() * pair.first.scale_px < 3
        pair.second.zoom(0.5)
        assert pair.first.scale_px == pytest.approx(pair.second.scale_px)
        person.choose("next")  # the other photo stays beside, unless it is the current one
        yield lambda: pair.has_two and pair._names[0].text() == names[1]
        assert pair._names[1].text() == names[2]
        person.choose("two_through_network")
        assert not pair.has_two

    assert drive([str(resources.path("samples")), checkpoint], script) == 0


def test_the_two_residual_blocks() -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(5)
        person.choose("block_kinds")
        yield lambda: person.window.findChildren(BlockKindsDialog)
        (dialog,) = person.window.findChildren(BlockKindsDialog)
        yield lambda: dialog.canvas.drawing is not None
        for at, convolutions in ((0, 2), (1, 3)):
            dialog.kinds.setCurrentIndex(at)
            drawing = dialog.canvas.drawing
            assert drawing is not None
            kinds = [box.kind for box in drawing.boxes]
            assert kinds.count("Conv2d") == convolutions
            assert kinds.count("ReLU") == convolutions
            assert [box.role for box in drawing.boxes].count("sum") == 1
            assert sum(arrow.is_arc for box in drawing.boxes for arrow in box.arrows) == 1
        dialog.reject()
        yield lambda: not person.window.findChildren(BlockKindsDialog)

    assert drive([str(resources.path("samples"))], script) == 0


def test_save_the_drawing_and_the_page(
    checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"saved{ending}" for ending in (".svg", ".png", ".pdf", ".html")]
    answers = iter(files)
    monkeypatch.setattr(
        "gui.widgets.saving.QFileDialog.getSaveFileName", lambda *_: (str(next(answers)), "")
    )

    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        yield lambda: panel.network.canvas.drawing is not None and person.all_classified(5)
        for file in files[:3]:
            person.choose("export_drawing")
            yield lambda file=file: file.exists()  # type: ignore[misc]
        person.choose("export_photo_page")
        yield files[3].exists

    assert drive([str(resources.path("samples")), checkpoint], script) == 0
    svg, page = files[0].read_text(), files[3].read_text()
    assert svg.count("<image") >= 8
    assert QImage(str(files[1])).width() > 400
    assert files[2].read_bytes().startswith(b"%PDF")
    assert ".png through" in page
    assert "maxpool</text>" in page
    assert "<svg" in page
    assert "layer4.1.conv2" in page
    assert page.count("data:image/png") >= 10
    for outside in ('src="http', 'href="http', "<script"):
        assert outside not in page


def test_no_photo_is_shown_under_another_name(
    checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(resources.path("samples/chelsea.png"), folder / "a.png")
    (folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    page = tmp_path / "page.html"
    monkeypatch.setattr(
        "gui.widgets.saving.QFileDialog.getSaveFileName", lambda *_: (str(page), "")
    )

    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        network = panel.network
        yield lambda: network.table is not None and network.table.photo == folder / "a.png"
        painter = network.canvas.painter
        assert painter is not None
        person.choose("next")
        yield lambda: person.current == folder / "b.png"
        yield lambda: painter.pictures.is_empty  # nothing of the photo before
        network._draw_again()
        assert network.canvas.painter is not None
        assert network.canvas.painter.pictures.is_empty
        person.choose("export_photo_page")
        yield lambda: True
        assert not page.exists()

    assert drive([str(folder), checkpoint], script) == 0


def test_two_photos_stay_while_the_second_is_waited_for(checkpoint: str) -> None:
    def script(person: Person) -> Steps:
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        network = panel.network
        yield lambda: network.canvas.drawing is not None and person.all_classified(5)
        person.choose("two_through_network")
        yield lambda: network.pair.has_two
        drawn: list[bool] = []
        redrawn = network.redrawn

        def note() -> None:
            drawn.append(network.pair.has_two)
            redrawn()

        network.redrawn = note
        second = network.pair.second.painter
        network._draw_again()  # as at another size; the answer for the second comes later
        assert drawn == [True]
        assert network.pair.has_two
        yield lambda: network.pair.second.painter is not second
        assert network.pair.second.drawing is network.pair.first.drawing
        person.choose("remove_all")
        yield lambda: not network.pair.has_two

    assert drive([str(resources.path("samples")), checkpoint], script) == 0
