"""What stands inside what in the drawing of a network: calls, and groups where no calls tell.

Where a network's top is one part that holds nearly everything, its parts stand in its place.
Networks that come as a plain list of steps, as graphs in files do, are grouped by the names of
their steps, else by the size of their maps and by where branches join.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from core.inside.data_flow import NETWORK, DataFlow

if TYPE_CHECKING:
    from core.inside.idle_parts import IdlePart
    from core.inside.summary import LayerTable

_NEARLY_ALL = 0.85
_FEW = 2
_MOST_FLAT = 40
"""So many steps stand beside each other without groups."""

_LEAST_OF_GROUP = 2
_PLAIN = frozenset({"Sequential", "ModuleList"})


@dataclass(eq=False)
class Unit:
    """A step, a call with steps inside, or a group that no call stands for.

    Attributes:
        name: dotted name of the layer, or what the group or the operation is called.
        kind: the operation, "" of others.
        call: place of the call in the flow; None of a group that no call stands for.
        children: in order of execution.
        steps: places of all steps in it that have none inside.
        also: places of calls that stand in no box of their own and give what this unit gives.
        source: of a part that did not run, the step whose output it takes else; None of others.
    """

    name: str
    kind: str = ""
    call: int | None = None
    children: list[Unit] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    also: list[int] = field(default_factory=list)
    source: int | None = None


def units_of(table: LayerTable) -> Unit:
    """Return the network as one unit with all others inside."""
    flow = table.flow
    top = _by_calls(flow)
    blocks = set(table.blocks)
    while (opened := _dissolved(top, blocks)) is not None:
        top.children = opened
    if len(top.children) > _MOST_FLAT and not any(one.children for one in top.children):
        top.children = _grouped(top.children, flow)
    kinds = {(one.name, one.call): one.kind for one in table.layers}
    plain = {
        at for at, step in enumerate(flow.steps) if kinds.get((step.layer, step.call)) in _PLAIN
    }
    top.children = [_without_needless(unit, plain) for unit in top.children]
    for part in table.idle:
        _hang(part, top, flow)
    return top


def _hang(part: IdlePart, top: Unit, flow: DataFlow) -> None:
    """Put a part that did not run behind the unit whose output it takes."""
    places = {(step.layer, step.call): at for at, step in enumerate(flow.steps)}
    source = None if part.source is None else places.get(part.source)
    if source is None:
        return
    holder = next((at for at, one in enumerate(top.children) if source in one.steps), None)
    if holder is not None:
        unit = Unit(part.name, part.kind, steps=[source], source=source)
        top.children.insert(holder + 1, unit)


def _without_needless(unit: Unit, plain: set[int]) -> Unit:
    """Return a unit without boxes around a single box: one of the two gives what both give.

    Args:
        unit: with all inside.
        plain: places of calls that are mere lists of others.
    """
    while len(unit.children) == 1 and unit.call is not None:
        (child,) = unit.children
        if child.call is None or unit.children[0].also:
            break
        if child.children and child.call in plain and unit.call not in plain:
            unit.children = child.children
            unit.children[-1].also.append(child.call)
        else:
            child.also += [unit.call, *unit.also]
            unit = child
    unit.children = [_without_needless(child, plain) for child in unit.children]
    return unit


def _by_calls(flow: DataFlow) -> Unit:
    groups = flow.groups
    units: dict[int, Unit] = {NETWORK: Unit("")}
    for at, step in enumerate(flow.steps):
        unit = Unit(step.layer or step.operation, step.operation, at)
        units[at] = unit
        units[step.scope].children.append(unit)
        if at in groups:
            continue
        unit.steps.append(at)
        scope = step.scope
        while scope != NETWORK:
            units[scope].steps.append(at)
            scope = flow.steps[scope].scope
        units[NETWORK].steps.append(at)
    return units[NETWORK]


def _dissolved(top: Unit, blocks: set[str]) -> list[Unit] | None:
    """Return the top's children with some in the place of what they are parts of; None of none.

    A part is left out that holds nearly everything, and all where there are few.
    """
    holders = [one for one in top.children if one.children and one.name not in blocks]
    total = len(top.steps)
    few = len(holders) <= _FEW and sum(len(one.steps) for one in holders) > total / 2
    opened = [one for one in holders if few or len(one.steps) > _NEARLY_ALL * total]
    if not opened:
        return None
    for one in opened:
        assert one.call is not None
        one.children[-1].also += [one.call, *one.also]
    return [unit for one in top.children for unit in (one.children if one in opened else [one])]


def _grouped(units: list[Unit], flow: DataFlow) -> list[Unit]:
    """Return plain steps in groups."""
    named = sum("/" in unit.name for unit in units)
    if named > len(units) / 2:
        return _by_names(units, 0)
    return _by_sizes(units, flow)


def _by_names(units: list[Unit], depth: int) -> list[Unit]:
    """Return steps in the groups that their names tell, as "layer1/layer1.0/conv1/Conv"."""

    def head(unit: Unit) -> str:
        path = unit.name.split("/")
        return "/".join(path[: depth + 1]) if len(path) > depth + 1 else ""

    found: list[Unit] = []
    for name, run in _runs(units, head):
        if name and len(run) >= _LEAST_OF_GROUP:
            found.append(_group(name, _by_names(run, depth + 1)))
        elif name:
            found += _by_names(run, depth + 1)
        else:
            found += run
    return found[0].children if len(found) == 1 and found[0].children else found


def _by_sizes(units: list[Unit], flow: DataFlow) -> list[Unit]:
    """Return steps in a group for each size of maps, and in it one for each place of branches."""
    edges = [(source, at) for source, at in flow.edges]

    def size(unit: Unit) -> str:
        step = flow.steps[unit.steps[-1]]
        is_map = len(step.shape) == 4 and step.operation != "input"
        return f"{step.shape[-2]}×{step.shape[-1]}" if is_map else ""

    found: list[Unit] = []
    for name, run in _runs(units, size):
        if name and len(run) > _LEAST_OF_GROUP:
            found.append(_group(name, _by_branches(run, edges)))
        else:
            found += run
    return found


def _by_branches(units: list[Unit], edges: Sequence[tuple[int, int]]) -> list[Unit]:
    """Return steps with those between a fork and its join in one group."""
    order = {unit.steps[0]: at for at, unit in enumerate(units)}
    passing = [0] * (len(units) + 1)  # how many edges more pass a unit by than the one before
    for a, b in edges:
        if b in order and order[b] - order.get(a, -1) > 1:
            passing[order.get(a, -1) + 1] += 1
            passing[order[b]] -= 1
    count = 0
    found: list[Unit] = []
    run: list[Unit] = []
    for at, unit in enumerate(units):
        run.append(unit)
        count += passing[at]
        if count:
            continue  # something passes it by
        found += [_group(run[0].name, run)] if len(run) > _LEAST_OF_GROUP else run
        run = []
    return found + run


def _runs(units: list[Unit], key: Callable[[Unit], str]) -> Iterator[tuple[str, list[Unit]]]:
    for name, run in groupby(units, key):
        yield name, list(run)


def _group(name: str, children: list[Unit]) -> Unit:
    steps = [step for child in children for step in child.steps]
    return Unit(name, "", None, children, steps)
