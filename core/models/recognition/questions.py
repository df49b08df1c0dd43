"""What a file does not say of its network, as questions that the user can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.language import Lazy, lazy
from core.models.building import Blueprint
from core.models.families.cifar_resnet import CifarForm
from core.models.recognition.choosing import Choice, ToldBy
from core.models.recognition.heads import Head, HeadLayer, Kind, Pooling
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
_MEAN_FIRST: Pooling = "average before maximum"
CONCATENATED: Pooling = "average and maximum"
POOLS: dict[str, Lazy] = {
    CONCATENATED: lazy("the maximum first, as fastai has it"),
    _MEAN_FIRST: lazy("the mean first"),
}
_QUESTIONS: dict[str, tuple[Lazy, Mapping[str, Lazy]]] = {
    ACTIVATION: (lazy("What stands between the linear layers of the head?"), _ACTIVATIONS),
    SHORTCUT: (lazy("How do shortcuts get more channels?"), _SHORTCUTS),
    STEM: (lazy("What follows the small first convolution?"), _STEMS),
    POOLING: (
        lazy("In which order does the head take the mean and the maximum of each map?"),
        POOLS,
    ),
}
"""Each question and its answers, the assumed one first."""


def questions_of(
    assumed: Mapping[str, str], choice: Choice | None, said: str
) -> tuple[Question, ...]:
    """Return what a file leaves open, with what is assumed of it.

    Args:
        assumed: the sentence that says what is assumed, by the question's key.
        choice: of architectures that look alike.
        said: the same of that choice; "" where nothing is assumed.
    """
    found = [_question(key, note) for key, note in assumed.items()]
    if choice is not None and choice.others and choice.by is not ToldBy.FILE:
        names = (choice.architecture, *choice.others)
        found.append(architecture_question(names, choice.architecture, said))
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
    if plan.head is not None and answers.get(POOLING) == _MEAN_FIRST:
        plan = replace(plan, head=replace(plan.head, pooling=_MEAN_FIRST))
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


def _question(key: str, note: str) -> Question:
    sentence, answers = _QUESTIONS[key]
    offered = tuple(Answer(value, str(text)) for value, text in answers.items())
    return Question(key, str(sentence), offered, next(iter(answers)), note)
