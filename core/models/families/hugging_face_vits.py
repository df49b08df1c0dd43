"""transformers' ViT, DeiT, BEiT, DINOv2, CLIP and SigLIP: their names and their configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import (
    JOINED,
    TRANSFORMERS,
    Attention,
    Dialect,
    Family,
    Modules,
    Shape,
    Shapes,
    no_weights,
)
from core.models.families.blocks import Paths, adding_twice, twice
from core.models.families.configured import ACTIVATIONS, Configured, Difference, Setting, Settings
from core.models.families.token_form import TokenForm, image_size, read_form

if TYPE_CHECKING:
    from torch import Tensor

    from core.images.preprocessing import Preprocessing

_NAMES = lazy("Hugging Face's names")
_USUAL_HEADS = 12
_NORMS = r"norm|norm_before|pooled_norm|blocks\.\d+\.norm[12]"
_UNUSED = "unused."
"""Begins the names of what transformers keeps in a classifier that does not use it."""

Rules = tuple[tuple[str, str], ...]


def _settings(
    activation: str, patch: int, *more: Callable[[TokenForm], dict[str, Setting]]
) -> Callable[[str, Shapes], dict[str, Setting]]:
    """Return what must be so for a kind of these networks.

    Args:
        activation: that it has where its configuration is silent.
        patch: the same, in pixels.
        more: fields of this kind alone.
    """

    def settings(_: str, shapes: Shapes) -> dict[str, Setting]:
        form = read_form(shapes)
        if form is None:  # it was read by its form
            return {}
        heads = tuple(count for count in range(1, form.width + 1) if form.width % count == 0)
        if form.table_heads:
            heads = (form.table_heads,) if form.table_heads in heads else ()
        (height, width), side = form.patch, form.side
        sizes = range(side * height, side * height + height)
        found = {
            "hidden_act": Setting(activation, tuple(ACTIVATIONS)),
            "num_attention_heads": Setting(_USUAL_HEADS, heads, form.heads),
            "patch_size": Setting(
                patch, (height, [height, width]) if height == width else (), height
            ),
        }
        if side:  # the positions are on a square, whatever their number
            fitting = (*sizes, *([size, size] for size in sizes))
            found["image_size"] = Setting(224, fitting, side * height)
        for one in more:
            found |= one(form)
        return found

    return settings


def _differences(settings: Settings, shapes: Shapes) -> Iterator[Difference]:
    """Yield activations and the number of heads of each block."""
    form = read_form(shapes)
    for number in range(0 if form is None else form.depth):
        block = f"blocks.{number}"
        activation = ACTIVATIONS[settings["hidden_act"]]
        if activation != "GELU":
            yield f"{block}.mlp.act", "", activation
        yield f"{block}.attention", "num_heads", settings["num_attention_heads"]


def _configured(
    kinds: dict[str, float], settings: Callable[[str, Shapes], dict[str, Setting]], within: str = ""
) -> Configured:
    return Configured(kinds, settings, "layer_norm_eps", _NORMS, _differences, within)


def _of_vit(start: str) -> Rules:
    """Return the rules for the names of transformers' ViT, which begin so."""
    layer = rf"{start}(?:encoder\.layers?|layers)\.(\d+)\."
    return (
        (rf"{start}embeddings\.cls_token", "class_token"),
        (rf"{start}embeddings\.position_embeddings", "positions"),
        (rf"{start}embeddings\.(mask_token)", rf"{_UNUSED}\1"),
        (rf"{start}embeddings\.patch_embeddings\.projection\.(\w+)", r"patches.\1"),
        (rf"{layer}attention\.(?:attention\.)?{JOINED}\.(\w+)", r"blocks.\1.attention.qkv.\2"),
        (rf"{layer}attention\.(?:output\.dense|o_proj)\.(\w+)", r"blocks.\1.attention.proj.\2"),
        (rf"{layer}layernorm_before\.(\w+)", r"blocks.\1.norm1.\2"),
        (rf"{layer}layernorm_after\.(\w+)", r"blocks.\1.norm2.\2"),
        (rf"{layer}(?:intermediate\.dense|mlp\.fc1)\.(\w+)", r"blocks.\1.mlp.fc1.\2"),
        (rf"{layer}(?:output\.dense|mlp\.fc2)\.(\w+)", r"blocks.\1.mlp.fc2.\2"),
        (rf"{start}layernorm\.(\w+)", r"norm.\1"),
        (r"(?:cls_)?classifier\.(\w+)", r"head.\1"),
    )


def _of_kin(kind: str) -> Rules:
    """Return the rules for the names of ViT's kin, which begin as the kind is called."""
    start = rf"{kind}\."
    layer = rf"{start}(?:encoder\.layers?|layers)\.(\d+)\."
    return (
        *_of_vit(start),
        (rf"{start}embeddings\.distillation_token", "distillation_token"),
        (rf"{start}embeddings\.register_tokens", "registers"),
        (
            rf"{layer}(?:attention\.attention\.)?relative_position_bias\."
            r"relative_position_bias_table",
            r"blocks.\1.attention.bias.table",
        ),
        (rf"{layer}norm([12])\.(\w+)", r"blocks.\1.norm\2.\3"),
        (rf"{layer}(?:lambda_|layer_scale)([12])(?:\.lambda1)?", r"blocks.\1.scale\2"),
        (rf"{layer}mlp\.weights_in\.(\w+)", r"blocks.\1.mlp.gated.\2"),
        (rf"{layer}mlp\.weights_out\.(\w+)", r"blocks.\1.mlp.fc2.\2"),
        (
            rf"{start}(?:encoder\.relative_position_bias|shared_position_bias)\."
            r"relative_position_bias_table",
            "shared_bias.table",
        ),
        (rf"{start}(.+\.relative_position_index)", rf"{_UNUSED}\1"),
        (rf"{start}pooler\.layernorm\.(\w+)", r"pooled_norm.\1"),
        (r"distillation_classifier\.(\w+)", r"distillation_head.\1"),
    )


def _of_beit(form: TokenForm) -> dict[str, Setting]:
    means = form.has("pooled_norm.weight")
    own, shared = form.has("blocks.0.attention.bias.table"), form.has("shared_bias.table")
    return {
        "use_mean_pooling": Setting(True, (means,), means),
        "use_absolute_position_embeddings": Setting(
            False, (form.positions > 0,), form.positions > 0
        ),
        "use_relative_position_bias": Setting(False, (own,), own),
        "use_shared_relative_position_bias": Setting(False, (shared,), shared),
    }


def _of_dinov2(form: TokenForm) -> dict[str, Setting]:
    gated = form.has("blocks.0.mlp.gated.weight")
    return {"use_swiglu_ffn": Setting(False, (gated,), gated), "qkv_bias": _qkv_bias(form)}


def _of_plain(form: TokenForm) -> dict[str, Setting]:
    return {"qkv_bias": _qkv_bias(form)}


def _qkv_bias(form: TokenForm) -> Setting:
    has_bias = form.has("blocks.0.attention.qkv.bias")
    return Setting(True, (has_bias,), has_bias)


_VISION = r"vision_model\."
_VISION_LAYER = rf"{_VISION}encoder\.layers\.(\d+)\."
_OF_VISION: Rules = (
    (rf"{_VISION}embeddings\.class_embedding", "class_token"),
    (rf"{_VISION}embeddings\.position_embedding\.weight", "positions"),
    (rf"{_VISION}embeddings\.(position_ids)", rf"{_UNUSED}\1"),
    (rf"{_VISION}embeddings\.patch_embedding\.(\w+)", r"patches.\1"),
    (rf"{_VISION_LAYER}self_attn\.{JOINED}\.(\w+)", r"blocks.\1.attention.qkv.\2"),
    (rf"{_VISION_LAYER}self_attn\.out_proj\.(\w+)", r"blocks.\1.attention.proj.\2"),
    (rf"{_VISION_LAYER}layer_norm([12])\.(\w+)", r"blocks.\1.norm\2.\3"),
    (rf"{_VISION_LAYER}mlp\.fc([12])\.(\w+)", r"blocks.\1.mlp.fc\2.\3"),
    (r"classifier\.(\w+)", r"head.\1"),
)
_TEXT = r"(^|\.)(text_model\.|text_projection\.|visual_projection\.|logit_scale$|logit_bias$)"


def _with_tokens(name: str, shape: Shape) -> Shape:
    """Return the shapes of tokens, which CLIP and SigLIP keep without what is 1 in them."""
    if name in ("class_token", "positions") and len(shape) < 3:
        return (*(1,) * (3 - len(shape)), *shape)
    return shape


def _of_halves(telling: str, rules: Rules, configured: Configured) -> Dialect:
    """Return the names of a network of two halves, for photos and for text."""
    return Dialect(
        _NAMES,
        telling,
        (*_OF_VISION, *rules),
        reshape=_with_tokens,
        configured=configured,
        beside=_TEXT,
    )


_DIALECTS = (
    # A ViT of a size that torchvision does not provide, whose prefix has been taken off.
    Dialect(
        _NAMES,
        "embeddings.patch_embeddings.projection.weight",
        _of_vit(""),
        configured=_configured(
            {"vit": 1e-12, "vit_msn": 1e-6, "ijepa": 1e-12}, _settings("gelu", 16, _of_plain)
        ),
    ),
    Dialect(
        _NAMES,
        "deit.embeddings.distillation_token",
        _of_kin("deit"),
        configured=_configured({"deit": 1e-12}, _settings("gelu", 16, _of_plain)),
    ),
    Dialect(
        _NAMES,
        "beit.embeddings.cls_token",
        _of_kin("beit"),
        configured=_configured({"beit": 1e-12}, _settings("gelu", 16, _of_beit)),
    ),
    Dialect(
        _NAMES,
        "data2vec_vision.embeddings.cls_token",
        _of_kin("data2vec_vision"),
        configured=_configured({"data2vec-vision": 1e-12}, _settings("gelu", 16, _of_beit)),
    ),
    Dialect(
        _NAMES,
        "dinov2.embeddings.cls_token",
        _of_kin("dinov2"),
        configured=_configured({"dinov2": 1e-6}, _settings("gelu", 14, _of_dinov2)),
    ),
    Dialect(
        _NAMES,
        "dinov2_with_registers.embeddings.cls_token",
        _of_kin("dinov2_with_registers"),
        configured=_configured({"dinov2_with_registers": 1e-6}, _settings("gelu", 16, _of_dinov2)),
    ),
    _of_halves(
        "vision_model.embeddings.class_embedding",
        (
            (rf"{_VISION}pre_layrnorm\.(\w+)", r"norm_before.\1"),
            (rf"{_VISION}(post_layernorm\.\w+)", rf"{_UNUSED}\1"),
        ),
        _configured(
            {"clip": 1e-5, "metaclip_2": 1e-5}, _settings("quick_gelu", 32), "vision_config"
        ),
    ),
    _of_halves(
        "vision_model.embeddings.patch_embedding.bias",
        (
            (rf"{_VISION}post_layernorm\.(\w+)", r"norm.\1"),
            (rf"{_VISION}(head\..+)", rf"{_UNUSED}\1"),
        ),
        _configured({"siglip": 1e-6}, _settings("gelu_pytorch_tanh", 16), "vision_config"),
    ),
)


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    yield from twice(x, block.attended(x), block.computed)


def _cam_layer(modules: Modules) -> str:
    """Return the last place whose patches still reach the class token; "" where any will do."""
    form: object = getattr(modules[""], "form", None)
    is_alone = isinstance(form, TokenForm) and form.pools_class_token
    return f"blocks.{form.depth - 1}.norm1" if is_alone and isinstance(form, TokenForm) else ""


def _preset(architecture: str) -> Preprocessing:
    """Return what the published networks of a kind were trained with."""
    from core.images.preprocessing import Preprocessing

    half = Preprocessing(
        resize=(224, 224), crop=None, interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
    )
    if architecture.startswith(("BEiT", "SigLIP")):
        return half
    if architecture.startswith("CLIP"):
        return Preprocessing(
            resize=224,
            crop=(224, 224),
            interpolation="bicubic",
            mean=(0.48145466, 0.4578275, 0.40821073),
            std=(0.26862954, 0.26130258, 0.27577711),
        )
    return Preprocessing(resize=256, crop=(224, 224), interpolation="bicubic")


HUGGING_FACE_VIT = Family(
    {},
    TRANSFORMERS,
    "vit_of_hugging_face",
    "head",
    library="core.models",
    gives_maps=False,
    weights=no_weights,
    preset=_preset,
    auxiliary=(_UNUSED,),
    image_size=image_size,
    variant=read_form,
    dialects=_DIALECTS,
    blocks={"TokenBlock": adding_twice(_run)},
    attention={"TokenAttention": Attention.TOKENS},
    cam_layer=_cam_layer,
)
