"""What a file does not say of its network, as questions that the user can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.language import Lazy, lazy, tr
from core.models.building import Blueprint
from core.models.families.cifar_resnet import CifarForm
from core.models.recognition.choosing import Choice, ToldBy
from core.models.recognition.heads import Head, HeadLayer, Kind
from core.models.recognition.matching import has_small_stem
from core.values.questions import Answer, Question, architecture_question

ACTIVATION, STEM, POOLING, SHORTCUT = "activation", "stem", "pooling", "shortcut"

_NONE = "none"
_ACTIVATIONS: dict[str, Lazy] = {
    "relu": lazy("ReLU, the usual one"),
    _NONE: lazy("nothing"),
    "tanh": lazy("Tanh"),
    "gelu": lazy("GELU"),
    "silu": lazy("SiLU"),
    "leaky relu": lazy("leaky ReLU"),
    "sigmoid": lazy("sigmoid"),
}
_KINDS: dict[str, Kind] = {
    "relu": "relu",
    "tanh": "tanh",
    "gelu": "gelu",
    "silu": "silu",
    "leaky relu": "leaky relu",
    "sigmoid": "sigmoid",
}
_STEMS = {_NONE: lazy("no pooling, as for CIFAR's pictures"), "pooled": lazy("pooling")}
_SHORTCUTS = {
    "sides": lazy("zeros on both sides of the channels, as in the most widespread code"),
    "behind": lazy("zeros behind the channels"),
}
_POOLS = {
    "average and maximum": lazy("the maximum first, as fastai has it"),
    "average before maximum": lazy("the mean first"),
}


def questions_of(plan: Blueprint, choice: Choice | None, *, is_told: bool) -> tuple[Question, ...]:
    """Return what the file of a plan leaves open, with what is assumed of it.

    Args:
        plan: before any answers.
        choice: of architectures that look alike.
        is_told: whether the file holds the network itself, which leaves nothing open but that.
    """
    found = []
    if choice is not None and choice.others and choice.by is not ToldBy.FILE:
        found.append(
            architecture_question((choice.architecture, *choice.others), choice.architecture)
        )
    if is_told:
        return tuple(found)
    if plan.head is not None and any(map(_is_assumed, plan.head.layers)):
        asked = tr("What stands between the linear layers of the head?")
        found.append(_question(ACTIVATION, asked, _ACTIVATIONS))
    if pads_shortcuts(plan):
        asked = tr("How do shortcuts get more channels?")
        found.append(_question(SHORTCUT, asked, _SHORTCUTS))
    stem = plan.shapes.get(plan.fingerprint.first)
    if stem is not None and has_small_stem(plan.fingerprint, stem):
        found.append(_question(STEM, tr("What follows the small first convolution?"), _STEMS))
    if plan.head is not None and plan.head.pooling in _POOLS:
        asked = tr("In which order does the head take the mean and the maximum of each map?")
        found.append(_question(POOLING, asked, _POOLS))
    return tuple(found)


def with_answers(plan: Blueprint, answers: Mapping[str, str]) -> Blueprint:
    """Return a plan as the user's answers want it; odd answers are passed over."""
    activation = answers.get(ACTIVATION)
    if plan.head is not None and activation in _ACTIVATIONS:
        plan = replace(plan, head=_with_activation(plan.head, activation))
    if SHORTCUT in answers:
        plan = replace(plan, pads_behind=answers[SHORTCUT] == "behind")
    if STEM in answers:
        plan = replace(plan, pools_after_stem=answers[STEM] != _NONE)
    if plan.head is not None and answers.get(POOLING) == "average before maximum":
        plan = replace(plan, head=replace(plan.head, pooling="average before maximum"))
    return plan


def pads_shortcuts(plan: Blueprint) -> bool:
    """Return whether shortcuts get more channels without parameters, which leaves no trace."""
    variant = plan.fingerprint.variant
    return isinstance(variant, CifarForm) and not variant.has_projections


def _with_activation(head: Head, activation: str) -> Head:
    layers = [
        replace(layer, kind=_KINDS[activation]) if _is_assumed(layer) else layer
        for layer in head.layers
        if activation != _NONE or not _is_assumed(layer)
    ]
    return replace(head, layers=tuple(layers))


def _is_assumed(layer: HeadLayer) -> bool:
    return not layer.shape and not layer.source


def _question(key: str, sentence: str, answers: Mapping[str, Lazy]) -> Question:
    return Question(
        key,
        sentence,
        tuple(Answer(value, str(text)) for value, text in answers.items()),
        next(iter(answers)),
    )
