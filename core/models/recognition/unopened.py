"""Say by its parameters' names what a file is, where it is no classifier that opens here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from core.language import lazy
from core.models.families import FAMILIES
from core.models.families.base import Unopened

_OPENS = lazy("Droplens opens classifiers")


_QUANTISED = Unopened(
    "is quantised to whole numbers; Droplens opens floating-point checkpoints",
    (r"_packed_params|(^|\.)zero_point$",),
)
_KINDS: tuple[Unopened, ...] = (
    Unopened(f"is a Faster or Mask R-CNN detector; {_OPENS}", (r"rpn\.head\.", r"roi_heads\.")),
    Unopened(
        f"is a RetinaNet or FCOS detector; {_OPENS}",
        (r"head\.classification_head\.", r"head\.regression_head\."),
    ),
    Unopened(f"is an SSD detector; {_OPENS}", (r"classification_head\.module_list\.",)),
    Unopened(f"is a DETR detector; {_OPENS}", (r"query_embed\.", r"bbox_embed\.|class_embed\.")),
    Unopened(f"is a YOLO detector; {_OPENS}", (r"(^|\.)model\.\d+\.(conv|cv1)\.", r"\.m\.\d+\.")),
    Unopened(
        f"is a segmentation network; {_OPENS} of whole photos",
        (r"^(module\.|model\.)?backbone\.", r"(^|\.)(aux_classifier|classifier)\.\d\.convs?\."),
    ),
    Unopened(
        f"is a segmentation network; {_OPENS} of whole photos",
        (r"^(module\.|model\.)?backbone\.conv1", r"(^|\.)classifier\.4\.weight$"),
    ),
    Unopened(
        f"is a U-Net for segmentation; {_OPENS} of whole photos",
        (
            r"(^|\.)(up\d|up_?conv\d?|ups|decoder\d?|upsample)\.|ConvTranspose|(^|\.)up\.",
            r"(^|\.)(down\d|inc|downs|encoder\d?|dconv_down\d|down)\.",
        ),
    ),
    Unopened(f"is a recurrent network (LSTM or GRU); {_OPENS} of photos", (r"weight_ih_l\d",)),
    Unopened(
        f"is a language model; {_OPENS} of photos",
        (r"word_embeddings\.|embed_tokens\.|(^|\.)wte\.|token_embedding\.",),
    ),
    *(one for family in FAMILIES for one in family.unopened),
    Unopened(
        "holds the generator or discriminator of a GAN", (r"(^|\.)(generator|netG|netD|gen)\.",)
    ),
    Unopened(
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


def _is(kind: Unopened, names: Collection[str]) -> bool:
    return all(any(re.search(pattern, name) for name in names) for pattern in kind.patterns)
