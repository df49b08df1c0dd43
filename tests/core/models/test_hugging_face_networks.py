"""Hugging Face's networks that Droplens builds itself, against plain references by their names."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from core.errors import UnusableCheckpointError
from core.images.preprocessing import Preprocessing
from core.inference.backends import EagerBackend, OnnxBackend, probe_batch
from core.inference.converting import export
from core.inside.class_activation import class_activation
from core.inside.layouts import attention_maps
from core.inside.residual_blocks import list_blocks
from core.models.sources.checkpoint.saving import save_model
from core.models.sources.checkpoint.source import OpenedModel, inspect_checkpoint, open_model
from core.values.spec import ModelChoice, NamedBy

NAMES = {"0": "Katze", "1": "Hund", "2": "Maus"}
WIDTH, HEADS, SIDE, PATCH, HIDDEN = 32, 4, 3, 8, 48
IMAGE = SIDE * PATCH
CLASSES = len(NAMES)

Tensors = Mapping[str, Tensor]


def linear(tensors: Tensors, name: str, values: Tensor) -> Tensor:
    return functional.linear(values, tensors[f"{name}.weight"], tensors.get(f"{name}.bias"))


def normed(tensors: Tensors, name: str, values: Tensor, epsilon: float) -> Tensor:
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    return functional.layer_norm(values, weight.shape, weight, bias, epsilon)


def layer(inputs: int, outputs: int, name: str, *, bias: bool = True) -> dict[str, Tensor]:
    found = {f"{name}.weight": torch.randn(outputs, inputs) / inputs**0.5}
    return found | ({f"{name}.bias": torch.randn(outputs)} if bias else {})


def norm(width: int, name: str) -> dict[str, Tensor]:
    return {f"{name}.weight": torch.rand(width) + 0.5, f"{name}.bias": torch.randn(width)}


@dataclass
class Tokens:
    """A small vision transformer of some kind, by the names of its files.

    Attributes:
        prefix: of its names.
        words: where its parts stand, by what they are here.
        epsilon: of its norms.
        activation: between the layers of a block's small network.
        config: what its configuration says.
        within: the field of config.json that holds it.
    """

    prefix: str
    words: Mapping[str, str]
    epsilon: float
    activation: Callable[[Tensor], Tensor]
    config: dict[str, Any]
    within: str = ""
    class_tokens: tuple[str, ...] = ()
    own: Callable[[Tokens], dict[str, Tensor]] = lambda _: {}
    pooled: Callable[[Tokens, Tensors, Tensor], Tensor] = lambda *_: torch.empty(0)
    has_key_bias: bool = True
    head_width: int = WIDTH
    settings: dict[str, Any] = field(default_factory=dict)

    def name(self, part: str) -> str:
        return f"{self.prefix}.{self.words[part]}"

    def block(self, number: int, part: str) -> str:
        return f"{self.prefix}.{self.words['layer']}.{number}.{self.words[part]}"

    def tensors(self) -> dict[str, Tensor]:
        found = {f"{self.name('patches')}.weight": torch.randn(WIDTH, 3, PATCH, PATCH) / 14}
        if self.within == "" or not self.class_tokens:
            found[f"{self.name('patches')}.bias"] = torch.randn(WIDTH)
        for number in range(2):
            for part in ("query", "key", "value"):
                has_bias = part != "key" or self.has_key_bias
                found |= layer(WIDTH, WIDTH, self.block(number, part), bias=has_bias)
            found |= layer(WIDTH, WIDTH, self.block(number, "out"))
            found |= layer(WIDTH, HIDDEN, self.block(number, "first"))
            found |= layer(HIDDEN, WIDTH, self.block(number, "second"))
            found |= norm(WIDTH, self.block(number, "norm1"))
            found |= norm(WIDTH, self.block(number, "norm2"))
        found |= layer(self.head_width, CLASSES, "classifier")
        return {**found, **self.own(self)}

    def attended(self, tensors: Tensors, number: int, values: Tensor) -> Tensor:
        query, key, value = (
            linear(tensors, self.block(number, part), values)
            .unflatten(2, (HEADS, -1))
            .transpose(1, 2)
            for part in ("query", "key", "value")
        )
        weights = query @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        if "table" in self.words:
            weights = weights + biases(tensors[self.block(number, "table")])
        heads = weights.softmax(dim=3) @ value
        return linear(tensors, self.block(number, "out"), heads.transpose(1, 2).flatten(2))

    def blocks(self, tensors: Tensors, values: Tensor) -> Tensor:
        for number in range(2):
            scales = [
                tensors.get(self.block(number, f"scale{at}"), torch.ones(1))
                if "scale1" in self.words
                else torch.ones(1)
                for at in (1, 2)
            ]
            before = normed(tensors, self.block(number, "norm1"), values, self.epsilon)
            values = values + scales[0] * self.attended(tensors, number, before)
            before = normed(tensors, self.block(number, "norm2"), values, self.epsilon)
            inner = self.activation(linear(tensors, self.block(number, "first"), before))
            values = values + scales[1] * linear(tensors, self.block(number, "second"), inner)
        return values

    def logits(self, tensors: Tensors, images: Tensor) -> Tensor:
        at = self.name("patches")
        maps = functional.conv2d(
            images, tensors[f"{at}.weight"], tensors.get(f"{at}.bias"), stride=PATCH
        )
        before = [tensors[self.name(token)] for token in self.class_tokens]
        rows = [token.reshape(1, 1, -1).expand(len(images), -1, -1) for token in before]
        values = torch.cat([*rows, maps.flatten(2).transpose(1, 2)], dim=1)
        if "positions" in self.words:
            values = values + tensors[self.name("positions")]
        if "before" in self.words:
            values = normed(tensors, self.name("before"), values, self.epsilon)
        return self.pooled(self, tensors, self.blocks(tensors, values))


def biases(table: Tensor) -> Tensor:
    """Return what is added to attention, shape (heads, T, T), entry by entry."""
    count = 1 + SIDE * SIDE
    found = torch.zeros(HEADS, count, count)
    for one in range(count):
        for other in range(count):
            if one == 0 or other == 0:
                at = -1 if one == other == 0 else (-3 if one == 0 else -2)
            else:
                down = (one - 1) // SIDE - (other - 1) // SIDE + SIDE - 1
                right = (one - 1) % SIDE - (other - 1) % SIDE + SIDE - 1
                at = down * (2 * SIDE - 1) + right
            found[:, one, other] = table[at]
    return found


OF_VIT = {
    "patches": "embeddings.patch_embeddings.projection",
    "class": "embeddings.cls_token",
    "layer": "encoder.layer",
    "query": "attention.attention.query",
    "key": "attention.attention.key",
    "value": "attention.attention.value",
    "out": "attention.output.dense",
    "first": "intermediate.dense",
    "second": "output.dense",
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "norm": "layernorm",
}
OF_VISION = {
    "patches": "embeddings.patch_embedding",
    "layer": "encoder.layers",
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "out": "self_attn.out_proj",
    "first": "mlp.fc1",
    "second": "mlp.fc2",
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "norm": "post_layernorm",
    "positions": "embeddings.position_embedding.weight",
}
SETTINGS = {"num_attention_heads": HEADS, "image_size": IMAGE, "patch_size": PATCH}
PATCHES = SIDE * SIDE


def own_of_deit(one: Tokens) -> dict[str, Tensor]:
    return {
        one.name("class"): torch.randn(1, 1, WIDTH),
        one.name("distillation"): torch.randn(1, 1, WIDTH),
        one.name("positions"): torch.randn(1, PATCHES + 2, WIDTH),
        **norm(WIDTH, one.name("norm")),
    }


def pooled_of_deit(one: Tokens, tensors: Tensors, values: Tensor) -> Tensor:
    values = normed(tensors, one.name("norm"), values, one.epsilon)
    if "classifier.weight" in tensors:
        return linear(tensors, "classifier", values[:, 0])
    first = linear(tensors, "cls_classifier", values[:, 0])
    return (first + linear(tensors, "distillation_classifier", values[:, 1])) / 2


def own_of_vit(one: Tokens) -> dict[str, Tensor]:
    return {
        one.name("class"): torch.randn(1, 1, WIDTH),
        one.name("positions"): torch.randn(1, PATCHES + 1, WIDTH),
        **norm(WIDTH, one.name("norm")),
    }


def own_of_beit(one: Tokens) -> dict[str, Tensor]:
    found = {one.name("class"): torch.randn(1, 1, WIDTH), **norm(WIDTH, one.name("pooled"))}
    for number in range(2):
        found[one.block(number, "table")] = torch.randn((2 * SIDE - 1) ** 2 + 3, HEADS)
        found |= {one.block(number, f"scale{at}"): torch.rand(WIDTH) for at in (1, 2)}
    return found


def pooled_of_beit(one: Tokens, tensors: Tensors, values: Tensor) -> Tensor:
    mean = normed(tensors, one.name("pooled"), values[:, 1:].mean(1), one.epsilon)
    return linear(tensors, "classifier", mean)


def own_of_dinov2(one: Tokens) -> dict[str, Tensor]:
    found = {
        one.name("class"): torch.randn(1, 1, WIDTH),
        one.name("positions"): torch.randn(1, PATCHES + 1, WIDTH),
        f"{one.prefix}.embeddings.mask_token": torch.randn(1, WIDTH),
        **norm(WIDTH, one.name("norm")),
    }
    return found | {
        one.block(number, f"scale{at}"): torch.rand(WIDTH) for number in range(2) for at in (1, 2)
    }


def pooled_of_dinov2(one: Tokens, tensors: Tensors, values: Tensor) -> Tensor:
    values = normed(tensors, one.name("norm"), values, one.epsilon)
    both = torch.cat([values[:, 0], values[:, 1:].mean(1)], dim=1)
    return linear(tensors, "classifier", both)


def own_of_clip(one: Tokens) -> dict[str, Tensor]:
    return {
        one.name("class"): torch.randn(WIDTH),
        one.name("positions"): torch.randn(PATCHES + 1, WIDTH),
        **norm(WIDTH, one.name("before")),
        **norm(WIDTH, one.name("norm")),
    }


def pooled_of_clip(_: Tokens, tensors: Tensors, values: Tensor) -> Tensor:
    return linear(tensors, "classifier", values[:, 1:].mean(1))


def own_of_siglip(one: Tokens) -> dict[str, Tensor]:
    return {
        one.name("positions"): torch.randn(PATCHES, WIDTH),
        f"{one.prefix}.head.probe": torch.randn(1, 1, WIDTH),
        f"{one.prefix}.head.attention.in_proj_weight": torch.randn(3 * WIDTH, WIDTH),
        **layer(WIDTH, HIDDEN, f"{one.prefix}.head.mlp.fc1"),
        **norm(WIDTH, one.name("norm")),
    }


def pooled_of_siglip(one: Tokens, tensors: Tensors, values: Tensor) -> Tensor:
    values = normed(tensors, one.name("norm"), values, one.epsilon)
    return linear(tensors, "classifier", values.mean(1))


def tanh_gelu(values: Tensor) -> Tensor:
    return functional.gelu(values, approximate="tanh")


def quick_gelu(values: Tensor) -> Tensor:
    return values * torch.sigmoid(1.702 * values)


TOKENS = {
    "vit": Tokens(
        "vit",
        {**OF_VIT, "positions": "embeddings.position_embeddings"},
        1e-12,
        tanh_gelu,
        {"model_type": "vit", "hidden_act": "gelu_new"},
        class_tokens=("class",),
        own=own_of_vit,
        pooled=pooled_of_deit,
    ),
    "deit": Tokens(
        "deit",
        {
            **OF_VIT,
            "positions": "embeddings.position_embeddings",
            "distillation": "embeddings.distillation_token",
        },
        1e-12,
        functional.gelu,
        {"model_type": "deit"},
        class_tokens=("class", "distillation"),
        own=own_of_deit,
        pooled=pooled_of_deit,
    ),
    "beit": Tokens(
        "beit",
        {
            **OF_VIT,
            "table": "attention.attention.relative_position_bias.relative_position_bias_table",
            "scale1": "lambda_1",
            "scale2": "lambda_2",
            "pooled": "pooler.layernorm",
        },
        1e-3,
        torch.relu,
        {
            "model_type": "beit",
            "use_relative_position_bias": True,
            "layer_norm_eps": 1e-3,
            "hidden_act": "relu",
        },
        class_tokens=("class",),
        own=own_of_beit,
        pooled=pooled_of_beit,
        has_key_bias=False,
    ),
    "dinov2": Tokens(
        "dinov2",
        {
            **OF_VIT,
            "positions": "embeddings.position_embeddings",
            "first": "mlp.fc1",
            "second": "mlp.fc2",
            "norm1": "norm1",
            "norm2": "norm2",
            "scale1": "layer_scale1.lambda1",
            "scale2": "layer_scale2.lambda1",
        },
        1e-6,
        functional.gelu,
        {"model_type": "dinov2"},
        class_tokens=("class",),
        own=own_of_dinov2,
        pooled=pooled_of_dinov2,
        head_width=2 * WIDTH,
    ),
    "clip": Tokens(
        "vision_model",
        {**OF_VISION, "class": "embeddings.class_embedding", "before": "pre_layrnorm"},
        1e-5,
        quick_gelu,
        {"model_type": "clip"},
        within="vision_config",
        class_tokens=("class",),
        own=own_of_clip,
        pooled=pooled_of_clip,
    ),
    "siglip": Tokens(
        "vision_model",
        OF_VISION,
        1e-6,
        tanh_gelu,
        {"model_type": "siglip"},
        within="vision_config",
        own=own_of_siglip,
        pooled=pooled_of_siglip,
    ),
}


def config_of(one: Tokens, **settings: object) -> dict[str, Any]:
    inner = {**SETTINGS, **settings}
    if one.within:
        return {**one.config, "id2label": NAMES, one.within: inner}
    return {**inner, **one.config, **settings, "id2label": NAMES}


def write(folder: Path, tensors: Tensors, config: object) -> Path:
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def opened(path: Path) -> OpenedModel:
    return open_model(ModelChoice(checkpoint=path))


def assert_opens_as(
    folder: Path, logits: Callable[[Tensor], Tensor], side: int = IMAGE, channels: int = 3
) -> OpenedModel:
    """Check names and answers, then the same of what is saved as a file of our own."""
    model = opened(folder)
    assert model.spec.class_names == tuple(NAMES.values())
    assert model.spec.class_names_source.by is NamedBy.SIDECAR
    images = torch.randn(2, channels, side, side)
    wanted = logits(images)
    saved = folder / "saved" / "own.safetensors"
    saved.parent.mkdir()
    assert model.plan is not None
    save_model(model.network, model.spec, model.plan, saved)
    for network in (model.network, opened(saved).network):
        with torch.no_grad():
            difference = (network(images) - wanted).abs().max()
        assert difference < 1e-4 * (wanted[0] - wanted[1]).abs().max()
    return model


@pytest.mark.parametrize("kind", TOKENS)
def test_vision_transformers_compute_the_same(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    one = TOKENS[kind]
    tensors = one.tensors()
    write(tmp_path, tensors, config_of(one))
    processor = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "size": IMAGE}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    model = assert_opens_as(tmp_path, lambda images: one.logits(tensors, images))
    assert model.spec.preprocessing.resize == (IMAGE, IMAGE)
    assert model.spec.preprocessing.std == (0.25,) * 3
    assert len(model.spec.problems) == 1  # whose preprocessing it is


def test_a_teachers_head_is_averaged_with_the_other(tmp_path: Path) -> None:
    one = TOKENS["deit"]
    tensors = one.tensors()
    for part in ("weight", "bias"):
        tensors[f"cls_classifier.{part}"] = tensors.pop(f"classifier.{part}")
    tensors |= layer(WIDTH, CLASSES, "distillation_classifier")
    write(tmp_path, tensors, config_of(one))
    assert_opens_as(tmp_path, lambda images: one.logits(tensors, images))


def test_what_was_saved_without_its_options_is_assumed_and_said(tmp_path: Path) -> None:
    bare = tmp_path / "bare" / "bare.safetensors"
    bare.parent.mkdir()
    save_file(opened(write(tmp_path, levit(), LEVIT)).network.state_dict(), bare)
    assert any("config.json" in problem for problem in inspect_checkpoint(bare).problems)
    one = TOKENS["clip"]
    network = opened(write(tmp_path, one.tensors(), config_of(one))).network
    save_file(network.state_dict(), bare)
    assert not inspect_checkpoint(bare).usable  # nobody knows its number of heads


def test_positions_are_resized_for_larger_images(tmp_path: Path) -> None:
    one = TOKENS["dinov2"]
    tensors = one.tensors()
    model = opened(write(tmp_path, tensors, config_of(one)))
    name = one.name("positions")
    patches = tensors[name][:, 1:].unflatten(1, (SIDE, SIDE)).permute(0, 3, 1, 2)
    larger = functional.interpolate(patches, (5, 4), mode="bicubic").flatten(2).transpose(1, 2)
    resized = {**tensors, name: torch.cat([tensors[name][:, :1], larger], dim=1)}
    images = torch.randn(2, 3, 5 * PATCH, 4 * PATCH)
    with torch.no_grad():
        assert torch.allclose(model.network(images), one.logits(resized, images), atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "field_name", "value"),
    [
        *(
            (kind, name, value)
            for kind in TOKENS
            for name, value in (
                ("hidden_act", "laplace"),
                ("hidden_act", []),
                ("num_attention_heads", 5),
                ("num_attention_heads", 0),
                ("num_attention_heads", "4"),
                ("patch_size", 16),
                ("layer_norm_eps", "1e-6"),
                ("image_size", [8, 72]),
                ("image_size", 10**9),
            )
        ),
        ("deit", "qkv_bias", False),
        ("beit", "use_mean_pooling", False),
        ("beit", "use_relative_position_bias", False),
        ("beit", "use_absolute_position_embeddings", True),
        ("beit", "num_attention_heads", 8),
        ("dinov2", "use_swiglu_ffn", True),
        ("dinov2", "qkv_bias", None),
    ],
)
def test_what_would_be_computed_otherwise_is_refused(
    kind: str, field_name: str, value: object, tmp_path: Path
) -> None:
    one = TOKENS[kind]
    write(tmp_path, one.tensors(), config_of(one, **{field_name: value}))
    with pytest.raises(UnusableCheckpointError, match=field_name):
        opened(tmp_path)


def test_the_older_field_of_two_counts(tmp_path: Path) -> None:
    one = TOKENS["clip"]
    tensors = one.tensors()
    config = {**config_of(one, num_attention_heads=16), "vision_config_dict": SETTINGS}
    assert_opens_as(write(tmp_path, tensors, config), lambda images: one.logits(tensors, images))


@pytest.mark.parametrize("inner", [None, [], "x", {"hidden_act": {}}])
def test_an_odd_inner_configuration_is_refused(inner: object, tmp_path: Path) -> None:
    one = TOKENS["siglip"]
    write(tmp_path, one.tensors(), {**config_of(one), "vision_config": inner})
    assert not inspect_checkpoint(tmp_path).usable


def test_without_a_configuration_heads_of_an_unusual_width_are_asked_for(tmp_path: Path) -> None:
    one = TOKENS["clip"]
    write(tmp_path, one.tensors(), {})
    with pytest.raises(UnusableCheckpointError, match=r"config\.json"):
        opened(tmp_path / "model.safetensors")


def test_without_a_configuration_a_table_tells_the_heads(tmp_path: Path) -> None:
    one = TOKENS["beit"]
    write(tmp_path, one.tensors(), {})
    found = opened(tmp_path / "model.safetensors")
    assert any("config.json" in problem for problem in found.spec.problems)
    assert found.network.get_submodule("blocks.0.attention").num_heads == HEADS


def test_a_number_of_heads_that_width_alone_tells_is_said(tmp_path: Path) -> None:
    width = 192
    tensors = {
        name: torch.randn([width if side == WIDTH else side for side in tensor.shape])
        for name, tensor in TOKENS["vit"].tensors().items()
    }
    write(tmp_path, tensors, {})
    found = opened(tmp_path / "model.safetensors")
    assert found.network.get_submodule("blocks.0.attention").num_heads == 3
    assert any("num_attention_heads" in problem for problem in found.spec.problems)


TEXT_HALF = {
    "text_model.embeddings.token_embedding.weight": torch.randn(50, WIDTH),
    "text_model.encoder.layers.0.mlp.fc1.weight": torch.randn(HIDDEN, WIDTH),
    "text_model.encoder.layers.0.self_attn.q_proj.weight": torch.randn(WIDTH, WIDTH),
    "text_projection.weight": torch.randn(16, WIDTH),
    "visual_projection.weight": torch.randn(16, WIDTH),
    "logit_scale": torch.tensor(2.0),
}


def test_the_half_for_text_is_left_out_and_said(tmp_path: Path) -> None:
    one = TOKENS["clip"]
    tensors = one.tensors()
    write(tmp_path, {**tensors, **TEXT_HALF}, config_of(one))
    model = assert_opens_as(tmp_path, lambda images: one.logits(tensors, images))
    assert set(model.spec.inspection.unexpected) == set(TEXT_HALF)
    assert any("left out" in problem for problem in model.spec.problems)


def test_two_halves_without_a_classifier_predict_nothing(tmp_path: Path) -> None:
    one = TOKENS["clip"]
    tensors = {name: one_ for name, one_ in one.tensors().items() if "classifier" not in name}
    write(tmp_path, {**tensors, **TEXT_HALF}, config_of(one))
    found = inspect_checkpoint(tmp_path)
    assert found.usable
    assert found.head is None


def test_what_a_file_claims_is_not_built(tmp_path: Path) -> None:
    one = TOKENS["beit"]
    tensors = dict(one.tensors())
    giant = 10**7
    for name, tensor in tensors.items():
        sides = [giant if side == WIDTH else side for side in tensor.shape]
        tensors[name] = torch.zeros(()).expand(sides)
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    assert not inspect_checkpoint(tmp_path / "pytorch_model.bin").usable


def test_attention_and_blocks_can_be_looked_at(tmp_path: Path) -> None:
    for kind, one in TOKENS.items():
        folder = tmp_path / kind
        folder.mkdir()
        network = opened(write(folder, one.tensors(), config_of(one))).network
        image = torch.randn(1, 3, IMAGE, IMAGE)
        maps = attention_maps(network, image, "blocks.1.attention")
        assert maps is not None
        assert maps.shape == (HEADS, SIDE, SIDE)
        assert [block.name for block in list_blocks(network)] == ["blocks.0", "blocks.1"]


# Networks without a class token


def batch_norm(width: int, name: str) -> dict[str, Tensor]:
    statistics = {"running_mean": torch.randn(width) / 10, "running_var": torch.rand(width) + 0.5}
    found = norm(width, name)
    return found | {f"{name}.{part}": tensor for part, tensor in statistics.items()}


def batch_normed(tensors: Tensors, name: str, values: Tensor, epsilon: float = 1e-5) -> Tensor:
    parts = ("running_mean", "running_var", "weight", "bias")
    return functional.batch_norm(
        values, *(tensors[f"{name}.{part}"] for part in parts), eps=epsilon
    )


def convolution(inputs: int, outputs: int, kernel: int, name: str) -> dict[str, Tensor]:
    scale = (2 / (inputs * kernel**2)) ** 0.5
    return {f"{name}.weight": torch.randn(outputs, inputs, kernel, kernel) * scale}


STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


def mobilenet() -> dict[str, Tensor]:
    found = convolution(3, 8, 3, "mobilenet_v1.conv_stem.convolution")
    found |= batch_norm(8, "mobilenet_v1.conv_stem.normalization")
    for number in range(26):
        at = f"mobilenet_v1.layer.{number}"
        found |= convolution(*((1, 8, 3) if number % 2 == 0 else (8, 8, 1)), f"{at}.convolution")
        found |= batch_norm(8, f"{at}.normalization")
    return found | layer(8, CLASSES, "classifier")


def mobilenet_logits(tensors: Tensors, images: Tensor, *, pads_as_tensorflow: bool) -> Tensor:
    values = images
    for number in range(-1, 26):
        at = f"mobilenet_v1.{'conv_stem' if number < 0 else f'layer.{number}'}"
        weight = tensors[f"{at}.convolution.weight"]
        stride = 2 if number < 0 else STRIDES[number // 2] if number % 2 == 0 else 1
        if weight.shape[2] == 3:
            is_after = pads_as_tensorflow and stride == 2 and values.shape[2] % 2 == 0
            values = functional.pad(values, (0, 1, 0, 1) if is_after else (1, 1, 1, 1))
        groups = values.shape[1] // weight.shape[1]
        values = functional.conv2d(values, weight, stride=stride, groups=groups)
        values = batch_normed(tensors, f"{at}.normalization", values, 0.001).clamp(0, 6)
    return linear(tensors, "classifier", values.mean((2, 3)))


@pytest.mark.parametrize("pads_as_tensorflow", [True, False])
@pytest.mark.parametrize("side", [64, 97])
def test_the_first_mobilenet(pads_as_tensorflow: bool, side: int, tmp_path: Path) -> None:
    tensors = mobilenet()
    config = {"model_type": "mobilenet_v1", "id2label": NAMES, "tf_padding": pads_as_tensorflow}

    def logits(images: Tensor) -> Tensor:
        return mobilenet_logits(tensors, images, pads_as_tensorflow=pads_as_tensorflow)

    assert_opens_as(write(tmp_path, tensors, config), logits, side)


def block_of_levit(
    inputs: int, inner: int, outputs: int, at: str, parts: tuple[tuple[str, int], ...]
) -> dict[str, Tensor]:
    found = {}
    for part, width in (*parts, (LAST_OF_LEVIT[parts[0][0]], outputs)):
        given = inner if part in LAST_OF_LEVIT.values() else inputs
        found |= layer(given, width, f"{at}.{part}.linear", bias=False)
        found |= batch_norm(width, f"{at}.{part}.batch_norm")
    return found


LAST_OF_LEVIT = {
    "queries_keys_values": "projection",
    "keys_values": "projection",
    "linear_up": "linear_down",
}
KEY, SIDE_OF_LEVIT = 4, 4


def levit() -> dict[str, Tensor]:
    """Return a LeViT of two stages of 16 and 24 numbers, with two heads and four."""
    found: dict[str, Tensor] = {}
    for number, (inputs, outputs) in enumerate(((3, 2), (2, 4), (4, 8), (8, 16)), start=1):
        at = f"levit.patch_embeddings.embedding_layer_{number}"
        found |= convolution(inputs, outputs, 3, f"{at}.convolution")
        found |= batch_norm(outputs, f"{at}.batch_norm")
    start = "levit.encoder.stages"
    attention = (("queries_keys_values", 4 * KEY * 2),)
    found |= block_of_levit(16, 2 * KEY * 2, 16, f"{start}.0.layers.0.module", attention)
    found |= block_of_levit(16, 32, 16, f"{start}.0.layers.1.module", (("linear_up", 32),))
    shrinking = (("keys_values", 5 * KEY * 4), ("queries", KEY * 4))
    found |= block_of_levit(16, 4 * KEY * 4, 24, f"{start}.0.layers.2", shrinking)
    attention = (("queries_keys_values", 4 * KEY * 3),)
    found |= block_of_levit(24, 2 * KEY * 3, 24, f"{start}.1.layers.0.module", attention)
    found[f"{start}.0.layers.0.module.attention_biases"] = torch.randn(2, SIDE_OF_LEVIT**2)
    found[f"{start}.0.layers.2.attention_biases"] = torch.randn(4, SIDE_OF_LEVIT**2)
    found[f"{start}.1.layers.0.module.attention_biases"] = torch.randn(3, SIDE_OF_LEVIT**2 // 4)
    for head in ("classifier", "classifier_distill"):
        found |= batch_norm(24, f"{head}.batch_norm")
        found |= layer(24, CLASSES, f"{head}.linear")
    return found


def of_levit(tensors: Tensors, name: str, values: Tensor) -> Tensor:
    values = linear(tensors, f"{name}.linear", values)
    return batch_normed(tensors, f"{name}.batch_norm", values.flatten(0, 1)).reshape_as(values)


def levit_attended(tensors: Tensors, at: str, values: Tensor, side: int) -> Tensor:
    """Return what attention gives, with each pair's bias looked up by itself."""
    table = tensors[f"{at}.attention_biases"]
    heads, kept = len(table), values
    if f"{at}.queries.linear.weight" in tensors:
        kept = values.unflatten(1, (side, side))[:, ::2, ::2].flatten(1, 2)
        query = of_levit(tensors, f"{at}.queries", kept).unflatten(2, (heads, -1))
        both = of_levit(tensors, f"{at}.keys_values", values).unflatten(2, (heads, -1))
        key, value = both[..., :KEY], both[..., KEY:]
    else:
        whole = of_levit(tensors, f"{at}.queries_keys_values", values).unflatten(2, (heads, -1))
        query, key, value = whole[..., :KEY], whole[..., KEY : 2 * KEY], whole[..., 2 * KEY :]
    stride, rows = (1, side) if kept is values else (2, (side + 1) // 2)
    weights = torch.einsum("nqhc,nkhc->nhqk", query, key) / math.sqrt(KEY)
    for one in range(rows * rows):
        for other in range(side * side):
            down = abs(one // rows * stride - other // side)
            right = abs(one % rows * stride - other % side)
            weights[:, :, one, other] += table[:, down * side + right]
    attended = torch.einsum("nhqk,nkhc->nqhc", weights.softmax(3), value).flatten(2)
    return of_levit(tensors, f"{at}.projection", functional.hardswish(attended))


def levit_logits(tensors: Tensors, images: Tensor) -> Tensor:
    values = images
    for number in range(1, 5):
        at = f"levit.patch_embeddings.embedding_layer_{number}"
        weight = tensors[f"{at}.convolution.weight"]
        values = functional.conv2d(values, weight, stride=2, padding=1)
        values = batch_normed(tensors, f"{at}.batch_norm", values)
        values = functional.hardswish(values) if number < 4 else values
    values = values.flatten(2).transpose(1, 2)
    first, second = "levit.encoder.stages.0.layers", "levit.encoder.stages.1.layers"
    values = values + levit_attended(tensors, f"{first}.0.module", values, SIDE_OF_LEVIT)
    inner = functional.hardswish(of_levit(tensors, f"{first}.1.module.linear_up", values))
    values = values + of_levit(tensors, f"{first}.1.module.linear_down", inner)
    values = levit_attended(tensors, f"{first}.2", values, SIDE_OF_LEVIT)
    values = values + levit_attended(tensors, f"{second}.0.module", values, SIDE_OF_LEVIT // 2)
    mean = values.mean(1)
    heads = [
        linear(tensors, f"{head}.linear", batch_normed(tensors, f"{head}.batch_norm", mean))
        for head in ("classifier", "classifier_distill")
        if f"{head}.linear.weight" in tensors
    ]
    return torch.stack(heads).mean(0)


LEVIT = {"model_type": "levit", "image_size": 16 * SIDE_OF_LEVIT, "id2label": NAMES}


@pytest.mark.parametrize("has_teacher", [True, False])
def test_levit(has_teacher: bool, tmp_path: Path) -> None:
    tensors = {
        name: tensor for name, tensor in levit().items() if has_teacher or "distill" not in name
    }
    folder = write(tmp_path, tensors, LEVIT)
    model = assert_opens_as(
        folder, lambda images: levit_logits(tensors, images), LEVIT["image_size"]
    )
    image = torch.randn(1, 3, LEVIT["image_size"], LEVIT["image_size"])
    maps = attention_maps(model.network, image, "stages.0.0")
    assert maps is not None
    assert maps.shape == (2, SIDE_OF_LEVIT, SIDE_OF_LEVIT)


def poolformer() -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    inputs = 3
    for stage, (width, kernel) in enumerate(((8, 7), (12, 3), (16, 3), (20, 3))):
        at = f"poolformer.encoder.patch_embeddings.{stage}.projection"
        found |= convolution(inputs, width, kernel, at) | {f"{at}.bias": torch.randn(width)}
        at = f"poolformer.encoder.block.{stage}.0"
        found |= norm(width, f"{at}.before_norm") | norm(width, f"{at}.after_norm")
        for number, sides in enumerate(((width, 2 * width), (2 * width, width)), start=1):
            found |= convolution(*sides, 1, f"{at}.output.conv{number}")
            found[f"{at}.output.conv{number}.bias"] = torch.randn(sides[1])
            found[f"{at}.layer_scale_{number}"] = torch.rand(width)
        inputs = width
    return found | norm(20, "norm") | layer(20, CLASSES, "classifier")


def poolformer_logits(tensors: Tensors, images: Tensor) -> Tensor:
    def group_normed(name: str, values: Tensor) -> Tensor:
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        return functional.group_norm(values, 1, weight, bias)

    def convolved(name: str, values: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        return functional.conv2d(values, weight, bias, stride, padding)

    values = images
    for stage, (stride, padding) in enumerate(((4, 2), (2, 1), (2, 1), (2, 1))):
        at = f"poolformer.encoder.patch_embeddings.{stage}.projection"
        values = convolved(at, values, stride, padding)
        at = f"poolformer.encoder.block.{stage}.0"
        one, two = (tensors[f"{at}.layer_scale_{number}"].reshape(-1, 1, 1) for number in (1, 2))
        before = group_normed(f"{at}.before_norm", values)
        pooled = functional.avg_pool2d(before, 3, 1, 1, count_include_pad=False)
        values = values + one * (pooled - before)
        inner = convolved(f"{at}.output.conv1", group_normed(f"{at}.after_norm", values))
        values = values + two * convolved(f"{at}.output.conv2", functional.gelu(inner))
    return linear(tensors, "classifier", group_normed("norm", values).mean((2, 3)))


POOLFORMER = {"model_type": "poolformer", "id2label": NAMES}


def test_poolformer(tmp_path: Path) -> None:
    tensors = poolformer()
    folder = write(tmp_path, tensors, POOLFORMER)
    model = assert_opens_as(folder, lambda images: poolformer_logits(tensors, images), 96)
    assert len(list_blocks(model.network)) == 4


@pytest.mark.parametrize(
    ("make", "field_name", "value"),
    [
        (mobilenet, "hidden_act", "laplace"),
        (mobilenet, "tf_padding", "no"),
        (mobilenet, "layer_norm_eps", 0),
        (levit, "image_size", 224),
        (levit, "stride", 1),
        (levit, "patch_size", [16, 16]),
        (poolformer, "strides", [2, 2, 2, 2]),
        (poolformer, "padding", "same"),
        (poolformer, "pool_size", 5),
        (poolformer, "hidden_act", None),
    ],
)
def test_odd_configurations_of_the_others_are_refused(
    make: Callable[[], dict[str, Tensor]], field_name: str, value: object, tmp_path: Path
) -> None:
    kind = {mobilenet: "mobilenet_v1", levit: "levit", poolformer: "poolformer"}[make]
    usual = {"image_size": LEVIT["image_size"]} if make is levit else {}
    config = {"model_type": kind, **usual, "id2label": NAMES, field_name: value}
    write(tmp_path, make(), config)
    with pytest.raises(UnusableCheckpointError, match=field_name):
        opened(tmp_path)


@pytest.mark.parametrize("make", [mobilenet, levit, poolformer])
def test_parts_that_do_not_fit_are_refused(
    make: Callable[[], dict[str, Tensor]], tmp_path: Path
) -> None:
    """Each parameter by itself in another shape, or left out."""
    tensors = make()
    write(tmp_path, tensors, {})
    for name in list(tensors)[::7]:
        if "classif" in name:
            continue
        for odd in (None, torch.randn(3), torch.randn(5, 7, 1, 1), torch.randn(0, 8)):
            changed = {key: tensor for key, tensor in tensors.items() if key != name}
            save_file(
                changed if odd is None else {**changed, name: odd}, tmp_path / "model.safetensors"
            )
            assert not inspect_checkpoint(tmp_path / "model.safetensors").usable


SMALL: dict[str, tuple[Callable[[], dict[str, Tensor]], dict[str, Any], int]] = {
    **{kind: (one.tensors, config_of(one), IMAGE) for kind, one in TOKENS.items()},
    "mobilenet_v1": (mobilenet, {"model_type": "mobilenet_v1", "id2label": NAMES}, 64),
    "levit": (levit, LEVIT, LEVIT["image_size"]),
    "poolformer": (poolformer, POOLFORMER, 96),
}


@pytest.mark.filterwarnings("ignore")  # the exporter's, for programmers
@pytest.mark.parametrize("kind", SMALL)
def test_all_can_be_converted(kind: str, tmp_path: Path) -> None:
    make, config, side = SMALL[kind]
    network = opened(write(tmp_path, make(), config)).network
    used = Preprocessing(resize=side, crop=(side, side))
    export(network, used, tmp_path / "network.onnx")
    converted = OnnxBackend((tmp_path / "network.onnx").read_bytes(), used)
    pixels = probe_batch(used)
    expected = EagerBackend(network, used, "cpu").begin(pixels, lambda logits: logits)()
    found = converted.begin(pixels, lambda logits: logits)()
    converted.close()
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize("kind", SMALL)
def test_all_show_where_they_find_a_class(kind: str, tmp_path: Path) -> None:
    make, config, side = SMALL[kind]
    network = opened(write(tmp_path, make(), config)).network
    found = class_activation(network, torch.randn(1, 3, side, side), [0, 2])
    assert found.maps.shape[1] > 1
    assert abs(found.maps).max() > 0


def test_attention_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    """A table for many patches has few numbers itself."""
    side = 120
    tensors = TOKENS["beit"].tensors()
    for name, tensor in tensors.items():
        if name.endswith("table"):
            tensors[name] = torch.zeros((2 * side - 1) ** 2 + 3, HEADS)
        elif "projection" in name and tensor.ndim == 4:
            tensors[name] = torch.zeros(WIDTH, 3, 1, 1)
    write(tmp_path, tensors, config_of(TOKENS["beit"], image_size=side, patch_size=1))
    found = inspect_checkpoint(tmp_path)
    assert not found.usable
    assert "GB" in found.summary
