"""Say what an examined checkpoint is: the summary sentence, its class names, its details."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import get_args

from core.errors import PreprocessingError, UnusableCheckpointError
from core.images import preprocessing as preprocessing_file
from core.images.preprocessing import Preprocessing
from core.language import tr, tr_n
from core.models.class_names import carried as carried_names
from core.models.class_names import lists as class_names
from core.models.class_names.words import doubts, listed
from core.models.families.timm_networks import preprocessing_of, timm_preset
from core.models.recognition.choosing import Choice, ToldBy
from core.models.recognition.examining import Examined
from core.models.recognition.presets import is_surely_own, own_weights, preset_for, preset_of
from core.models.recognition.questions import questions_of
from core.models.recognition.sidecars import names_beside, preprocessing_beside
from core.models.recognition.single_output import single_output
from core.models.recognition.state_dicts import is_averaged
from core.values.spec import Inspection, NamedBy, NamesSource, Outputs

_IMAGENET_CLASSES = 1000
_STRIDE = 32
"""Pixels a cell of the last maps stands for, in nearly all of torchvision's networks."""

_TIMM_KEYS = ("pretrained_cfg", "default_cfg")


def describe(examined: Examined, sha256: str) -> Inspection:
    """Return what is to be said of a usable checkpoint.

    Raises:
        UnusableCheckpointError: what it says of its own preprocessing makes no sense.
    """
    names, source = _names(examined, sha256)
    preprocessing, problems, is_assumed = _preprocessing(examined, sha256)
    head, recognition = examined.head, examined.recognition
    chosen = _said_of_choice(examined, sha256)
    return Inspection(
        usable=True,
        summary=_summary(examined, names, source),
        problems=(
            *examined.assumed.values(),
            *examined.notes,
            *_name_problems(examined, names, source),
            *problems,
            *_output_problems(examined),
            *([chosen] if chosen else []),
        ),
        architecture=recognition.architecture.name,
        num_classes=None if head is None else head.outputs,
        class_names=None if head is None else names,
        class_names_source=None if head is None else source,
        wrapper=examined.state_dict.wrapper,
        key_prefix=examined.state_dict.key_prefix,
        head=None if head is None else f"{examined.state_dict.head.label}: {head}",
        matched=examined.matched,
        preprocessing=preprocessing,
        is_preprocessing_assumed=is_assumed,
        sha256=sha256,
        outputs=None if head is None else _outputs(examined),
        unsure_below=_unsure_below(examined.content.metadata.get("unsure_below")),
        missing=recognition.missing,
        unexpected=examined.state_dict.head.left_out,
        can_dilate=examined.plan.can_dilate,
        questions=questions_of(examined.assumed, examined.state_dict.choice, chosen),
        changes=json.dumps(examined.plan.options["changes"]) if examined.plan.changes else "",
    )


def _said_of_choice(examined: Examined, sha256: str) -> str:
    """Return what was assumed where several architectures have the same parameters, or ""."""
    choice = examined.state_dict.choice
    if choice is None or not choice.others or choice.by in (ToldBy.USER, ToldBy.FILE):
        return ""
    if own_weights(choice.architecture, sha256) is not None:
        return ""
    others = ", ".join(choice.others)
    if choice.by is ToldBy.NEIGHBOUR:
        return tr(
            "Taken for {architecture} because of the config.json beside it, which does not say how "
            "many classes it is of; {others} would compute differently. Choose the architecture if "
            "another one was trained.",
            architecture=choice.architecture,
            others=others,
        )
    if choice.by is ToldBy.FILE_NAME:
        return tr(
            "Taken for {architecture} because of the file's name; {others} would compute "
            "differently. Choose the architecture if another one was trained.",
            architecture=choice.architecture,
            others=others,
        )
    return tr(
        "Taken for torchvision's {architecture}, the usual one; timm's {others} would compute "
        "differently. Choose the architecture if another one was trained.",
        architecture=choice.architecture,
        others=others,
    )


def _names(examined: Examined, sha256: str) -> tuple[tuple[str, ...], NamesSource]:
    """Return class names and where they come from."""
    if examined.head is None:
        return (), NamesSource(NamedBy.NO_HEAD)
    count = examined.head.outputs
    content = examined.content
    written = {key: _json_or_none(text) for key, text in content.metadata.items()}
    for place in (written, *examined.told):
        found = carried_names.from_checkpoint(place, count)
        if found is not None:
            return found[0], NamesSource(NamedBy.CHECKPOINT)
    entry = own_weights(examined.recognition.architecture.name, sha256)
    if entry is not None:
        return tuple(entry.meta["categories"]), NamesSource(NamedBy.TORCHVISION)
    beside = names_beside(examined.path, count, examined.recognition.fingerprint.family)
    if beside is not None:
        return beside[0], NamesSource(NamedBy.SIDECAR, beside[1])
    if count == _IMAGENET_CLASSES:
        return class_names.imagenet_names(), NamesSource(NamedBy.IMAGENET)
    return class_names.placeholder_names(count), NamesSource(NamedBy.NOBODY)


def _name_problems(examined: Examined, names: tuple[str, ...], source: NamesSource) -> list[str]:
    if examined.head is None:
        return []
    problems = []
    count = examined.head.outputs
    reasons = (carried_names.why_unused(place, count) for place in examined.told)
    unused = next(filter(None, reasons), None)
    if unused is not None and source.by is not NamedBy.CHECKPOINT:
        problems.append(unused)
    problems += doubts(names)
    left_out = examined.state_dict.head.left_out
    if left_out:
        count_said = (
            tr("One entry belongs")
            if len(left_out) == 1
            else tr("{n} entries belong", n=len(left_out))
        )
        problems.append(
            tr(
                "{count_said} to no part of the network and {words} left out, first {left_out!r}.",
                count_said=count_said,
                words="is" if len(left_out) == 1 else "are",
                left_out=left_out[0],
            )
        )
    return problems


def _preprocessing(examined: Examined, sha256: str) -> tuple[Preprocessing, list[str], bool]:
    """Return what the file or its neighbours say, else what suits the architecture.

    Returns:
        The preprocessing, sentences on it, and whether nobody has said it.
    """
    content, recognition = examined.content, examined.recognition
    architecture = recognition.architecture
    written = content.metadata.get("preprocessing")
    if written is not None:
        try:
            found = preprocessing_file.from_json(_json_or_none(written))
        except PreprocessingError as error:
            raise UnusableCheckpointError(
                "{path}: {error}", path=examined.path, error=error
            ) from error
        return _for_channels(examined, found), [], False
    entry = own_weights(architecture.name, sha256)
    if entry is not None:
        return preset_of(entry, architecture.name), _doubt(entry), False
    count = 0 if examined.head is None else examined.head.outputs
    for key in _TIMM_KEYS:
        carried = preprocessing_of(content.content.get(key))
        if carried is not None:
            return _for_channels(examined, carried), [], False
    own = architecture.family.carried(examined.told)
    if own is not None:
        return _for_channels(examined, own[0]), own[1], False
    beside = preprocessing_beside(examined.path, count, architecture.family)
    problems: list[str] = [] if beside is None else beside[2]
    if beside is not None and beside[0] is not None:
        told = tr(
            "The preprocessing is the one told by {beside} beside the checkpoint.", beside=beside[1]
        )
        return _for_channels(examined, beside[0]), [told, *problems], False
    preset = _preset(examined)
    problems += _doubt_of_preset(examined.state_dict.choice, preset)
    network = examined.state_dict.network
    told_by_network = None if network is None else network.state.get("transform_input")
    if isinstance(told_by_network, bool):
        preset = replace(preset, transform_input=told_by_network)
    elif architecture.family.transforms_input:
        problems.append(
            tr(
                "Whether this {title} was trained with transform_input stands in no "
                "checkpoint; it is taken to be off. The preprocessing can turn it on.",
                title=architecture.title,
            )
        )
    return preset, problems, True


def _doubt_of_preset(choice: Choice | None, preset: Preprocessing) -> list[str]:
    """Say which networks compute the same and are given photos otherwise."""
    if choice is None or choice.by is not ToldBy.NOBODY:
        return []
    others = [
        name
        for name in (choice.architecture, *choice.alike)
        if choice.alike and not _is_similar(timm_preset(name), preset)
    ]
    if not others:
        return []
    return [
        tr(
            "What its photos were scaled to does not stand in the file. timm's {others} computes "
            "the same with another size or normalisation; set the preprocessing if it is that.",
            others=", ".join(others),
        )
    ]


def _is_similar(one: Preprocessing, other: Preprocessing) -> bool:
    return (one.mean, one.std, one.input_size) == (other.mean, other.std, other.input_size)


def _doubt(entry: object) -> list[str]:
    if is_surely_own(entry):
        return []
    return [
        tr(
            "It is taken for torchvision's own file by the first digits of its hash, which "
            "is all that torchvision publishes of it."
        )
    ]


def _preset(examined: Examined) -> Preprocessing:
    fingerprint, head = examined.recognition.fingerprint, examined.head
    found = preset_for(fingerprint, examined.plan.shapes)
    if head is not None and head.pooling == "flatten":
        # Each cell of the last maps has its own weights: only one image size gives as many.
        side = _STRIDE * math.isqrt(head.features // fingerprint.channels)
        found = replace(found, resize=side, crop=(side, side))
    return found


def _for_channels(examined: Examined, found: Preprocessing) -> Preprocessing:
    """Return a preprocessing whose channels are those that the network takes."""
    fitting = _preset(examined)
    if found.channels == fitting.channels:
        return found
    return replace(found, channel_order=fitting.channel_order, mean=fitting.mean, std=fitting.std)


def _outputs(examined: Examined) -> Outputs:
    """Return what the outputs are: what the file tells, else a yes or no where there is one."""
    assert examined.head is not None
    written = examined.content.metadata.get("outputs")
    told: dict[str | None, Outputs] = {one: one for one in get_args(Outputs)}
    if written in told:
        return told[written]
    if examined.head.outputs > 1 or examined.head.outputs_are != "softmax":
        return examined.head.outputs_are
    return single_output(is_never_negative=_is_never_negative(examined))[0]


def _unsure_below(written: object) -> float:
    """Return what a file of ours says of it; 0 where it says nothing, or no probability."""
    try:
        said = float(written) if isinstance(written, str) else 0.0
    except ValueError:
        return 0.0
    return said if 0 < said <= 1 else 0.0


def _is_never_negative(examined: Examined) -> bool:
    """Return whether a ReLU follows the head; as a yes or no all outputs would be a yes."""
    fingerprint, head = examined.recognition.fingerprint, examined.head
    assert head is not None
    return fingerprint.family.ends_in_relu and head.place == fingerprint.cuts[0].place


def _output_problems(examined: Examined) -> list[str]:
    """Say what was assumed of a single output."""
    head = examined.head
    told = "outputs" in examined.content.metadata or (
        head is not None and head.outputs_are != "softmax"
    )
    if head is None or head.outputs > 1 or told:
        return []
    return [single_output(is_never_negative=_is_never_negative(examined))[1]]


def _summary(examined: Examined, names: tuple[str, ...], source: NamesSource) -> str:
    state_dict, content = examined.state_dict, examined.content
    place = f"a {content.container} file"
    if state_dict.wrapper:
        epoch = content.content.get("epoch")
        known = type(epoch) is int and 0 <= epoch < 10**9
        averaged = is_averaged(state_dict.wrapper)
        place = tr("the {wrapper!r}", wrapper=state_dict.wrapper)
        place += tr(" (the averaged weights)") if averaged else ""
        place += tr(" of a training checkpoint") + (
            tr(" of epoch {epoch}", epoch=epoch) if known else ""
        )
    if state_dict.dialect is not None:
        place += tr(" with {names}", names=state_dict.dialect.title)
    title = examined.recognition.architecture.title
    if examined.head is None:
        return tr(
            "{title} without a head, from {place}; every parameter of its body found.",
            title=title,
            place=place,
        )
    count = examined.head.outputs
    named = () if source.by is NamedBy.NOBODY else names
    classes = tr_n("{n} output", "{n} classes", count)
    return tr(
        "{title} with {classes}{listed}, from {place}; every parameter found.",
        title=title,
        classes=classes,
        listed=listed(named),
        place=place,
    )


def _json_or_none(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
