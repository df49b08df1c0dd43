from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import NotResidualError, UnknownLayerError
from core.inside.layers import record
from core.inside.names import BlockName
from core.inside.residual_blocks import list_blocks, run_block
from core.models.families.blocks import Part
from core.models.torchvision_import import torchvision_models
from tests.core.inside.test_layers import image_for
from tests.networks import spread, trained

KINDS = {
    "resnet18": {"BasicBlock"},
    "resnet50": {"Bottleneck"},
    "resnext50_32x4d": {"Bottleneck"},
    "wide_resnet50_2": {"Bottleneck"},
    "mobilenet_v2": {"InvertedResidual"},
    "mobilenet_v3_small": {"InvertedResidual"},
    "mnasnet0_5": {"_InvertedResidual"},
    "efficientnet_b0": {"MBConv"},
    "efficientnet_v2_s": {"MBConv", "FusedMBConv"},
    "regnet_x_400mf": {"ResBottleneckBlock"},
    "regnet_y_400mf": {"ResBottleneckBlock"},
    "convnext_tiny": {"CNBlock"},
    "vit_b_32": {"EncoderBlock"},
    "swin_t": {"SwinTransformerBlock"},
    "swin_v2_t": {"SwinTransformerBlockV2"},
    "maxvit_t": {"MBConv", "PartitionAttentionLayer"},
}


def hooks_of(network: nn.Module) -> int:
    return sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in network.modules())


@pytest.mark.parametrize("architecture", KINDS)
def test_both_paths_add_up_and_give_the_blocks_own_output(architecture: str) -> None:
    torch.manual_seed(0)
    network, image = trained(architecture, 3), image_for(architecture)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("layer_scale"):
                parameter.uniform_(0.5, 1.0)
    blocks = list_blocks(network)
    assert {one.kind for one in blocks} == KINDS[architecture]
    recording = record(network, image, limit_bytes=2**31)
    residual = [one for one in blocks if one.shortcut != "none"]
    # The first of each kind and shortcut, the last of all.
    chosen = {(one.kind, one.shortcut): one for one in reversed(residual)}.values()
    for info in {*chosen, residual[-1]}:
        found = run_block(network, image, BlockName(info.name))
        total = found.residual + found.shortcut
        assert np.abs(total - found.sum).max() <= 1e-5
        own = recording.shown(info.name, 1)
        assert own is not None
        scale = max(1.0, float(own.maps.abs().max()))
        assert np.abs(found.output - own.maps.numpy()).max() / scale < 1e-5
        assert 0 <= found.residual_share <= 1
        for part in info.parts:
            half = run_block(network, image, BlockName(info.name, part))
            assert np.abs(half.residual + half.shortcut - half.sum).max() <= 1e-5
        if info.parts:
            last = run_block(network, image, BlockName(info.name, Part.MLP))
            assert np.abs(last.output - found.output).max() / scale < 1e-5
    assert hooks_of(network) == 0


def test_resnet_50_says_identity_and_projection_and_why() -> None:
    network = trained("resnet50", 3)
    known = {one.name: one for one in list_blocks(network)}
    assert (known["layer2.0"].shortcut, known["layer2.0"].reason) == (
        "projection",
        "stride 2, 256→512 channels",
    )
    assert known["layer2.1"].shortcut == "identity"
    assert (known["layer1.0"].shortcut, known["layer1.0"].reason) == (
        "projection",
        "64→256 channels",
    )
    assert [step.text for step in known["layer2.0"].steps] == [
        "1×1 reduce 256→128",
        "3×3 128→128, stride 2",
        "1×1 expand ×4, 128→512",
    ]
    assert [step.stride for step in known["layer2.0"].steps] == [1, 2, 1]
    assert known["layer2.0"].steps[1].layer == "layer2.0.conv2"


def test_transformers_steps_are_named() -> None:
    known = {one.name: one for one in list_blocks(trained("vit_b_32", 3))}
    steps = known["encoder.layers.encoder_layer_0"].steps
    assert [step.text for step in steps] == [
        "attention, 12 heads",
        "linear expand ×4, 768→3072",
        "linear reduce 3072→768",
    ]


def test_every_resnet_form_and_dilation() -> None:
    models = torchvision_models().resnet
    network = spread(
        models.ResNet(
            models.Bottleneck,
            [1, 2, 1, 2],
            groups=4,
            width_per_group=16,
            replace_stride_with_dilation=[False, True, True],
        )
    )
    image = torch.randn(1, 3, 64, 64)
    recording = record(network, image, limit_bytes=2**30)
    for info in list_blocks(network):
        found = run_block(network, image, BlockName(info.name))
        own = recording.shown(info.name, 1)
        assert own is not None
        assert np.abs(found.output - own.maps.numpy()).max() < 1e-4
    assert list_blocks(network)[-1].reason == "same size and channels"


def test_what_is_no_block_is_refused() -> None:
    network, image = trained("mobilenet_v2", 3), torch.zeros(1, 3, 64, 64)
    with pytest.raises(NotResidualError, match=r"adds no shortcut: stride 2"):
        run_block(network, image, BlockName.read("features.2"))
    with pytest.raises(
        NotResidualError, match=r"no residual block of this network; it has features"
    ):
        run_block(network, image, BlockName.read("features.0"))
    with pytest.raises(UnknownLayerError):
        run_block(network, image, BlockName.read("layer1.0"))
    with pytest.raises(UnknownLayerError, match="no part"):
        run_block(network, image, BlockName.read("features.3:mlp"))
    with pytest.raises(NotResidualError, match="has none"):
        run_block(trained("alexnet", 3), image, BlockName.read("features.0"))
