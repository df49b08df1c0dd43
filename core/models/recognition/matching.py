"""Recognise the architecture of a state dict by the names and shapes of its parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.models.families import FAMILIES, Architecture
from core.models.families.base import Shape, Shapes
from core.models.recognition.fingerprints import (
    Cut,
    Fingerprint,
    fingerprint_of_variant,
    fingerprints,
)

NO_PARAMETERS = (
    "num_batches_tracked",
    "running_mean",
    "running_var",
    "relative_position_index",
    "relative_coords_table",
    "attention_bias_idxs",
)
_COMPUTED = (
    "num_batches_tracked",
    "relative_position_index",
    "relative_coords_table",
    "attention_bias_idxs",
)
"""Entries that the network makes by itself; files may lack them."""

_CHANNELS = (1, 3, 4)
_SMALL_STEM, _SMALL_STEM_CHANNELS = (3, 3), 64


def has_small_stem(fingerprint: Fingerprint, stem: Shape) -> bool:
    """Return whether a first convolution is the small one for pictures of 32×32 pixels."""
    family = fingerprint.family
    return fingerprint.first == family.small_stem and stem[2:] == _SMALL_STEM


@dataclass(frozen=True)
class Recognition:
    """How well a state dict fits one architecture without its head.

    Attributes:
        fingerprint: of the candidate.
        cut: where its head was cut off.
        found: parameters of the body found in the file, in values.
        wanted: parameters of the body, in values.
        similarity: found entries over the union of both sides, 0..1; ranks candidates.
        missing: names that the body needs and the file lacks, or has in another shape.
        unexpected: names in the file that the body does not use, auxiliary heads left out.
    """

    fingerprint: Fingerprint
    cut: Cut
    found: int
    wanted: int
    similarity: float
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def architecture(self) -> Architecture:
        """Return the candidate."""
        return self.fingerprint.architecture

    @property
    def is_whole(self) -> bool:
        """Return whether the body is all there and nothing of a larger one is left."""
        own = {name.split(".", 1)[0] for name in self.cut.body}
        own.discard(self.cut.place.split(".", 1)[0])
        larger = any(name.split(".", 1)[0] in own for name in self.unexpected)
        return not self.missing and not larger


def fit(fingerprint: Fingerprint, shapes: Shapes) -> Recognition:
    """Compare a state dict with one architecture, at the cut that fits it better."""
    return max((_fit(fingerprint, cut, shapes) for cut in fingerprint.cuts), key=_rank)


def recognise(shapes: Shapes, among: Iterable[Fingerprint] | None = None) -> Recognition | None:
    """Return the architecture that a state dict fits best; None where no name agrees.

    Args:
        shapes: of the state dict, cleaned names.
        among: the candidates; all by default, and then those that no builder names too.
    """
    # A candidate without a single name in common costs a set operation, not a comparison.
    names = set(shapes)
    candidates = fingerprints() if among is None else among
    fits = [
        fit(one, shapes) for one in candidates if not names.isdisjoint(one.cuts[-1].body.keys())
    ]
    best = max(fits, key=_rank, default=None)
    if among is None and (best is None or not best.is_whole):
        for family in FAMILIES:
            variant = family.variant(shapes)
            if variant is not None:
                fits.append(fit(fingerprint_of_variant(variant, family), shapes))
    return max(fits, key=_rank, default=None)


def _rank(one: Recognition) -> tuple[float, bool]:
    return (one.similarity, not one.missing)


def _fit(fingerprint: Fingerprint, cut: Cut, shapes: Shapes) -> Recognition:
    missing: list[str] = []
    values = similar = parameters = found = 0
    for name, shape in cut.body.items():
        if name.endswith(_COMPUTED):
            continue
        size = math.prod(shape)
        here = _same(fingerprint, name, shapes.get(name), shape)
        values += size
        similar += size * here
        if not name.endswith(NO_PARAMETERS):
            parameters += size
            found += size * here
        if not here:
            missing.append(name)
    place = f"{cut.place}."
    unexpected = tuple(
        name
        for name in shapes
        if name not in cut.body
        and not name.startswith((*fingerprint.family.auxiliary, place))
        and not name.endswith(_COMPUTED)
    )
    surplus = sum(math.prod(shapes[name]) for name in unexpected)
    return Recognition(
        fingerprint=fingerprint,
        cut=cut,
        found=found,
        wanted=parameters,
        similarity=similar / max(1, values + surplus),
        missing=tuple(missing),
        unexpected=unexpected,
    )


def _same(fingerprint: Fingerprint, name: str, found: Shape | None, wanted: Shape) -> bool:
    if found == wanted:
        return True
    if found is None or len(found) != len(wanted):
        return False
    if name == fingerprint.first:
        return _is_other_stem(fingerprint, name, found, wanted)
    return fingerprint.family.resizable(name, found, wanted)


def _is_other_stem(fingerprint: Fingerprint, name: str, found: Shape, wanted: Shape) -> bool:
    """Return whether a first convolution takes other channels, or is the small one for CIFAR."""
    small = name == fingerprint.family.small_stem and wanted[0] == _SMALL_STEM_CHANNELS
    sides = [wanted[2:], _SMALL_STEM] if small else [wanted[2:]]
    return found[0] == wanted[0] and found[1] in _CHANNELS and found[2:] in sides
