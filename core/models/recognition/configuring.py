"""Hold a transformers config.json against what torchvision's network computes."""

from __future__ import annotations

import json
import re
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
        UnusableCheckpointError: torchvision's network would compute otherwise.
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
    settings: Settings = config if is_its_own else {}
    name = plan.fingerprint.architecture.name
    for field, setting in configured.settings(name, plan.shapes).items():
        _require(path, plan, settings, field, setting)
    plan = _with_changes(path, plan, configured, settings, configured.kinds[kind])
    return _with_outputs(plan, settings, notes)


def _require(path: Path, plan: Blueprint, settings: Settings, field: str, setting: Setting) -> None:
    value = settings.get(field, setting.default)
    if any(type(value) is type(fitting) and value == fitting for fitting in setting.fitting):
        return
    if not settings:
        raise UnusableCheckpointError(
            "{path} is a {title} of Hugging Face without its config.json, which tells what no "
            "shape does; put the config.json that belongs to it into the same folder.",
            1.0,
            path=path,
            title=plan.fingerprint.architecture.title,
        )
    raise UnusableCheckpointError(
        "{path} is a {title} of Hugging Face with {field} set to {value}, which torchvision's "
        "{title} computes otherwise; its answers would be wrong here.",
        1.0,
        path=path,
        title=plan.fingerprint.architecture.title,
        field=field,
        value=_shown(value),
    )


def _shown(value: object) -> str:
    parts = value if isinstance(value, list) and len(value) <= _MOST_PARTS else [value]
    is_plain = all(part is None or isinstance(part, str | int | float) for part in parts)
    return json.dumps(value)[:_LONGEST_VALUE] if is_plain else tr("something else")


def _with_changes(
    path: Path, plan: Blueprint, configured: Configured, settings: Settings, usual: float
) -> Blueprint:
    changes = [
        Change(layer, "", ((attribute, value),))
        for layer, attribute, value in configured.differences(settings, plan.shapes)
    ]
    if configured.epsilon:
        epsilon = settings.get(configured.epsilon, usual)
        if not isinstance(epsilon, float) or not 0 < epsilon < 1:
            fitting = Setting(usual, ())
            _require(path, plan, settings, configured.epsilon, fitting)
        network = build(plan)
        changes += [
            Change(name, "", (("eps", epsilon),))
            for name, module in network.named_modules()
            if re.fullmatch(configured.normalised, name)
            and getattr(module, "eps", epsilon) != epsilon
        ]
    return replace(plan, changes=(*plan.changes, *changes))


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
