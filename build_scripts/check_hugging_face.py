"""Open a model of every kind of image classifier that transformers has, and compare its answers.

    python build_scripts/check_hugging_face.py [KIND…]

Run it in an environment of its own that has Droplens' dependencies and transformers; no network is
asked. Each kind is made with random parameters, in the sizes that torchvision's networks have where
it has them, and saved with ``save_pretrained``. It must open and compute the same, or be refused by
its right name. Then every image processor prepares some photos as Droplens does.
"""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from PIL import Image

from core.errors import DroplensError
from core.models.families.hugging_face import KINDS
from core.models.recognition.image_processors import from_processor
from core.models.sources import is_model, source_of
from core.models.sources.checkpoint.saving import save_model
from core.models.torchvision_import import torchvision_models
from core.values.spec import ModelChoice

LARGEST_DIFFERENCE = 1e-4
_RESNET18 = {"hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "layer_type": "basic"}
_REGNET_Y = {"embedding_size": 32, "hidden_sizes": [48, 104, 208, 440], "depths": [1, 3, 6, 6]}
_REGNET_X = {"embedding_size": 32, "hidden_sizes": [32, 64, 160, 400], "depths": [1, 2, 7, 12]}
_VIT_B = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "image_size": 224,
}
_EFFICIENTNET_B0 = {
    "width_coefficient": 1.0,
    "depth_coefficient": 1.0,
    "hidden_dim": 1280,
    "image_size": 224,
}
_TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
_TOKENS = {**_TINY, "intermediate_size": 64, "image_size": 64, "patch_size": 16}
_ACTIVATIONS = ("gelu_new", "quick_gelu", "relu", "silu")
_TABLE = {"use_relative_position_bias": True}
_GEMMA = {
    "text_config": {**_TINY, "intermediate_size": 64, "head_dim": 8, "num_key_value_heads": 2},
    "vision_config": {**_TINY, "intermediate_size": 64, "image_size": 56},
    "mm_tokens_per_image": 16,
}

FORMS: dict[str, tuple[dict[str, Any], ...]] = {
    "resnet": (
        {},
        _RESNET18,
        {"downsample_in_bottleneck": True},
        {"downsample_in_first_stage": True},
        {"hidden_act": "gelu"},
        {"num_channels": 1},
        {"hidden_sizes": [32, 64, 128, 256]},
    ),
    "regnet": (
        {**_REGNET_Y, "groups_width": 8},
        {**_REGNET_X, "groups_width": 16, "layer_type": "x"},
        {**_REGNET_Y, "groups_width": 8, "downsample_in_first_stage": False},
        {},
    ),
    "vit": (
        {"patch_size": 32},
        {"patch_size": 32, "layer_norm_eps": 1e-3},
        {"patch_size": 32, "image_size": 384},
        {"patch_size": 16, "image_size": [112, 448]},
        {"patch_size": 32, "hidden_act": "gelu_new"},
        {"patch_size": 32, "num_attention_heads": 8},
        {"patch_size": 32, "qkv_bias": False},
        {"num_hidden_layers": 3},
        _TOKENS,
        {**_TOKENS, "hidden_act": "gelu_new", "qkv_bias": False, "layer_norm_eps": 1e-3},
        {"hidden_size": 192, "num_attention_heads": 3, "intermediate_size": 768},
    ),
    "vit_msn": (_TOKENS, {"patch_size": 32}, {"patch_size": 32, "layer_norm_eps": 1e-12}),
    "convnext": ({}, {"layer_norm_eps": 1e-3}, {"hidden_act": "relu"}, {"depths": [1, 1, 1, 1]}),
    "swin": (
        {},
        {"layer_norm_eps": 1e-3},
        {"image_size": 256},
        {"use_absolute_embeddings": True},
        {"hidden_act": "relu"},
        {"window_size": 8, "image_size": 256},
        {"qkv_bias": False},
    ),
    "swinv2": (
        {"window_size": 8, "image_size": 256},
        {"window_size": 8, "image_size": 256, "layer_norm_eps": 1e-3},
        {"window_size": 8, "image_size": 224},
        {"window_size": 8, "image_size": 256, "pretrained_window_sizes": [12, 12, 12, 6]},
        {"window_size": 16, "image_size": 256},
        {"window_size": 8, "image_size": 256, "qkv_bias": False},
        {},
    ),
    "mobilenet_v2": (
        {},
        {"image_size": 193},
        {"tf_padding": False},
        {"tf_padding": False, "layer_norm_eps": 1e-5},
        {"tf_padding": False, "output_stride": 16},
        {"tf_padding": False, "hidden_act": "relu"},
        {"depth_multiplier": 0.5},
    ),
    "efficientnet": (
        _EFFICIENTNET_B0,
        {**_EFFICIENTNET_B0, "depthwise_padding": [3, 5], "batch_norm_eps": 1e-5},
        {**_EFFICIENTNET_B0, "hidden_act": "relu"},
        {**_EFFICIENTNET_B0, "pooling_type": "max"},
        {},
    ),
    "deit": (
        {},
        _TOKENS,
        {**_TOKENS, "qkv_bias": False, "layer_norm_eps": 1e-3, "num_channels": 1},
        *({**_TOKENS, "hidden_act": name} for name in _ACTIVATIONS),
        {**_TOKENS, "hidden_act": "laplace"},
        {**_TOKENS, "patch_size": [16, 8]},
        {**_TOKENS, "image_size": [32, 128]},
        {**_TOKENS, "image_size": 70},
        {**_TOKENS, "num_attention_heads": 16},
    ),
    "beit": (
        {},
        {**_VIT_B, **_TABLE},
        {**_TOKENS, **_TABLE, "use_mean_pooling": False, "layer_norm_eps": 1e-3},
        {**_TOKENS, "use_shared_relative_position_bias": True, "use_mask_token": True},
        {**_TOKENS, **_TABLE, "use_shared_relative_position_bias": True},
        {**_TOKENS, "use_absolute_position_embeddings": True, "layer_scale_init_value": 0.0},
        {**_TOKENS, **_TABLE, "hidden_act": "relu", "image_size": 80},
        {**_TOKENS, **_TABLE, "image_size": [32, 64]},
    ),
    "data2vec-vision": (_TOKENS, {**_TOKENS, **_TABLE, "use_mean_pooling": False}),
    "dinov2": (
        {},
        {**_TOKENS, "layerscale_value": 0.3},
        {**_TOKENS, "use_swiglu_ffn": True, "mlp_ratio": 3},
        {**_TOKENS, "qkv_bias": False, "hidden_act": "gelu_new", "use_mask_token": False},
        {**_TOKENS, "image_size": 70, "patch_size": 14, "layer_norm_eps": 1e-2},
    ),
    "dinov2_with_registers": (
        _TOKENS,
        {**_TOKENS, "num_register_tokens": 1, "use_swiglu_ffn": True},
    ),
    "clip": (
        {"vision_config": {**_VIT_B, "patch_size": 32}},
        {"vision_config": _TOKENS},
        *({"vision_config": {**_TOKENS, "hidden_act": name}} for name in ("gelu", "relu6")),
        {"vision_config": {**_TOKENS, "layer_norm_eps": 1e-2, "image_size": 70}},
    ),
    "metaclip_2": ({"vision_config": _TOKENS},),
    "siglip": (
        {"vision_config": {"patch_size": 32}},
        {"vision_config": _TOKENS},
        {"vision_config": {**_TOKENS, "vision_use_head": False, "hidden_act": "gelu"}},
        {"vision_config": {**_TOKENS, "layer_norm_eps": 1e-2, "image_size": 70}},
    ),
    "mobilenet_v1": (
        {},
        {"depth_multiplier": 0.25, "image_size": 193},
        {"tf_padding": False, "depth_multiplier": 0.5, "layer_norm_eps": 1e-5},
        {"hidden_act": "relu", "depth_multiplier": 0.25, "num_channels": 1},
        {"hidden_act": "prelu", "depth_multiplier": 0.25},
    ),
    "levit": (
        {},
        {"depths": [2, 1, 1], "image_size": 160},
        {"hidden_sizes": [192, 288, 384], "num_attention_heads": [3, 5, 6], "key_dim": [32] * 3},
        {"depths": [1, 1, 1], "mlp_ratio": [4, 0, 2], "attention_ratio": [1, 3, 2]},
        {"depths": [1, 1, 1], "image_size": 240},
    ),
    "poolformer": (
        {},
        {"depths": [1, 2, 1, 1], "hidden_sizes": [96, 192, 384, 768], "mlp_ratio": 2.0},
        {"depths": [1, 1, 1, 1], "use_layer_scale": False, "hidden_act": "relu"},
        {"depths": [1, 1, 1, 1], "pool_size": 5},
        {"depths": [1, 1, 1, 1], "strides": [2, 2, 2, 2]},
    ),
    "ijepa": (_VIT_B, {**_TOKENS, "hidden_act": "relu", "layer_norm_eps": 1e-3}),
    "shieldgemma2": (_GEMMA,),
    "timm_wrapper": ({"architecture": "resnet18"},),
    "perceiver": ({"qk_channels": 64, "v_channels": 64, "d_latents": 64, "num_latents": 8},),
}
"""What is set of each kind; nothing of those left out."""

PROCESSORS: dict[str, tuple[dict[str, Any], ...]] = {
    "vit": (
        {},
        {"resample": 3, "size": 384, "image_mean": [0.4, 0.5, 0.6]},
        {"do_normalize": False},
        {"do_rescale": False},
        {"do_resize": False, "do_center_crop": True, "crop_size": 96},
    ),
    "deit": ({}, {"size": 248}),
    "beit": ({}, {"do_center_crop": True, "size": 256}),
    "siglip": ({},),
    "bit": ({}, {"size": {"shortest_edge": 300}, "crop_size": 256}),
    "clip": ({},),
    "convnext": ({}, {"size": 224}, {"size": {"shortest_edge": 288}, "crop_pct": 0.95}),
    "levit": ({}, {"size": 196, "crop_size": 190}, {"size": {"height": 230, "width": 240}}),
    "poolformer": (
        {},
        {"crop_pct": 0.95},
        {"size": {"height": 230, "width": 240}},
        {"size": {"height": 230, "width": 230}},
    ),
    "mobilenet_v1": ({},),
    "mobilenet_v2": ({}, {"rescale_factor": 1 / 127.5}),
    "efficientnet": (
        {},
        {"rescale_offset": True, "rescale_factor": 1 / 127.5},
        {"include_top": False},
        {"do_center_crop": True},
        {"do_normalize": False, "rescale_offset": True},
    ),
}
RESIZED = ("beit", "data2vec-vision", "dinov2", "dinov2_with_registers")
"""Kinds that take images of any size, for which they resize what they learnt of positions."""

SIZES = ((300, 200), (333, 517), (640, 480), (100, 80), (224, 224), (257, 391), (91, 1000))


def main() -> int:
    """Check all, or the kinds that are named; return 1 where something is wrong."""
    torchvision_models()  # transformers imports torchvision without the cure
    import transformers
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES as CLASSES,
    )

    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    wanted = sys.argv[1:] or [*CLASSES]
    is_right = True
    for kind in wanted:
        names = CLASSES[kind]
        for name in names if isinstance(names, tuple) else (names,):
            for form in FORMS.get(kind, ({},)):
                answer = check(kind, name, form)
                is_right &= not answer.startswith("WRONG")
                print(f"{kind} | {name} | {json.dumps(form)} | {answer}", flush=True)
    for kind in PROCESSORS if not sys.argv[1:] else ():
        for form in PROCESSORS[kind]:
            answer = check_processor(kind, form)
            is_right &= not answer.startswith("WRONG")
            print(f"{kind} | processor | {json.dumps(form)} | {answer}", flush=True)
    return 0 if is_right else 1


def check(kind: str, name: str, form: dict[str, Any]) -> str:
    """Save one network and open it; return what came of it."""
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    try:
        config = CONFIG_MAPPING[kind](**{"num_labels": 5, **form})
        network = getattr(transformers, name)(config).eval()
    except Exception as error:  # noqa: BLE001 - what transformers cannot build is no fault here
        return f"not built: {str(error).strip().splitlines()[0][:100]}"
    shake(network)
    with tempfile.TemporaryDirectory() as folder:
        network.save_pretrained(folder)
        answers = [opened(Path(folder), kind, network)]
        (Path(folder) / "config.json").unlink()
        file = Path(folder) / "model.safetensors"
        inspection = source_of(file).inspect(file)
        if inspection.usable and "refused" in answers[0]:
            # What only the configuration tells is assumed, and said.
            answers.append("without config.json it opens and says so")
            if not any("config.json" in problem for problem in inspection.problems):
                return f"WRONG: without config.json it opens and says {inspection.problems}"
    return "; ".join(answers)


def opened(folder: Path, kind: str, network: Any) -> str:
    """Open a folder and compare; return what came of it."""
    if not is_model(folder):
        return "WRONG: not taken for a model"
    try:
        model = source_of(folder).open(ModelChoice(checkpoint=folder), None, lambda: False)
    except DroplensError as error:
        said = str(error).replace(str(folder), "")
        right = KINDS[kind].title in said or "does not provide" in said
        return f"refused: {said}" if right else f"WRONG name: {said}"
    except Exception:  # noqa: BLE001 - no traceback may reach a person
        return f"WRONG: {traceback.format_exc(limit=-3)}"
    config = getattr(network.config, "vision_config", network.config)
    size = getattr(config, "image_size", 224)
    size = [size, size] if isinstance(size, int) else size
    sizes = [
        size,
        *([[2 * side for side in size], [size[0], 2 * size[1]]] if kind in RESIZED else []),
    ]
    difference = 0.0
    for height, width in sizes:
        photos = torch.randn(2, getattr(config, "num_channels", 3), height, width)
        for found in (model.network, saved_and_opened(model, folder)):
            difference = max(difference, difference_of(network, found, photos))
    if not difference <= LARGEST_DIFFERENCE:
        return f"WRONG: {model.spec.title} differs by {difference:.1e}"
    return f"equal: {model.spec.title}, largest relative difference {difference:.1e}"


def saved_and_opened(model: Any, folder: Path) -> torch.nn.Module:
    """Return a network that was saved as a file of Droplens' own, and opened again."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "saved.safetensors"
        save_model(model.network, model.spec, model.plan, path)
        return source_of(path).open(ModelChoice(checkpoint=path), None, lambda: False).network


def difference_of(network: Any, other: torch.nn.Module, photos: torch.Tensor) -> float:
    """Return the largest difference of two networks' logits, as a share of what photos change.

    Where that is next to nothing, a tenth of the largest logit stands for it.
    """
    with torch.no_grad():
        wanted, found = network(photos).logits, other(photos)
    changed = max((wanted[0] - wanted[1]).abs().max(), wanted.abs().max() / 10)
    return float((wanted - found).abs().max() / changed)


def shake(network: torch.nn.Module) -> None:
    """Give parameters and statistics values that are far from the usual ones."""
    with torch.no_grad():
        for parameter in network.parameters():
            noise = torch.randn_like(parameter)
            if parameter.ndim in (2, 4):  # as large as lets every layer count
                parameter.copy_(noise * (2 / parameter[0].numel()) ** 0.5)
            else:
                parameter.add_(noise * (0.1 * parameter.abs().mean() + 0.005))
        for name, buffer in network.named_buffers():
            if name.endswith("running_var"):
                buffer.copy_(torch.rand_like(buffer) + 0.5)
            elif name.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer) * 0.1)


def check_processor(kind: str, form: dict[str, Any]) -> str:
    """Prepare photos with a processor on Pillow and as its configuration is read here."""
    module = f"transformers.models.{kind}.image_processing_pil_{kind}"
    __import__(module)
    classes = [one for one in vars(sys.modules[module]) if one.endswith("ImageProcessorPil")]
    processor = getattr(sys.modules[module], classes[0])(**form)
    with tempfile.TemporaryDirectory() as folder:
        processor.save_pretrained(folder)
        text = (Path(folder) / "preprocessor_config.json").read_text(encoding="utf-8")
    found, problems = from_processor(json.loads(text))
    if found is None:
        return f"not expressed: {problems[0]}"
    random, largest, shifted = np.random.default_rng(0), 0.0, 0
    for width, height in SIZES:
        photo = Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8), "RGB")
        wanted = np.asarray(processor(photo, return_tensors="np")["pixel_values"][0])
        here = found.to_input(found.seen_by_model(photo))
        if wanted.shape != here.shape:
            return f"WRONG: shape {here.shape}, not {wanted.shape}"
        difference = float(np.abs(wanted - here).max() / np.abs(wanted).max())
        if difference > LARGEST_DIFFERENCE and problems and lies_between(found, (width, height)):
            shifted += 1
        else:
            largest = max(largest, difference)
    word = "WRONG" if largest > LARGEST_DIFFERENCE else "equal"
    return f"{word}: largest relative difference {largest:.1e}; cut a pixel aside: {shifted}"


def lies_between(preprocessing: Any, size: tuple[int, int]) -> bool:
    """Return whether the middle of a photo lies between two pixels, or it is padded."""
    width, height = preprocessing.resized_size(size)
    tall, wide = preprocessing.crop
    return (width - wide) % 2 == 1 or (height - tall) % 2 == 1


if __name__ == "__main__":
    sys.exit(main())
