"""Teach the model in use other classes: a new head on the features of its body."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import TeachingError
from core.files import refuse_unwritable
from core.inference.engine import Engine, ModelRequest
from core.language import tr
from core.models.sources.base import Capability

if TYPE_CHECKING:
    from core.inference.classifier import Classifier
    from core.inference.features import Body, PhotoFeatures
    from core.models.sources.base import OpenedModel
    from core.training.figures import Figures
    from core.training.fine_tuning import FineTune
    from core.training.learning import Examples, Learnt
    from core.training.linear_head import LinearHead

LEAST_CLASSES = 2

_AGREEMENT = 1e-3


@dataclass(frozen=True)
class Labelled:
    """A photo and the indices of its classes; of one where photos show one."""

    photo: Path
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Failed:
    """A photo that could not be learnt from, and why, in words that end a sentence."""

    photo: Path
    reason: str


@dataclass(frozen=True)
class Looked:
    """How many photos have been looked at so far, of how many."""

    done: int
    total: int


@dataclass(frozen=True)
class Taught:
    """A model that was taught.

    Attributes:
        model: its file.
        classes: their names, in order.
        failed: photos that were left out.
        figures: how right it is.
    """

    model: Path
    classes: tuple[str, ...]
    failed: tuple[Failed, ...]
    figures: Figures

    def to_json(self) -> dict[str, object]:
        """Return the figures as JSON values, with the number of photos left out."""
        return self.figures.to_json(len(self.failed))


@dataclass(frozen=True)
class TeachHead(ModelRequest["Iterator[Looked | Taught]"]):
    """Fit a new head to labelled photos and write the model.

    Attributes:
        photos: that it learns from.
        classes: their names.
        model: the file to write.
        validation: other photos, on which it is tried; none holds some of ``photos`` out.
        share: of ``photos`` that is held out and not learnt from; 0 tries each in turn.
        seed: of what is held out.
        is_several: whether a photo may show several classes.
    """

    slot = "teach"
    photos: tuple[Labelled, ...]
    classes: tuple[str, ...]
    model: Path
    validation: tuple[Labelled, ...] = ()
    share: float = 0.0
    seed: int = 0
    is_several: bool = False

    def run(self, engine: Engine) -> Iterator[Looked | Taught]:
        """Yield how far it is, then what has become of it.

        Raises:
            TeachingError: there are too few photos or classes.
            DroplensError: the model cannot be taught or written.
        """
        from core.training.learning import learn

        refuse_unwritable(self.model)
        prepared = yield from prepare(self, engine)
        examples, validation = prepared.examples, prepared.validation
        learnt: Learnt | None = None
        for learnt in learn(examples, validation, self.share, self.seed):
            if learnt is None:
                yield Looked(len(prepared.photos), len(prepared.photos))
                prepared.require_same(engine)
        assert learnt is not None
        learnt = learnt.calibrated()
        made = prepared.with_head(self.classes, learnt.head)
        taught = Taught(self.model, self.classes, prepared.failed, learnt.figures)
        write(made, taught, {"method": "head", "seed": self.seed}, examples.contents)
        yield taught


@dataclass(frozen=True)
class Prepared:
    """What a head is fitted to, and the body that made it.

    Attributes:
        classifier: the model in use.
        body: of it.
        photos: those that could be opened, first those to learn from.
        examples: to learn from.
        validation: to try the model on.
        failed: photos that are left out.
    """

    classifier: Classifier
    body: Body
    photos: tuple[Path, ...]
    examples: Examples
    validation: Examples
    failed: tuple[Failed, ...]

    def require_same(self, engine: Engine) -> None:
        """Make sure that the model is still in use whose body the features are of.

        Raises:
            TeachingError: another one is.
        """
        _require_same(engine, self.classifier)

    def with_head(self, classes: tuple[str, ...], head: LinearHead) -> OpenedModel:
        """Return a model with a head.

        Raises:
            TeachingError: what it computes is not what was learnt.
        """
        return _with_head(self.classifier, self.body, classes, head)


def prepare(request: TeachHead | FineTune, engine: Engine) -> Generator[Looked, None, Prepared]:
    """Yield how many photos have been looked at, and return what was seen of them.

    Raises:
        TeachingError: there are too few photos or classes.
        DroplensError: the model cannot be taught.
    """
    from core.inference.features import body_of
    from core.training.learning import Examples
    from core.training.truth import Truth

    photos, classes = request.photos, request.classes
    engine.require(
        Capability.TEACH,
        tr("This kind of model cannot be taught; choose another model to begin with."),
    )
    _require_classes(photos, classes)
    classifier, body, kept = engine.classifier(), body_of(engine), engine.kept_features()
    everything = [*photos, *request.validation]
    features: list[PhotoFeatures] = []
    for one in body.features((labelled.photo for labelled in everything), engine, kept):
        features.append(one)
        yield Looked(len(features), len(everything))
        _require_same(engine, classifier)
    failed = tuple(Failed(one.photo, one.reason) for one in features if one.values is None)
    opened = [
        labelled
        for labelled, seen in zip(photos, features, strict=False)
        if seen.values is not None
    ]
    _require_classes(opened, classes)
    truth = Truth.of(
        [labelled.classes for labelled in everything], len(classes), is_several=request.is_several
    )
    examples = Examples.of(features, truth)
    return Prepared(
        classifier,
        body,
        tuple(one.photo for one in features if one.values is not None),
        examples.first(len(opened)),
        examples.rest(len(opened)),
        failed,
    )


def _require_same(engine: Engine, classifier: Classifier) -> None:
    if engine.classifier() is not classifier:
        raise TeachingError("Another model was opened meanwhile; teach again.")


def _require_classes(photos: Sequence[Labelled], classes: Sequence[str]) -> None:
    """Make sure that there is something to tell apart.

    Raises:
        TeachingError: there are fewer than two classes with photos, or one has none.
    """
    present = {index for one in photos for index in one.classes}
    if len(present) < LEAST_CLASSES:
        raise TeachingError(
            "Only {n} of the classes has photos that can be opened; a model needs two or more "
            "to tell apart.",
            n=len(present),
        )
    empty = [name for index, name in enumerate(classes) if index not in present]
    if empty:
        raise TeachingError(
            "These classes have no photo that can be opened: {names}. Add some, or leave the "
            "classes out.",
            names=", ".join(empty[:5]),
        )


def _with_head(
    classifier: Classifier, body: Body, classes: tuple[str, ...], head: LinearHead
) -> OpenedModel:
    """Return a model with a head.

    Raises:
        TeachingError: what it computes is not what was learnt.
    """
    import numpy as np
    import torch

    from core.inference.backends import probe_batch
    from core.inference.classifier import Classifier
    from core.models.new_head import with_linear_head
    from core.models.sources.base import OpenedModel
    from core.values.spec import NamedBy, NamesSource

    assert classifier.plan is not None
    weight, bias = torch.from_numpy(head.weight), torch.from_numpy(head.bias)
    network, plan = with_linear_head(classifier.network, classifier.plan, weight, bias)
    spec = replace(
        classifier.spec,
        class_names=classes,
        class_names_source=NamesSource(NamedBy.USER),
        outputs="sigmoid" if head.is_several else "softmax",
        overrides=replace(classifier.spec.overrides, unsure_below=0.0),  # that was of other classes
    )
    made = OpenedModel(spec, network, plan)
    pixels = probe_batch(spec.preprocessing)
    found = Classifier(made, classifier.device, lambda _: None).outputs(pixels)  # by PyTorch
    expected = body.outputs(pixels) @ head.weight.T + head.bias
    if np.abs(found - expected).max() > _AGREEMENT * max(1.0, float(np.abs(expected).max())):
        raise TeachingError(
            "{title} cannot be given other classes; choose another model to begin with.",
            title=spec.title,
        )
    return made


def write(
    made: OpenedModel, taught: Taught, how: dict[str, object], contents: Sequence[str]
) -> None:
    """Write a model that was taught, with how, on what and how right.

    Args:
        made: the model.
        taught: where to, and what came of it.
        how: method, seed and the like, as JSON values.
        contents: the SHA-256 of the photos that it learnt from.

    Raises:
        DroplensError: it cannot be written.
    """
    import torch

    from core.models.sources.checkpoint.saving import save_model
    from core.models.torchvision_import import torchvision_version

    training = {
        **how,
        **taught.to_json(),
        "versions": {"torch": torch.__version__, "torchvision": torchvision_version()},
        "sha256": sorted(contents),
    }
    assert made.plan is not None
    save_model(made.network, made.spec, made.plan, taught.model, training=training)
