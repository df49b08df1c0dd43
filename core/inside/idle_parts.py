"""Parts of a network that run only while it learns, as auxiliary heads do."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.inside.flow_recorder import FlowRecorder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IdlePart:
    """A part that did not run.

    Attributes:
        name: dotted.
        kind: the module's class.
        parameters: how many it has.
        source: name and call of the layer whose output it takes while the network learns; None
            where that is not known.
    """

    name: str
    kind: str
    parameters: int
    source: tuple[str, int] | None


def idle_parts(network: nn.Module, inputs: Tensor, ran: Iterable[str]) -> tuple[IdlePart, ...]:
    """Return the parts with parameters that a pass left out.

    Where there are some, a copy of the network runs once as it does while it learns.

    Args:
        network: in evaluation mode; only read.
        inputs: shape (1, C, H, W), on the network's device.
        ran: names of the layers that ran.
    """
    known = {name.split(".", 1)[0] for name in ran}
    idle = {
        name: module
        for name, module in network.named_children()
        if name not in known and any(True for _ in module.parameters())
    }
    if not known or not idle:
        return ()
    sources = _sources(network, inputs, idle)
    return tuple(
        IdlePart(
            name,
            type(module).__name__,
            sum(parameter.numel() for parameter in module.parameters()),
            sources.get(name),
        )
        for name, module in idle.items()
    )


def _sources(network: nn.Module, inputs: Tensor, idle: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return which layer's output each part takes in a pass of a copy that learns."""
    pair = inputs.repeat(2, 1, 1, 1)  # batch norm needs more than one where maps are 1×1
    recorder = FlowRecorder(pair)
    try:
        twin = copy.deepcopy(network).train()
        with torch.no_grad(), recorder.watching(twin):
            twin(pair)
    except Exception:  # whatever a network does not like about that, it is drawn without
        log.info("the network does not run as it learns", exc_info=True)
    flow, _ = recorder.finished(None)
    found = {}
    for step in flow.steps:
        if step.layer in idle and step.sources:
            source = flow.steps[step.sources[0]]
            while source.layer == "" and source.sources:
                source = flow.steps[source.sources[0]]
            found[step.layer] = (source.layer, source.call)
    return found
