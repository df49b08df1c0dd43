from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import UnusableCheckpointError
from core.models.checkpoints import open_model
from core.models.spec import ModelChoice
from tests.networks import trained

NAME = "SqueezeNet1_1_Weights.IMAGENET1K_V1"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return folder


def test_a_file_that_is_there_already_is_used(hub: Path) -> None:
    network = trained("squeezenet1_1", 1000)
    torch.save(network.state_dict(), hub / "squeezenet1_1-b8a52dc0.pth")
    opened = open_model(ModelChoice(weights=NAME))
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(opened.network(image), network(image))
    assert opened.spec.class_names[0] == "tench"
    assert opened.spec.preprocessing.apply_orientation
    assert opened.spec.checkpoint == hub / "squeezenet1_1-b8a52dc0.pth"


@pytest.mark.parametrize(
    "name", ["Nonsense", "ResNet50_Weights.V9", "", "FCN_ResNet50_Weights.DEFAULT"]
)
def test_weights_that_do_not_exist(name: str, hub: Path) -> None:
    with pytest.raises(UnusableCheckpointError, match="no classification weights"):
        open_model(ModelChoice(weights=name))


def test_a_download_that_fails_says_what_to_do(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("torch.hub.urlopen", refuse)
    with pytest.raises(UnusableCheckpointError, match="save https://") as caught:
        open_model(ModelChoice(weights=NAME))
    assert str(hub / "squeezenet1_1-b8a52dc0.pth") in str(caught.value)
