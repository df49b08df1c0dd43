"""Does this installation work? Each of its parts is used once, on files of its own."""

from __future__ import annotations

import io
import pickle
import platform
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import resources
from core.errors import DroplensError
from core.language import tr
from core.work.requests import Request

if TYPE_CHECKING:
    from core.inference.engine import Engine

FOLDER_NAME = "Jörg 张伟"
"""A name that programs stumble over."""

_SAMPLE, _EXPECTED = "samples/coffee.png", "espresso"
_LAYER = "conv_stem"
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "HEIF")
_PATIENCE_S = 120


@dataclass(frozen=True)
class Check:
    """One part of the installation.

    Attributes:
        title: what was tried, in words.
        seconds: how long it took.
        error: what went wrong, "" where nothing did.
    """

    title: str
    seconds: float
    error: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the fields as JSON values."""
        return {"title": self.title, "seconds": round(self.seconds, 2), "error": self.error}


@dataclass(frozen=True)
class CheckInstallation(Request[None, Iterator[Check]]):
    """Carry out all checks."""

    lane = "check"

    def run(self, _: None) -> Iterator[Check]:
        """Yield what came of each."""
        return run_checks()


def run_checks() -> Iterator[Check]:
    """Carry out all checks, one after the other; what fails is said and ends none of the others."""
    from core.inference.engine import Engine

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / FOLDER_NAME
        folder.mkdir()
        engine = Engine(lambda _: None, cache=folder / "cache")
        try:
            for title, job in (
                (tr("photos of all kinds are read"), lambda: _read_photos(folder)),
                (tr("the built-in model opens"), lambda: _open(engine)),
                (tr("it knows a sample photo"), lambda: _classify(engine)),
                (tr("a feature map is captured"), lambda: _capture(engine)),
                (tr("checkpoints of each form open"), lambda: _open_forms(folder)),
                (tr("the network is converted"), lambda: _convert(folder)),
                (tr("labels are kept"), lambda: _label(folder)),
                (tr("settings are kept"), lambda: _keep_settings(folder)),
                (tr("licences of all parts are there"), _read_licences),
            ):
                yield carried_out(title, job)
        finally:
            engine.close()


def carried_out(title: str, job: Callable[[], object]) -> Check:
    """Carry out one check."""
    started = time.perf_counter()
    error = ""
    try:
        job()
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is what is looked for
        error = f"{type(failure).__name__}: {failure}"
    return Check(title, time.perf_counter() - started, error)


def _read_photos(folder: Path) -> None:
    import numpy as np

    from core.images.decoding import load_rgb

    picture = load_rgb(resources.path(_SAMPLE), upright=True).resize((64, 48))
    for form in _FORMATS:
        path = folder / f"photo.{form.lower()}"
        picture.save(path, form)
        _expect(
            load_rgb(path, upright=True).size == picture.size, tr("{form}: another size", form=form)
        )
    if sys.platform == "darwin" or platform.machine() not in ("aarch64", "ARM64"):
        import pylibjxl

        path = folder / "photo.jxl"
        path.write_bytes(pylibjxl.encode(np.asarray(picture)))
        _expect(load_rgb(path, upright=True).size == picture.size, tr("JPEG XL: another size"))
    if sys.platform != "darwin" or platform.machine() == "arm64":
        import rawpy

        _expect(bool(rawpy.libraw_version), tr("RAW photos: LibRaw tells no version"))


def _open(engine: Engine) -> None:
    from core.values.spec import ModelChoice

    spec = engine.open(ModelChoice(), "cpu").spec
    _expect(len(spec.class_names) == 1000, tr("it has not 1,000 classes"))


def _classify(engine: Engine) -> None:
    from core.inference.classifying import Classify

    (batch,) = Classify((resources.path(_SAMPLE),)).run(engine)
    found = batch.predictions
    name = found[0].top[0].class_name if found[0].top else "nothing"
    _expect(name == _EXPECTED, tr("it says {name}, not {expected}", name=name, expected=_EXPECTED))


def _capture(engine: Engine) -> None:
    from core.inside.requests import FeatureMaps

    found = FeatureMaps(resources.path(_SAMPLE), _LAYER).run(engine)
    _expect(found.maps.values.std() > 0, tr("it is empty"))


def _open_forms(folder: Path) -> None:
    import torch
    from safetensors.torch import save

    from core.models.families import SHIPPED
    from core.models.sources.checkpoint.source import inspect_checkpoint, open_model
    from core.values.spec import ModelChoice

    *_, architecture = SHIPPED  # the smallest, which nothing else looks like
    network = open_model(ModelChoice(architecture=architecture)).network
    example = torch.zeros(1, 3, 224, 224)
    trace: Callable[..., object] = torch.jit.trace  # it has no types
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    forms: dict[str, Callable[[io.BytesIO], object]] = {
        "zip": lambda file: torch.save(state, file),
        "stream": lambda file: torch.save(state, file, _use_new_zipfile_serialization=False),
        "safetensors": lambda file: file.write(save(state)),
        "pickle": lambda file: pickle.dump(state, file),
        "whole network": lambda file: torch.save(network, file),
        "TorchScript": lambda file: torch.jit.save(trace(network, example), file),
    }
    for form, write in forms.items():
        content = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch would rather have its newer forms used
            write(content)
        path = folder / f"{form}.pth"
        path.write_bytes(content.getvalue())
        found = inspect_checkpoint(path)
        _expect(found.usable, f"{form}: {found.summary}")
        _expect(
            found.architecture == architecture, tr("{form}: it is taken for another one", form=form)
        )


def _convert(folder: Path) -> None:
    from core.inference.conversion import Conversion, Conversions
    from core.models.sources.checkpoint.source import open_model
    from core.values.spec import ModelChoice

    conversions = Conversions(folder / "converted")
    try:
        spec = open_model(ModelChoice()).spec
        conversions.start(Conversion(ModelChoice(), spec)).result(_PATIENCE_S).close()
    finally:
        conversions.shut_down()


def _label(folder: Path) -> None:
    from core.labels.changes import Labelling
    from core.labels.store import LabelStore

    photo = folder / "猫 é.jpg"
    photo.write_bytes(b"a photo")
    with LabelStore(folder / "labels.droplens") as store:
        store.edit_classes("add", store.classes.add(["Katze", "猫"]))
        store.label([Labelling(photo, (2,))])
    with LabelStore(folder / "labels.droplens") as store:
        _expect(store.classes.said(store.label_of(photo)) == "猫", tr("the label is not there"))


def _keep_settings(folder: Path) -> None:
    from core import settings

    path = folder / "settings.json"
    settings.save(settings.Settings(last_folder=str(folder)), path)
    _expect(settings.load(path).last_folder == str(folder), tr("they are other ones"))


def _read_licences() -> None:
    from core.licences import all_licences

    found = {one.name.split(" ")[0].lower(): one.text for one in all_licences()}
    for part in ("torch", "torchvision", "pillow", "numpy", "onnxruntime", "qt"):
        _expect(bool(found.get(part)), tr("{part} has none", part=part))


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise DroplensError(otherwise)
