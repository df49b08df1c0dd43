"""Decide what the network of a recognised state dict is built from, and say what is assumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from core.errors import UnusableCheckpointError
from core.language import lazy, tr
from core.models.building import Blueprint, build
from core.models.families.preactivation_resnet import PreactivationForm
from core.models.recognition.configuring import as_configured
from core.models.recognition.fingerprints import Fingerprint
from core.models.recognition.head_finding import FoundHead
from core.models.recognition.heads import LAST_LAYERS, Head, head_from_json
from core.models.recognition.matching import Recognition, has_small_stem
from core.models.recognition.pickled_layers import compare
from core.models.recognition.questions import (
    ACTIVATION,
    CONCATENATED,
    POOLING,
    POOLS,
    SHORTCUT,
    STEM,
    pads_shortcuts,
)
from core.models.recognition.state_dicts import StateDict
from core.models.sources.checkpoint.inert import Stub
from core.models.sources.checkpoint.reading import TORCHSCRIPT, FileContent
from core.models.sources.checkpoint.stored import CheckpointFile

_LISTED_HEADS = 5

_NO_LAYERS = frozenset({"Identity", "Dropout"})


def plan_network(
    path: Path,
    content: FileContent,
    state_dict: StateDict,
    recognition: Recognition,
    notes: list[str],
    assumed: dict[str, str],
) -> Blueprint:
    """Return what a network is built from.

    Args:
        path: of the file.
        content: what it holds.
        state_dict: its parameters.
        recognition: the architecture to build.
        notes: takes sentences about what is taken so.
        assumed: takes such a sentence for each question that the user can answer otherwise, by
            the question's key.
    """
    fingerprint = recognition.fingerprint
    head = _head(content, state_dict, recognition, notes, assumed)
    dialect = state_dict.dialect
    epsilon = None if dialect is None else dialect.batch_norm_epsilon
    plan = Blueprint(fingerprint, head, state_dict.shapes, batch_norm_epsilon=epsilon)
    plan = _as_pickled(path, plan, state_dict, notes)
    plan = plan.with_options(_parsed(content.metadata.get("options")))
    configured = None if dialect is None else dialect.configured
    if dialect is None and "options" not in content.metadata:
        configured = fingerprint.family.configured
    if configured is not None:
        plan = as_configured(path, plan, configured, notes)
    _note_stem(plan, notes)
    if state_dict.network is None:
        assumed |= _assumed_of_shapes(plan)
    if "options" in content.metadata:  # a file of our own, which opens with no question
        assumed.clear()
    else:
        _note_untold(content, state_dict, fingerprint, notes)
    return plan


def _note_untold(
    content: FileContent, state_dict: StateDict, fingerprint: Fingerprint, notes: list[str]
) -> None:
    """Say what is taken so where parameters alone say what the network is."""
    is_bare = state_dict.network is None
    if isinstance(fingerprint.variant, PreactivationForm) and is_bare:
        notes.append(fingerprint.variant.note)
    untold = fingerprint.family.untold
    if untold and (is_bare or content.container == TORCHSCRIPT):
        notes.append(str(untold))


def _head(
    content: FileContent,
    state_dict: StateDict,
    recognition: Recognition,
    notes: list[str],
    assumed: dict[str, str],
) -> Head | None:
    """Return the head to build; None where there is none that predicts."""
    found = state_dict.head
    head = found.head
    if head is None:
        notes.append(_why_no_head(found, recognition))
        return None
    written = head_from_json(_parsed(content.metadata.get("head")))
    told = written is not None and _agree(written, head)
    if written is not None and told:
        head = replace(head, layers=written.layers, outputs_are=written.outputs_are)
        if head.pooling == CONCATENATED and written.pooling in POOLS:
            head = replace(head, pooling=written.pooling)
    elif not _is_trained(content.file, state_dict):
        notes.append(
            tr(
                "The values of its head are no numbers: it predicts nothing, but its feature maps "
                "can be looked at."
            )
        )
        return None
    _note_layers(found, head, notes, assumed)
    if head.pooling != "own" and not _is_fastai(state_dict):
        pooled = _POOLED[head.pooling]
        said = tr(
            "The head takes {n} numbers; {pooled} is assumed.", n=head.features, pooled=pooled
        )
        if head.pooling in POOLS:
            assumed[POOLING] = said
        elif not told:
            notes.append(said)
    if "," in found.label or (found.label != head.place and not state_dict.key_prefix):
        notes.append(tr("{label!r} is taken for the head.", label=found.label))
    return head


def _note_layers(found: FoundHead, head: Head, notes: list[str], assumed: dict[str, str]) -> None:
    """Say what is taken to stand between the layers of a head."""
    own_code = tr(
        "The head is code of its own ({own_code}), which is never run here; its layers are "
        "taken one after the other, with the usual ReLU between them.",
        own_code=found.own_code,
    )
    if head.is_assumed:
        assumed[ACTIVATION] = (
            own_code
            if found.own_code
            else tr(
                "What stands between the layers of the head is in no checkpoint; the usual ReLU is "
                "assumed."
            )
        )
    elif found.own_code:
        notes.append(own_code)


def _why_no_head(found: FoundHead, recognition: Recognition) -> str:
    title, place = recognition.architecture.title, recognition.cut.place
    if found.others:
        listed = ", ".join(found.others[:_LISTED_HEADS])
        return tr(
            "It has {n} heads ({listed}), and which one to follow it does not say: it "
            "predicts nothing here, but its feature maps can be looked at.",
            n=len(found.others),
            listed=listed,
        )
    if found.own_layers:
        return tr(
            "It has layers of its own beside those of a {title} (first {own_layer!r}), "
            "and where they stand is in no checkpoint: it predicts nothing here, but the "
            "feature maps of its body can be looked at.",
            title=title,
            own_layer=found.own_layers[0],
        )
    if found.unread:
        return tr(
            "What stands at {place!r}, the head of a {title}, is {unread} that Droplens "
            "cannot make a head of: it predicts nothing here, but its feature maps can "
            "be looked at.",
            place=place,
            title=title,
            unread=found.unread,
        )
    return tr("It has no head: it predicts nothing, but its feature maps can be looked at.")


def _as_pickled(path: Path, plan: Blueprint, state_dict: StateDict, notes: list[str]) -> Blueprint:
    """Take from a pickled network what shapes do not tell, and say what cannot be taken.

    Raises:
        UnusableCheckpointError: a network whose every class should be known has others.
    """
    if state_dict.network is None:
        return plan
    modules = dict(state_dict.network.modules())
    prefix = state_dict.key_prefix
    place = plan.fingerprint.cuts[-1].place if plan.head is None else plan.head.place
    code = plan.fingerprint.family.own_code
    changes, strange = compare(build(plan), prefix, modules, place, code)
    plan = replace(plan, changes=changes)
    if strange and code is not None:
        raise UnusableCheckpointError(
            "{path} has the parameters of a {title}, but computes otherwise: {layer}.",
            1.0,
            path=path,
            title=plan.fingerprint.architecture.title,
            layer=strange[0],
        )
    if strange:
        notes.append(
            tr(
                "The pickled network is code of its own, which is never run here: {listed}. It is "
                "taken for torchvision's.",
                listed=strange[0]
                if len(strange) == 1
                else tr("{names} and {n} more", names=strange[0], n=len(strange) - 1),
            )
        )
    return _as_wrapped(plan, prefix, modules, notes)


def _as_wrapped(
    plan: Blueprint, prefix: str, modules: Mapping[str, Stub], notes: list[str]
) -> Blueprint:
    """Take from a sequence around a pickled network what its other parts do."""
    head = plan.head
    around, _, own = prefix.rstrip(".").rpartition(".")
    outside = modules.get(around) if prefix else None
    if outside is None or outside.origin[1] != "Sequential":
        return plan
    parts = list(outside.parts.items())
    at = [name for name, _ in parts].index(own)
    after = [part.origin[1] for _, part in parts[at + 1 :]]
    before = [part.origin[1] for _, part in parts[:at] if part.origin[1] not in _NO_LAYERS]
    if before:
        notes.append(
            tr(
                "Before the network stands a {before} of its own, which is not run here; set "
                "the preprocessing accordingly.",
                before=before[0],
            )
        )
    if head is not None and after and after[-1] in LAST_LAYERS:
        plan = replace(plan, head=replace(head, outputs_are=LAST_LAYERS[after[-1]]))
    return plan


def _note_stem(plan: Blueprint, notes: list[str]) -> None:
    stem = plan.shapes.get(plan.fingerprint.first)
    if stem is None:
        return
    if has_small_stem(plan.fingerprint, stem):
        notes.append(
            tr("The first convolution is small (3×3): photos of 32×32 pixels are assumed.")
        )
    if stem[1] == 1:
        notes.append(tr("The network takes one channel: photos are turned grey for it."))
    if stem[1] == 4:
        notes.append(
            tr("The network takes four channels: the fourth is taken for opacity, full everywhere.")
        )


def _assumed_of_shapes(plan: Blueprint) -> dict[str, str]:
    """Return what is assumed where parameters alone say what the network is, by question."""
    found = {}
    if pads_shortcuts(plan):
        found[SHORTCUT] = tr(
            "Its shortcuts get more channels without parameters, which leaves no trace in the "
            "file: zeros on both sides are assumed."
        )
    if has_small_stem(plan.fingerprint, plan.shapes.get(plan.fingerprint.first, ())):
        found[STEM] = tr(
            "What follows the small first convolution (3×3) leaves no trace in the file: stride 1 "
            "without pooling is assumed."
        )
    return found


def _is_trained(file: CheckpointFile, state_dict: StateDict) -> bool:
    """Return whether the head's last values are numbers; torchvision has a body without."""
    last = state_dict.tensors[list(state_dict.head.names)[-1]]
    if not file.holds(last) or last.layout != torch.strided or not last.is_floating_point():
        return True
    return bool(file.first_values(last, 8).isfinite().any())


_POOLED = {
    "average": lazy("the mean of each map"),
    "average before maximum": lazy("the mean of each map, then the maximum of each,"),
    "average and maximum": lazy(
        "the maximum of each map, then the mean of each, as fastai has it,"
    ),
    "flatten": lazy("each cell of each map"),
}


def _is_fastai(state_dict: StateDict) -> bool:
    """Return whether body and head are numbered as fastai numbers them."""
    return state_dict.key_prefix.endswith("0.") and state_dict.head.label == "1"


def _agree(written: Head, found: Head) -> bool:
    """Return whether a written head has the layers that the shapes show."""
    layers = [
        [(layer.name, layer.shape) for layer in head.layers if layer.shape]
        for head in (written, found)
    ]
    return layers[0] == layers[1]


def _parsed(text: str | None) -> object:
    try:
        return json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
