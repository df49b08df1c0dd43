"""Examine a checkpoint: read it, recognise it, and decide what its network is built from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.errors import ArchitectureMismatchError, UnusableCheckpointError
from core.language import lazy, number, tr, tr_n
from core.models.building import Blueprint, build
from core.models.families import BY_NAME
from core.models.recognition import unopened as refusals
from core.models.recognition.fingerprints import fingerprint_of
from core.models.recognition.head_finding import FoundHead
from core.models.recognition.heads import LAST_LAYERS, Head, head_from_json
from core.models.recognition.matching import NO_PARAMETERS, Recognition, fit, has_small_stem
from core.models.recognition.pickled_layers import compare
from core.models.recognition.sidecars import architecture_beside
from core.models.recognition.state_dicts import StateDict, find_state_dict
from core.models.sources.checkpoint.inert import Stub
from core.models.sources.checkpoint.reading import FileContent, read_checkpoint
from core.models.sources.checkpoint.stored import CheckpointFile

_CLOSE_ENOUGH_TO_NAME = 0.5
_LISTED_HEADS = 5
_LONGEST_HINT = 100
_SHARED = 2
"""Parameters may share their numbers, but a trained network has as many as it has values."""

_SMALL_BYTES = 2**20
_NO_LAYERS = frozenset({"Identity", "Dropout"})


@dataclass(frozen=True)
class Examined:
    """A usable checkpoint.

    Attributes:
        path: the file.
        content: what it holds.
        state_dict: its parameters by torchvision's names.
        recognition: the architecture to build.
        plan: what the network is built from.
        notes: sentences about what was assumed.
    """

    path: Path
    content: FileContent
    state_dict: StateDict
    recognition: Recognition
    plan: Blueprint
    notes: tuple[str, ...]

    @property
    def head(self) -> Head | None:
        """Return the head, None for a body alone."""
        return self.plan.head

    @property
    def matched(self) -> float:
        """Return the share of the network's parameters found in the file, 0..1."""
        return _share(self.recognition, self.state_dict)


def examine(file: CheckpointFile, wanted: str | None) -> Examined:
    """Find out what a file is.

    Args:
        file: open for as long as its parameters are wanted.
        wanted: the architecture that the user named, if any.

    Raises:
        UnusableCheckpointError: it holds nothing that opens here, with what it is instead.
        ArchitectureMismatchError: it is of another architecture than the one wanted.
    """
    path = file.path
    if wanted is not None and wanted not in BY_NAME:
        raise UnusableCheckpointError(
            "There is no architecture {wanted!r}; use torchvision's names, e.g. resnet50.",
            wanted=wanted,
        )
    content = read_checkpoint(file)
    state_dict = find_state_dict(content)
    if state_dict is None or _is_optimizer_alone(content, state_dict):
        what = tr("holds no parameters of a network")
        if refusals.is_optimizer(content.content):
            what = tr("holds an optimizer's state without the network that it trained")
        raise UnusableCheckpointError("{path} {what}.", path=path, what=what)
    recognition = _decide(path, state_dict, wanted)
    notes: list[str] = []
    plan = _plan(path, content, state_dict, recognition, notes)
    _refuse_odd_values(file, state_dict, recognition, plan)
    return Examined(path, content, state_dict, recognition, plan, tuple(notes))


def architecture_hint(content: FileContent) -> str | None:
    """Return the architecture's name that a training script left in its checkpoint."""
    for place in (content.content, *content.content.values()):
        values = place.state if isinstance(place, Stub) else place
        for key in ("arch", "architecture", "model_name", "model"):
            value = values.get(key) if isinstance(values, Mapping) else None
            if isinstance(value, str):
                return value[:_LONGEST_HINT]
    return content.metadata.get("architecture")


def _is_optimizer_alone(content: FileContent, state_dict: StateDict) -> bool:
    return state_dict.recognition is None and refusals.is_optimizer(content.content)


def _decide(path: Path, state_dict: StateDict, wanted: str | None) -> Recognition:
    """Return the architecture to build, or refuse with the reason."""
    found = state_dict.recognition
    if refusals.is_quantised(state_dict.names):
        raise UnusableCheckpointError("{path} {what}.", path=path, what=refusals.QUANTISED)
    if wanted is not None and (found is None or wanted != found.architecture.name):
        asked = fit(fingerprint_of(wanted), state_dict.shapes)
        if not asked.is_whole:
            title = BY_NAME[wanted].title
            whole = found is not None and found.is_whole
            is_of = f"a {found.architecture.title}" if found and whole else tr("of another kind")
            raise ArchitectureMismatchError(
                "{path} is {is_of}, not a {title}; choose the architecture that was "
                "trained, or let Droplens recognise it.",
                path=path,
                is_of=is_of,
                title=title,
            )
        found = asked
    if found is not None and found.is_whole and state_dict.untranslated:
        raise UnusableCheckpointError(
            "{path} is a variant of {title} that torchvision does not provide: it has {n} "
            "parameters more, first {untranslated!r}.",
            path=path,
            title=found.architecture.title,
            n=len(state_dict.untranslated),
            untranslated=state_dict.untranslated[0],
        )
    if found is None or not found.is_whole:
        share = _share(found, state_dict) if found is not None else 0.0
        raise UnusableCheckpointError(
            "{path} {what}.", share, path=path, what=_why_not(found, state_dict)
        )
    return found


def _share(recognition: Recognition, state_dict: StateDict) -> float:
    """Return the share found in the file; the head is counted as the file has it."""
    head = sum(
        state_dict.tensors[name].numel()
        for name in state_dict.head.names
        if not name.endswith(NO_PARAMETERS)
    )
    return (recognition.found + head) / max(1, recognition.wanted + head)


def _why_not(found: Recognition | None, state_dict: StateDict) -> str:
    """Return what a file is, in words that follow its name and end before the full stop."""
    named = refusals.why_not_by_names(state_dict.names)
    if found is None or (named and found.similarity < 1):
        return named or tr(
            "is no classifier that Droplens knows; it opens torchvision's architectures"
        )
    title = found.architecture.title
    if found.similarity < _CLOSE_ENOUGH_TO_NAME:
        close = tr("; its names are most like a {title}'s, its shapes are not", title=title)
        told = close if len(found.missing) < len(found.cut.body) / 2 else ""
        return tr(
            "is no classifier that Droplens knows; it opens torchvision's architectures{told}",
            told=told,
        )
    if found.missing:
        count = len(found.missing)
        return tr_n(
            "resembles a {title}, but one of its parameters is missing or of another shape, first "
            "{missing!r}: it is a variant that torchvision does not provide, or part of a network",
            "resembles a {title}, but {n} of its parameters are missing or of another shape, first "
            "{missing!r}: it is a variant that torchvision does not provide, or part of a network",
            count,
            title=title,
            missing=found.missing[0],
        )
    return tr(
        "resembles a {title}, but has {n} parameters more, first {unexpected!r}",
        title=title,
        n=len(found.unexpected),
        unexpected=found.unexpected[0],
    )


def _plan(
    path: Path,
    content: FileContent,
    state_dict: StateDict,
    recognition: Recognition,
    notes: list[str],
) -> Blueprint:
    found, fingerprint = state_dict.head, recognition.fingerprint
    head = found.head
    written = head_from_json(_parsed(content.metadata.get("head")))
    told = head is not None and written is not None and _agree(written, head)
    if head is not None and written is not None and told:
        head = replace(
            head, layers=written.layers, outputs_are=written.outputs_are, is_assumed=False
        )
    elif head is None:
        notes.append(_why_no_head(found, recognition))
    elif not _is_trained(content.file, state_dict):
        head = None
        notes.append(
            tr(
                "The values of its head are no numbers: it predicts nothing, but its feature "
                "maps can be looked at."
            )
        )
    elif found.own_code:
        notes.append(
            tr(
                "The head is code of its own ({own_code}), which is never run here; its "
                "layers are taken one after the other, with the usual ReLU between them.",
                own_code=found.own_code,
            )
        )
    elif head.is_assumed:
        notes.append(
            tr(
                "What stands between the layers of the head is in no checkpoint; the usual "
                "ReLU is assumed."
            )
        )
    if head is not None and head.pooling != "own" and not (told or _is_fastai(state_dict)):
        notes.append(
            tr(
                "The head takes {features} numbers; {pooled} is assumed.",
                features=head.features,
                pooled=_POOLED[head.pooling],
            )
        )
    if head is not None and (
        "," in found.label or (found.label != head.place and not state_dict.key_prefix)
    ):
        notes.append(tr("{label!r} is taken for the head.", label=found.label))
    dialect = state_dict.dialect
    if dialect not in fingerprint.family.dialects:
        dialect = None
    if dialect is not None and dialect.refused:
        hint = architecture_hint(content) or architecture_beside(path, head.outputs if head else 0)
        if hint is not None and re.search(dialect.refused, hint):
            raise UnusableCheckpointError(
                "{path} is timm's {hint}, which {why_refused}.",
                path=path,
                hint=hint,
                why_refused=dialect.why_refused,
            )
        if hint is None:
            notes.append(dialect.doubt)
    epsilon = None if dialect is None else dialect.batch_norm_epsilon
    plan = Blueprint(fingerprint, head, state_dict.shapes, batch_norm_epsilon=epsilon)
    plan = _as_pickled(plan, state_dict, notes)
    plan = plan.with_options(_parsed(content.metadata.get("options")))
    _note_stem(plan, notes, told=state_dict.network is not None)
    return plan


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


def _as_pickled(plan: Blueprint, state_dict: StateDict, notes: list[str]) -> Blueprint:
    """Take from a pickled network what shapes do not tell, and say what cannot be taken."""
    if state_dict.network is None:
        return plan
    modules = dict(state_dict.network.modules())
    prefix, head = state_dict.key_prefix, plan.head
    place = plan.fingerprint.cuts[-1].place if head is None else head.place
    changes, strange = compare(build(replace(plan, head=None)), prefix, modules, place)
    plan = replace(plan, changes=changes)
    if strange:
        notes.append(
            tr(
                "The pickled network is code of its own, which is never run here: {strange}",
                strange=strange[0],
            )
            + (tr(", and {n} more.", n=len(strange) - 1) if len(strange) > 1 else ".")
            + tr(" It is taken for torchvision's.")
        )
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


def _note_stem(plan: Blueprint, notes: list[str], *, told: bool) -> None:
    stem = plan.shapes[plan.fingerprint.first]
    if has_small_stem(plan.fingerprint, stem):
        notes.append(
            tr(
                "The first convolution is small (3×3), as for CIFAR's pictures: stride 1 "
                "without pooling after it is assumed, and photos of 32×32 pixels."
            )
            if not told
            else tr("The first convolution is small (3×3): photos of 32×32 pixels are assumed.")
        )
    if stem[1] == 1:
        notes.append(tr("The network takes one channel: photos are turned grey for it."))
    if stem[1] == 4:
        notes.append(
            tr("The network takes four channels: the fourth is taken for opacity, full everywhere.")
        )


def _is_trained(file: CheckpointFile, state_dict: StateDict) -> bool:
    """Return whether the head's last values are numbers; torchvision has a body without."""
    last = state_dict.tensors[list(state_dict.head.names)[-1]]
    if not file.holds(last) or last.layout != torch.strided or not last.is_floating_point():
        return True
    return bool(file.first_values(last, 8).isfinite().any())


_POOLED = {
    "average": lazy("the mean of each map"),
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


def _refuse_odd_values(
    file: CheckpointFile, state_dict: StateDict, recognition: Recognition, plan: Blueprint
) -> None:
    place = "" if plan.head is None else f"{plan.head.place}."
    used = {
        name: tensor
        for name, tensor in state_dict.tensors.items()
        if name in recognition.cut.body or (place and name.startswith(place))
    }
    for name, tensor in used.items():
        odd = None if name.endswith(NO_PARAMETERS) else _why_odd(file, tensor)
        if odd is not None:
            raise UnusableCheckpointError("{path} {what}.", path=file.path, what=odd)
    wanted = sum(tensor.nbytes for tensor in used.values() if tensor.layout == torch.strided)
    if wanted > _SHARED * file.stored_bytes(list(used.values())) + _SMALL_BYTES:
        raise UnusableCheckpointError(
            "{path} repeats a few numbers to {wanted} MB of parameters; it is not the "
            "checkpoint of a trained network.",
            path=file.path,
            wanted=number(wanted / 1e6),
        )


def _why_odd(file: CheckpointFile, tensor: Tensor) -> str | None:
    """Return why a parameter's values cannot be computed with, or None where they can."""
    if not file.holds(tensor):
        return tr(
            "has the names of parameters without their values; save the trained network again"
        )
    if tensor.layout != torch.strided:
        return tr("holds sparse parameters; save them with to_dense()")
    if tensor.is_complex():
        return tr("holds complex numbers, which no image classifier of torchvision has")
    if not tensor.is_floating_point():
        return refusals.QUANTISED
    return None


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
