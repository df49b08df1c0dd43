"""Ultralytics' classifiers: opened as they compute, or refused by what they are."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.inside.class_activation import class_activation
from core.inside.layers import record
from core.inside.names import BlockName
from core.inside.residual_blocks import list_blocks, run_block
from core.models.families.blocks import Part
from core.models.families.yolo import SplitForm, YoloForm
from core.models.sources.base import OpenedModel
from core.models.sources.checkpoint.saving import save_model
from core.models.sources.checkpoint.source import inspect_checkpoint, open_model
from core.values.spec import Inspection, ModelChoice, NamedBy
from tests.yolo_files import ATTENDING, PLAIN, network_of, pickled, rename, state_dict_of

NAMES = {0: "cat", 1: "dog", 2: "owl"}
FORMS = pytest.mark.parametrize("form", [PLAIN, ATTENDING], ids=["plain", "attending"])


def saved(content: object, folder: Path) -> Path:
    torch.save(content, folder / "best.pt")
    return folder / "best.pt"


def inspected(content: object, folder: Path) -> Inspection:
    return inspect_checkpoint(saved(content, folder))


def opened(path: Path) -> OpenedModel:
    return open_model(ModelChoice(checkpoint=path))


def photo() -> torch.Tensor:
    return torch.sin(torch.arange(3 * 64 * 96) * 0.37).reshape(1, 3, 64, 96)


def answer(network: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = network(photo())
    return found


def trained(whole: nn.Module, **content: object) -> dict[str, object]:
    return {
        "model": whole,
        "ema": None,
        "train_args": {"imgsz": 160},
        "version": "8.3.0",
        **content,
    }


# What opens


@pytest.mark.parametrize(
    ("form", "logits"),
    [(PLAIN, (3.0677876, -6.3717723, 7.8705158)), (ATTENDING, (3.4902949, -9.6032114, 10.9101448))],
    ids=["plain", "attending"],
)
def test_a_state_dict_computes_what_ultralytics_computes(
    form: YoloForm, logits: tuple[float, ...], tmp_path: Path
) -> None:
    """The numbers are those of Ultralytics 8.4.190 for the same parameters and photo."""
    path = saved(state_dict_of(network_of(form)), tmp_path)
    found = opened(path)
    torch.testing.assert_close(answer(found.network)[0], torch.tensor(logits), rtol=0, atol=3e-5)
    assert any("epsilon 1e-5" in problem for problem in found.spec.inspection.problems)
    assert found.spec.preprocessing.input_size == (224, 224)


@FORMS
def test_a_trained_file_opens_with_all_that_it_tells(form: YoloForm, tmp_path: Path) -> None:
    network = network_of(form).half()
    with pickled(network, names=NAMES, yaml={"nc": 80}) as whole:
        path = saved(trained(whole), tmp_path)
    found = opened(path)
    assert found.spec.class_names == tuple(NAMES.values())
    assert found.spec.inspection.problems == ()
    assert found.spec.inspection.matched == 1
    preprocessing = found.spec.preprocessing
    assert (preprocessing.resize, preprocessing.crop) == (160, (160, 160))
    assert (set(preprocessing.mean), set(preprocessing.std)) == ({0.0}, {1.0})
    assert preprocessing.apply_orientation
    assert preprocessing.interpolation == "bilinear"
    assert torch.equal(answer(found.network), answer(network.float()))


def test_averaged_weights_of_an_interrupted_training_are_taken(tmp_path: Path) -> None:
    network = network_of(PLAIN)
    other = copy.deepcopy(network)
    nn.init.zeros_(other[-1].linear.weight)
    with pickled(network, names=NAMES) as whole, pickled(other, names=NAMES) as last:
        path = saved(trained(last, ema=whole, epoch=3), tmp_path)
    found = opened(path)
    assert "averaged" in found.spec.summary
    assert torch.equal(answer(found.network), answer(network))


@FORMS
def test_epsilons_and_activations_of_the_pickled_network_count(
    form: YoloForm, tmp_path: Path
) -> None:
    network = network_of(form)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
    network[1].act = nn.Hardswish()
    with pickled(network, names=NAMES) as whole:
        path = saved(trained(whole), tmp_path)
    found = opened(path)
    assert torch.equal(answer(found.network), answer(network))
    save_model(found.network, found.spec, found.plan, tmp_path / "own.safetensors")
    again = opened(tmp_path / "own.safetensors")
    assert torch.equal(answer(again.network), answer(network))
    assert again.spec.class_names == tuple(NAMES.values())
    assert again.spec.preprocessing == found.spec.preprocessing
    assert again.spec.inspection.problems == ()


@FORMS
def test_normalisation_may_be_part_of_the_convolutions(form: YoloForm, tmp_path: Path) -> None:
    network = network_of(replace(form, is_fused=True))
    found = opened(saved(state_dict_of(network), tmp_path))
    assert torch.equal(answer(found.network), answer(network))


@pytest.mark.parametrize("prefix", ["", "model.", "model.model.", "module.model."])
def test_names_may_begin_otherwise(prefix: str, tmp_path: Path) -> None:
    network = network_of(PLAIN)
    state = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    assert torch.equal(
        answer(opened(saved({"state_dict": state}, tmp_path)).network), answer(network)
    )


def test_grey_photos(tmp_path: Path) -> None:
    network = network_of(PLAIN)
    network[0].conv = nn.Conv2d(1, 8, 3, 2, 1, bias=False)
    found = inspected(state_dict_of(network), tmp_path)
    assert found.usable
    assert found.preprocessing is not None
    assert (found.preprocessing.channel_order, found.preprocessing.mean) == ("grey", (0.0,))


def test_published_sizes_have_their_names() -> None:
    widths, depths = (16, 32, 64, 128, 256), (1, 2, 2, 1)
    splits = tuple(SplitForm(w // 2, w, n, w // 2) for w, n in zip(widths[1:], depths, strict=True))
    assert YoloForm(widths, splits).title == "YOLOv8n-cls"
    assert "8-16-32-64-128" in PLAIN.title
    assert "YOLO26" in ATTENDING.title


# Names and sizes as they may stand in a file


@pytest.mark.parametrize(
    ("names", "by", "said"),
    [
        (["cat", "dog", "owl"], NamedBy.CHECKPOINT, ""),
        ({"0": "cat", "1": "dog", "2": "owl"}, NamedBy.CHECKPOINT, ""),
        ({0: "cat", 1: "dog"}, NamedBy.NOBODY, "names 2 classes but has 3"),
        ({0: "cat", 1: "dog", 7: "owl"}, NamedBy.NOBODY, "do not count"),
        (None, NamedBy.NOBODY, ""),
        (17, NamedBy.NOBODY, ""),
    ],
)
def test_class_names(names: Any, by: NamedBy, said: str, tmp_path: Path) -> None:
    with pickled(network_of(PLAIN), names=names) as whole:
        found = inspected(trained(whole), tmp_path)
    assert found.usable
    assert found.class_names_source is not None
    assert found.class_names_source.by is by
    assert said in " ".join(found.problems)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        (96, 96),
        ([320, 320], 320),
        ((64, 64), 64),
        ([320, 64], 224),
        (True, 224),
        ("224", 224),
        (0, 224),
        (-32, 224),
        (10**9, 224),
        (10**400, 224),
        (1e3, 224),
        (None, 224),
        ([[64, 64]], 224),
    ],
)
def test_image_sizes(size: Any, wanted: int, tmp_path: Path) -> None:
    with pickled(network_of(PLAIN), names=NAMES) as whole:
        found = inspected(trained(whole, train_args={"imgsz": size}), tmp_path)
    assert found.preprocessing is not None
    assert found.preprocessing.input_size == (wanted, wanted)
    assert any("image size" in problem for problem in found.problems) == (wanted == 224)


def test_the_network_may_tell_the_size_too(tmp_path: Path) -> None:
    with pickled(network_of(PLAIN), names=NAMES, args={"imgsz": 128}) as whole:
        found = inspected({"model": whole, "train_args": 3}, tmp_path)
    assert found.preprocessing is not None
    assert found.preprocessing.input_size == (128, 128)


def test_what_lies_around_the_network_is_asked_too(tmp_path: Path) -> None:
    with pickled(network_of(PLAIN), names=NAMES, args={"imgsz": 128}) as whole:
        around = nn.Module()
        around.model = whole
        rename(around, "YOLO", "ultralytics.models.yolo.model")
        found = inspected(around, tmp_path)
    assert found.class_names == tuple(NAMES.values())
    assert found.preprocessing is not None
    assert found.preprocessing.input_size == (128, 128)


# What is refused


def test_a_size_whose_attention_would_fill_the_memory(tmp_path: Path) -> None:
    with pickled(network_of(ATTENDING), names=NAMES) as whole:
        found = inspected(trained(whole, train_args={"imgsz": 4096}), tmp_path)
    assert not found.usable
    assert "9.m.0.attn.softmax" in found.summary


def change_path(whole: Any) -> None:
    whole.model[4].f = [-1, 2]


def change_shortcut(whole: Any) -> None:
    whole.model[2].m[0].add = False


def change_heads(whole: Any) -> None:
    whole.model[9].m[0].attn.num_heads = 2


def change_class(whole: Any) -> None:
    rename(whole.model[4], "A2C2f")


def change_library(whole: Any) -> None:
    rename(whole.model[4], "C2f", "ultralytics_of_mine.block")


def change_container(whole: Any) -> None:
    whole.model[4].m.__class__ = nn.Sequential


def change_to_plain(whole: Any) -> None:
    whole.model[4].__class__ = nn.Sequential


def change_whole(whole: Any) -> None:
    rename(whole.model, "Parallel", "somebody.layers")


def change_activation(whole: Any) -> None:
    rename(whole.model[0].act, "Snake", "somebody.layers")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_path, "'4' is a C2f with another f"),
        (change_shortcut, "'2.m.0' is a Bottleneck with another add"),
        (change_heads, "'9.m.0.attn' is a Attention with another num_heads"),
        (change_class, "'4' is a A2C2f"),
        (change_library, "'4' is a C2f of somebody's own"),
        (change_container, "'4.m' is a Sequential"),
        (change_to_plain, "'4' is a Sequential"),
        (change_whole, "'model' is a Parallel of somebody's own"),
        (change_activation, "'0.act' is a Snake"),
    ],
)
def test_what_computes_otherwise_is_refused(change: Any, said: str, tmp_path: Path) -> None:
    with pickled(network_of(ATTENDING), names=NAMES) as whole:
        change(whole)
        found = inspected(trained(whole), tmp_path)
    assert not found.usable
    assert said in found.summary


def test_a_layer_that_is_not_built_is_named(tmp_path: Path) -> None:
    network = network_of(PLAIN)
    network[2].attn = nn.Conv2d(16, 16, 1)
    with pickled(network, names=NAMES) as whole:
        rename(whole.model[2], "A2C2f")
        found = inspected(trained(whole), tmp_path)
    assert not found.usable
    assert "YOLO classifier" in found.summary
    assert "'model.2' is a A2C2f" in found.summary


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("model.9.conv.conv.weight", (640, 128, 1, 1)),
        ("model.9.conv.bn.weight", None),
        ("model.9.conv.extra.weight", (3, 3)),
        ("model.4.cv2.conv.weight", (32, 63, 1, 1)),
        ("model.4.m.0.cv2.bn.bias", None),
        ("model.4.m.7.cv1.conv.weight", (16, 16, 3, 3)),
        ("model.10.conv.weight", (3, 3, 3, 3)),
        ("model.5.conv.weight", (64, 32, 5, 5)),
    ],
)
def test_parameters_that_do_not_fit(
    name: str, shape: tuple[int, ...] | None, tmp_path: Path
) -> None:
    state = state_dict_of(network_of(PLAIN))
    state.pop(name, None)
    if shape is not None:
        state[name] = torch.ones(shape)
    assert not inspected(state, tmp_path).usable


def wide(state: dict[str, torch.Tensor]) -> None:
    for name in ("model.0.conv.weight", "model.2.cv2.conv.weight"):
        state[name] = torch.empty(2**40, 3, 3, 3, device="meta")


def many(state: dict[str, torch.Tensor]) -> None:
    one = torch.ones(8, 8, 3, 3)
    state |= {f"model.2.m.{at}.cv1.conv.weight": one for at in range(1, 2500)}
    state |= {f"model.2.m.0.m.{at}.cv1.conv.weight": one for at in range(2500)}


def sparse(state: dict[str, torch.Tensor]) -> None:
    state["model.2.m.999999999999.cv1.conv.weight"] = torch.ones(8, 8, 3, 3)


def flat(state: dict[str, torch.Tensor]) -> None:
    state["model.0.conv.weight"] = torch.ones(())


def empty(state: dict[str, torch.Tensor]) -> None:
    state["model.2.cv1.conv.weight"] = torch.ones(0, 16, 1, 1)


@pytest.mark.parametrize("change", [wide, many, sparse, flat, empty])
@FORMS
def test_shapes_that_would_fill_memory_or_time(change: Any, form: YoloForm, tmp_path: Path) -> None:
    state = state_dict_of(network_of(form))
    change(state)
    path, begun = saved(state, tmp_path), time.monotonic()
    assert not inspect_checkpoint(path).usable
    assert time.monotonic() - begun < 20


OTHERS = {
    "detector": "model.22.cv2.0.0.conv.weight",
    "segmentation": "model.22.proto.cv1.conv.weight",
    "poses": "model.22.cv4.0.0.conv.weight",
}


@pytest.mark.parametrize("said", OTHERS)
def test_other_tasks_are_named(said: str, tmp_path: Path) -> None:
    names = ["model.0.conv.weight", "model.2.m.0.cv1.conv.weight", OTHERS[said]]
    found = inspected({name: torch.ones(4, 4, 1, 1) for name in names}, tmp_path)
    assert not found.usable
    assert said in found.summary


# What is seen inside


def test_residual_blocks_add_up() -> None:
    network = network_of(ATTENDING)
    blocks = [block for block in list_blocks(network) if block.shortcut == "identity"]
    assert {block.kind for block in blocks} == {"Bottleneck", "PSABlock"}
    assert len(blocks) == 7
    recording = record(network, photo(), limit_bytes=2**30)
    for info in blocks:
        own = recording.shown(info.name, 1)
        assert own is not None
        for part in (Part.WHOLE, *info.parts):
            found = run_block(network, photo(), BlockName(info.name, part))
            np.testing.assert_allclose(found.sum, found.residual + found.shortcut, atol=1e-5)
            if part is not Part.ATTENTION:
                np.testing.assert_allclose(found.output, own.maps.numpy(), atol=1e-5)


@FORMS
def test_evidence_adds_up_to_the_logits(form: YoloForm) -> None:
    network = network_of(form)
    found = class_activation(network, photo(), [0, 2])
    assert found.method == "CAM"
    bias = network[-1].linear.bias[[0, 2]]
    sums = torch.from_numpy(found.maps).sum((1, 2)) + bias
    torch.testing.assert_close(sums, answer(network)[0, [0, 2]], rtol=1e-4, atol=1e-4)
