"""Hold a transformers config.json against what the network here computes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.errors import UnusableCheckpointError
from core.language import tr
from core.models.building import Blueprint, build
from core.models.families.configured import Configured, Setting, Settings
from core.models.recognition.pickled_layers import Change
from core.models.recognition.sidecars import is_of, outputs_told, transformers_config

_LONGEST_VALUE, _MOST_PARTS = 40, 8


def as_configured(
    path: Path, plan: Blueprint, configured: Configured, notes: list[str]
) -> Blueprint:
    """Return the plan with what a config.json beside the file tells of its network.

    Args:
        path: of the checkpoint.
        plan: as the shapes alone tell it.
        configured: how networks of this kind follow their configuration.
        notes: gets a sentence where there is no config.json.

    Raises:
        UnusableCheckpointError: the network here would compute otherwise.
    """
    config = transformers_config(path)
    kind = config.get("model_type", "")
    is_its_own = kind in configured.kinds
    if not is_its_own:
        kind = configured.usual
        notes.append(
            tr(
                "No config.json that can be read and is of its network lies beside the file: what "
                "shapes do not tell, such as activations and epsilons, is taken to be as "
                "transformers has it by itself."
            )
        )
    settings: Settings = configured.settings_in(config) if is_its_own else {}
    name = plan.fingerprint.architecture.name
    wanted = configured.settings(name, plan.shapes)
    told = {
        field: _required(path, plan, settings, field, setting) for field, setting in wanted.items()
    }
    if not settings:
        notes += _guesses(wanted, told)
    changes = _differences(configured, {**settings, **told}, plan)
    changes += _epsilons(path, plan, configured, settings, configured.kinds[kind])
    plan = replace(plan, changes=(*plan.changes, *changes))
    return _with_outputs(plan, config if is_its_own else {}, notes)


def _required(
    path: Path, plan: Blueprint, settings: Settings, field: str, setting: Setting
) -> object:
    """Return a field's value, which the network here can follow."""
    value = setting.value(settings, field)
    if any(type(value) is type(fitting) and value == fitting for fitting in setting.fitting):
        return value
    if not settings:
        raise UnusableCheckpointError(
            "{path} is a {title} of Hugging Face without its config.json, which tells what no "
            "shape does; put the config.json that belongs to it into the same folder.",
            1.0,
            path=path,
            title=plan.fingerprint.architecture.title,
        )
    raise UnusableCheckpointError(
        "{path} is a {title} of Hugging Face with {field} set to {value}, which the {title} that "
        "Droplens builds computes otherwise; its answers would be wrong here.",
        1.0,
        path=path,
        title=plan.fingerprint.architecture.title,
        field=field,
        value=_shown(value),
    )


def _guesses(wanted: Mapping[str, Setting], told: Settings) -> list[str]:
    """Return what is taken otherwise than transformers has it, and shapes do not settle."""
    return [
        tr(
            "Without config.json, {field} is taken to be {value}, as in most networks of this "
            "size.",
            field=field,
            value=_shown(told[field]),
        )
        for field, setting in wanted.items()
        if told[field] != setting.default
        and sum(not isinstance(fitting, list) for fitting in setting.fitting) > 1
    ]


def _shown(value: object) -> str:
    parts = value if isinstance(value, list) and len(value) <= _MOST_PARTS else [value]
    is_plain = all(part is None or isinstance(part, str | int | float) for part in parts)
    return json.dumps(value)[:_LONGEST_VALUE] if is_plain else tr("something else")


def _differences(configured: Configured, settings: Settings, plan: Blueprint) -> list[Change]:
    return [
        Change(layer, value, ()) if isinstance(value, str) else Change(layer, "", ((name, value),))
        for layer, name, value in configured.differences(settings, plan.shapes)
    ]


def _epsilons(
    path: Path, plan: Blueprint, configured: Configured, settings: Settings, usual: float
) -> list[Change]:
    if not configured.epsilon:
        return []
    epsilon = settings.get(configured.epsilon, usual)
    if not isinstance(epsilon, float) or not 0 < epsilon < 1:
        _required(path, plan, settings, configured.epsilon, Setting(usual, ()))
    return [
        Change(name, "", (("eps", epsilon),))
        for name, module in build(plan).named_modules()
        if re.fullmatch(configured.normalised, name) and getattr(module, "eps", epsilon) != epsilon
    ]


def _with_outputs(plan: Blueprint, settings: Settings, notes: list[str]) -> Blueprint:
    """Take over what the outputs were trained as; one number is a value where nothing is said."""
    head = plan.head
    if head is None or not settings or not is_of(settings, head.outputs):
        return plan
    told = outputs_told(settings)
    if told is None and head.outputs == 1:
        told = "value"
        notes.append(
            tr(
                "It has a single output, which transformers trains as a number where config.json "
                "does not say otherwise: it is shown as one. Choose in the details what it is."
            )
        )
    return replace(plan, head=replace(head, outputs_are=told or head.outputs_are))
