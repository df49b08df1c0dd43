"""From a file to a model: examine it, build its network, and add what the user settled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

import resources
from core.errors import DroplensError, PreprocessingError, UnusableCheckpointError
from core.images import preprocessing as preprocessing_file
from core.models import class_names
from core.models.building import Blueprint, build, load_weights
from core.models.describing import describe
from core.models.examining import Examined, examine
from core.models.presets import TRANSFORMING_INPUT
from core.models.reading import sha256_of
from core.models.settlements import Settlements
from core.models.spec import Inspection, ModelChoice, ModelSpec, Settled

DEFAULT_CHECKPOINT = "checkpoints/squeezenet1_1-imagenet.safetensors"


@dataclass(frozen=True)
class OpenedModel:
    """A model and its network, on the CPU and in evaluation mode.

    Attributes:
        spec: what it is.
        network: built for it.
        plan: what it was built from.
    """

    spec: ModelSpec
    network: nn.Module
    plan: Blueprint


def default_checkpoint() -> Path:
    """Return the checkpoint that Droplens ships: SqueezeNet 1.1 for ImageNet."""
    return resources.path(DEFAULT_CHECKPOINT)


def open_model(choice: ModelChoice, remembered: Settlements | None = None) -> OpenedModel:
    """Open what the user picked.

    Args:
        choice: the file, and what the user settled about it.
        remembered: what was settled about files before, taken where ``choice`` says nothing.

    Raises:
        DroplensError: what does not fit, in one sentence.
    """
    path = choice.checkpoint or default_checkpoint()
    with ThreadPoolExecutor(1, "hash") as hashing:  # as long as reading, so beside it
        sha256 = hashing.submit(sha256_of, path)
        examined = _examine(path, choice.architecture)
        found = describe(examined, sha256.result())
    settled = choice.settled
    if settled is None:
        settled = remembered.of(found.sha256) if remembered is not None else Settled()
    title = examined.recognition.architecture.title
    spec = _with_own_files(apply_settled(_as_found(path, title, found), settled), choice)
    plan = examined.plan
    if found.can_dilate and settled.dilation is not None:
        plan = replace(plan, dilation=settled.dilation)
    _check_channels(spec, examined)
    network = build(plan)
    load_weights(network, examined.state_dict.tensors, examined.content.mapped.take)
    set_transform_input(network, spec)
    return OpenedModel(spec, network, plan)


def inspect_checkpoint(path: Path) -> Inspection:
    """Say what a file is; a file that cannot be used is an answer too, not an error."""
    with ThreadPoolExecutor(1, "hash") as hashing:
        sha256 = hashing.submit(sha256_of, path)
        try:
            return describe(_examine(path, None), sha256.result())
        except DroplensError as error:
            known = "" if sha256.exception() is not None else sha256.result()
            matched = error.matched if isinstance(error, UnusableCheckpointError) else 0.0
            return Inspection(
                usable=False,
                summary=str(error),
                problems=(str(error),),
                matched=matched,
                sha256=known,
            )


def settle_again(spec: ModelSpec, settled: Settled) -> ModelSpec:
    """Return a model that is in use with other things settled about it."""
    return apply_settled(_as_found(spec.checkpoint, spec.title, spec.inspection), settled)


def apply_settled(spec: ModelSpec, settled: Settled) -> ModelSpec:
    """Return a model with what the user settled in the place of what was found.

    Class names of another number are passed over: the file may have been trained anew.
    """
    spec = replace(spec, settled=settled)
    count, names = spec.inspection.num_classes, settled.class_names
    if names is not None and count is not None and class_names.fits(names, count):
        spec = replace(spec, class_names=names, class_names_source="named by you")
    if settled.preprocessing is not None:
        spec = replace(spec, preprocessing=settled.preprocessing)
    if settled.outputs is not None and count is not None:
        spec = replace(spec, outputs=settled.outputs)
    return spec


def set_transform_input(network: nn.Module, spec: ModelSpec) -> None:
    """Let an Inception or GoogLeNet turn its input as the preprocessing says."""
    if spec.architecture in TRANSFORMING_INPUT and hasattr(network, "transform_input"):
        takes_colours = spec.preprocessing.channels == 3
        vars(network)["transform_input"] = spec.preprocessing.transform_input and takes_colours


def _examine(path: Path, wanted: str | None) -> Examined:
    try:
        return examine(path, wanted)
    except DroplensError as error:
        if path == default_checkpoint() and wanted is not None:
            title = describe(examine(path, None), "").summary.split(" with ", 1)[0]
            raise type(error)(
                f"The built-in checkpoint is a {title}; open a checkpoint of the architecture "
                "that you chose as well."
            ) from error
        raise


def _as_found(path: Path, title: str, found: Inspection) -> ModelSpec:
    """Return the model of a file with nothing settled about it."""
    assert found.architecture is not None
    assert found.preprocessing is not None
    return ModelSpec(
        architecture=found.architecture,
        title=title,
        checkpoint=path,
        sha256=found.sha256,
        class_names=found.class_names or (),
        class_names_source=found.class_names_source or "it has no head",
        preprocessing=found.preprocessing,
        outputs=found.outputs or "softmax",
        inspection=found,
    )


def _with_own_files(spec: ModelSpec, choice: ModelChoice) -> ModelSpec:
    """Put the user's own class names and preprocessing in the place of those found."""
    if choice.class_names is not None:
        names = class_names.read(choice.class_names, spec.inspection.num_classes or 0)
        spec = replace(spec, class_names=names, class_names_source=f"named by {choice.class_names}")
    if choice.preprocessing is not None:
        spec = replace(spec, preprocessing=preprocessing_file.read(choice.preprocessing))
    return spec


def _check_channels(spec: ModelSpec, examined: Examined) -> None:
    takes = examined.plan.shapes[examined.recognition.fingerprint.first][1]
    gives = spec.preprocessing.channels
    if takes != gives:
        raise PreprocessingError(
            f"The preprocessing gives {gives} channels, but the network takes {takes}; set mean "
            f"and std of {takes} {'number' if takes == 1 else 'numbers'} and the channel order."
        )
