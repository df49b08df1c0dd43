"""From a file to a model: examine it, build its network, and apply the user's overrides."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from torch import nn

import resources
from core.errors import (
    DroplensError,
    PreprocessingError,
    UnclearArchitectureError,
    UnusableCheckpointError,
)
from core.images import preprocessing_files
from core.images.preprocessing import Preprocessing
from core.language import number, tr
from core.models.building import Blueprint, build, load_weights
from core.models.class_names import lists as class_names
from core.models.families import BY_NAME, SHIPPED, built_in
from core.models.footprint import TooLargeError, check_footprint
from core.models.overrides import SavedOverrides
from core.models.recognition.describing import describe
from core.models.recognition.examining import Examined, examine
from core.models.recognition.questions import with_answers
from core.models.sources.base import OpenedModel
from core.models.sources.checkpoint.folders import file_in
from core.models.sources.checkpoint.stored import CheckpointFile
from core.threads import begin_thread
from core.values.questions import ARCHITECTURE, Question, architecture_question
from core.values.spec import Inspection, ModelChoice, ModelSpec, NamedBy, NamesSource, Overrides

log = logging.getLogger(__name__)

_USUAL_PIXELS = 600 * 600
"""Inputs of torchvision's own networks are smaller: 518×518 at most."""

_HASHED_BYTES = 2**30
"""Larger files that cannot be used are not hashed to the end just to say so."""


def default_checkpoint(architecture: str | None = None) -> Path:
    """Return a checkpoint that Droplens ships: of ImageNet's classes.

    Args:
        architecture: of it; the default's where Droplens ships none of this one.
    """
    return resources.path(SHIPPED[built_in(architecture).name].file)


def open_model(
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
    path = file_in(choice.checkpoint or default_checkpoint(choice.architecture))
    with CheckpointFile(path) as file, _hashing(file, is_stopped) as sha256:

        def overrides_of_file() -> Overrides:
            if choice.overrides is not None or remembered is None:
                return choice.overrides or Overrides()
            return remembered.of(sha256.result())

        examined = _examine_as_answered(file, choice.architecture, overrides_of_file)
        found = describe(examined, sha256.result())
        title = examined.recognition.architecture.title
        spec = settled(path, title, found, choice, remembered)
        plan = with_answers(examined.plan, dict(spec.overrides.answers))
        if found.can_dilate and spec.overrides.dilation is not None:
            plan = replace(plan, dilation=spec.overrides.dilation)
        stem = examined.plan.shapes.get(examined.recognition.fingerprint.first)
        check_channels(spec, 3 if stem is None else stem[1])
        network = build(plan)
        _refuse_giant(path, plan, spec.preprocessing, network)
        with file.reading():
            load_weights(network, examined.state_dict.tensors, file.take)
        file.refuse_if_changed()
    set_transform_input(network, spec)
    return OpenedModel(spec, network, plan)


def inspect_checkpoint(path: Path) -> Inspection:
    """Say what a file is; a file that cannot be used is an answer too, not an error."""
    sha256 = ""
    try:
        path = file_in(path)
        with CheckpointFile(path) as file, _hashing(file) as hashing:
            try:
                examined = _examine(file, None)
            finally:
                with contextlib.suppress(DroplensError):
                    sha256 = hashing.result() if file.size <= _HASHED_BYTES else ""
            found = describe(examined, hashing.result())
            assert found.preprocessing is not None
            _refuse_giant(path, examined.plan, found.preprocessing)
            file.refuse_if_changed()
            return found
    except DroplensError as error:
        matched = error.matched if isinstance(error, UnusableCheckpointError) else 0.0
        return Inspection(
            usable=False,
            summary=str(error),
            problems=(str(error),),
            matched=matched,
            sha256=sha256,
            questions=_question_of(error),
        )


def _question_of(error: DroplensError) -> tuple[Question, ...]:
    if not isinstance(error, UnclearArchitectureError):
        return ()
    return (architecture_question(error.candidates, assumed=""),)


@contextlib.contextmanager
def _hashing(
    file: CheckpointFile, is_stopped: Callable[[], bool] = lambda: False
) -> Iterator[Future[str]]:
    """Hash a file while it is examined, which takes as long; what ends early ends both."""
    is_over = threading.Event()
    with ThreadPoolExecutor(1, "hash", initializer=begin_thread) as pool:
        try:
            yield pool.submit(file.sha256, lambda: is_over.is_set() or is_stopped())
        finally:
            is_over.set()


def _refuse_giant(
    path: Path, plan: Blueprint, used: Preprocessing, network: nn.Module | None = None
) -> None:
    """Refuse a network that would fill the memory: the file says more of it than its shapes.

    Raises:
        UnusableCheckpointError: one of its layers does.
    """
    height, width = used.input_size
    is_usual = not plan.changes and not plan.fingerprint.family.is_built_here
    if is_usual and height * width <= _USUAL_PIXELS:
        return
    try:
        check_footprint(network or build(plan), used.channels, used.input_size)
    except TooLargeError as error:
        raise UnusableCheckpointError(
            "{path} cannot be used: for one photo its layer {layer!r} takes {size_bytes} "
            "GB with an input of {width}×{height} pixels.",
            path=path,
            layer=error.layer,
            size_bytes=number(error.size_bytes / 2**30, 1),
            width=width,
            height=height,
        ) from error
    except Exception as error:  # noqa: BLE001 - layers that do not fit, which the first pass says
        log.info("%s cannot be estimated: %s", path, error)


def settled(
    path: Path,
    title: str,
    found: Inspection,
    choice: ModelChoice,
    remembered: SavedOverrides | None,
) -> ModelSpec:
    """Return a model as the user wants it: what was found, overrides, and files of the user's own.

    Args:
        path: of the file.
        title: of the architecture.
        found: what the file is.
        choice: what the user picked.
        remembered: overrides saved before, used where ``choice`` gives none.

    Raises:
        DroplensError: the user's class names or preprocessing cannot be read or do not fit.
    """
    overrides = choice.overrides
    if overrides is None:
        overrides = remembered.of(found.sha256) if remembered is not None else Overrides()
    return _with_own_files(apply_overrides(_as_found(path, title, found), overrides), choice)


def override_again(spec: ModelSpec, overrides: Overrides) -> ModelSpec:
    """Return a model that is in use with other overrides."""
    return apply_overrides(_as_found(spec.checkpoint, spec.title, spec.inspection), overrides)


def apply_overrides(spec: ModelSpec, overrides: Overrides) -> ModelSpec:
    """Return a model with the user's overrides applied to what was found.

    Class names of another number are passed over: the file may have been trained anew.
    """
    spec = replace(spec, overrides=overrides)
    count, names = spec.inspection.num_classes, overrides.class_names
    if names is not None and count is not None and class_names.fits(names, count):
        spec = replace(spec, class_names=names, class_names_source=NamesSource(NamedBy.USER))
    if overrides.preprocessing is not None:
        spec = replace(spec, preprocessing=overrides.preprocessing)
    if overrides.outputs is not None and count is not None:
        spec = replace(spec, outputs=overrides.outputs)
    return spec


def set_transform_input(network: nn.Module, spec: ModelSpec) -> None:
    """Let a network that can turn its input do so as the preprocessing says."""
    architecture = BY_NAME.get(spec.architecture)
    turns = architecture is not None and architecture.family.transforms_input
    if turns and hasattr(network, "transform_input"):
        takes_colours = spec.preprocessing.channels == 3
        vars(network)["transform_input"] = spec.preprocessing.transform_input and takes_colours


def _examine(file: CheckpointFile, wanted: str | None) -> Examined:
    try:
        with file.reading():
            return examine(file, wanted)
    except DroplensError as error:
        if file.path == default_checkpoint() and wanted is not None:
            title = examine(file, None).recognition.architecture.title
            raise type(error)(
                tr(
                    "The built-in checkpoint is of another architecture ({title}); open a "
                    "checkpoint of the one that you chose as well.",
                    title=title,
                )
            ) from error
        raise


def _examine_as_answered(
    file: CheckpointFile, wanted: str | None, overrides: Callable[[], Overrides]
) -> Examined:
    """Examine a file as the architecture that the user said it is, if he was asked.

    Args:
        file: open.
        wanted: the architecture that he picked, which counts more.
        overrides: gives his overrides, for which the whole file may have to be read.
    """
    try:
        examined = _examine(file, wanted)
    except UnclearArchitectureError as error:
        error.overrides = overrides()
        answer = dict(error.overrides.answers).get(ARCHITECTURE)
        if answer is None:
            raise
        return _examine(file, answer)
    choice = examined.state_dict.choice
    if choice is None or not choice.others or wanted is not None:
        return examined
    answer = dict(overrides().answers).get(ARCHITECTURE)
    return _examine(file, answer) if answer in choice.others else examined


def _as_found(path: Path, title: str, found: Inspection) -> ModelSpec:
    """Return the model of a file without overrides."""
    assert found.architecture is not None
    assert found.preprocessing is not None
    return ModelSpec(
        architecture=found.architecture,
        title=title,
        checkpoint=path,
        sha256=found.sha256,
        class_names=found.class_names or (),
        class_names_source=found.class_names_source or NamesSource(NamedBy.NO_HEAD),
        preprocessing=found.preprocessing,
        outputs=found.outputs or "softmax",
        inspection=found,
    )


def _with_own_files(spec: ModelSpec, choice: ModelChoice) -> ModelSpec:
    """Put the user's own class names and preprocessing in the place of those found."""
    if choice.class_names is not None:
        names = class_names.read(choice.class_names, spec.inspection.num_classes or 0)
        spec = replace(
            spec,
            class_names=names,
            class_names_source=NamesSource(NamedBy.FILE, str(choice.class_names)),
        )
    if choice.preprocessing is not None:
        spec = replace(spec, preprocessing=preprocessing_files.read(choice.preprocessing))
    return spec


def check_channels(spec: ModelSpec, takes: int) -> None:
    """Refuse a preprocessing that gives another number of channels than a network takes.

    Raises:
        PreprocessingError: it does.
    """
    gives = spec.preprocessing.channels
    if takes != gives:
        raise PreprocessingError(
            "The preprocessing gives {gives} channels, but the network takes {takes}; "
            "set mean and std of {takes_2} {words} and the channel order.",
            gives=gives,
            takes=takes,
            takes_2=takes,
            words="number" if takes == 1 else "numbers",
        )
