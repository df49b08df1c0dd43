"""From a file to a model: read, recognise, rebuild the head, find names and preprocessing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

import resources
from core.errors import (
    ArchitectureMismatchError,
    DroplensError,
    PreprocessingError,
    UnusableCheckpointError,
)
from core.images import preprocessing as preprocessing_file
from core.images.preprocessing import Preprocessing
from core.models import class_names
from core.models.architectures import BY_NAME, Architecture
from core.models.building import build_for, load_weights
from core.models.heads import Head
from core.models.presets import TRANSFORMING_INPUT, preset_for
from core.models.reading import FileContent, read_checkpoint, sha256_of
from core.models.recognising import Recognition, fit
from core.models.spec import Inspection, ModelChoice, ModelSpec
from core.models.state_dicts import StateDict, find_state_dict

DEFAULT_CHECKPOINT = "checkpoints/squeezenet1_1-imagenet.safetensors"
_IMAGENET_CLASSES = 1000
_CLOSE_ENOUGH_TO_NAME = 0.5
_UNNAMED = "not named by the checkpoint"
_NAMED = "named by the checkpoint"


@dataclass(frozen=True)
class OpenedModel:
    """A model and its network, on the CPU and in evaluation mode."""

    spec: ModelSpec
    network: nn.Module


@dataclass(frozen=True)
class _Examined:
    """A usable checkpoint: its parameters and what was found out about it."""

    state_dict: StateDict
    head: Head
    inspection: Inspection


def default_checkpoint() -> Path:
    """Return the checkpoint that Droplens ships: SqueezeNet 1.1 for ImageNet."""
    return resources.path(DEFAULT_CHECKPOINT)


def open_model(choice: ModelChoice) -> OpenedModel:
    """Open what the user picked.

    Raises:
        DroplensError: what does not fit, in one sentence.
    """
    if choice.weights is not None:
        from core.models.weights import open_weights

        opened = open_weights(choice.weights, choice.architecture)
        return replace(opened, spec=_with_own_files(opened.spec, choice))
    path = choice.checkpoint or default_checkpoint()
    examined = _examine(path, choice.architecture)
    found = examined.inspection
    assert found.architecture is not None
    assert found.preprocessing is not None
    assert found.class_names is not None
    spec = ModelSpec(
        architecture=found.architecture,
        title=BY_NAME[found.architecture].title,
        checkpoint=path,
        sha256=found.sha256,
        class_names=found.class_names,
        class_names_source=found.class_names_source or "",
        preprocessing=found.preprocessing,
        summary=found.summary,
        problems=found.problems,
    )
    spec = _with_own_files(spec, choice)
    network = build_for(found.architecture, examined.state_dict.shapes, examined.head)
    load_weights(network, examined.state_dict.tensors)
    if found.architecture in TRANSFORMING_INPUT:
        vars(network)["transform_input"] = spec.preprocessing.transform_input
    return OpenedModel(spec, network)


def inspect_checkpoint(path: Path) -> Inspection:
    """Say what a file is; a file that cannot be used is an answer too, not an error."""
    try:
        return _examine(path, None).inspection
    except DroplensError as error:
        try:
            sha256 = sha256_of(path)
        except DroplensError:
            sha256 = ""
        matched = error.matched if isinstance(error, UnusableCheckpointError) else 0.0
        return Inspection(
            usable=False,
            summary=str(error),
            problems=(str(error),),
            matched=matched,
            sha256=sha256,
        )


def _examine(path: Path, wanted: str | None) -> _Examined:
    if wanted is not None and wanted not in BY_NAME:
        raise UnusableCheckpointError(
            f"There is no architecture {wanted!r}; use torchvision's names, e.g. resnet50."
        )
    content = read_checkpoint(path)
    state_dict = find_state_dict(content.content)
    if state_dict is None:
        raise UnusableCheckpointError(f"{path} holds no parameters of a network.")
    recognition = _decide(path, state_dict, wanted)
    for tensor in _values(state_dict, recognition):
        odd = _why_odd(tensor)
        if odd is not None:
            raise UnusableCheckpointError(f"{path} {odd}")
    inspection = _describe(path, content, state_dict, recognition)
    assert recognition.head is not None
    return _Examined(state_dict, recognition.head, inspection)


def _decide(path: Path, state_dict: StateDict, wanted: str | None) -> Recognition:
    """Return the architecture to build, or refuse with the reason."""
    found = state_dict.recognition
    if wanted is not None and wanted != found.architecture.name:
        asked = fit(BY_NAME[wanted], state_dict.shapes)
        if not asked.is_complete:
            if path == default_checkpoint():
                raise ArchitectureMismatchError(
                    f"The built-in checkpoint is a {found.architecture.title}; open the "
                    f"checkpoint of your {asked.architecture.title} as well."
                )
            is_of = f"a {found.architecture.title}" if found.is_complete else "of another kind"
            raise ArchitectureMismatchError(
                f"{path} is {is_of}, not a {asked.architecture.title}; choose the architecture "
                "that was trained, or let Droplens recognise it."
            )
        found = asked
    if not found.is_complete:
        raise UnusableCheckpointError(f"{path} {_why_incomplete(found)}", found.matched)
    return found


def _why_incomplete(found: Recognition) -> str:
    title = found.architecture.title
    if found.similarity < _CLOSE_ENOUGH_TO_NAME:
        return "is no classifier that Droplens knows; it opens torchvision's architectures."
    if found.missing:
        count = len(found.missing)
        return (
            f"resembles a {title}, but {'one' if count == 1 else f'{count:,}'} of its parameters "
            f"{'is' if count == 1 else 'are'} missing or of another shape, first "
            f"{found.missing[0]!r}; save the whole network again."
        )
    if found.head is None:
        return (
            f"is a {title} without a head that Droplens can read at {found.architecture.head!r}; "
            "it takes linear layers, batch norm and dropout there."
        )
    return (
        f"resembles a {title}, but has {len(found.unexpected):,} parameters more, first "
        f"{found.unexpected[0]!r}."
    )


def _why_odd(tensor: Tensor) -> str | None:
    """Return why a parameter's values cannot be computed with, or None where they can."""
    if tensor.is_meta:
        return "has the names of parameters without their values; save the trained network again."
    if tensor.layout != torch.strided:
        return "holds sparse parameters; save them with to_dense()."
    if tensor.is_complex():
        return "holds complex numbers, which no image classifier of torchvision has."
    if not tensor.is_floating_point():
        return "is quantised to whole numbers; Droplens opens floating-point checkpoints."
    return None


def _describe(
    path: Path, content: FileContent, state_dict: StateDict, recognition: Recognition
) -> Inspection:
    assert recognition.head is not None
    count = recognition.head.outputs
    names, source = _names(content, count)
    problems = []
    carried = class_names.unfitting(content.content, count)
    if carried is not None and source != _NAMED:
        problems.append(
            f"The checkpoint names {carried:,} classes but has {count:,}; its names are not used."
        )
    if len(names) > 1 and all(name.isdecimal() for name in names):
        problems.append(
            "All class names are numbers. Folders are sorted as text in training (1, 10, 2), so "
            "check that each name stands for the right class."
        )
    if recognition.head.assumes_relu:
        problems.append(
            "What stands between the layers of the head is in no checkpoint; the usual ReLU is "
            "assumed."
        )
    if recognition.unexpected:
        problems.append(
            f"{len(recognition.unexpected)} entries belong to no part of the network and are "
            f"left out, first {recognition.unexpected[0]!r}."
        )
    sha256 = sha256_of(path)
    architecture = recognition.architecture
    preprocessing = _preprocessing(path, content, state_dict, architecture, sha256)
    if architecture.name in TRANSFORMING_INPUT and not preprocessing.transform_input:
        problems.append(
            f"Whether this {architecture.title} was trained with transform_input stands in no "
            "checkpoint; it is taken to be off. A preprocessing file can turn it on."
        )
    return Inspection(
        usable=True,
        summary=_summary(recognition, names, source, content, state_dict),
        problems=tuple(problems),
        architecture=recognition.architecture.name,
        num_classes=count,
        class_names=names,
        class_names_source=source,
        wrapper=state_dict.wrapper,
        key_prefix=state_dict.key_prefix,
        head=f"{recognition.architecture.head}: {recognition.head}",
        matched=recognition.matched,
        preprocessing=preprocessing,
        sha256=sha256,
    )


def _names(content: FileContent, count: int) -> tuple[tuple[str, ...], str]:
    """Return class names and where they come from."""
    written = {key: _json_or_none(text) for key, text in content.metadata.items()}
    for place in (written, content.content):
        found = class_names.from_checkpoint(place, count)
        if found is not None:
            return found[0], _NAMED
    if count == _IMAGENET_CLASSES:
        return class_names.imagenet_names(), "taken for ImageNet's, as there are 1,000"
    return class_names.placeholder_names(count), _UNNAMED


def _preprocessing(
    path: Path,
    content: FileContent,
    state_dict: StateDict,
    architecture: Architecture,
    sha256: str,
) -> Preprocessing:
    """Return what the checkpoint says, else what suits the architecture."""
    written = content.metadata.get("preprocessing")
    if written is not None:
        try:
            return preprocessing_file.from_json(_json_or_none(written))
        except PreprocessingError as error:
            raise UnusableCheckpointError(f"{path}: {error}") from error
    return preset_for(architecture.name, state_dict.shapes, sha256)


def _summary(
    recognition: Recognition,
    names: tuple[str, ...],
    source: str,
    content: FileContent,
    state_dict: StateDict,
) -> str:
    count = len(names)
    shown = ", ".join(names[:3]) + (", …" if count > 3 else "")
    listed = "" if source == _UNNAMED else f" ({shown})"
    classes = "1 class" if count == 1 else f"{count:,} classes"
    place = f"a {content.container} file"
    if state_dict.wrapper:
        epoch = content.content.get("epoch")
        place = f"the {state_dict.wrapper!r} of a training checkpoint"
        place += f" of epoch {epoch}" if type(epoch) is int else ""
    return (
        f"{recognition.architecture.title} with {classes}{listed}, from {place}; every "
        "parameter found."
    )


def _with_own_files(spec: ModelSpec, choice: ModelChoice) -> ModelSpec:
    """Put the user's own class names and preprocessing in the place of those found."""
    if choice.class_names is not None:
        names = class_names.read(choice.class_names, len(spec.class_names))
        spec = replace(spec, class_names=names, class_names_source=f"named by {choice.class_names}")
    if choice.preprocessing is not None:
        spec = replace(spec, preprocessing=preprocessing_file.read(choice.preprocessing))
    return spec


def _values(state_dict: StateDict, recognition: Recognition) -> list[Tensor]:
    head = f"{recognition.architecture.head}."
    return [
        tensor
        for name, tensor in state_dict.tensors.items()
        if name.endswith(".weight")
        or (name.startswith(head) and not name.endswith("num_batches_tracked"))
    ]


def _json_or_none(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
