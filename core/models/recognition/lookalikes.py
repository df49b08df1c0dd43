"""timm's architectures by the names and shapes of their parameters, those that look alike together.

Which names stand in a state dict is hashed, so that nothing is built to look one up.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import resources
from core.models.families.base import Shape, Shapes, Variant
from core.models.families.timm_networks import TimmVariant, timm_config, timm_family, timm_heads
from core.models.recognition.fingerprints import Fingerprint, fingerprint_with_head

RESOURCE = "timm_architectures.json.gz"
_COMPUTED = (
    "num_batches_tracked",
    "relative_position_index",
    "relative_coords_table",
    "attention_bias_idxs",
    "attn_mask",
)
"""Entries that a network makes by itself; versions of timm differ in whether they save them."""

_CHANNELS = (1, 3, 4)

Groups = tuple[tuple[str, ...], ...]
"""Architectures with the same parameters; those in one tuple compute the same."""


@dataclass(frozen=True)
class Index:
    """All of timm's architectures.

    Attributes:
        heads: where their last layers stand, each place once; a network may have several.
        stems: names of their first convolutions' weights, each once.
        groups: by ``digest``.
    """

    heads: tuple[tuple[str, ...], ...]
    stems: tuple[str, ...]
    groups: dict[str, Groups]

    @property
    def names(self) -> Iterator[str]:
        """Yield the names of all architectures."""
        for groups in self.groups.values():
            for group in groups:
                yield from group


@functools.cache
def timm_index() -> Index:
    """Return the index, which ``build_scripts/make_timm_index.py`` writes."""
    content = json.loads(gzip.decompress(resources.path(RESOURCE).read_bytes()))
    return Index(
        heads=tuple(map(tuple, content["heads"])),
        stems=tuple(content["stems"]),
        groups={
            key: tuple(tuple(group) for group in groups)
            for key, groups in content["groups"].items()
        },
    )


def digest(shapes: Shapes, heads: tuple[str, ...], stem: str) -> str:
    """Return a hash of names and shapes, without the heads and the number of input channels."""
    lines = []
    for name, shape in shapes.items():
        if name.endswith(_COMPUTED) or name.startswith(tuple(f"{head}." for head in heads)):
            continue
        lines.append(f"{name} {_any_channels(shape) if name == stem else shape}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Lookalikes:
    """What a state dict's shapes are of.

    Attributes:
        groups: timm's architectures with these parameters, whatever their head; () for none.
        outputs: of the head; 0 where that is not one layer.
    """

    groups: Groups = ()
    outputs: int = 0


def find_lookalikes(shapes: Shapes) -> Lookalikes:
    """Return timm's architectures with these parameters."""
    index = timm_index()
    # A network for three channels is found as it stands; other names may be a stem's elsewhere.
    stems = ("", *(stem for stem in index.stems if stem in shapes))
    stands = {name[:end] for name in shapes for end in _dots(name)}
    for heads in ((), *(heads for heads in index.heads if heads[0] in stands)):
        for stem in stems:
            known = index.groups.get(digest(shapes, heads, stem), ())
            groups = _with_heads(known, heads)
            if groups:
                weight = _weight_of(shapes, heads[0]) if heads else ()
                return Lookalikes(groups, weight[0] if weight else 0)
    return Lookalikes()


def _with_heads(groups: Groups, heads: tuple[str, ...]) -> Groups:
    """Return those of architectures whose heads stand there; all where none were left out.

    What stays of one without its head may be all of another without more than its head.
    """
    kept = (tuple(name for name in group if heads in ((), timm_heads(name))) for group in groups)
    return tuple(group for group in kept if group)


def timm_fingerprint(architecture: str, shapes: Shapes) -> Fingerprint | None:
    """Return the fingerprint of one of timm's, with as many classes and channels as shapes have.

    None where the architecture has no head at all.
    """
    config = timm_config(architecture)
    heads = timm_heads(architecture)
    if not heads:
        return None
    weight = _weight_of(shapes, heads[0])
    stem = shapes.get(_stem_of(config), ())
    variant: Variant = TimmVariant(
        architecture,
        weight[0] if weight else int(config.get("num_classes", 1000)),
        stem[1] if _is_stem(stem) else 3,
    )
    wanted = variant.shapes()
    if not any(name.startswith(f"{heads[0]}.") for name in wanted):
        return None
    last = _weight_of(wanted, heads[0])
    family = timm_family(architecture, heads[0], takes_maps=len(last) == 4)
    first = _stem_of(config)
    first = first if _is_stem(wanted.get(first, ())) else ""  # others take pieces of the photo
    return fingerprint_with_head(architecture, family, wanted, first, variant)


def _stem_of(config: object) -> str:
    place = config.get("first_conv") if isinstance(config, dict) else None
    first = place if isinstance(place, str) else (place or ("",))[0]
    return f"{first}.weight"


def _weight_of(shapes: Shapes, place: str) -> Shape:
    return shapes.get(f"{place}.weight", ())


def _dots(name: str) -> Iterator[int]:
    return (at for at, letter in enumerate(name) if letter == ".")


def _is_stem(shape: Shape) -> bool:
    return len(shape) == 4 and shape[1] in _CHANNELS


def _any_channels(shape: Shape) -> Shape:
    return (shape[0], 3, *shape[2:])
