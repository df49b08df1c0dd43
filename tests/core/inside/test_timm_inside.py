"""The inside of timm's networks: blocks, tokens, attention and evidence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.inside.class_activation import class_activation
from core.inside.layouts import Layouts, attention_maps
from core.inside.names import BlockName
from core.inside.residual_blocks import list_blocks, run_block
from core.models.families.blocks import Part
from core.models.timm_import import build_timm


def network_of(architecture: str) -> nn.Module:
    torch.manual_seed(5)
    network = build_timm(architecture, num_classes=6)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    for name, parameter in network.named_parameters():
        if name.endswith("gain"):  # zero at first, so that a block adds nothing
            nn.init.uniform_(parameter, 0.5, 1.5)
    return network.eval()


def photo(size: int) -> Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))


def output_of(network: nn.Module, inputs: Tensor, layer: str) -> Tensor:
    kept: list[Tensor] = []
    module = network.get_submodule(layer)
    with module.register_forward_hook(lambda _, __, output: kept.append(output)), torch.no_grad():
        network(inputs)
    return kept[0]


@pytest.mark.parametrize(
    ("architecture", "size"),
    [
        ("resnet26d", 64),
        ("resnet18d", 64),
        ("tf_efficientnet_lite0", 64),
        ("mobilenetv4_conv_small", 64),
        ("efficientnet_es", 64),
        ("regnety_002", 64),
        ("convnextv2_atto", 64),
        ("vit_tiny_patch16_224", 224),
        ("swin_s3_tiny_224", 224),
        ("eva02_tiny_patch14_224", 224),
        ("test_vit4", 160),
        ("nf_resnet26", 64),
        ("eca_nfnet_l0", 64),
        ("hrnet_w18_small", 64),
        ("maxvit_rmlp_pico_rw_256", 256),
        ("coatnet_pico_rw_224", 224),
    ],
)
def test_blocks_add_up_to_what_the_network_computes(architecture: str, size: int) -> None:
    network, inputs = network_of(architecture), photo(size)
    blocks = [one for one in list_blocks(network) if one.shortcut != "none"]
    assert blocks
    for info in (blocks[0], blocks[-1]):
        kept = output_of(network, inputs, info.name)
        found = run_block(network, inputs, BlockName(info.name, Part.WHOLE))
        shown = Layouts(network).show(info.name, kept)
        assert shown is not None
        torch.testing.assert_close(torch.from_numpy(found.output), shown.maps, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            torch.from_numpy(found.residual + found.shortcut), torch.from_numpy(found.sum)
        )


@pytest.mark.parametrize(
    ("architecture", "prefix"),
    [("vit_tiny_patch16_224", 1), ("deit_tiny_distilled_patch16_224", 2)],
)
def test_tokens_are_laid_out_without_those_before_them(architecture: str, prefix: int) -> None:
    network, inputs = network_of(architecture), photo(224)
    kept = output_of(network, inputs, "blocks.0")
    shown = Layouts(network).show("blocks.0", kept)
    assert shown is not None
    assert shown.layout == "tokens"
    assert shown.maps.shape[1:] == (14, 14)
    assert torch.equal(shown.maps[:, 0, 0], kept[0, prefix])


def test_attention_adds_up_to_less_than_all() -> None:
    network = network_of("vit_tiny_patch16_224")
    before = network(photo(224))
    found = attention_maps(network, photo(224), "blocks.3.attn")
    assert found is not None
    assert found.shape == (3, 14, 14)
    sums = found.sum((1, 2))
    assert bool(((sums > 0.5) & (sums < 1)).all())  # the rest goes to the class token
    assert torch.equal(before, network(photo(224)))


@pytest.mark.parametrize(
    ("architecture", "size"),
    [
        ("tf_efficientnet_lite0", 64),
        ("resnet26d", 64),
        ("vit_tiny_patch16_224", 224),
        ("eva02_tiny_patch14_224", 224),
        ("nf_resnet26", 64),
        ("hrnet_w18_small", 64),
        ("maxvit_rmlp_pico_rw_256", 256),
    ],
)
def test_evidence_is_found(architecture: str, size: int) -> None:
    found = class_activation(network_of(architecture), photo(size), [0, 3])
    assert found.maps.shape[0] == 2
    assert found.maps.any()
    assert found.maps.shape[1] == found.maps.shape[2]
