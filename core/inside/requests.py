"""What can be asked about the inside of the model in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.inference.engine import Engine, ModelRequest
from core.language import tr
from core.models.sources.base import Capability
from core.work.requests import Request

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.inference.classifier import Classifier
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from core.inside.lens import BlockOfPhoto, ComparedPhoto, EvidenceOfPhoto, Lens
    from core.inside.names import BlockName
    from core.inside.summary import LayerTable


@dataclass(frozen=True)
class Layers(ModelRequest["LayerTable"]):
    """Every layer, measured for a photo, or for an empty one."""

    slot = "layers"
    photo: Path | None = None

    def run(self, engine: Engine) -> LayerTable:
        return lens_of(engine).table(self.photo)


@dataclass(frozen=True)
class FeatureMaps(ModelRequest["FeatureMapsOfPhoto"]):
    """What one layer computes for one photo.

    Attributes:
        photo: the file.
        layer: dotted name.
        call: from 1, where the layer runs several times.
        for_class: also find out how much each channel counts for this class.
    """

    slot = "maps"
    photo: Path
    layer: str
    call: int = 1
    for_class: int | None = None

    def run(self, engine: Engine) -> FeatureMapsOfPhoto:
        return lens_of(engine).feature_maps(self.photo, self.layer, self.call, self.for_class)


@dataclass(frozen=True)
class AttentionMaps(ModelRequest["FeatureMapsOfPhoto"]):
    """A layer's attention for one photo, one map a head."""

    slot = "maps"
    photo: Path
    layer: str

    def run(self, engine: Engine) -> FeatureMapsOfPhoto:
        return lens_of(engine).attention(self.photo, self.layer)


@dataclass(frozen=True)
class Block(ModelRequest["BlockOfPhoto"]):
    """Both paths of a residual block for one photo."""

    slot = "block"
    photo: Path
    name: BlockName

    def run(self, engine: Engine) -> BlockOfPhoto:
        return lens_of(engine).block(self.photo, self.name)


@dataclass(frozen=True)
class Evidence(ModelRequest["EvidenceOfPhoto"]):
    """Where in a photo the evidence for classes lies."""

    slot = "evidence"
    photo: Path
    classes: tuple[int, ...]

    def run(self, engine: Engine) -> EvidenceOfPhoto:
        engine.require(
            Capability.GIVE_GRADIENTS,
            tr("This kind of model does not say where the evidence lies."),
        )
        return lens_of(engine).evidence(self.photo, self.classes)


@dataclass(frozen=True)
class Compare(ModelRequest["Iterator[ComparedPhoto]"]):
    """One channel of a layer over many photos.

    Attributes:
        photos: the files.
        layer: dotted name.
        call: from 1.
        channel: None for the mean of all.
    """

    slot = "compare"
    photos: tuple[Path, ...]
    layer: str
    call: int = 1
    channel: int | None = None

    def run(self, engine: Engine) -> Iterator[ComparedPhoto]:
        for photo in self.photos:
            yield lens_of(engine).compare(photo, self.layer, self.call, self.channel)


@dataclass(frozen=True)
class BeforeAndAfter(ModelRequest["tuple[ComparedPhoto, ComparedPhoto]"]):
    """A photo's channel as the checkpoint's own preprocessing and the user's give it."""

    slot = "before and after"
    photo: Path
    layer: str
    call: int = 1
    channel: int | None = None

    def run(self, engine: Engine) -> tuple[ComparedPhoto, ComparedPhoto]:
        own = engine.classifier().spec.inspection.preprocessing
        assert own is not None
        lens, channel = lens_of(engine), (self.layer, self.call, self.channel)
        return lens.under(self.photo, own, *channel), lens.compare(self.photo, *channel)


@dataclass(frozen=True)
class Likeness:
    """How alike a photo is to others.

    Attributes:
        photo: the file.
        cosine: of the pooled features, -1..1; None where there are none, as of an unreadable
            photo.
    """

    photo: Path
    cosine: float | None


@dataclass(frozen=True)
class LookAlikes(ModelRequest[Iterator[Likeness]]):
    """How alike photos are to some of them, by the mean of their pooled features.

    Attributes:
        photos: the files.
        references: those that they are compared with.
    """

    slot = "look-alikes"
    photos: tuple[Path, ...]
    references: tuple[Path, ...]

    def run(self, engine: Engine) -> Iterator[Likeness]:
        references = self._features_of_references(engine)
        for photo in self.photos:
            features = lens_of(engine).pooled(photo)
            if features is None or references is None:
                yield Likeness(photo, None)
            else:
                yield Likeness(photo, float(features @ references))

    def _features_of_references(self, engine: Engine) -> npt.NDArray[np.float32] | None:
        import numpy as np

        pooled = [lens_of(engine).pooled(photo) for photo in self.references]
        known = [features for features in pooled if features is not None]
        if not known:
            return None
        mean: npt.NDArray[np.float32] = np.mean(known, axis=0)
        return mean


@dataclass(frozen=True)
class ExportMaps(Request[None, None]):
    """Write the grid of feature maps as PNG, or by the file's ending the numbers as NPY."""

    lane = "write"
    maps: FeatureMapsOfPhoto
    path: Path

    def run(self, _: None) -> None:
        from core.inside.exporting import export_maps

        export_maps(self.maps, self.path)


@dataclass(frozen=True)
class ExportTable(Request[None, None]):
    """Write the layer table as CSV for spreadsheets."""

    lane = "write"
    table: LayerTable
    path: Path

    def run(self, _: None) -> None:
        from core.inside.exporting import export_table

        export_table(self.table, self.path)


def lens_of(engine: Engine) -> Lens:
    """Return the lens of the model in use, made anew for another one.

    Raises:
        UnusableCheckpointError: there is no model, or it cannot be looked into.
    """
    engine.require(Capability.SHOW_LAYERS, tr("The inside of this kind of model cannot be shown."))
    return engine.kept(_make_lens)


def _make_lens(classifier: Classifier, memory_bytes: int) -> Lens:
    from core.inside.lens import Lens

    return Lens(classifier.network, classifier.spec.preprocessing, memory_bytes)
