"""From a Keras file to a model: its network translated, its class names and preprocessing."""

from __future__ import annotations

import contextlib
import logging
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from core.errors import ArchitectureMismatchError, DroplensError, UnusableCheckpointError
from core.language import tr, tr_n
from core.models.class_names import lists as class_names
from core.models.class_names.words import doubts, listed
from core.models.footprint import TooLargeError
from core.models.overrides import SavedOverrides
from core.models.recognition.sidecars import names_beside
from core.models.sources.base import Capability, OpenedModel
from core.models.sources.checkpoint.source import check_channels, settled
from core.models.sources.checkpoint.stored import CheckpointFile, DamagedError
from core.models.sources.keras.configs import read_model
from core.models.sources.keras.endings import Ending, outputs_of, without_activation
from core.models.sources.keras.files import ODD, damaged, read_keras
from core.models.sources.keras.footprint import Footprint
from core.models.sources.keras.graph import Built, build, load_values
from core.models.sources.keras.making import misfit
from core.models.sources.keras.parameters import Arrays, find_arrays
from core.models.sources.keras.preprocessing import Given, preprocessing_of
from core.models.sources.keras.translating import Translator
from core.values.spec import Inspection, ModelChoice, NamedBy, NamesSource, Outputs

log = logging.getLogger(__name__)

_CAPABILITIES = frozenset({Capability.SHOW_LAYERS, Capability.GIVE_GRADIENTS, Capability.USE_GPU})
_IMAGENET_CLASSES = 1000
_HASHED_BYTES = 2**30
"""Larger files that cannot be used are not hashed to the end just to say so."""


@dataclass(frozen=True)
class Examined:
    """A Keras file whose network was translated.

    Attributes:
        built: its network, without values.
        given: what it takes.
        count: of its outputs.
        outputs: what they are.
        notes: sentences about what had to be assumed.
    """

    built: Built
    given: Given
    count: int
    outputs: Outputs
    notes: tuple[str, ...]


def open_keras(
    choice: ModelChoice,
    remembered: SavedOverrides | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> OpenedModel:
    """Open what the user picked.

    Args:
        choice: the file, and the user's overrides.
        remembered: overrides saved before, used where ``choice`` gives none.
        is_stopped: asked while the file is read.

    Raises:
        DroplensError: what does not fit, in one sentence.
        StoppedError: it was asked to stop.
    """
    path = choice.checkpoint
    assert path is not None
    with CheckpointFile(path) as file:
        examined = _examine(file)
        found = _described(path, examined, file.sha256(is_stopped))
        if choice.architecture not in (None, found.architecture):
            raise ArchitectureMismatchError(
                "{path} is a Keras model, which describes its own network; leave the "
                "architecture to it.",
                path=path,
            )
        spec = settled(path, _title(examined.given), found, choice, remembered)
        check_channels(spec, examined.given.preprocessing.channels)
        with file.reading():
            load_values(examined.built, file)
        file.refuse_if_changed()
    return OpenedModel(spec, examined.built.network, capabilities=_CAPABILITIES)


def inspect_keras(path: Path) -> Inspection:
    """Say what a file is; a file that cannot be used is an answer too, not an error."""
    sha256 = ""
    try:
        with CheckpointFile(path) as file:
            try:
                examined = _examine(file)
            except DroplensError:
                with contextlib.suppress(DroplensError):
                    sha256 = file.sha256(lambda: False) if file.size <= _HASHED_BYTES else ""
                raise
            found = _described(path, examined, file.sha256(lambda: False))
            file.refuse_if_changed()
            return found
    except DroplensError as error:
        return Inspection(usable=False, summary=str(error), problems=(str(error),), sha256=sha256)


def _examine(file: CheckpointFile) -> Examined:
    """Return the network of a file, translated and tried with shapes alone.

    Raises:
        UnusableCheckpointError: it cannot be used.
    """
    path = file.path
    content = read_keras(file)
    with file.reading():
        try:
            whole = read_model(path, content.config)
            model, ending = without_activation(whole)
            given = preprocessing_of(path, model)
            arrays = find_arrays(path, content, model)
        except (DamagedError, *ODD) as error:
            log.info("%s", path, exc_info=True)
            raise damaged(path) from error
    _refuse_repeated(file, arrays)
    try:
        built = build(Translator(path, is_keras_3=content.is_keras_3), model, arrays)
    except ODD as error:
        log.info("%s", path, exc_info=True)
        raise damaged(path) from error
    count = _outputs_for_one_photo(path, built, given, ending)
    outputs, is_assumed = outputs_of(ending, content.compiled, count)
    return Examined(
        built, given, count, outputs, (*given.notes, *_notes(ending, outputs, is_assumed))
    )


def _refuse_repeated(file: CheckpointFile, arrays: Arrays) -> None:
    """Refuse arrays that lie upon each other: a small file would fill the memory.

    Raises:
        UnusableCheckpointError: together they are larger than the file.
    """
    size = sum(array.nbytes for group in arrays.values() for array in group.values())
    if size > file.size + _packed_bytes(arrays):
        raise damaged(file.path)


def _packed_bytes(arrays: Arrays) -> int:
    """Return how many bytes of arrays were unpacked already, each storage counted once."""
    unpacked = {
        array.untyped_storage()._cdata: array.untyped_storage().nbytes()
        for group in arrays.values()
        for array in group.values()
        if not array.is_meta
    }
    return sum(unpacked.values())


def _outputs_for_one_photo(path: Path, built: Built, given: Given, ending: Ending) -> int:
    """Let shapes go through a network and return how many outputs it has.

    Raises:
        UnusableCheckpointError: its layers do not fit, take too much, or give no classes.
    """
    used = given.preprocessing
    footprint = Footprint(built.network)
    try:
        footprint.measure(used.channels, used.input_size)
    except TooLargeError as error:
        raise UnusableCheckpointError(
            "{path} cannot be used: with its layer {layer!r} one photo takes more memory or time "
            "than any classifier needs.",
            path=path,
            layer=error.layer,
        ) from error
    except Exception as error:
        log.info("%s does not fit", footprint.failed_in, exc_info=error)
        _refuse_layer(path, built, footprint.failed_in)
    shape = footprint.output_shape
    if len(shape) != 2 or shape[1] < 1:
        raise UnusableCheckpointError(
            "{path} does not name classes: its network gives an output of the shape {shape}; "
            "Droplens opens classifiers of whole photos.",
            path=path,
            shape=str(shape[1:]),
        )
    if ending.layer is not None and ending.is_reshaped and ending.activation != "sigmoid":
        reshaped = footprint.shapes[built.modules[ending.layer]]
        if math.prod(reshaped) != shape[1]:
            raise UnusableCheckpointError(
                "{path} does not name classes: its network gives several for each photo.", path=path
            )
    return shape[1]


def _refuse_layer(path: Path, built: Built, name: str) -> NoReturn:
    modules = dict(built.network.named_modules())
    kind = type(modules[name]).__name__ if name else ""
    raise misfit(path, name, kind)


def _notes(ending: Ending, outputs: Outputs, is_assumed: bool) -> list[str]:
    if is_assumed:
        kind = tr("a yes or no") if outputs == "sigmoid" else tr("one class of several")
        return [
            tr(
                "The network ends without an activation, and the file does not say what it was "
                "trained for; {kind} is assumed.",
                kind=kind,
            )
        ]
    if outputs == "value":
        return [
            tr(
                "The network ends with {name!r}; its outputs are shown as they are, and not made "
                "probabilities of.",
                name=class_names.clean(ending.activation),
            )
        ]
    return []


def _described(path: Path, examined: Examined, sha256: str) -> Inspection:
    names, source = _names(path, examined.count)
    given = examined.given
    return Inspection(
        usable=True,
        summary=_summary(given, examined.count, names, source),
        problems=(*examined.notes, *doubts(names)),
        architecture=_architecture(given),
        num_classes=examined.count,
        class_names=names,
        class_names_source=source,
        matched=1.0,
        preprocessing=given.preprocessing,
        sha256=sha256,
        outputs=examined.outputs,
    )


def _names(path: Path, count: int) -> tuple[tuple[str, ...], NamesSource]:
    beside = names_beside(path, count, None)
    if beside is not None:
        return beside[0], NamesSource(NamedBy.SIDECAR, beside[1])
    if count == _IMAGENET_CLASSES:
        return class_names.imagenet_names(), NamesSource(NamedBy.IMAGENET)
    return class_names.placeholder_names(count), NamesSource(NamedBy.NOBODY)


def _architecture(given: Given) -> str:
    """Return a name for programs, e.g. "keras/mobilenet_v2"."""
    body = "model" if given.body is None else re.sub(r"\W+", "_", given.body.title.lower())
    return "keras/teachable_machine" if given.is_teachable else f"keras/{body}"


def _title(given: Given) -> str:
    if given.is_teachable:
        return "Teachable Machine"
    return f"Keras {given.body.title}" if given.body is not None else "Keras"


def _summary(given: Given, count: int, names: tuple[str, ...], source: NamesSource) -> str:
    known = () if source.by is NamedBy.NOBODY else names
    classes = tr_n("{n} output", "{n} classes", count)
    body = "" if given.body is None else given.body.title
    if given.is_teachable:
        return tr(
            "Teachable Machine's {title} with {classes}{listed}; every parameter found.",
            title=body or tr("network"),
            classes=classes,
            listed=listed(known),
        )
    return tr(
        "A Keras model, {title}, with {classes}{listed}; every parameter found.",
        title=body or tr("of its own form"),
        classes=classes,
        listed=listed(known),
    )
