"""Say by its parameters' names what a file is, where it is no classifier that opens here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

_OPENS = "Droplens opens classifiers"


@dataclass(frozen=True)
class _Kind:
    """A kind of network or file; every pattern must be found in some name."""

    what: str
    patterns: tuple[str, ...]


_QUANTISED = _Kind(
    "is quantised to whole numbers; Droplens opens floating-point checkpoints",
    (r"_packed_params|(^|\.)zero_point$",),
)
_KINDS = (
    _Kind(f"is a Faster or Mask R-CNN detector; {_OPENS}", (r"rpn\.head\.", r"roi_heads\.")),
    _Kind(
        f"is a RetinaNet or FCOS detector; {_OPENS}",
        (r"head\.classification_head\.", r"head\.regression_head\."),
    ),
    _Kind(f"is an SSD detector; {_OPENS}", (r"classification_head\.module_list\.",)),
    _Kind(f"is a DETR detector; {_OPENS}", (r"query_embed\.", r"bbox_embed\.|class_embed\.")),
    _Kind(f"is a YOLO detector; {_OPENS}", (r"(^|\.)model\.\d+\.(conv|cv1)\.", r"\.m\.\d+\.")),
    _Kind(
        f"is a segmentation network; {_OPENS} of whole photos",
        (r"^(module\.|model\.)?backbone\.", r"(^|\.)(aux_classifier|classifier)\.\d\.convs?\."),
    ),
    _Kind(
        f"is a segmentation network; {_OPENS} of whole photos",
        (r"^(module\.|model\.)?backbone\.conv1", r"(^|\.)classifier\.4\.weight$"),
    ),
    _Kind(
        f"is a U-Net for segmentation; {_OPENS} of whole photos",
        (
            r"(^|\.)(up\d|up_?conv\d?|ups|decoder\d?|upsample)\.|ConvTranspose|(^|\.)up\.",
            r"(^|\.)(down\d|inc|downs|encoder\d?|dconv_down\d|down)\.",
        ),
    ),
    _Kind(f"is a recurrent network (LSTM or GRU); {_OPENS} of photos", (r"weight_ih_l\d",)),
    _Kind(
        f"is a language model; {_OPENS} of photos",
        (r"word_embeddings\.|embed_tokens\.|(^|\.)wte\.|token_embedding\.",),
    ),
    _Kind(
        "is a ViT with Hugging Face's own names; Droplens opens torchvision's and timm's",
        (r"embeddings\.patch_embeddings\.projection", r"attention\.attention\.query"),
    ),
    _Kind(
        "is a ResNet with Hugging Face's own names; Droplens opens torchvision's and timm's",
        (r"encoder\.stages\.\d+\.layers\.\d+\.layer\.\d+\.convolution",),
    ),
    _Kind(
        "is a Swin transformer with timm's names, which differ from torchvision's in their order",
        (r"patch_embed\.proj\.weight", r"layers\.\d+\.blocks\.\d+\.attn"),
    ),
    _Kind(
        "is a ViT of timm's that torchvision has not; Droplens opens its B, L and H forms",
        (r"patch_embed\.proj\.weight", r"(^|\.)blocks\.\d+\.attn\.qkv"),
    ),
    _Kind(
        "is a network of timm's EfficientNet and MobileNet family that torchvision has not",
        (r"(^|\.)conv_stem\.weight", r"(^|\.)blocks\.\d+\.\d+\."),
    ),
    _Kind(
        "is a ConvNeXt of timm's that torchvision has not",
        (r"stages\.\d+\.blocks\.\d+\.conv_dw",),
    ),
    _Kind(
        "is a ResNet for CIFAR by another author, whose three stages torchvision has not",
        (r"layer3\.\d+\.conv1\.weight", r"(^|\.)linear\.weight"),
    ),
    _Kind("holds the generator or discriminator of a GAN", (r"(^|\.)(generator|netG|netD|gen)\.",)),
    _Kind(
        "is a Keras or TensorFlow network; Droplens opens PyTorch's",
        (r"/kernel(:0)?$|(^|\.)kernel$",),
    ),
)
_OPTIMIZER = frozenset({"state", "param_groups"})


def why_not_by_names(names: Collection[str]) -> str | None:
    """Return what a network is, in words that follow the file's name, or None."""
    return next((kind.what for kind in _KINDS if _is(kind, names)), None)


def is_quantised(names: Collection[str]) -> bool:
    """Return whether a state dict is of a quantised network."""
    return _is(_QUANTISED, names)


QUANTISED = _QUANTISED.what


def is_optimizer(content: Mapping[Any, Any]) -> bool:
    """Return whether a file holds the state of an optimizer and no network."""
    return any(
        isinstance(one, Mapping) and set(one) >= _OPTIMIZER for one in (content, *content.values())
    )


def _is(kind: _Kind, names: Collection[str]) -> bool:
    return all(any(re.search(pattern, name) for name in names) for pattern in kind.patterns)
