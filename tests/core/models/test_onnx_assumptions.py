"""What an ONNX file leaves open is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.core.models.test_onnx_source import (
    SIDE,
    body,
    changed,
    exported,
    inspected,
    refusal,
    with_metadata,
)


def ending(*layers: nn.Module, classes: int = 5) -> nn.Module:
    return nn.Sequential(body(classes=classes), *layers)


@pytest.mark.parametrize(
    ("layers", "outputs", "word"),
    [((), "sigmoid", "yes or no"), ((nn.ReLU(),), "value", "never negative")],
)
def test_a_single_output_is_said(
    layers: tuple[nn.Module, ...], outputs: str, word: str, tmp_path: Path
) -> None:
    found = inspected(exported(ending(*layers, classes=1), tmp_path / "a.onnx"))
    assert found.outputs == outputs
    assert any(word in problem for problem in found.problems)


def test_a_single_sigmoid_is_told_by_the_network(tmp_path: Path) -> None:
    found = inspected(exported(ending(nn.Sigmoid(), classes=1), tmp_path / "a.onnx"))
    assert found.outputs == "sigmoid"
    assert not any("single output" in problem for problem in found.problems)


def test_what_the_outputs_are_is_told_by_the_config_beside_it(tmp_path: Path) -> None:
    config = {"num_labels": 5, "problem_type": "multi_label_classification"}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit", **config}))
    assert inspected(exported(body(), tmp_path / "a.onnx")).outputs == "sigmoid"


class Clamped(nn.Module):
    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.clamp(torch.sigmoid(logits), 1e-6, 1 - 1e-6)


class Chosen(nn.Module):
    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.softmax(1)[:, torch.tensor([0, 2])]


@pytest.mark.parametrize("last", [Clamped(), Chosen()])
def test_numbers_that_may_be_probabilities_already_are_said(
    last: nn.Module, tmp_path: Path
) -> None:
    found = inspected(exported(ending(last), tmp_path / "a.onnx"))
    assert any("between 0 and 1" in problem for problem in found.problems)


def test_plain_logits_and_shares_are_not_doubted(tmp_path: Path) -> None:
    for layers in ((), (nn.Softmax(1),)):
        found = inspected(exported(ending(*layers), tmp_path / "a.onnx"))
        assert not any("between 0 and 1" in problem for problem in found.problems)


def test_features_are_not_classes(tmp_path: Path) -> None:
    path = exported(body(classes=64), tmp_path / "a.onnx", outputs=("image_embeds",))
    assert "gives features" in refusal(path)


def test_a_side_that_is_free_is_said_to_be_assumed(tmp_path: Path) -> None:
    found = inspected(exported(body(), tmp_path / "a.onnx", free=(0, 3)))
    assert any(f"{SIDE}×{SIDE} pixels are assumed" in problem for problem in found.problems)


def test_custom_vision_without_metadata_is_assumed(tmp_path: Path) -> None:
    path = exported(body(), tmp_path / "a.onnx")
    changed(path, lambda model: setattr(model, "producer_name", "CustomVision"))
    assert any("blue first" in problem for problem in inspected(path).problems)


def test_metadata_of_images_do_not_tell_of_sizes(tmp_path: Path) -> None:
    path = exported(body(), tmp_path / "a.onnx")
    both = {"Image.BitmapPixelFormat": "Rgb8", "Image.NominalPixelRange": "NominalRange_0_255"}
    found = inspected(with_metadata(path, **both))
    assert any("squashed" in problem for problem in found.problems)
