"""Say by its parameters' names what a file is, where it is no classifier that opens here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from core.language import lazy, tr
from core.models.class_names.lists import clean
from core.models.families import FAMILIES
from core.models.families.base import Unopened
from core.models.families.hugging_face import KINDS, Kind
from core.models.recognition.pickled_layers import unknown_layer
from core.models.recognition.sidecars import transformers_config
from core.models.sources.checkpoint.inert import Stub

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
        lazy("is a segmentation network; Droplens opens classifiers of whole photos"),
        (r"^(module\.|model\.)?backbone\.", r"(^|\.)(aux_classifier|classifier)\.\d\.convs?\."),
    ),
    Unopened(
        lazy("is a segmentation network; Droplens opens classifiers of whole photos"),
        (r"^(module\.|model\.)?backbone\.conv1", r"(^|\.)classifier\.4\.weight$"),
    ),
    Unopened(
        lazy("is a U-Net or an autoencoder; Droplens opens classifiers of whole photos"),
        (
            r"(^|\.)(up\d|up_?conv\d?|ups|decoder\d?|upsample)\.|ConvTranspose|(^|\.)up\.",
            r"(^|\.)(down\d|inc|downs|encoder\d?|dconv_down\d|down)\.",
        ),
        has_convolutions=True,
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
_WRITTEN = re.compile(r"(model|pytorch_model)(?P<part>-\d+-of-\d+)?\.(safetensors|bin)")
"""What transformers calls its files."""

_SHOWN_LETTERS = 60
_OPTIMIZER = frozenset({"state", "param_groups"})


def why_not(
    names: Collection[str], *, has_convolutions: bool, network: Stub | None = None
) -> str | None:
    """Return what a network is, in words that follow the file's name, or None.

    Args:
        names: of its parameters.
        has_convolutions: whether any of them is a convolution's.
        network: the pickled one, if the file holds it.
    """
    for one in KINDS.values():
        if one.patterns and _has(one.patterns, names):
            return _of_transformers(one)
    possible = (kind for kind in _KINDS if has_convolutions or not kind.has_convolutions)
    found = next((kind for kind in possible if _is(kind, names)), None)
    if found is None:
        return None
    layer = unknown_layer(network, found.code) if network and found.code else None
    if layer is None:
        return found.what
    return tr(
        "{what}: its layer {name!r} is a {kind}", what=found.what, name=layer[0], kind=layer[1]
    )


def why_not_by_neighbours(path: Path) -> str | None:
    """Return what the file's name or the config.json beside it says it is, or None.

    It is asked about the files that transformers writes alone: others may lie there by chance.
    """
    written, config = _WRITTEN.fullmatch(path.name), transformers_config(path)
    if written is None:
        return None
    if written["part"]:
        return tr(
            "is one of several files that hold one model together; save the model as one file, "
            "with save_pretrained(…, max_shard_size='100GB')"
        )
    if not config:
        return None
    kind = KINDS.get(config["model_type"])
    if kind is not None:
        return _of_transformers(kind)
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names else config["model_type"]
    return tr(
        "is a network of Hugging Face ({name}), which Droplens does not open",
        name=clean(str(name) if isinstance(name, str) else config["model_type"])[:_SHOWN_LETTERS],
    )


def _of_transformers(kind: Kind) -> str:
    if kind.opens:
        return tr("is {kind} of Hugging Face in a form that Droplens does not build", kind=kind.one)
    return tr("is {kind} of Hugging Face, which Droplens does not open", kind=kind.one)


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
    return _has(kind.patterns, names)


def _has(patterns: Collection[str], names: Collection[str]) -> bool:
    return all(any(re.search(pattern, name) for name in names) for pattern in patterns)
