from __future__ import annotations

import pytest

from core.models.architectures import ARCHITECTURES, BY_NAME, GROUPS
from core.models.building import build_network
from core.models.recognising import Shapes, recognise
from core.models.torchvision_import import torchvision_models


def shapes_of(architecture: str, classes: int) -> Shapes:
    """Build the network anew: the fingerprints in resources must not be their own witness."""
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in build_network(architecture).state_dict().items()
    }
    head = BY_NAME[architecture].head
    shapes[f"{head}.weight"] = (classes, *shapes[f"{head}.weight"][1:])
    shapes[f"{head}.bias"] = (classes,)
    return shapes


@pytest.mark.parametrize("architecture", [one.name for one in ARCHITECTURES])
def test_every_architecture_is_recognised(architecture: str) -> None:
    found = recognise(shapes_of(architecture, 7))
    assert found.architecture.name == architecture
    assert found.is_complete
    assert found.matched == pytest.approx(1.0)
    assert found.head is not None
    assert found.head.is_plain
    assert found.head.outputs == 7


def test_the_table_is_torchvisions() -> None:
    models = torchvision_models()
    assert len(ARCHITECTURES) == 80
    assert set(BY_NAME) == set(models.list_models(module=models))
    assert {one.group for one in ARCHITECTURES} == set(GROUPS)
    assert len({one.title for one in ARCHITECTURES}) == 80


def test_matched_is_a_share_of_the_parameters() -> None:
    shapes = dict(shapes_of("alexnet", 1000))
    del shapes["classifier.1.weight"]
    found = recognise(shapes)
    missing = 9216 * 4096
    assert found.matched == pytest.approx(1 - missing / 61_100_840)
    assert found.missing == ("classifier.1.weight",)
    assert not found.is_complete


def test_nothing_in_common() -> None:
    assert recognise({"a": (3,)}).similarity == 0
