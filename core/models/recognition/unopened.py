"""Say by its parameters' names what a file is, where it is no classifier that opens here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from core.language import lazy
from core.models.families import FAMILIES
from core.models.families.base import Unopened

_QUANTISED = Unopened(
    lazy("is quantised to whole numbers; Droplens opens floating-point checkpoints"),
    (r"_packed_params|(^|\.)zero_point$",),
)
_KINDS: tuple[Unopened, ...] = (
    Unopened(
        lazy("is a Faster or Mask R-CNN detector; Droplens opens classifiers"),
        (r"rpn\.head\.", r"roi_heads\."),
    ),
    Unopened(
        lazy("is a RetinaNet or FCOS detector; Droplens opens classifiers"),
        (r"head\.classification_head\.", r"head\.regression_head\."),
    ),
    Unopened(
        lazy("is an SSD detector; Droplens opens classifiers"),
        (r"classification_head\.module_list\.",),
    ),
    Unopened(
        lazy("is a DETR detector; Droplens opens classifiers"),
        (r"query_embed\.", r"bbox_embed\.|class_embed\."),
    ),
    Unopened(
        lazy("is a YOLO detector; Droplens opens classifiers"),
        (r"(^|\.)model\.\d+\.(conv|cv1)\.", r"\.m\.\d+\."),
    ),
    Unopened(
        lazy("is a segmentation network; Droplens opens classifiers of whole photos"),
        (r"^(module\.|model\.)?backbone\.", r"(^|\.)(aux_classifier|classifier)\.\d\.convs?\."),
    ),
    Unopened(
        lazy("is a segmentation network; Droplens opens classifiers of whole photos"),
        (r"^(module\.|model\.)?backbone\.conv1", r"(^|\.)classifier\.4\.weight$"),
    ),
    Unopened(
        lazy("is a U-Net for segmentation; Droplens opens classifiers of whole photos"),
        (
            r"(^|\.)(up\d|up_?conv\d?|ups|decoder\d?|upsample)\.|ConvTranspose|(^|\.)up\.",
            r"(^|\.)(down\d|inc|downs|encoder\d?|dconv_down\d|down)\.",
        ),
    ),
    Unopened(
        lazy("is a recurrent network (LSTM or GRU); Droplens opens classifiers of photos"),
        (r"weight_ih_l\d",),
    ),
    Unopened(
        lazy("is a language model; Droplens opens classifiers of photos"),
        (r"word_embeddings\.|embed_tokens\.|(^|\.)wte\.|token_embedding\.",),
    ),
    *(one for family in FAMILIES for one in family.unopened),
    Unopened(
        lazy("holds the generator or discriminator of a GAN"),
        (r"(^|\.)(generator|netG|netD|gen)\.",),
    ),
    Unopened(
        lazy(
            "holds the weights of a Keras or TensorFlow network without its layers; open the .h5 "
            "or .keras file that model.save(…) writes"
        ),
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


def is_optimizer(content: Mapping[object, object]) -> bool:
    """Return whether a file holds the state of an optimizer and no network."""
    return any(
        isinstance(one, Mapping) and set(one) >= _OPTIMIZER for one in (content, *content.values())
    )


def _is(kind: Unopened, names: Collection[str]) -> bool:
    return all(any(re.search(pattern, name) for name in names) for pattern in kind.patterns)
