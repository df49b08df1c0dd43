"""Networks and files beside the usual: other stems, heads, names, containers and outputs."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from core.cli.main import main
from core.images.preprocessing import Preprocessing
from core.models.overrides import SavedOverrides
from core.models.sources.checkpoint.saving import save_model
from core.models.sources.checkpoint.source import OpenedModel, inspect_checkpoint, open_model
from core.models.torchvision_import import torchvision_models
from core.values.spec import ModelChoice, NamedBy, NamesSource, Overrides
from tests.networks import spread, trained


def opened(content: Any, folder: Path) -> OpenedModel:
    path = folder / "file.pth"
    torch.save(content, path)
    return open_model(ModelChoice(checkpoint=path))


def assert_alike(
    found: OpenedModel, reference: nn.Module, channels: int = 3, size: int = 64
) -> None:
    image = torch.randn(2, channels, size, size)
    with torch.no_grad():
        difference = (found.network(image).softmax(1) - reference(image).softmax(1)).abs().max()
    assert difference < 1e-5


def resnet(block: str, layers: list[int], **options: Any) -> nn.Module:
    torch.manual_seed(0)
    models = torchvision_models().resnet
    return spread(models.ResNet(getattr(models, block), layers, num_classes=3, **options))


# ResNets


@pytest.mark.parametrize(
    ("block", "layers", "options", "named"),
    [
        ("BasicBlock", [1, 1, 1, 1], {}, "groups=1, width_per_group=64"),
        ("BasicBlock", [2, 3, 1, 2], {}, "groups=1, width_per_group=64"),
        ("Bottleneck", [1, 2, 1, 1], {}, "groups=1, width_per_group=64"),
        (
            "Bottleneck",
            [2, 2, 2, 2],
            {"groups": 32, "width_per_group": 4},
            "groups=32, width_per_group=4",
        ),
        ("Bottleneck", [1, 1, 1, 1], {"width_per_group": 96}, "groups=1, width_per_group=96"),
        (
            "Bottleneck",
            [3, 4, 6, 3],
            {"groups": 8, "width_per_group": 14},
            "groups=8, width_per_group=14",
        ),
    ],
)
def test_resnets_that_no_builder_names(
    block: str, layers: list[int], options: Any, named: str, tmp_path: Path
) -> None:
    network = resnet(block, layers, **options)
    found = opened({"state_dict": network.state_dict()}, tmp_path)
    assert found.spec.architecture == f"ResNet({block}, {layers}, {named})"
    assert_alike(found, network)


@pytest.mark.parametrize("layers", [[2, 2, 2, 2], [1, 1, 1, 1]])
def test_a_small_stem_for_cifar(layers: list[int], tmp_path: Path) -> None:
    network = resnet("BasicBlock", layers)
    network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    network.maxpool = nn.Identity()
    found = opened(network.state_dict(), tmp_path)
    assert found.spec.preprocessing.input_size == (32, 32)
    assert "3×3" in found.spec.problems[0]
    assert_alike(found, network, size=32)


def test_a_pickled_network_tells_whether_it_pools(tmp_path: Path) -> None:
    network = resnet("BasicBlock", [2, 2, 2, 2])
    network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    found = opened(network, tmp_path)
    assert "stride 1 without" not in found.spec.problems[0]
    assert_alike(found, network, size=32)


def test_dilation_is_an_option_that_a_pickled_network_tells(tmp_path: Path) -> None:
    dilation = (False, True, True)
    network = resnet("Bottleneck", [2, 2, 2, 2], replace_stride_with_dilation=list(dilation))
    assert_alike(opened(network, tmp_path), network)
    path = tmp_path / "names only.pth"
    torch.save(network.state_dict(), path)
    assert inspect_checkpoint(path).can_dilate
    overrides = Overrides(dilation=dilation)
    assert_alike(open_model(ModelChoice(checkpoint=path, overrides=overrides)), network)


def test_a_widespread_resnet_for_cifar(tmp_path: Path) -> None:
    network = resnet("BasicBlock", [2, 2, 2, 2])
    network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    network.maxpool = nn.Identity()
    renamed = {
        "net." + name.replace("downsample", "shortcut").replace("fc.", "linear."): tensor
        for name, tensor in network.state_dict().items()
    }
    found = opened({"net": renamed, "acc": 95.1, "epoch": 199}, tmp_path)
    assert found.spec.architecture == "resnet18"
    assert_alike(found, network, size=32)


# First convolutions


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("architecture", ["resnet18", "squeezenet1_1", "mobilenet_v2", "vit_b_32"])
def test_other_numbers_of_channels(architecture: str, channels: int, tmp_path: Path) -> None:
    network = trained(architecture, 3)
    name, first = next(
        (name, one) for name, one in network.named_modules() if isinstance(one, nn.Conv2d)
    )
    parent, _, last = name.rpartition(".")
    other = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    setattr(network.get_submodule(parent), last, other)
    found = opened(network.eval().state_dict(), tmp_path)
    assert found.spec.architecture == architecture
    assert found.spec.preprocessing.channels == channels
    assert_alike(found, network, channels, size=224 if architecture == "vit_b_32" else 64)


# Heads


def test_udacitys_head_is_told_by_its_pickled_module(tmp_path: Path) -> None:
    network = trained("densenet121", 3)
    layers = [
        ("fc1", nn.Linear(1024, 32)),
        ("elu", nn.ELU(0.5)),
        ("drop", nn.Dropout(0.2)),
        ("fc2", nn.Linear(32, 3)),
        ("output", nn.LogSoftmax(dim=1)),
    ]
    network.classifier = nn.Sequential(OrderedDict(layers))
    content = {
        "arch": "densenet121",
        "state_dict": network.eval().state_dict(),
        "classifier": network.classifier,
        "class_to_idx": {"1": 0, "10": 1, "2": 2},
        "cat_to_name": {"1": "pink primrose", "10": "globe thistle", "2": "hard-leaved orchid"},
    }
    found = opened(content, tmp_path)
    assert found.spec.class_names == ("pink primrose", "globe thistle", "hard-leaved orchid")
    assert not any("ReLU" in problem for problem in found.spec.problems)
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert (found.network(image).softmax(1) - network(image).exp()).abs().max() < 1e-5


@pytest.mark.parametrize(("architecture", "features"), [("vgg11", 25088), ("alexnet", 9216)])
def test_a_classifier_replaced_as_a_whole(architecture: str, features: int, tmp_path: Path) -> None:
    network = trained(architecture, 3)
    network.classifier = nn.Sequential(
        nn.Linear(features, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3)
    )
    found = opened({"state_dict": network.eval().state_dict()}, tmp_path)
    assert found.spec.architecture == architecture
    assert_alike(found, network)


@pytest.mark.parametrize(
    ("architecture", "place", "features"),
    [
        ("efficientnet_b0", "classifier", 1280),
        ("mobilenet_v2", "classifier", 1280),
        ("mobilenet_v3_small", "classifier", 576),
        ("mnasnet0_5", "classifier", 1280),
        ("vit_b_32", "heads", 768),
    ],
)
def test_one_layer_for_a_whole_classifier(
    architecture: str, place: str, features: int, tmp_path: Path
) -> None:
    network = trained(architecture, 3)
    setattr(network, place, nn.Linear(features, 3))
    found = opened(network.eval().state_dict(), tmp_path)
    assert found.spec.architecture == architecture
    assert_alike(found, network, size=224 if architecture == "vit_b_32" else 64)


class Pooled(nn.Module):
    """Features, their mean, and a head; as people write it who leave torchvision's forward."""

    def __init__(self, features: nn.Module, channels: int) -> None:
        super().__init__()
        self.features = features
        self.head = nn.Sequential(
            nn.BatchNorm1d(channels), nn.Linear(channels, 16), nn.Tanh(), nn.Linear(16, 3)
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.features(image).mean((2, 3)))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("architecture", "channels"), [("vgg11_bn", 512), ("convnext_tiny", 768)])
def test_features_pooled_to_their_mean(architecture: str, channels: int, tmp_path: Path) -> None:
    network = Pooled(trained(architecture, 3).features, channels).eval()
    found = opened(network, tmp_path)
    assert found.spec.architecture == architecture
    assert found.spec.inspection.head is not None
    assert "tanh" in found.spec.inspection.head
    assert_alike(found, network)


def test_a_body_of_children_in_a_sequence(tmp_path: Path) -> None:
    network = trained("resnet18", 3)

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(*list(network.children())[:-1])
            self.class_out = nn.Linear(512, 3)

        def forward(self, image: Tensor) -> Tensor:
            return self.class_out(self.features(image).flatten(1))  # type: ignore[no-any-return]

    own = Own().eval()
    assert "features.4.0.conv1.weight" in own.state_dict()
    found = opened(own.state_dict(), tmp_path)
    assert (found.spec.architecture, found.spec.inspection.key_prefix) == ("resnet18", "features.")
    assert_alike(found, own)
    sequence = nn.Sequential(*list(network.children())[:-1], nn.Flatten(), nn.Linear(512, 3)).eval()
    assert_alike(opened(sequence.state_dict(), tmp_path), sequence)


def test_a_head_that_is_a_convolution(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    network.fc = nn.Sequential(nn.Unflatten(1, (512, 1, 1)), nn.Conv2d(512, 3, 1), nn.Flatten())
    assert_alike(opened(network.eval().state_dict(), tmp_path), network)


def test_self_supervised_bodies_show_feature_maps_alone(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    content = {
        f"encoder.{name}": tensor
        for name, tensor in network.state_dict().items()
        if not name.startswith("fc.")
    }
    content |= {"projector.0.weight": torch.ones(128, 512), "queue": torch.ones(128, 9)}
    found = opened({"state_dict": content}, tmp_path)
    assert not found.spec.predicts
    assert found.spec.inspection.num_classes is None
    assert "no head" in found.spec.problems[0]
    network.fc = nn.Identity()
    assert_alike(found, network)


def test_several_heads_predict_nothing(tmp_path: Path) -> None:
    content = {
        f"backbone.{name}": tensor
        for name, tensor in trained("resnet18", 3).state_dict().items()
        if not name.startswith("fc.")
    }
    for name, outputs in (("age", 1), ("sex", 2)):
        content[f"{name}.weight"] = torch.ones(outputs, 512)
        content[f"{name}.bias"] = torch.ones(outputs)
    found = opened(content, tmp_path)
    assert not found.spec.predicts
    assert "2 heads (age, sex)" in found.spec.problems[0]


def test_a_sigmoid_at_the_end_of_a_pickled_head(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    network.fc = nn.Sequential(nn.Linear(512, 3), nn.Sigmoid())
    found = opened(network.eval(), tmp_path)
    assert found.spec.outputs == "sigmoid"
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(found.network(image).sigmoid(), network(image), atol=1e-6)


def test_one_output(tmp_path: Path) -> None:
    network = trained("resnet18", 1)
    assert opened(network.state_dict(), tmp_path).spec.outputs == "sigmoid"
    named = {"model": network.state_dict(), "classes": ["cat", "dog"]}
    spec = opened(named, tmp_path).spec
    assert (spec.class_names, spec.inspection.num_classes) == (("cat", "dog"), 1)


def test_a_head_whose_values_are_no_numbers(tmp_path: Path) -> None:
    content = trained("resnet18", 3).state_dict()
    content["fc.weight"].fill_(float("nan"))
    content["fc.bias"].fill_(float("nan"))
    spec = opened(content, tmp_path).spec
    assert not spec.predicts
    assert "no numbers" in spec.problems[0]


# Names and neighbours


def test_class_names_in_an_array(tmp_path: Path) -> None:
    content = {"model": trained("resnet18", 3).state_dict()}
    for names in (np.array(["ant", "bee", "猫"]), np.array(["ant", "bee", "猫"], dtype=object)):
        assert opened({**content, "classes": names}, tmp_path).spec.class_names == (
            "ant",
            "bee",
            "猫",
        )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "0 ant\n1 bee\n2 wasp\n"),
        ("classes.txt", "ant\nbee\nwasp"),
        ("file_classes.txt", "ant, bee, wasp"),
        ("class_names.json", '["ant", "bee", "wasp"]'),
        ("class_to_idx.json", '{"wasp": 2, "ant": 0, "bee": 1}'),
        ("config.json", '{"id2label": {"0": "ant", "1": "bee", "2": "wasp"}}'),
        ("config.json", '{"num_classes": 3, "label_names": ["ant", "bee", "wasp"]}'),
    ],
)
def test_names_beside_the_file(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "labels.json").write_text("[1, 2")
    spec = opened(trained("resnet18", 3).state_dict(), tmp_path).spec
    assert spec.class_names == ("ant", "bee", "wasp")
    assert spec.class_names_source == NamesSource(NamedBy.SIDECAR, name)


def test_preprocessing_of_timm_and_hugging_face(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    cfg = {
        "input_size": (3, 288, 288),
        "interpolation": "bicubic",
        "crop_pct": 0.95,
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
    }
    wanted = Preprocessing(
        resize=303,
        crop=(288, 288),
        interpolation="bicubic",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        apply_orientation=False,
        transparency="dropped",
    )
    content = {"state_dict": network.state_dict(), "pretrained_cfg": cfg}
    assert opened(content, tmp_path).spec.preprocessing == wanted
    config = {"architecture": "resnet18", "num_classes": 3, "pretrained_cfg": cfg}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert opened(network.state_dict(), tmp_path).spec.preprocessing == wanted
    (tmp_path / "config.json").write_text('{"id2label": {"0": "a", "1": "b", "2": "c"}}')
    face = {
        "size": {"height": 224, "width": 224},
        "resample": 3,
        "rescale_factor": 1 / 255,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(face))
    found = opened(network.state_dict(), tmp_path).spec.preprocessing
    assert (found.resize, found.crop, found.interpolation) == ((224, 224), None, "bicubic")
    assert (found.mean, found.scale) == ((0.5, 0.5, 0.5), 1.0)
    (tmp_path / "config.json").write_text('{"num_labels": 9}')
    assert opened(network.state_dict(), tmp_path).spec.preprocessing.resize == 256


# timm's names


def as_timm_vit(name: str) -> str:
    name = name.replace("class_token", "cls_token").replace("encoder.pos_embedding", "pos_embed")
    name = name.replace("conv_proj", "patch_embed.proj").replace("encoder.ln.", "norm.")
    name = name.replace("encoder.layers.encoder_layer_", "blocks.").replace("heads.head", "head")
    name = name.replace("self_attention.in_proj_", "attn.qkv.").replace("ln_", "norm")
    name = name.replace("self_attention.out_proj", "attn.proj")
    return name.replace("mlp.0.", "mlp.fc1.").replace("mlp.3.", "mlp.fc2.")


def as_timm_efficientnet(name: str) -> str:
    parts = name.split(".")
    if parts[0] == "classifier":
        return f"classifier.{parts[2]}"
    stage, rest = int(parts[1]), parts[2:]
    if stage in (0, 8):
        kind = ("conv_stem", "bn1") if stage == 0 else ("conv_head", "bn2")
        return f"{kind[int(rest[0])]}.{rest[1]}"
    block, _, layer, *inner = rest
    first = [["conv_dw", "bn1"], {"fc1": "conv_reduce", "fc2": "conv_expand"}, ["conv_pw", "bn2"]]
    later = [["conv_pw", "bn1"], ["conv_dw", "bn2"], first[1], ["conv_pwl", "bn3"]]
    table: Any = (first if stage == 1 else later)[int(layer)]
    said = f"se.{table[inner[0]]}" if isinstance(table, dict) else table[int(inner[0])]
    return f"blocks.{stage - 1}.{block}.{said}.{inner[1]}"


@pytest.mark.parametrize(
    ("architecture", "rename", "size"),
    [("vit_b_32", as_timm_vit, 224), ("efficientnet_b0", as_timm_efficientnet, 64)],
)
def test_timms_names(architecture: str, rename: Any, size: int, tmp_path: Path) -> None:
    network = trained(architecture, 3)
    content = {rename(name): tensor for name, tensor in network.state_dict().items()}
    assert not set(content) & set(network.state_dict())
    found = opened({"arch": architecture, "state_dict": content}, tmp_path)
    assert found.spec.architecture == architecture
    assert_alike(found, network, size=size)


# Containers


def test_a_tar_of_the_first_versions(tmp_path: Path) -> None:
    network = trained("squeezenet1_1", 3)
    path = tmp_path / "old.pth.tar"
    write_tar(dict(network.state_dict()), path)
    assert_alike(open_model(ModelChoice(checkpoint=path)), network)


class Numbered:
    """Stands for a tensor in the pickle of a tar; the pickler writes its number."""

    def __init__(self, number: int) -> None:
        self.number = number


def write_tar(content: dict[str, Tensor], path: Path) -> None:
    storages, tensors, pickled = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pickle.dump(len(content), storages, 2)
    pickle.dump(len(content), tensors, 2)
    for number, tensor in enumerate(content.values()):
        pickle.dump((number, "cpu", torch.FloatStorage), storages, 2)
        storages.write(struct.pack("<q", tensor.numel()) + tensor.contiguous().numpy().tobytes())
        pickle.dump((number, number, torch.FloatTensor), tensors, 2)
        sides, strides = tensor.shape, tensor.contiguous().stride()
        count = len(sides)
        tensors.write(struct.pack(f"<ii{2 * count}qq", count, 0, *sides, *strides, 0))
    pickle.dump([], storages, 2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, one: Any) -> Any:
            return one.number if isinstance(one, Numbered) else None

    Pickler(pickled, 2).dump({name: Numbered(at) for at, name in enumerate(content)})
    with tarfile.open(path, "w:") as archive:
        for name, part in (("storages", storages), ("tensors", tensors), ("pickle", pickled)):
            entry = tarfile.TarInfo(name)
            entry.size = len(part.getvalue())
            archive.addfile(entry, io.BytesIO(part.getvalue()))


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("whole", [False, True])
def test_a_plain_pickle(whole: bool, protocol: int, tmp_path: Path) -> None:
    network = trained("squeezenet1_1", 3)
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps(network if whole else network.state_dict(), protocol))
    assert_alike(open_model(ModelChoice(checkpoint=path)), network)


def test_a_zip_that_was_packed_again(tmp_path: Path) -> None:
    import zipfile

    network = trained("squeezenet1_1", 3)
    plain, packed = tmp_path / "plain.pth", tmp_path / "packed.pth"
    torch.save(network.state_dict(), plain)
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(packed, "w", 8) as made:
        for name in given.namelist():
            made.writestr(name, given.read(name))
    assert_alike(open_model(ModelChoice(checkpoint=packed)), network)


# A file of our own


@pytest.mark.parametrize("kind", ["plain", "elu head", "concat", "small stem", "dilated", "body"])
def test_our_own_file_opens_with_no_question(kind: str, tmp_path: Path) -> None:
    network = resnet("Bottleneck", [1, 2, 1, 1])
    overrides = Overrides(
        class_names=("ant", "bee", "猫"), preprocessing=Preprocessing(resize=(48, 48), crop=None)
    )
    if kind == "elu head":
        network.fc = nn.Sequential(nn.Linear(2048, 8), nn.ELU(0.5), nn.Linear(8, 3))
    if kind == "small stem":
        network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    if kind == "dilated":
        network = resnet("Bottleneck", [1, 2, 1, 1], replace_stride_with_dilation=[0, 1, 1])
    content: Any = network.eval()
    if kind == "concat":
        content = {
            f"0.{name}": one for name, one in network.state_dict().items() if "fc" not in name
        }
        content |= {"1.4.weight": torch.randn(3, 4096)}
    if kind == "body":
        content = {name: one for name, one in network.state_dict().items() if "fc" not in name}
    path, own = tmp_path / "foreign.pth", tmp_path / "own.safetensors"
    torch.save(content, path)
    first = open_model(ModelChoice(checkpoint=path, overrides=overrides))
    save_model(first.network, first.spec, first.plan, own)
    second = open_model(ModelChoice(checkpoint=own))
    assert second.spec.preprocessing == first.spec.preprocessing
    assert second.spec.architecture == first.spec.architecture
    if kind != "body":
        assert second.spec.class_names == ("ant", "bee", "猫")
    assert_alike(second, first.network)
    assert not any("assumed" in one for one in second.spec.problems if "3×3" not in one)


def test_what_was_settled_is_remembered_by_the_files_hash(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "a.pth", tmp_path / "b.pth"
    torch.save(trained("resnet18", 1).state_dict(), path)
    elsewhere.write_bytes(path.read_bytes())
    kept = SavedOverrides(tmp_path / "kept")
    overrides = Overrides(("no", "yes"), Preprocessing(crop=(64, 64)), "sigmoid", None)
    sha256 = inspect_checkpoint(path).sha256
    kept.keep(sha256, overrides)
    assert kept.of(sha256) == overrides
    spec = open_model(ModelChoice(checkpoint=elsewhere), kept).spec
    assert (spec.class_names, spec.preprocessing) == (("no", "yes"), overrides.preprocessing)
    assert open_model(
        ModelChoice(checkpoint=elsewhere, overrides=Overrides()), kept
    ).spec.class_names
    (file,) = (tmp_path / "kept").iterdir()
    file.write_text("{broken")
    assert kept.of(sha256) == Overrides()
    kept.keep(sha256, Overrides())
    assert not file.exists()


# What is refused, by name


NAMED = {
    "detector": "backbone.body.conv1.weight rpn.head.conv.weight roi_heads.box_head.fc6.weight",
    "U-Net": "inc.double_conv.0.weight down1.conv.weight up1.conv.weight outc.conv.weight",
    "recurrent": "embedding.weight lstm.weight_ih_l0 lstm.weight_hh_l0",
    "Swin": "patch_embed.proj.weight layers.0.blocks.0.attn.qkv.weight",
    "language": "bert.embeddings.word_embeddings.weight bert.encoder.layer.0.dense.weight",
    "quantised": "conv1.weight fc.scale fc.zero_point fc._packed_params.dtype",
    "YOLO": "model.0.conv.weight model.2.cv1.conv.weight model.2.m.0.cv1.conv.weight",
}


@pytest.mark.parametrize("said", NAMED)
def test_other_networks_are_named(said: str, tmp_path: Path, capsysbinary: Any) -> None:
    path = tmp_path / "other.pth"
    torch.save({name: torch.ones(4, 4, 1, 1) for name in NAMED[said].split()}, path)
    assert said in refused(path, capsysbinary)


def refused(path: Path, captured: Any) -> str:
    """Inspect by the command line; return the sentence."""
    captured.readouterr()
    assert main(["inspect", str(path), "--json"]) == 2
    told = captured.readouterr()
    found = json.loads(told.out)
    assert not found["usable"]
    assert len(found["sha256"]) == 64
    assert found["summary"].endswith(".")
    assert told.err.decode().strip() == found["summary"]
    return str(found["summary"])


def test_files_of_other_programs_are_named(tmp_path: Path, capsysbinary: Any) -> None:
    import zipfile

    path = tmp_path / "file.pt"
    onnx = b"\x08\x07\x12\x07pytorch\x1a\x032.1:"
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1}]}
    for content, said in (
        (onnx, "ONNX"),
        (b"\x1c\0\0\0TFL3\0", "TensorFlow Lite"),
        (b"\0" * 600, "zeros"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x89HDF\r\n\x1a\n", "Keras"),
    ):
        path.write_bytes(content)
        assert said in refused(path, capsysbinary)
    torch.save(optimizer, path)
    assert "optimizer" in refused(path, capsysbinary)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/bytecode.pkl", b"")
    assert "PyTorch Lite" in refused(path, capsysbinary)


def test_dynamic_quantisation_is_named(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    content = dict(network.state_dict())
    del content["fc.weight"], content["fc.bias"]
    content |= {"fc.scale": torch.tensor(1.0), "fc.zero_point": torch.tensor(0)}
    path = tmp_path / "quantised.pth"
    torch.save(content, path)
    assert "quantised" in inspect_checkpoint(path).summary


def test_half_a_file_in_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    save_file({"a": torch.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])
    assert "damaged" in inspect_checkpoint(path).summary
