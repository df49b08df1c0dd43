"""What can be asked about the inside of the model in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UnusableCheckpointError
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
    from core.inside.page import PhotoPage
    from core.inside.summary import LayerTable


@dataclass(frozen=True)
class Layers(ModelRequest["LayerTable"]):
    """Every layer, measured for a photo, or for an empty one."""

    slot = "layers"
    photo: Path | None = None

    def run(self, engine: Engine) -> LayerTable:
        return lens_of(engine).table(self.photo)


@dataclass(frozen=True)
class LayersBeside(Layers):
    """The same of another photo, which is looked at beside the first."""

    slot = "layers beside"


@dataclass(frozen=True)
class ExampleBlocks(ModelRequest["tuple[LayerTable, LayerTable]"]):
    """ResNet's two kinds of residual block, whatever the model in use."""

    slot = "example blocks"

    def run(self, _: Engine) -> tuple[LayerTable, LayerTable]:
        from core.inside.example_blocks import example_blocks

        return example_blocks()


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
class Evidence(ModelRequest["Iterator[EvidenceOfPhoto]"]):
    """Where in a photo the evidence for classes lies; each answer is finer than the one before."""

    slot = "evidence"
    photo: Path
    classes: tuple[int, ...]

    def run(self, engine: Engine) -> Iterator[EvidenceOfPhoto]:
        lens = lens_of(engine)
        has_gradients = engine.ready is None or engine.ready.can(Capability.GIVE_GRADIENTS)
        return lens.evidence(self.photo, self.classes, has_gradients=has_gradients)


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
        import numpy as np

        classifier = engine.classifier()
        known = [one for _, one in _unit_features(engine, self.references) if one is not None]
        mean = np.mean(known, axis=0) if known else None
        for photo, features in _unit_features(engine, self.photos):
            if features is None or mean is None:
                yield Likeness(photo, None)
            else:
                yield Likeness(photo, float(features @ mean))
            if engine.classifier() is not classifier:
                return


def _unit_features(
    engine: Engine, photos: Iterable[Path]
) -> Iterator[tuple[Path, npt.NDArray[np.float32] | None]]:
    """Yield features of length 1: those that teaching keeps, else what the lens pools."""
    import numpy as np

    from core.inference.features import body_of

    try:
        engine.require(Capability.TEACH, "")
        body = body_of(engine)
    except UnusableCheckpointError:  # its last layer cannot be told
        for photo in photos:
            yield photo, lens_of(engine).pooled(photo)
        return
    for one in body.features(photos, engine, engine.kept_features()):
        values = one.values
        yield one.photo, None if values is None else values / (float(np.linalg.norm(values)) or 1.0)


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


@dataclass(frozen=True)
class ExportDrawing(Request[None, None]):
    """Write a drawing of the network.

    Attributes:
        content: of the file.
        path: of the file.
    """

    lane = "write"
    content: bytes
    path: Path

    def run(self, _: None) -> None:
        from core.files import write_result

        write_result(self.path, self.content)


@dataclass(frozen=True)
class ExportPhotoPage(Request[None, None]):
    """Write how a photo goes through the network as a page that stands alone.

    Attributes:
        page: what it tells.
        path: of the file.
    """

    lane = "write"
    page: PhotoPage
    path: Path

    def run(self, _: None) -> None:
        from core.inside.page import export_page

        export_page(self.page, self.path)


def lens_of(engine: Engine) -> Lens:
    """Return the lens of the model in use, made anew for another one.

    Raises:
        UnusableCheckpointError: there is no model, or it cannot be looked into.
    """
    engine.require(Capability.SHOW_LAYERS, tr("The inside of this kind of model cannot be shown."))
    return engine.kept(_make_lens)


def _make_lens(classifier: Classifier, memory_bytes: int) -> Lens:
    from core.inside.lens import Lens

    spec = classifier.spec
    return Lens(classifier.network, spec.preprocessing, memory_bytes, spec.outputs)
