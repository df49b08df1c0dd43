from __future__ import annotations

import pytest

from core.models.building import build_network
from core.models.families import ARCHITECTURES, BY_NAME, GROUPS
from core.models.recognition.fingerprints import Shapes, fingerprint_of
from core.models.recognition.head_finding import find_head
from core.models.recognition.matching import fit, recognise
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
    shapes = shapes_of(architecture, 7)
    found = recognise(shapes)
    assert found is not None
    assert found.architecture.name == architecture
    assert found.is_whole
    assert found.found == found.wanted
    head = find_head(found, shapes, {}, []).head
    assert head is not None
    assert head.is_plain
    assert head.outputs == 7


def test_the_table_is_torchvisions() -> None:
    models = torchvision_models()
    own = {one.name for one in ARCHITECTURES if one.family.is_of_torchvision}
    assert len(own) == 80
    assert own == set(models.list_models(module=models))
    assert {one.group for one in ARCHITECTURES} == set(GROUPS)
    assert len({one.title for one in ARCHITECTURES}) == len(BY_NAME)


def test_matched_is_a_share_of_the_parameters() -> None:
    shapes = dict(shapes_of("alexnet", 1000))
    del shapes["features.3.weight"]
    found = fit(fingerprint_of("alexnet"), shapes)
    missing, head = 192 * 64 * 5 * 5, 1000 * 4096 + 1000
    assert found.wanted - found.found == missing
    assert found.wanted == 61_100_840 - head
    assert found.missing == ("features.3.weight",)
    assert not found.is_whole


def test_nothing_in_common() -> None:
    assert recognise({"a": (3,)}) is None
