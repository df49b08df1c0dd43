from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import UnusableCheckpointError
from core.models.families import BY_NAME
from core.models.weights.named import find_weights, hub_folder, list_weights


def test_all_of_torchvisions_weights_are_listed() -> None:
    found = list_weights()
    assert len(found) == 115
    assert len({one.name for one in found}) == len(found)
    own = {name for name, one in BY_NAME.items() if one.family.is_of_torchvision}
    assert {one.architecture for one in found} == own
    for one in found:
        if one.name == "VGG16_Weights.IMAGENET1K_FEATURES":
            assert one.accuracy is None
        else:
            assert 50 < (one.accuracy or 0) < (one.accuracy_top_5 or 0) < 100
        assert one.size_bytes > 1.9 * one.parameters  # some are of half precision
        assert len(one.hash_start) in (8, 10, 64)
        assert one.hash_start.startswith(Path(one.file_name).stem.rsplit("-", 1)[-1])
        assert one.url.startswith("https://download.pytorch.org/models/")
    bound = [one.name for one in found if "NC" in one.licence]
    assert len(bound) == 12
    assert all("SWAG" in name for name in bound)


def test_files_lie_where_torch_hub_puts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TORCH_HOME", "/some/where"), ("XDG_CACHE_HOME", "/cache")):
        monkeypatch.delenv("TORCH_HOME", raising=False)
        monkeypatch.setenv(name, value)
        assert hub_folder() == Path(torch.hub.get_dir()) / "checkpoints"


@pytest.mark.parametrize(
    "name", ["Nonsense", "ResNet50_Weights.V9", "", "FCN_ResNet50_Weights.DEFAULT"]
)
def test_weights_that_do_not_exist(name: str) -> None:
    with pytest.raises(UnusableCheckpointError, match="no classification weights"):
        find_weights(name)
