"""Say by its graph what an ONNX file is, where it is no classifier that opens here."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from core.errors import UnusableCheckpointError
from core.language import lazy
from core.models.class_names import lists as class_names
from core.models.sources.onnx.graph import Network, Node, with_parts
from core.models.sources.onnx.reading import MOST_NODES

_LONGEST_NAME = 80
_DETECTOR = lazy("is a detector; Droplens opens classifiers")
_SEGMENTATION = lazy("is a segmentation network; Droplens opens classifiers of whole photos")
_POSE = lazy("finds poses; Droplens opens classifiers")
_TRAINING = lazy("was exported to be trained; Droplens opens networks that predict")
_OPERATORS: Mapping[str, str] = {
    "NonMaxSuppression": _DETECTOR,
    "EfficientNMS_TRT": _DETECTOR,
    "BatchedNMS_TRT": _DETECTOR,
    "RoiAlign": _DETECTOR,
    "MaxRoiPool": _DETECTOR,
    "SoftmaxCrossEntropyLoss": _TRAINING,
    "NegativeLogLikelihoodLoss": _TRAINING,
}
"""What a network is that has one of these operators."""

_TASKS: Mapping[str, str] = {
    "detect": _DETECTOR,
    "obb": _DETECTOR,
    "segment": _SEGMENTATION,
    "pose": _POSE,
}
"""What Ultralytics writes as ``task``."""

_STANDARD_DOMAINS = ("", "ai.onnx.ml")
_PASSED_OVER = ("ai.onnx.preview.training", "com.microsoft.nchwc")


def refuse_others(path: Path, network: Network) -> None:
    """Refuse what a graph shows to be no classifier, or not to be computable here.

    Raises:
        UnusableCheckpointError: with what it is, or the operator that is not known.
    """
    what = _TASKS.get(network.metadata.get("task", ""))
    _check_expansion(path, network)
    for node in _all_nodes(network):
        what = what or _OPERATORS.get(node.operator)
        if what is None and not _is_known(network, node):
            raise UnusableCheckpointError(
                "{path} uses the operator {operator!r} of {domain}, which ONNX Runtime does not "
                "have; export it without.",
                path=path,
                operator=shown(node.operator),
                domain=shown(node.domain) or "ONNX",
            )
    if what is not None:
        raise UnusableCheckpointError("{path} {what}.", path=path, what=what)


def shown(name: str) -> str:
    """Return a name from a file as it can stand in a sentence."""
    found = class_names.clean(name)
    return found if len(found) <= _LONGEST_NAME else f"{found[:_LONGEST_NAME]}…"


def _all_nodes(network: Network) -> list[Node]:
    own = [node for nodes in network.functions.values() for node in with_parts(nodes)]
    return [*network.graph.all_nodes(), *own]


def _is_known(network: Network, node: Node) -> bool:
    """Return whether ONNX Runtime computes an operator on the processor, or the file defines it."""
    if (node.domain, node.operator) in network.functions:
        return True
    if node.domain in _PASSED_OVER:
        return False
    kernels, operators = _computable()
    if node.domain in _STANDARD_DOMAINS:  # some are made of others, and have no kernel
        return not operators or (node.domain, node.operator) in operators | kernels
    if node.domain != "com.microsoft":
        return False
    return not kernels or (node.domain, node.operator) in kernels


@functools.cache
def _computable() -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """Return what this ONNX Runtime computes, and what it knows; empty where it does not say."""
    from onnxruntime.capi import onnxruntime_pybind11_state as runtime

    if not hasattr(runtime, "get_all_opkernel_def"):
        return frozenset(), frozenset()
    kernels = {(one.domain, one.op_name) for one in runtime.get_all_opkernel_def()}
    operators = {(one.domain, one.name) for one in runtime.get_all_operator_schema()}
    return frozenset(kernels), frozenset(operators)


def _check_expansion(path: Path, network: Network) -> None:
    """Refuse functions in functions that stand for more nodes than any network has.

    Raises:
        UnusableCheckpointError: they do, or one contains itself.
    """
    sizes: dict[tuple[str, str], int] = {}
    pending: set[tuple[str, str]] = set()

    def size_of(name: tuple[str, str], depth: int) -> int:
        if name not in network.functions:
            return 1
        if name in pending or depth > 50:
            return MOST_NODES + 1
        if name not in sizes:
            pending.add(name)
            nodes = with_parts(network.functions[name])
            sizes[name] = sum(size_of((node.domain, node.operator), depth + 1) for node in nodes)
            pending.discard(name)
        return sizes[name]

    whole = sum(size_of((node.domain, node.operator), 0) for node in network.graph.all_nodes())
    if whole > MOST_NODES:
        raise too_many_parts(path)


def too_many_parts(path: Path) -> UnusableCheckpointError:
    """Return what to say of a graph that is too large."""
    return UnusableCheckpointError(
        "{path} has more parts than any classifier; Droplens does not open it.", path=path
    )
