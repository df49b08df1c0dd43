"""Evidence by covering parts of the photo, for networks that only predict."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto
from torch import Tensor, nn

from core.inference.engine import Engine
from core.inside.covering import cover
from core.inside.lens import EvidenceOfPhoto, Lens
from core.inside.requests import Evidence
from core.models.sources.base import OpenedModel
from core.values.spec import ModelChoice, Outputs
from core.work.lane import Lane
from tests.core.models.test_onnx_source import HEAD, array, exported, node, opened, written

SIDE = 24


class Watching(nn.Module):
    """Keeps the photos that it is given, and the classes' values; the last is always the same."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        self.given: list[Tensor] = []

    def forward(self, photos: Tensor) -> Tensor:
        corner = photos[:, :, -6:, -6:].sum((1, 2, 3))
        outputs = torch.stack([corner, photos.std((1, 2, 3)), torch.ones_like(corner)], 1)
        self.seen += photos.clone()
        self.given += outputs
        return outputs


def bright_corner(height: int = SIDE, width: int = SIDE) -> Tensor:
    photo = torch.zeros(1, 3, height, width)
    photo[:, :, -6:, -6:] = 1
    return photo


@pytest.mark.parametrize("outputs", ["softmax", "sigmoid", "value"])
def test_a_place_counts_by_what_a_class_loses_without_it(outputs: Outputs) -> None:
    torch.manual_seed(0)
    network, photo = Watching(), torch.rand(1, 3, SIDE, SIDE)
    found = list(cover(network, photo, (1, 0, 2), outputs))
    assert found[0].passes[0] <= 5
    assert found[-1].passes == (100, 100)
    assert len(network.seen) == 101
    values = torch.stack(network.given)[:, [1, 0, 2]]
    np.testing.assert_allclose(found[-1].logits, values[0])
    if outputs == "softmax":
        values = torch.stack(network.given).log_softmax(1)[:, [1, 0, 2]]
    falls, counts = torch.zeros(3, 12, 12), torch.zeros(12, 12)
    for covered, value in zip(network.seen[1:], values[1:], strict=True):
        cells = (covered != photo[0]).any(0).reshape(12, 2, 12, 2).any(3).any(1)
        assert cells.sum() == 9
        falls += (values[0] - value)[:, None, None] * cells
        counts += cells
    assert (found[-1].classes, found[-1].method) == ((1, 0, 2), "covering")
    np.testing.assert_allclose(found[-1].maps, falls / counts, atol=1e-5)
    assert found[-1].maps[2].any() == (outputs == "softmax")


def test_evidence_lies_where_it_is() -> None:
    (*_, found) = cover(Watching(), bright_corner(), (0,), "value")
    (evidence,) = found.maps
    assert np.unravel_index(evidence.argmax(), evidence.shape) == (11, 11)
    assert not evidence[:7].any()
    assert not evidence[:, :7].any()


def test_the_first_places_lie_side_by_side_over_the_whole_photo() -> None:
    network, photo = Watching(), torch.rand(1, 3, 31, 50)
    given = photo.clone()
    steps = cover(network, photo, (0,))
    done = 0
    while done < 16:
        done = next(steps).passes[0]
    covered = [(one != photo[0]).any(0) for one in network.seen[1:17]]
    assert torch.stack(covered).sum(0).eq(1).all()
    torch.testing.assert_close(photo, given, atol=0, rtol=0)
    steps.close()
    assert len(network.seen) == done + 1  # nothing is run for those who want no more


def test_one_output_has_no_share() -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))
    (*_, found) = cover(network, bright_corner(), (0,))
    assert found.maps.any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 40), (13, 5)])
def test_photos_of_few_pixels(shape: tuple[int, int]) -> None:
    (*_, found) = cover(Watching(), torch.rand(1, 3, *shape), (0,))
    assert found.maps.shape == (1, min(12, shape[0]), min(12, shape[1]))
    assert np.isfinite(found.maps).all()


def lens_of(model: OpenedModel) -> Lens:
    return Lens(model.network, model.spec.preprocessing)


def saved(photo: Tensor, path: Path) -> Path:
    from PIL import Image

    pixels = (photo[0] * 255).to(torch.uint8).permute(1, 2, 0)
    Image.fromarray(pixels.numpy()).save(path)
    return path


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.UINT8])
def test_an_onnx_network_of_no_convolution_with_channels_last(tmp_path: Path, kind: int) -> None:
    nodes = [
        node("Cast", "x", "c", to=TensorProto.FLOAT),
        node("Transpose", "c", "t", perm=[0, 3, 1, 2]),
        node("Relu", "t", "m"),
        *HEAD,
    ]
    shape = ("n", SIDE, 2 * SIDE, 3)
    path = written(tmp_path / "a.onnx", nodes, [array("W", 3, 4)], shape=shape, kind=kind)
    photo = saved(bright_corner(SIDE, 2 * SIDE), tmp_path / "photo.png")
    lens = lens_of(opened(path))
    (*_, found) = lens.evidence(photo, (0, 3), has_gradients=False)
    maps = found.found.maps
    assert (found.photo, found.seen.shape, maps.shape) == (photo, (SIDE, 2 * SIDE, 3), (2, 12, 12))
    # With a mean over the photo the corner alone changes anything but by its own mean.
    assert [tuple(map(int, np.unravel_index(abs(one).argmax(), one.shape))) for one in maps] == [
        (11, 11),
        (11, 11),
    ]


def test_a_network_that_was_exported_says_what_it_said(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    path = exported(network, tmp_path / "a.onnx", shape=(4, 3, 16, 16), free=())
    batch = torch.rand(1, 3, 16, 16)
    (*_, ours) = cover(opened(path).network, batch, (1, 2))
    (*_, theirs) = cover(network, batch, (1, 2))
    np.testing.assert_allclose(ours.maps, theirs.maps, atol=1e-5)


def test_a_newer_question_ends_an_older_one(tmp_path: Path) -> None:
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)]
    path = exported(nn.Sequential(nn.ReLU(), *head), tmp_path / "a.onnx")
    photos = [saved(bright_corner(), tmp_path / f"{name}.png") for name in "ab"]
    engine = Engine(print, decoders=1)
    engine.open(ModelChoice(checkpoint=path), "cpu")
    lane = Lane("engine", engine)
    found: list[Path] = []
    has_begun, goes_on = threading.Event(), threading.Event()

    def note(item: EvidenceOfPhoto) -> None:
        found.append(item.photo)
        has_begun.set()
        goes_on.wait(10)

    try:
        older = lane.stream(Evidence(photos[0], (0,)), note)
        assert has_begun.wait(10)
        newer = lane.stream(Evidence(photos[1], (0,)), note)
        goes_on.set()
        newer.future.result(20)
        older.future.result(20)
    finally:
        lane.shut_down()
    assert found == [photos[0], *[photos[1]] * (len(found) - 1)]
    assert len(found) > 20


def test_torchs_networks_keep_their_gradients_where_they_have_an_images_layout(
    tmp_path: Path,
) -> None:
    photo = saved(bright_corner(), tmp_path / "photo.png")
    preprocessing = opened(
        exported(nn.Sequential(nn.Flatten(), nn.Linear(1728, 3)), tmp_path / "a.onnx",
                 shape=(1, 3, SIDE, SIDE))
    ).spec.preprocessing  # fmt: skip
    flat = nn.Sequential(nn.Flatten(), nn.Linear(1728, 3)).eval()
    (*_, found) = Lens(flat, preprocessing).evidence(photo, (0,))
    assert found.found.method == "covering"
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)]
    deep = nn.Sequential(nn.Conv2d(3, 4, 3), *head).eval()
    (found,) = Lens(deep, preprocessing).evidence(photo, (0,))
    assert found.found.method == "CAM"
