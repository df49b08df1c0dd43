"""Examine a checkpoint: read it, recognise it, and decide what its network is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.errors import ArchitectureMismatchError, UnusableCheckpointError
from core.language import number, tr, tr_n
from core.models.building import Blueprint
from core.models.families import BY_NAME, EXAMPLE
from core.models.recognition import unopened as refusals
from core.models.recognition.choosing import Naming
from core.models.recognition.fingerprints import fingerprint_of
from core.models.recognition.heads import Head
from core.models.recognition.hints import architecture_hints
from core.models.recognition.lookalikes import timm_fingerprint, timm_index
from core.models.recognition.matching import NO_PARAMETERS, Recognition, fit
from core.models.recognition.planning import plan_network
from core.models.recognition.state_dicts import StateDict, find_state_dict
from core.models.sources.checkpoint.reading import TORCHSCRIPT, FileContent, read_checkpoint
from core.models.sources.checkpoint.stored import CheckpointFile

_CLOSE_ENOUGH_TO_NAME = 0.5
_SHARED = 2
"""Parameters may share their numbers, but a trained network has as many as it has values."""

_SMALL_BYTES = 2**20
_PADDLE_TABLE = "StructuredToParameterName@@"


@dataclass(frozen=True)
class Examined:
    """A usable checkpoint.

    Attributes:
        path: the file.
        content: what it holds.
        state_dict: its parameters by torchvision's names.
        recognition: the architecture to build.
        plan: what the network is built from.
        notes: sentences about what was taken so.
        assumed: the same about what the user can answer otherwise, by the question's key.
    """

    path: Path
    content: FileContent
    state_dict: StateDict
    recognition: Recognition
    plan: Blueprint
    notes: tuple[str, ...]
    assumed: Mapping[str, str]

    @property
    def head(self) -> Head | None:
        """Return the head, None for a body alone."""
        return self.plan.head

    @property
    def told(self) -> tuple[Mapping[Any, Any], ...]:
        """Return what may tell of the network: the top of the file, and pickled networks around."""
        found: list[Mapping[Any, Any]] = [self.content.content]
        around = self.state_dict.network
        for part in self.state_dict.key_prefix.split("."):
            if around is not None:
                found.append(around.state)
                around = around.parts.get(part)
        return tuple(found)

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
    if wanted is not None and wanted not in BY_NAME and wanted not in timm_index().names:
        raise UnusableCheckpointError(
            "There is no architecture {wanted!r}; use a name of torchvision's or timm's, "
            "e.g. {example}.",
            wanted=wanted,
            example=EXAMPLE,
        )
    content = read_checkpoint(file)
    naming = Naming(path, wanted, architecture_hints(content))
    state_dict = find_state_dict(content, naming)
    if state_dict is None or _is_optimizer_alone(content, state_dict):
        what = tr("holds no parameters of a network")
        if _PADDLE_TABLE in content.content:
            what = tr("is a network of PaddlePaddle; Droplens opens PyTorch's")
        elif refusals.is_optimizer(content.content):
            what = tr("holds an optimizer's state without the network that it trained")
        elif content.container == TORCHSCRIPT:
            what = tr(
                "is a frozen TorchScript, whose parameters have lost their names; save the network "
                "again without torch.jit.freeze"
            )
        raise UnusableCheckpointError("{path} {what}.", path=path, what=what)
    recognition = _decide(path, state_dict, wanted)
    notes: list[str] = []
    assumed: dict[str, str] = {}
    plan = plan_network(path, content, state_dict, recognition, notes, assumed)
    _refuse_odd_values(file, state_dict, recognition, plan)
    return Examined(path, content, state_dict, recognition, plan, tuple(notes), assumed)


def _is_optimizer_alone(content: FileContent, state_dict: StateDict) -> bool:
    return state_dict.recognition is None and refusals.is_optimizer(content.content)


def _decide(path: Path, state_dict: StateDict, wanted: str | None) -> Recognition:
    """Return the architecture to build, or refuse with the reason."""
    found = state_dict.recognition
    if refusals.is_quantised(state_dict.names):
        raise UnusableCheckpointError("{path} {what}.", path=path, what=refusals.QUANTISED)
    if wanted is not None and (found is None or wanted != found.architecture.name):
        asked = _asked(wanted, state_dict)
        if asked is None or not asked.is_whole:
            title = BY_NAME[wanted].title if wanted in BY_NAME else wanted
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
            "{path} {what}.", share, path=path, what=_why_not(path, found, state_dict)
        )
    return found


def _asked(wanted: str, state_dict: StateDict) -> Recognition | None:
    """Return how a state dict fits the architecture that the user named."""
    if wanted in BY_NAME:
        return fit(fingerprint_of(wanted), state_dict.shapes)
    fingerprint = timm_fingerprint(wanted, state_dict.shapes)
    return None if fingerprint is None else fit(fingerprint, state_dict.shapes)


def _share(recognition: Recognition, state_dict: StateDict) -> float:
    """Return the share found in the file; the head is counted as the file has it."""
    head = sum(
        state_dict.tensors[name].numel()
        for name in state_dict.head.names
        if not name.endswith(NO_PARAMETERS)
    )
    return (recognition.found + head) / max(1, recognition.wanted + head)


def _why_not(path: Path, found: Recognition | None, state_dict: StateDict) -> str:
    """Return what a file is, in words that follow its name and end before the full stop."""
    convolves = any(tensor.ndim == 4 for tensor in state_dict.tensors.values())
    told = refusals.why_not_by_neighbours(path)
    named = told or refusals.why_not(
        state_dict.names, has_convolutions=convolves, network=state_dict.network
    )
    if found is None or (named and found.similarity < 1):
        return named or tr(
            "is not a classifier that Droplens knows; it opens torchvision's and timm's"
        )
    title = found.architecture.title
    if found.similarity < _CLOSE_ENOUGH_TO_NAME:
        close = tr("; its names are most like a {title}'s, its shapes are not", title=title)
        told = close if len(found.missing) < len(found.cut.body) / 2 else ""
        return tr(
            "is not a classifier that Droplens knows; it opens torchvision's and timm's{told}",
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
