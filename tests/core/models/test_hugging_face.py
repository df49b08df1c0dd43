"""Hugging Face's image classifiers: their names, their config.json, their folders."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from core.cli.main import main
from core.errors import UnusableCheckpointError
from core.images.preprocessing import Preprocessing
from core.models.building import build_network
from core.models.families.hugging_face import KINDS
from core.models.recognition.image_processors import from_processor
from core.models.sources import is_model, source_of
from core.models.sources.checkpoint.saving import save_model
from core.models.sources.checkpoint.source import OpenedModel, inspect_checkpoint, open_model
from core.models.sources.checkpoint.stored import CheckpointFile
from core.values.spec import ModelChoice, NamedBy
from tests.networks import trained

NAMES = {"0": "Katze", "1": "Hund", "2": "Maus"}


def as_resnet(name: str) -> str:
    name = re.sub(r"^conv1\.", "embedder.embedder.convolution.", name)
    name = re.sub(r"^bn1\.", "embedder.embedder.normalization.", name)
    stage = re.match(r"layer(\d)\.(\d+)\.(.+)", name)
    if stage is None:
        return name.replace("fc.", "//classifier.1.")
    start = f"encoder.stages.{int(stage[1]) - 1}.layers.{stage[2]}"
    part, at, rest = re.match(r"(conv|bn|downsample\.)(\d)\.(.+)", stage[3]).groups()  # type: ignore[union-attr]
    if part == "downsample.":
        return f"{start}.shortcut.{('convolution', 'normalization')[int(at)]}.{rest}"
    kind = {"conv": "convolution", "bn": "normalization"}[part]
    return f"{start}.layer.{int(at) - 1}.{kind}.{rest}"


def as_regnet(name: str) -> str:
    kinds = ("convolution", "normalization")
    name = re.sub(r"^stem\.(\d)", lambda it: f"embedder.embedder.{kinds[int(it[1])]}", name)
    name = re.sub(
        r"^trunk_output\.block\d\.block(\d)-(\d+)",
        lambda it: f"encoder.stages.{int(it[1]) - 1}.layers.{it[2]}",
        name,
    )
    name = re.sub(r"\.proj\.(\d)", lambda it: f".shortcut.{kinds[int(it[1])]}", name)
    name = re.sub(r"\.f\.([abc])\.(\d)", lambda it: f".layer.{it[1]}.{kinds[int(it[2])]}", name)
    name = name.replace(".f.se.fc1", ".layer.2.attention.0").replace(
        ".f.se.fc2", ".layer.2.attention.2"
    )
    return name.replace("fc.", "//classifier.1.") if name.startswith("fc.") else name


def with_numbers(names: dict[str, Tensor]) -> dict[str, Tensor]:
    """Number the convolutions of a RegNet's blocks; squeeze and excitation takes a number."""
    last = 3 if any("attention" in name for name in names) else 2
    numbers = {"a": 0, "b": 1, "c": last}
    return {
        re.sub(r"layer\.([abc])", lambda it: f"layer.{numbers[it[1]]}", name): tensor
        for name, tensor in names.items()
    }


def as_vit(name: str) -> str:
    for old, new in (
        ("class_token", "embeddings.cls_token"),
        ("encoder.pos_embedding", "embeddings.position_embeddings"),
        ("conv_proj", "embeddings.patch_embeddings.projection"),
        ("encoder.layers.encoder_layer_", "encoder.layer."),
        ("encoder.ln.", "layernorm."),
        ("ln_1", "layernorm_before"),
        ("ln_2", "layernorm_after"),
        ("self_attention.in_proj_", "attention.attention.qkv."),
        ("self_attention.out_proj", "attention.output.dense"),
        ("mlp.0", "intermediate.dense"),
        ("mlp.3", "output.dense"),
        ("heads.head", "//classifier"),
    ):
        name = name.replace(old, new)
    return name


def as_stage(name: str) -> tuple[str, str]:
    """Return the place of a "features.N" that alternates stages and what is between them."""
    match = re.match(r"features\.(\d)\.(.+)", name)
    if match is None:
        return "", name
    number = int(match[1])
    return (f"{number // 2 - (number % 2 == 0)}" if number else "stem"), match[2]


def as_convnext(name: str) -> str:
    stage, rest = as_stage(name)
    if stage == "stem":
        return f"embeddings.{('patch_embeddings', 'layernorm')[int(rest[0])]}{rest[1:]}"
    if not stage:
        return name.replace("classifier.0", "layernorm").replace("classifier.2", "//classifier")
    number = int(name[9])
    if number % 2 == 0:
        return f"encoder.stages.{number // 2}.downsampling_layer.{rest}"
    for old, new in (
        ("layer_scale", "layer_scale_parameter"),
        ("block.0", "dwconv"),
        ("block.2", "layernorm"),
        ("block.3", "pwconv1"),
        ("block.5", "pwconv2"),
    ):
        rest = rest.replace(old, new)
    return f"encoder.stages.{number // 2}.layers.{rest}"


def as_swin(name: str) -> str:
    stage, rest = as_stage(name)
    if stage == "stem":
        return f"embeddings.{'patch_embeddings.projection' if rest[0] == '0' else 'norm'}{rest[1:]}"
    if not stage:
        return re.sub(r"^norm\.", "layernorm.", name.replace("head.", "//classifier."))
    number = int(name[9])
    if number % 2 == 0:
        return f"encoder.layers.{number // 2 - 1}.downsample.{rest}"
    for old, new in (
        ("norm1", "layernorm_before"),
        ("norm2", "layernorm_after"),
        ("attn.qkv", "attention.self.qkv"),
        ("attn.proj", "attention.output.dense"),
        ("attn.relative", "attention.self.relative"),
        ("attn.logit_scale", "attention.self.logit_scale"),
        ("attn.cpb_mlp", "attention.self.continuous_position_bias_mlp"),
        (".mlp.0", ".intermediate.dense"),
        (".mlp.3", ".output.dense"),
    ):
        rest = rest.replace(old, new)
    return f"encoder.layers.{number // 2}.blocks.{rest}"


def as_mobilenet(name: str) -> str:
    kinds = ("convolution", "normalization")
    match = re.match(r"features\.(\d+)\.(.+)", name)
    if match is None:
        return name.replace("classifier.1", "//classifier")
    block, rest = int(match[1]), match[2].removeprefix("conv.").split(".")
    if block in (0, 18):
        start = "conv_stem.first_conv" if block == 0 else "conv_1x1"
        return f"{start}.{kinds[int(rest[0])]}.{rest[1]}"
    parts = ["conv_3x3"] if block == 1 else ["expand_1x1", "conv_3x3"]
    start = "conv_stem" if block == 1 else f"layer.{block - 2}"
    at = int(rest[0])
    if at < len(parts):
        return f"{start}.{parts[at]}.{kinds[int(rest[1])]}.{rest[2]}"
    return f"{start}.reduce_1x1.{kinds[at - len(parts)]}.{rest[1]}"


def as_efficientnet(name: str) -> str:
    match = re.match(r"features\.(\d+)\.(.+)", name)
    if match is None:
        return name.replace("classifier.1", "//classifier")
    stage, rest = int(match[1]), match[2].split(".")
    if stage in (0, 8):
        start = ("embeddings.convolution", "embeddings.batchnorm")
        start = start if stage == 0 else ("encoder.top_conv", "encoder.top_bn")
        return f"{start[int(rest[0])]}.{rest[1]}"
    number = sum((1, 2, 2, 3, 3, 4, 1)[: stage - 1]) + int(rest[0])
    parts: list[Any] = [
        ("expansion.expand_conv", "expansion.expand_bn"),
        ("depthwise_conv.depthwise_conv", "depthwise_conv.depthwise_norm"),
        {"fc1": "squeeze_excite.reduce", "fc2": "squeeze_excite.expand"},
        ("projection.project_conv", "projection.project_bn"),
    ]
    part = parts[1:][int(rest[2])] if stage == 1 else parts[int(rest[2])]
    layer = part[rest[3]] if isinstance(part, dict) else part[int(rest[3])]
    return f"encoder.blocks.{number}.{layer}.{rest[4]}"


AS: dict[str, tuple[Callable[[str], str], str, dict[str, Any]]] = {
    "resnet18": (as_resnet, "resnet", {"layer_type": "basic"}),
    "resnet50": (as_resnet, "resnet", {}),
    "regnet_y_400mf": (as_regnet, "regnet", {}),
    "regnet_x_400mf": (as_regnet, "regnet", {}),
    "vit_b_32": (as_vit, "vit", {"layer_norm_eps": 1e-6, "patch_size": 32}),
    "convnext_tiny": (as_convnext, "convnext", {"layer_norm_eps": 1e-6}),
    "swin_t": (as_swin, "swin", {}),
    "swin_v2_t": (as_swin, "swinv2", {"window_size": 8, "image_size": 256}),
    "mobilenet_v2": (as_mobilenet, "mobilenet_v2", {"tf_padding": False, "layer_norm_eps": 1e-5}),
    "efficientnet_b0": (as_efficientnet, "efficientnet", {"batch_norm_eps": 1e-5}),
}


def state_dict(architecture: str, network: nn.Module) -> dict[str, Tensor]:
    """Return a network's parameters by the names of transformers."""
    rename, prefix, _ = AS[architecture]
    found = {rename(name): tensor for name, tensor in network.state_dict().items()}
    found = with_numbers(found) if prefix == "regnet" else found
    whole: dict[str, Tensor] = {}
    for name, tensor in found.items():
        if "relative_position_index" in name:
            tensor = tensor.reshape(math.isqrt(len(tensor)), -1)
        if ".qkv." in name:
            for word, part in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                whole[f"{prefix}.{name.replace('qkv', word)}"] = part.contiguous()
        else:
            is_outside = name.startswith("//")
            whole[name[2:] if is_outside else f"{prefix}.{name}"] = tensor.contiguous()
    return {name: tensor for name, tensor in whole.items() if not is_unwritten(prefix, name)}


def is_unwritten(prefix: str, name: str) -> bool:
    """Return whether a network has no such parameter, for which torchvision's has zeros."""
    return prefix == "swinv2" and name.endswith("self.key.bias")


def write(folder: Path, architecture: str, network: nn.Module, **settings: object) -> Path:
    """Write a folder as ``save_pretrained`` does; return it."""
    _, kind, own = AS[architecture]
    save_file(state_dict(architecture, network), folder / "model.safetensors", {"format": "pt"})
    config = {"model_type": kind, "id2label": NAMES, **own, **settings}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def opened(path: Path) -> OpenedModel:
    return open_model(ModelChoice(checkpoint=path))


def assert_equal(found: nn.Module, reference: nn.Module, size: int = 224) -> None:
    image = torch.randn(2, 3, size, size)
    with torch.no_grad():
        wanted = reference(image)
        assert (found(image) - wanted).abs().max() < 1e-5 * max(1, float(wanted.abs().max()))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a folder with a small network."""
    return write(tmp_path, "mobilenet_v2", trained("mobilenet_v2", 3))


@pytest.mark.parametrize("architecture", AS)
def test_every_family_computes_the_same(architecture: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = trained(architecture, 3)
    model = opened(write(tmp_path, architecture, network))
    if architecture == "efficientnet_b0":
        pad_unevenly(network, lambda half: (half - 1, half))
    assert model.spec.architecture == architecture
    assert model.spec.class_names == tuple(NAMES.values())
    assert model.spec.class_names_source.by is NamedBy.SIDECAR
    assert model.spec.problems == ()
    assert_equal(model.network, network, AS[architecture][2].get("image_size", 224))


def pad_unevenly(network: nn.Module, edges: Callable[[int], tuple[int, int]]) -> None:
    """Let a network's strided convolutions pad before and after as told by half their size."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.Conv2d) and layer.stride != (1, 1):
            before, after = edges(layer.kernel_size[0] // 2)
            layer.padding = (0, 0)
            parent, _, last = name.rpartition(".")
            pad = nn.ZeroPad2d((before, after, before, after))
            setattr(network.get_submodule(parent), last, nn.Sequential(pad, layer))


@pytest.mark.parametrize(("size", "edges"), [(224, (0, 1)), (193, (1, 1))])
def test_tensorflows_padding_follows_the_input(
    size: int, edges: tuple[int, int], tmp_path: Path
) -> None:
    network = trained("mobilenet_v2", 3)
    model = opened(write(tmp_path, "mobilenet_v2", network, tf_padding=True))
    pad_unevenly(network, lambda half: edges)  # each map of 193 is odd again: 97, 49, 25, 13
    assert_equal(model.network, network, size)


def test_some_blocks_pad_evenly(tmp_path: Path) -> None:
    network = trained("efficientnet_b0", 3)
    model = opened(write(tmp_path, "efficientnet_b0", network, depthwise_padding=list(range(16))))
    first = network.get_submodule("features.0.0")
    pad_unevenly(network, lambda half: (half, half))
    network.get_submodule("features.0").__setattr__(
        "0", nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), first)
    )
    assert_equal(model.network, network)


def test_epsilons_are_those_of_the_configuration(tmp_path: Path) -> None:
    for architecture, places in (
        ("swin_t", r"norm|features\.\d\.\d+\.norm\d"),
        ("convnext_tiny", r"classifier\.0"),
    ):
        network = trained(architecture, 3)
        model = opened(write(tmp_path, architecture, network, layer_norm_eps=1e-2))
        for name, module in network.named_modules():
            if re.fullmatch(places, name):
                module.eps = 1e-2  # type: ignore[assignment]
        assert_equal(model.network, network)


def test_a_stride_in_the_first_convolution_is_carried_into_saved_models(tmp_path: Path) -> None:
    network = trained("resnet50", 3)
    model = opened(write(tmp_path, "resnet50", network, downsample_in_bottleneck=True))
    for stage in (2, 3, 4):
        network.get_submodule(f"layer{stage}.0.conv1").stride = (2, 2)  # type: ignore[assignment]
        network.get_submodule(f"layer{stage}.0.conv2").stride = (1, 1)  # type: ignore[assignment]
    assert_equal(model.network, network)
    assert model.spec.inspection.changes
    saved = tmp_path / "saved" / "mine.safetensors"
    saved.parent.mkdir()
    assert model.plan is not None
    save_model(model.network, model.spec, model.plan, saved)
    assert_equal(opened(saved).network, network)


# What only the configuration tells


def lacking(architecture: str, folder: Path, **settings: object) -> Path:
    """Write a folder whose parameters are one number each, which is enough to be recognised."""
    shapes = state_dict(architecture, build_network(architecture))
    content = {
        name: torch.zeros(()).expand(tensor.shape) if tensor.is_floating_point() else tensor
        for name, tensor in shapes.items()
    }
    torch.save(content, folder / "pytorch_model.bin")
    _, kind, own = AS[architecture]
    config = {"model_type": kind, "id2label": NAMES, **own, **settings}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("architecture", "field", "value"),
    [
        ("resnet18", "hidden_act", "gelu"),
        ("resnet18", "downsample_in_first_stage", True),
        ("regnet_x_400mf", "downsample_in_first_stage", False),
        ("regnet_x_400mf", "hidden_act", None),
        ("convnext_tiny", "hidden_act", "relu"),
        ("convnext_tiny", "layer_norm_eps", "1e-6"),
        ("convnext_tiny", "layer_norm_eps", -1.0),
        ("convnext_tiny", "layer_norm_eps", True),
        ("vit_b_32", "num_attention_heads", 8),
        ("vit_b_32", "hidden_act", "quick_gelu"),
        ("vit_b_32", "image_size", [112, 448]),
        ("vit_b_32", "image_size", 384),
        ("swin_t", "use_absolute_embeddings", True),
        ("swin_v2_t", "window_size", 16),
        ("swin_v2_t", "image_size", 224),
        ("swin_v2_t", "pretrained_window_sizes", [12, 12, 12, 6]),
        ("mobilenet_v2", "output_stride", 16),
        ("mobilenet_v2", "tf_padding", [[[]]]),
        ("efficientnet_b0", "pooling_type", "max"),
        ("efficientnet_b0", "strides", [1, 2, 2, 1, 1, 2, 1]),
    ],
)
def test_what_torchvision_computes_otherwise_is_refused(
    architecture: str, field: str, value: object, tmp_path: Path
) -> None:
    folder = lacking(architecture, tmp_path, **{field: value})
    with pytest.raises(UnusableCheckpointError, match=field):
        opened(folder)
    assert not inspect_checkpoint(folder).usable


def test_without_a_configuration_the_usual_one_is_assumed_and_said(small: Path) -> None:
    (small / "config.json").unlink()
    file = small / "model.safetensors"
    found = opened(file)
    assert any("config.json" in problem for problem in found.spec.problems)
    assert found.network.get_submodule("features.0.1").eps == 1e-3
    assert found.spec.class_names_source.by is NamedBy.NOBODY


def test_the_largest_need_no_configuration(tmp_path: Path) -> None:
    """Only one number of heads divides their width as torchvision's does."""
    AS["vit_l_32"] = (as_vit, "vit", {})
    folder = lacking("vit_l_32", tmp_path)
    del AS["vit_l_32"]
    (folder / "config.json").unlink()
    with pytest.raises(UnusableCheckpointError, match="repeats"):  # that is all that is wrong
        opened(folder / "pytorch_model.bin")


def test_what_must_be_configured_is_asked_for(tmp_path: Path) -> None:
    folder = lacking("swin_v2_t", tmp_path)
    (folder / "config.json").unlink()
    with pytest.raises(UnusableCheckpointError, match=r"without its config\.json"):
        opened(folder / "pytorch_model.bin")


def test_names_that_mean_the_same_are_refused(small: Path) -> None:
    tensors = state_dict("efficientnet_b0", trained("efficientnet_b0", 3))
    prefix, rest = "efficientnet.", "blocks.0.depthwise_conv.depthwise_norm.weight"
    tensors[f"{prefix}blocks.0.0.{rest.split('.', 2)[2]}"] = tensors[f"{prefix}encoder.{rest}"] + 1
    save_file(tensors, small / "model.safetensors")
    assert not inspect_checkpoint(small).usable


def test_a_configuration_of_another_network_is_not_used(small: Path) -> None:
    (small / "config.json").write_text('{"model_type": "bert", "layer_norm_eps": 0.5}')
    found = opened(small)
    assert any("config.json" in problem for problem in found.spec.problems)
    assert found.network.get_submodule("features.0.1").eps == 1e-3


@pytest.mark.parametrize(
    ("problem", "outputs"),
    [
        ("multi_label_classification", "sigmoid"),
        ("single_label_classification", "softmax"),
        ("regression", "value"),
        (None, "softmax"),
        ([], "softmax"),
    ],
)
def test_the_kind_of_problem_says_what_the_outputs_are(
    problem: object, outputs: str, small: Path
) -> None:
    config = json.loads((small / "config.json").read_text(encoding="utf-8"))
    (small / "config.json").write_text(json.dumps({**config, "problem_type": problem}))
    assert inspect_checkpoint(small).outputs == outputs


def test_one_output_is_a_value(tmp_path: Path) -> None:
    folder = write(tmp_path, "mobilenet_v2", trained("mobilenet_v2", 1), id2label={"0": "LABEL_0"})
    found = inspect_checkpoint(folder)
    assert found.outputs == "value"
    assert any("trains as a number" in problem for problem in found.problems)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, ("a", "b", "c")),
        ({"id2label": None, "label2id": {"b": 1, "a": 0, "c": 2}}, ("a", "b", "c")),
        ({"id2label": None, "label2id": {"1": 0, "0": 1, "2": 2}}, ("1", "0", "2")),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}, None),
        ({"id2label": {"0": "a", "2": "c"}}, None),
        ({"id2label": [["a"]]}, None),
    ],
)
def test_class_names(
    settings: dict[str, object], names: tuple[str, ...] | None, small: Path
) -> None:
    config = json.loads((small / "config.json").read_text(encoding="utf-8"))
    (small / "config.json").write_text(json.dumps({**config, **settings}), encoding="utf-8")
    found = inspect_checkpoint(small)
    assert found.class_names_source is not None
    if names is None:
        assert found.class_names_source.by is NamedBy.NOBODY
    else:
        assert found.class_names == names


# Folders


def test_a_folder_is_a_model(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_model(small)
    assert source_of(small).name == "checkpoint"
    assert opened(small).spec.checkpoint == small / "model.safetensors"
    assert main(["inspect", str(small), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["architecture"] == "mobilenet_v2"
    (small / "config.json").unlink()
    assert not is_model(small)


def test_a_folder_with_an_older_file(tmp_path: Path) -> None:
    network = trained("mobilenet_v2", 3)
    write(tmp_path, "mobilenet_v2", network)
    (tmp_path / "model.safetensors").unlink()
    torch.save(state_dict("mobilenet_v2", network), tmp_path / "pytorch_model.bin")
    assert is_model(tmp_path)
    assert_equal(opened(tmp_path).network, network)


def test_a_model_in_several_files_is_refused(small: Path) -> None:
    (small / "model.safetensors").rename(small / "model-00001-of-00002.safetensors")
    (small / "model.safetensors.index.json").write_text("{}")
    assert is_model(small)
    with pytest.raises(UnusableCheckpointError, match="max_shard_size"):
        opened(small)
    assert not source_of(small).inspect(small).usable


def test_one_of_several_files_is_refused(tmp_path: Path) -> None:
    tensors = state_dict("mobilenet_v2", trained("mobilenet_v2", 3))
    part = dict(list(tensors.items())[:150])
    path = tmp_path / "model-00001-of-00002.safetensors"
    save_file(part, path)
    with pytest.raises(UnusableCheckpointError, match="max_shard_size"):
        opened(path)


def test_folders_of_photos_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert not is_model(tmp_path)
    (tmp_path / "model.safetensors").mkdir()
    assert not is_model(tmp_path)
    assert not is_model(Path("bad\0name"))


# What does not open


def foreign(folder: Path, names: list[str], config: str = "") -> Path:
    save_file({name: torch.zeros(2, 2) for name in names}, folder / "model.safetensors")
    if config:
        (folder / "config.json").write_text(config)
    return folder / "model.safetensors"


@pytest.mark.parametrize(
    "kind", [kind for kind, found in KINDS.items() if not found.opens and found.title != "timm"]
)
def test_others_are_refused_by_the_name_in_their_configuration(kind: str, tmp_path: Path) -> None:
    path = foreign(tmp_path, ["classifier.weight"], json.dumps({"model_type": kind}))
    with pytest.raises(UnusableCheckpointError, match=re.escape(KINDS[kind].title)):
        opened(path)


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("BEiT", ["beit.embeddings.cls_token", "classifier.weight"]),
        ("DINOv2", ["dinov2.embeddings.cls_token"]),
        ("DINOv2 with registers", ["dinov2_with_registers.embeddings.cls_token"]),
        ("CLIP", ["vision_model.embeddings.class_embedding", "vision_model.post_layernorm.bias"]),
        ("SigLIP", ["vision_model.embeddings.patch_embedding.bias", "vision_model.head.probe"]),
        ("LeViT", ["levit.patch_embeddings.embedding_layer_1.convolution.weight"]),
        ("PoolFormer", ["poolformer.encoder.patch_embeddings.0.projection.bias"]),
        ("MobileNet V1", ["mobilenet_v1.conv_stem.convolution.weight"]),
        ("CvT", ["cvt.encoder.stages.0.embedding.convolution_embeddings.projection.bias"]),
        ("ViT", ["vit.embeddings.patch_embeddings.projection.weight"]),
    ],
)
def test_others_are_refused_by_their_names(title: str, names: list[str], tmp_path: Path) -> None:
    with pytest.raises(UnusableCheckpointError, match=f"an? {title} of Hugging Face"):
        opened(foreign(tmp_path, names))


def test_unknown_networks_are_named_as_their_configuration_does(tmp_path: Path) -> None:
    config = {"model_type": "new", "architectures": ["NewForImageClassification"]}
    path = foreign(tmp_path, ["new.weight"], json.dumps(config))
    with pytest.raises(UnusableCheckpointError, match="NewForImageClassification"):
        opened(path)


def test_a_configuration_beside_somebody_elses_file_names_nothing(tmp_path: Path) -> None:
    path = foreign(tmp_path, ["odd.weight"], '{"model_type": "beit"}')
    other = path.rename(tmp_path / "mine.safetensors")
    with pytest.raises(UnusableCheckpointError) as refusal:
        opened(other)
    assert "BEiT" not in str(refusal.value)


HOSTILE = [
    "",
    "[" * 100_000,
    '{"model_type": ' + "[" * 500 + "]" * 500 + "}",
    '{"model_type": "mobilenet_v2", "tf_padding": ' + "[" * 900 + "]" * 900 + "}",
    '{"model_type": "mobilenet_v2", "layer_norm_eps": 1e999}',
    '{"model_type": "mobilenet_v2", "layer_norm_eps": NaN}',
    '{"model_type": "mobilenet_v2", "hidden_act": "' + "x" * 10**6 + '"}',
    '{"model_type": "mobilenet_v2", "output_stride": ' + "9" * 4000 + "}",
    '{"model_type": "mobilenet_v2", "output_stride": ' + "9" * 5000 + "}",
    '{"model_type": {}, "architectures": {}, "id2label": 3, "label2id": {"a": {}}}',
    '{"model_type": "new\\u202e\\u0000", "architectures": [7]}',
    '{"id2label": {"0": "' + "n" * 10**6 + '", "1": "b", "2": "c"}}',
    "null",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]


@pytest.mark.parametrize("config", HOSTILE)
def test_hostile_configurations_end_in_an_answer(config: str, small: Path) -> None:
    (small / "config.json").write_text(config, encoding="latin-1")
    (small / "preprocessor_config.json").write_text(config, encoding="latin-1")
    found = inspect_checkpoint(small)
    assert found.summary
    assert len(found.summary) < 2000
    foreign(small, ["odd.weight"])
    assert not inspect_checkpoint(small).usable


def test_joined_parts_that_share_their_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableCheckpointError, match="repeats"):
        opened(lacking("vit_b_32", tmp_path))


def test_parts_are_read_where_they_lie(tmp_path: Path) -> None:
    first, second = torch.randn(2, 3), torch.randn(4, 3)
    torch.save({"a": first, "b": second}, tmp_path / "parts.pth")
    with CheckpointFile(tmp_path / "parts.pth") as file:
        from core.models.sources.checkpoint.reading import read_checkpoint

        content = read_checkpoint(file).content
        whole = file.joined([content["a"], content["b"]])
        assert torch.equal(file.take(whole), torch.cat([first, second]))
        assert torch.equal(file.take(whole[1:3, 1:]), torch.cat([first, second])[1:3, 1:])
        assert file.stored_bytes([whole, content["a"]]) == 18 * 4
        assert file.holds(whole)


# Preprocessing


def processor(name: str = "ViTImageProcessor", **settings: object) -> dict[str, object]:
    values = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "size": 224}
    return {"image_processor_type": name, **values, **settings}


WANTED = Preprocessing(
    resize=(224, 224), crop=None, mean=(0.5,) * 3, std=(0.25,) * 3, transparency="dropped"
)


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (processor(), {}),
        (processor("ViTFeatureExtractor"), {}),
        (processor("ViTImageProcessorFast", resample=3), {"interpolation": "bicubic"}),
        (processor(size={"height": 200, "width": 300}), {"resize": (200, 300)}),
        (processor(size=[200, 300]), {"resize": (200, 300)}),
        (processor(do_normalize=False), {"mean": (0.0,) * 3, "std": (1.0,) * 3}),
        (processor(do_rescale=False), {"scale": 255.0}),
        (processor(rescale_factor=1 / 127.5), {"scale": 2.0}),
        (
            processor(do_resize=False, do_center_crop=True, crop_size=96),
            {"resize": None, "crop": (96, 96)},
        ),
        (
            processor("DeiTImageProcessor", size=256),
            {"resize": (256, 256), "crop": (224, 224), "interpolation": "bicubic"},
        ),
        (
            processor("CLIPFeatureExtractor", crop_size=200),
            {"resize": 224, "crop": (200, 200), "interpolation": "bicubic"},
        ),
        (
            processor("ConvNextFeatureExtractor", crop_pct=0.875),
            {"resize": 256, "crop": (224, 224), "interpolation": "bicubic"},
        ),
        (
            processor("ConvNextImageProcessor", size={"shortest_edge": 384}),
            {"resize": (384, 384), "interpolation": "bicubic"},
        ),
        (
            processor("LevitFeatureExtractor", crop_size=190, size=196),
            {"resize": 224, "crop": (190, 190), "interpolation": "bicubic"},
        ),
        (
            processor("LevitImageProcessor", size={"height": 240, "width": 230}),
            {"resize": (240, 230), "crop": (224, 224), "interpolation": "bicubic"},
        ),
        (
            processor("PoolFormerImageProcessor"),
            {"resize": 248, "crop": (224, 224), "interpolation": "bicubic"},
        ),
        (
            processor("PoolFormerImageProcessor", crop_pct=1.0, size=[240, 240]),
            {"resize": 240, "crop": (224, 224), "interpolation": "bicubic"},
        ),
        (
            processor("MobileNetV2ImageProcessor", size={"shortest_edge": 256}),
            {"resize": 256, "crop": (224, 224)},
        ),
        (
            processor("EfficientNetImageProcessor", rescale_offset=True, rescale_factor=1 / 127.5),
            {"interpolation": "bicubic", "scale": 2.0, "mean": (1.5,) * 3, "std": (0.0625,) * 3},
        ),
        (
            processor(image_mean=[0.5], image_std=[0.25]),
            {"channel_order": "grey", "mean": (0.5,), "std": (0.25,)},
        ),
    ],
)
def test_image_processors(config: dict[str, object], fields: dict[str, object]) -> None:
    found, problems = from_processor(config)
    assert found is not None
    assert found.to_json() == {**WANTED.to_json(), **json.loads(json.dumps(fields))}
    assert bool(problems) == (found.crop is not None and not isinstance(found.resize, tuple))


def test_a_middle_between_two_pixels_is_noted() -> None:
    for size, count in (([254, 254], 0), ([255, 254], 1)):
        assert len(from_processor(processor("DeiTImageProcessor", size=size))[1]) == count


@pytest.mark.parametrize(
    "config",
    [
        processor("OddImageProcessor"),
        processor("PoolFormerImageProcessor", crop_pct=0),
        processor("PoolFormerImageProcessor", crop_pct=None),
        processor("x" * 10**6),
        processor(size={"shortest_edge": 224}),
        processor(size={"shortest_edge": 224, "longest_edge": 300}),
        processor(size={"max_height": 224, "max_width": 300}),
        processor(size=True),
        processor(size=10**9),
        processor(size=[]),
        processor(size=1e999),
        processor(resample=-1),
        processor(resample="bicubic"),
        processor(do_resize="no"),
        processor(do_pad=True),
        processor(image_mean=None),
        processor(image_std=[0, 0, 0]),
        processor(image_std=[[[]]]),
        processor(rescale_factor={}),
        processor("ConvNextImageProcessor", crop_pct=0),
        processor("ConvNextImageProcessor", size={"height": 224, "width": 224}),
    ],
)
def test_what_cannot_be_expressed_is_noted(config: dict[str, object], small: Path) -> None:
    found, problems = from_processor(config)
    assert found is None
    assert len(problems) == 1
    (small / "preprocessor_config.json").write_text(json.dumps(config), encoding="utf-8")
    inspection = inspect_checkpoint(small)
    assert inspection.usable
    assert problems[0] in inspection.problems


def test_the_preprocessing_beside_two_unnamed_classes(tmp_path: Path) -> None:
    """A config.json of transformers does not say that there are two classes."""
    folder = write(tmp_path, "mobilenet_v2", trained("mobilenet_v2", 2))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["id2label"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps(processor(size=192)))
    found = inspect_checkpoint(folder)
    assert found.preprocessing is not None
    assert found.preprocessing.resize == (192, 192)
