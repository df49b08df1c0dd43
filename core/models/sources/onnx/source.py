"""From an ONNX file to a model: what it is in words, and its network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.errors import ArchitectureMismatchError, DroplensError
from core.files import hash_of, open_ordinary
from core.language import tr, tr_n
from core.models.class_names.words import doubts, listed
from core.models.overrides import SavedOverrides
from core.models.recognition.sidecars import outputs_beside
from core.models.recognition.single_output import single_output
from core.models.sources.base import Capability, OpenedModel
from core.models.sources.checkpoint.source import check_channels, settled
from core.models.sources.onnx.examining import Examined, examine
from core.models.sources.onnx.layers import layer_nodes
from core.models.sources.onnx.naming import names_of
from core.models.sources.onnx.network import OnnxNetwork
from core.models.sources.onnx.outputs import ClassOutput, Meaning
from core.models.sources.onnx.own_metadata import own_outputs, own_unsure_below
from core.models.sources.onnx.preprocessing import preprocessing_of
from core.models.sources.onnx.refusing import shown
from core.models.sources.onnx.residual import find_additions
from core.values.spec import Inspection, ModelChoice, NamedBy, Outputs

ARCHITECTURE = "onnx"
"""Stands for the architecture, which an ONNX file brings with it and does not name."""

_HASHED_BYTES = 2**30
"""Larger files that cannot be used are not hashed just to say so."""


def inspect_onnx(path: Path) -> Inspection:
    """Say what a file is; a file that cannot be used is an answer too, not an error."""
    try:
        return _described(examine(path, lambda: False))
    except DroplensError as error:
        said = str(error)
        return Inspection(usable=False, summary=said, problems=(said,), sha256=_hash_of(path))


def open_onnx(
    choice: ModelChoice, saved_overrides: SavedOverrides | None, is_stopped: Callable[[], bool]
) -> OpenedModel:
    """Open what the user picked.

    Args:
        choice: the file, and the user's overrides.
        saved_overrides: used where ``choice`` gives none.
        is_stopped: asked while the file is read.

    Raises:
        DroplensError: what does not fit, in one sentence.
        StoppedError: it was asked to stop.
    """
    path = choice.checkpoint
    assert path is not None
    if choice.architecture not in (None, ARCHITECTURE):
        raise ArchitectureMismatchError(
            "{path} is an ONNX network, which brings its architecture with it; leave the "
            "architecture out.",
            path=path,
        )
    examined = examine(path, is_stopped)
    found = _described(examined)
    spec = settled(path, tr("ONNX network"), found, choice, saved_overrides)
    check_channels(spec, examined.photo.channels)
    graph = examined.network.graph
    layers = layer_nodes(graph, examined.photo)
    outputs = [port.name for port in graph.outputs]
    network = OnnxNetwork(examined.content, examined.photo, examined.output, layers, outputs)
    unsure = {layer.output for layer in layers if layer.is_last is None}
    network.additions = find_additions(graph, examined.photo.name, network.names, unsure)
    return OpenedModel(spec, network.eval(), None, frozenset({Capability.SHOW_LAYERS}))


def _hash_of(path: Path) -> str:
    """Return the hash of a file that cannot be used; "" where that would take long."""
    try:
        with open_ordinary(path) as file:
            size = file.seek(0, 2)
            file.seek(0)
            return hash_of(file).hex() if size <= _HASHED_BYTES else ""
    except OSError:
        return ""


def _described(examined: Examined) -> Inspection:
    output, path = examined.output, examined.path
    count = output.classes
    names, source, problems = names_of(path, examined.network, count, output.candidate.keys)
    preprocessing, assumed = preprocessing_of(path, examined.network, examined.photo, count)
    outputs, said = _outputs(path, output, own_outputs(examined.network.metadata))
    return Inspection(
        usable=True,
        summary=_summary(examined, names if source.by is not NamedBy.NOBODY else ()),
        problems=(*problems, *doubts(names), *_several(examined), *said, *assumed),
        architecture=ARCHITECTURE,
        num_classes=count,
        class_names=names,
        class_names_source=source,
        head=f"{shown(output.candidate.shown)}: {shown(output.operator)}".rstrip(": "),
        matched=1.0,
        preprocessing=preprocessing,
        sha256=examined.sha256,
        outputs=outputs,
        unsure_below=own_unsure_below(examined.network.metadata),
    )


def _outputs(path: Path, output: ClassOutput, own: Outputs | None) -> tuple[Outputs, list[str]]:
    """Return what the outputs are, and sentences about what of it had to be assumed."""
    if own is not None:
        return own, []
    if output.meaning is Meaning.ANSWERS:
        return "sigmoid", []
    if output.meaning is Meaning.SHARES:
        return "softmax", _doubt(output)
    told = outputs_beside(path, output.classes)
    if told is not None:
        return told, []
    if output.classes == 1:
        found, said = single_output(is_never_negative=output.operator == "Relu")
        return found, [said]
    return "softmax", _doubt(output)


def _doubt(output: ClassOutput) -> list[str]:
    if not output.is_doubtful:
        return []
    return [
        tr(
            "Its numbers lie between 0 and 1 and do not add up to 1: they may be probabilities "
            "already, which are then shown changed. Choose in the details what its outputs are."
        )
    ]


def _several(examined: Examined) -> list[str]:
    """Return a sentence where the network has outputs beside the one that is taken."""
    others = [
        port.name
        for port in examined.network.graph.outputs
        if port.name != examined.output.candidate.shown and port.type is not None
    ]
    if not others:
        return []
    return [
        tr(
            "The network has other outputs ({names}); its classes are read from {name!r}.",
            names=", ".join(map(shown, others[:4])),
            name=shown(examined.output.candidate.shown),
        )
    ]


def _summary(examined: Examined, names: tuple[str, ...]) -> str:
    classes = tr_n("{n} output", "{n} classes", examined.output.classes)
    maker = shown(examined.network.producer)
    return tr(
        "ONNX network with {classes}{listed}, {steps}{maker}; it computes on the processor.",
        classes=classes,
        listed=listed(names),
        steps=tr_n("{n} step", "{n} steps", len(examined.network.graph.nodes)),
        maker=tr(", written by {maker}", maker=maker) if maker else "",
    )
