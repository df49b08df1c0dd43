"""Find out whether a model is given photos as it was when it learnt, and names in its order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckError
from core.inference.diagnosis import Diagnosis, Example, Finding, Kind
from core.inference.engine import Engine, ModelRequest
from core.inference.setups import other_colours, other_cuts, other_numbers, other_sizes, other_turns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.images.preprocessing import Preprocessing
    from core.inference.classifier import Classifier

    Pixels = npt.NDArray[np.uint8]
    Bools = npt.NDArray[np.bool_]
    Indices = npt.NDArray[np.int64]
    Shares = npt.NDArray[np.float32]
    PixelsOf = Callable[[Indices], Pixels | None]

LEAST_PHOTOS = 24
_MOST_PHOTOS = 120
_BATCH = 16

_WRONG, _TIMES_LESS = 0.25, 4.0
"""Of ``mismatch``: what is wrong lies above, and what is right this many times below it."""

_SURE, _LEAST_BITS = 3.0, 0.15
"""Of ``recognition``: what is right is better by so many standard errors, and by so many bits."""

_CHANCE, _LEAST_GAIN = 0.05, 0.03
"""Of an alternative that is better by labels: shared among all that are tried; and by how much."""

_PARTS = 3
"""A way is tried on a part of the photos; on the others only where it is better on these."""

_MOST_EXAMPLES = 8


@dataclass(frozen=True)
class Diagnose(ModelRequest["Iterator[int | Diagnosis]"]):
    """Try other ways of preparing photos, and other orders of class names. Nothing is changed.

    Attributes:
        photos: 24 or more; of very many some are taken, evenly.
        labels: the class index of each, in the model's order; empty where they are not known.
    """

    slot = "diagnose"
    photos: tuple[Path, ...]
    labels: tuple[int, ...] = ()

    def run(self, engine: Engine) -> Iterator[int | Diagnosis]:
        """Yield how many ways were tried, then the diagnosis.

        Raises:
            CheckError: too few photos can be opened.
        """
        step = max(1, -(-len(self.photos) // _MOST_PHOTOS))
        looking = _Looking(engine, self.photos[::step], self.labels[::step])
        yield from looking.begin()
        if looking.norm is not None:
            yield from looking.by_norm()
        elif not self.labels:
            yield from looking.by_mirror()
        if self.labels:
            yield from looking.by_labels()
        yield looking.diagnosis()


@dataclass(frozen=True)
class _Tried:
    finding: Finding
    chance: float
    """How likely so large a difference is where there is none."""


class _Looking:
    def __init__(self, engine: Engine, photos: tuple[Path, ...], labels: tuple[int, ...]) -> None:
        from core.inference.first_norm import first_norm

        self._engine, self._photos, self._given = engine, photos, labels
        self._classifier: Classifier = engine.classifier()
        self._used = self._classifier.spec.preprocessing
        self.norm = first_norm(self._classifier.network)
        self._mismatch: float | None = None
        self._recognition: float | None = None
        self._accuracy: float | None = None
        self._findings: list[Finding] = []
        self._tried = 0

    def begin(self) -> Iterator[int]:
        import numpy as np

        decoded = self._decoded(self._used, self._photos)
        there = [at for at, one in enumerate(decoded) if one is not None]
        if len(there) < LEAST_PHOTOS:
            raise CheckError(
                "{n} photos or more are needed for this; {found} can be opened.",
                n=LEAST_PHOTOS,
                found=len(there),
            )
        self._failed = len(self._photos) - len(there)
        self._photos = tuple(self._photos[at] for at in there)
        self._pixels: Pixels = np.stack([one for one in decoded if one is not None])
        self._labels = np.array([self._given[at] for at in there if self._given], np.int64)
        yield self._count()

    def by_norm(self) -> Iterator[int]:
        """Try other numbers, as the first batch norm sees them."""
        self._mismatch = now = self._mismatch_by(self._used)
        found: list[Finding] = []
        for name, used in other_numbers(self._used).items():
            after = self._mismatch_by(used)
            found.append(Finding("numbers", name, now, after, "norm", used))
            yield self._count()
        best = min(found, key=lambda one: one.after, default=None)
        if best is None or now <= _WRONG or best.after * _TIMES_LESS >= now:
            return
        few = slice(0, _BATCH)
        self._find(best, self._shares(self._pixels[few], self._used))
        yield self._count()

    def by_mirror(self) -> Iterator[int]:
        """Try other numbers and colours, as photos are known again in their mirror images."""
        spec = self._classifier.spec
        if spec.outputs != "softmax" or len(spec.class_names) < 2:
            return
        shares, now = self._recognised(self._used)
        self._recognition = float(now.mean())
        best: Finding | None = None
        most = 0.0
        ways: dict[Kind, dict[str, Preprocessing]] = {
            "numbers": other_numbers(self._used),
            "colours": other_colours(self._used),
        }
        for kind, setups in ways.items():
            for name, used in setups.items():
                gained = self._recognised(used)[1] - now
                gain, error = float(gained.mean()), float(gained.std()) / len(gained) ** 0.5
                after = self._recognition + gain
                most = max(most, after)
                yield self._count()
                if gain > max(_LEAST_BITS, _SURE * error) and (best is None or after > best.after):
                    best = Finding(kind, name, self._recognition, after, "mirror", used)
        if best is not None:
            self._find(best, shares)
            yield self._count()
        elif max(self._recognition, most) < _LEAST_BITS:
            self._recognition = None  # all photos are alike to it, so that this tells nothing

    def _find(self, best: Finding, shares: Shares) -> None:
        """Keep a finding about numbers, with photos that are named otherwise then."""
        used = best.preprocessing
        assert used is not None
        then = self._shares(self._in_order(used)[: len(shares)], used)
        names = self._classifier.spec.class_names
        examples = self._examples(shares.argmax(axis=1), then.argmax(axis=1), names)
        self._findings.append(replace(best, examples=examples))

    def by_labels(self) -> Iterator[int]:
        """Try everything, and see by labels what is surely better."""
        shares = self._shares(self._pixels, self._used)
        self._accuracy = float((shares.argmax(axis=1) == self._labels).mean())
        tried: list[_Tried] = []
        for one in self._try_setups(shares):
            tried += one
            yield self._count()
        tried += self._try_orders(shares)
        sure = [
            one.finding
            for one in tried
            if one.finding.after - one.finding.before >= _LEAST_GAIN
            and one.chance < _CHANCE / len(tried)
        ]
        sure.sort(key=lambda finding: -finding.after)
        self._findings = [*sure, *(one for one in self._findings if one.kind not in _kinds(sure))]

    def _try_setups(self, shares: Shares) -> Iterator[list[_Tried]]:
        """Yield what came of each way of preparing photos; nothing of those left to try further."""
        import numpy as np

        from core.checks.signed_ranks import likelier_by_chance

        names = self._classifier.spec.class_names
        outputs = shares.argmax(axis=1)
        now = outputs == self._labels
        everywhere = np.arange(len(self._photos))
        part = everywhere[::_PARTS]
        for kind, name, used, pixels_of in self._setups():
            finding = Finding(kind, name, float(now.mean()), 0.0, "labels")
            first = self._shares_of(used, pixels_of, part)
            if first is None or self._right(first, part).sum() <= now[part].sum():
                yield [_Tried(finding, 1.0)]
                continue
            yield []
            then = self._shares_of(used, pixels_of, everywhere)
            if then is None:
                yield [_Tried(finding, 1.0)]
                continue
            finding = replace(
                finding,
                after=float(self._right(then, everywhere).mean()),
                preprocessing=None if kind == "sideways" else used,
                examples=self._examples(outputs, then.argmax(axis=1), names),
            )
            yield [_Tried(finding, likelier_by_chance(shares, then, self._labels))]

    def _right(self, shares: Shares, at: Indices) -> Bools:
        """Return whether photos at some positions are named rightly."""
        right: Bools = shares.argmax(axis=1) == self._labels[at]
        return right

    def _try_orders(self, shares: Shares) -> list[_Tried]:
        """Return what came of each order of class names."""
        import numpy as np

        from core.checks.class_orders import orders
        from core.checks.signed_ranks import likelier_by_chance
        from core.models.class_names.lists import imagenet_names

        names, outputs = self._classifier.spec.class_names, shares.argmax(axis=1)
        found = orders(names, self._labels[::2], outputs[::2], imagenet_names())
        tried = []
        for order, meant in found.items():
            # What the labels say is tried on photos that have not said it.
            tested = slice(1, None, 2) if order == "as the labels say" else slice(None)
            now, labels = shares[tested], self._labels[tested]
            then = np.empty_like(now)
            then[:, meant] = now
            ordered = tuple(names[at] for at in meant.tolist())
            finding = Finding(
                "order",
                order,
                float((now.argmax(axis=1) == labels).mean()),
                float((then.argmax(axis=1) == labels).mean()),
                "labels",
                class_names=ordered,
                examples=self._examples(outputs, outputs, ordered),
            )
            tried.append(_Tried(finding, likelier_by_chance(now, then, labels)))
        return tried

    def diagnosis(self) -> Diagnosis:
        return Diagnosis(
            len(self._photos),
            self._failed,
            self._mismatch,
            self._recognition,
            self._accuracy,
            tuple(self._findings),
        )

    def _setups(self) -> Iterator[tuple[Kind, str, Preprocessing, PixelsOf]]:
        """Yield each way with a function that gives photos at some positions, prepared so."""
        import numpy as np

        def in_order(used: Preprocessing) -> PixelsOf:
            return lambda at: self._in_order(used)[at]

        def decoded(used: Preprocessing) -> PixelsOf:
            return lambda at: self._stacked(used, at)

        for name, used in other_numbers(self._used).items():
            yield "numbers", name, used, in_order(used)
        for name, used in other_colours(self._used).items():
            yield "colours", name, used, in_order(used)
        ways: tuple[tuple[Kind, dict[str, Preprocessing]], ...] = (
            ("cut", other_cuts(self._used)),
            ("size", other_sizes(self._used)),
            ("turn", other_turns(self._used)),
        )
        for kind, setups in ways:
            for name, used in setups.items():
                if self._fits(used):
                    yield kind, name, used, decoded(used)
        height, width = self._used.input_size
        for quarters in (1, 2, 3) if height == width else (2,):

            def turned(at: Indices, quarters: int = quarters) -> Pixels:
                return np.ascontiguousarray(np.rot90(self._pixels[at], quarters, axes=(1, 2)))

            yield "sideways", str(90 * quarters), self._used, turned

    def _stacked(self, used: Preprocessing, at: Indices) -> Pixels | None:
        """Return photos prepared in a way; None where one cannot be."""
        import numpy as np

        decoded = self._decoded(used, [self._photos[one] for one in at.tolist()])
        there = [one for one in decoded if one is not None]
        return np.stack(there) if len(there) == len(decoded) else None

    def _shares_of(self, used: Preprocessing, pixels_of: PixelsOf, at: Indices) -> Shares | None:
        pixels = pixels_of(at)
        return None if pixels is None else self._shares(pixels, used)

    def _examples(
        self, before: Indices, after: Indices, names_after: tuple[str, ...]
    ) -> tuple[Example, ...]:
        names = self._classifier.spec.class_names
        if not names:
            return ()
        found = (
            Example(photo, names[one], names_after[other])
            for photo, one, other in zip(
                self._photos, before.tolist(), after.tolist(), strict=False
            )
            if names[one] != names_after[other]
        )
        return tuple(itertools.islice(found, _MOST_EXAMPLES))

    def _fits(self, used: Preprocessing) -> bool:
        """Return whether the network takes photos of this size at all."""
        import numpy as np

        from core.errors import UnusableCheckpointError

        height, width = used.input_size
        try:
            self._shares(np.zeros((1, height, width, used.channels), np.uint8), used)
        except (RuntimeError, AssertionError, ValueError, UnusableCheckpointError):
            return False
        return True

    def _decoded(self, used: Preprocessing, photos: Sequence[Path]) -> list[Pixels | None]:
        waiting = [self._engine.decode(photo, used, is_exact=True) for photo in photos]
        found = [one.result() for one in waiting]
        return [None if isinstance(one, str) else one for one in found]

    def _in_order(self, used: Preprocessing) -> Pixels:
        """Return the photos with their colours in the order of a preprocessing."""
        is_same = used.channel_order == self._used.channel_order
        return self._pixels if is_same else self._pixels[..., ::-1].copy()

    def _mismatch_by(self, used: Preprocessing) -> float:
        import torch

        from core.inference.backends import Normalisation
        from core.inference.first_norm import mismatch

        network, device = self._classifier.network, torch.device(self._classifier.device.name)
        assert self.norm is not None
        pixels = torch.from_numpy(self._in_order(used)[:_MOST_OF_NORM]).to(device)
        return mismatch(network, self.norm, Normalisation(used, device)(pixels))

    def _recognised(self, used: Preprocessing) -> tuple[Shares, npt.NDArray[np.float64]]:
        """Return probabilities in a way of preparing photos, and how well each is known again."""
        from core.inference.mirrored import recognition

        pixels = self._in_order(used)[:_MOST_OF_NORM]
        shares = self._shares(pixels, used)
        return shares, recognition(shares, self._shares(pixels[:, :, ::-1].copy(), used))

    def _shares(self, pixels: Pixels, used: Preprocessing) -> npt.NDArray[np.float32]:
        import numpy as np

        from core.inference.classifier import Classifier
        from core.models.sources.base import OpenedModel

        now = self._classifier
        spec = replace(now.spec, preprocessing=used)
        other = Classifier(OpenedModel(spec, now.network, now.plan), now.device, lambda _: None)
        if now.device.name == "cpu" and len(pixels) >= LEAST_PHOTOS and not other.fill_template():
            other.fold()
        try:
            rows = [other.shares(pixels[at : at + _BATCH]) for at in range(0, len(pixels), _BATCH)]
        finally:
            other.close()
        return np.concatenate(rows)

    def _count(self) -> int:
        self._tried += 1
        return self._tried


_MOST_OF_NORM = 64
"""Photos that the first batch norm is tried on."""


def _kinds(findings: list[Finding]) -> set[str]:
    return {one.kind for one in findings}
