"""A head that learns while photos are being labelled, and says what it makes of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.inference.engine import Engine, ModelRequest
from core.language import percent, tr, tr_n
from core.training.teaching import LEAST_CLASSES, Labelled
from core.values.predictions import ClassProbability, Prediction
from core.values.spec import NamedBy, NamesSource

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.inference.classifier import Classifier
    from core.inference.features import PhotoFeatures
    from core.training.figures import Figures
    from core.training.learning import Learnt
    from core.training.linear_head import LinearHead
    from core.training.truth import Truth
    from core.values.spec import ModelSpec

    Numbers = npt.NDArray[np.float32]

LEAST_PHOTOS = 3
"""Of each of two classes; fewer say nothing."""

_TOP_K = 5
_CHUNK = 500
"""Photos that are named at a time: their predictions take some milliseconds."""


@dataclass(frozen=True)
class Lesson:
    """What the head says so far.

    Attributes:
        spec: the model in use with the classes of the labels.
        labels: how many photos it has learnt from.
        predictions: what it says now of some photos.
        looked: how many photos have features so far.
        total: of how many.
        figures: how right it is; None until that is known.
        next_photos: photos without a label, those first whose label helps most; empty until that
            is known.
    """

    spec: ModelSpec
    labels: int
    predictions: tuple[Prediction, ...]
    looked: int
    total: int
    figures: Figures | None = None
    next_photos: tuple[Path, ...] = ()

    @property
    def sentence(self) -> str:
        """Return what it has learnt from, and how right that is."""
        said = tr_n("Learning from {n} label.", "Learning from {n} labels.", self.labels)
        figures = self.figures
        if figures is None or figures.accuracy is None or figures.interval is None:
            return said
        low, high = figures.interval
        values = {"share": percent(figures.accuracy), "low": percent(low), "high": percent(high)}
        if figures.is_several:
            return f"{said} " + tr(
                "All classes right on {share} of photos it had not seen (of so few photos this is "
                "only known to lie between {low} and {high}).",
                **values,
            )
        return f"{said} " + tr(
            "{share} right on photos it had not seen (of so few photos this is only known to lie "
            "between {low} and {high}).",
            **values,
        )


@dataclass(frozen=True)
class LearnLive(ModelRequest["Iterator[Lesson]"]):
    """Learn from the labels there are and name all photos; a newer one takes its place.

    Attributes:
        photos: of the list.
        labelled: those of them that have classes.
        classes: their names.
        first: the photo that is looked at.
        anew: look at the files again.
        is_several: whether a photo may show several classes.
    """

    slot = "live"
    photos: tuple[Path, ...]
    labelled: tuple[Labelled, ...]
    classes: tuple[str, ...]
    first: Path | None = None
    anew: bool = False
    is_several: bool = False

    def run(self, engine: Engine) -> Iterator[Lesson]:
        """Yield a lesson whenever something new is known.

        Raises:
            UnusableCheckpointError: the model cannot be taught.
        """
        from core.training.learning import Examples, learn
        from core.training.linear_head import fit
        from core.training.truth import Truth

        pupil = engine.kept(Pupil)
        if self.anew:
            pupil.seen = {}
        pupil.keep_only(self.photos)
        classifier = engine.classifier()
        spec = self._spec(classifier.spec)
        truth = Truth.of(
            [one.classes for one in self.labelled], len(self.classes), is_several=self.is_several
        )
        first = () if self.first is None else (self.first,)
        for _ in pupil.look((*first, *(one.photo for one in self.labelled)), engine):
            yield self._lesson(pupil, spec, ())
            if engine.classifier() is not classifier:
                return
        features = [pupil.seen[one.photo] for one in self.labelled]
        examples = Examples.of(features, truth)
        if not _is_enough(examples.truth):
            return
        head = fit(examples.features, examples.truth, pupil.penalty)
        yield from self._name_known(pupil, spec, head)
        steps = learn(examples, examples.first(0), 0.0, 0)
        left = pupil.look(self.photos, engine)
        figures: Figures | None = None
        is_more = True
        while (is_more or figures is None) and engine.classifier() is classifier:
            found = next(left, None) if is_more else None
            is_more = found is not None
            predictions = _predictions(spec, head, found or ())
            learnt: Learnt | None = None if figures is not None else next(steps)
            if learnt is not None:
                figures = learnt.figures
                pupil.penalty, head = figures.penalty, learnt.head
            yield self._lesson(pupil, spec, predictions, figures)
            if learnt is not None:
                yield from self._name_known(pupil, spec, head, figures)
        if engine.classifier() is classifier:
            yield self._lesson(pupil, spec, (), figures, self._next_photos(pupil, head))

    def _name_known(
        self, pupil: Pupil, spec: ModelSpec, head: LinearHead, figures: Figures | None = None
    ) -> Iterator[Lesson]:
        known = [pupil.seen[photo] for photo in self.photos if photo in pupil.seen]
        for begin in range(0, len(known), _CHUNK):
            named = _predictions(spec, head, known[begin : begin + _CHUNK])
            yield self._lesson(pupil, spec, named, figures)

    def _next_photos(self, pupil: Pupil, head: LinearHead) -> tuple[Path, ...]:
        import numpy as np

        from core.training.next_photos import order_of_labels

        seen = [pupil.seen[photo] for photo in self.photos]
        usable = [(one.photo, one.values) for one in seen if one.values is not None]
        labels = {one.photo: one.classes[0] for one in self.labelled}
        features = np.stack([values for _, values in usable])
        order = order_of_labels(
            features,
            np.array([labels.get(photo, -1) for photo, _ in usable], np.int64),
            head.probabilities(features),
            is_several=self.is_several,
        )
        return tuple(usable[at][0] for at in order.tolist())

    def _lesson(
        self,
        pupil: Pupil,
        spec: ModelSpec,
        predictions: tuple[Prediction, ...],
        figures: Figures | None = None,
        next_photos: tuple[Path, ...] = (),
    ) -> Lesson:
        total = len(self.photos)
        looked = min(len(pupil.seen), total)
        seen = (pupil.seen.get(one.photo) for one in self.labelled)
        labels = sum(one is not None and one.values is not None for one in seen)
        return Lesson(spec, labels, predictions, looked, total, figures, next_photos)

    def _spec(self, body: ModelSpec) -> ModelSpec:
        return replace(
            body,
            sha256="",  # no file holds it
            class_names=self.classes,
            class_names_source=NamesSource(NamedBy.USER),
            outputs="sigmoid" if self.is_several else "softmax",
            overrides=replace(body.overrides, unsure_below=0.0),  # that was of other classes
            inspection=replace(body.inspection, num_classes=len(self.classes)),
        )


class Pupil:
    """What the body of one model has seen in this session. Belongs to the engine's thread.

    Attributes:
        seen: features by photo.
        penalty: that was best the last time.
    """

    def __init__(self, _: Classifier, __: int) -> None:
        from core.training.linear_head import USUAL_PENALTY

        self.seen: dict[Path, PhotoFeatures] = {}
        self.penalty = USUAL_PENALTY

    def keep_only(self, photos: Sequence[Path]) -> None:
        """Forget photos that are in the list no more."""
        self.seen = {photo: self.seen[photo] for photo in photos if photo in self.seen}

    def look(self, photos: Iterable[Path], engine: Engine) -> Iterator[list[PhotoFeatures]]:
        """Yield the features of photos that were not seen before, some at a time.

        Those that could not be read are looked at again: they may have been away.
        """
        from core.inference.features import body_of

        new = [
            photo
            for photo in dict.fromkeys(photos)
            if photo not in self.seen or not self.seen[photo].sha256
        ]
        batch: list[PhotoFeatures] = []
        for one in body_of(engine).features(new, engine, engine.kept_features()):
            self.seen[one.photo] = one
            batch.append(one)
            if len(batch) >= _STEP:
                yield batch
                batch = []
        if batch:
            yield batch


_STEP = 16
"""Photos between two looks at what else is asked."""


def _is_enough(truth: Truth) -> bool:
    return int((truth.shown.sum(axis=0) >= LEAST_PHOTOS).sum()) >= LEAST_CLASSES


def _predictions(
    spec: ModelSpec, head: LinearHead, photos: Sequence[PhotoFeatures]
) -> tuple[Prediction, ...]:
    """Return what a head says of photos."""
    import numpy as np

    seen = [(one, one.values) for one in photos if one.values is not None]
    failed = [Prediction(one.photo, (), one.reason, spec) for one in photos if one.values is None]
    if not seen:
        return tuple(failed)
    shares = head.probabilities(np.stack([values for _, values in seen]))
    order = np.argsort(-shares, axis=1, kind="stable")[:, :_TOP_K]
    names = spec.class_names
    return (
        *(
            Prediction(
                one.photo,
                tuple(ClassProbability(at, names[at], float(row[at])) for at in likeliest),
                None,
                spec,
            )
            for (one, _), row, likeliest in zip(seen, shares, order.tolist(), strict=True)
        ),
        *failed,
    )
