"""Notes the way of the data while a network runs.

Hooks of the modules tell the calls, a mode of torch all functions between them. Every tensor is
remembered with the step that gave it, so that it shows where the next step has its input from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from core.inside.data_flow import NETWORK, DataFlow, Step, Strengths

_PASSING = frozenset(
    "view view_as reshape reshape_as permute transpose t flatten unflatten squeeze unsqueeze "
    "expand expand_as contiguous chunk split tensor_split unbind getitem clone detach to float "
    "type type_as movedim swapaxes get ravel narrow select alias".split()
)
"""Functions that move, cut or copy numbers and compute none."""

_SUM = "Add"
"""Class of the layers that add, in graphs whose steps are all layers."""

_DROPPING = ("dropout", "feature_dropout", "alpha_dropout")
"""These give what they are given while nothing is learnt."""

_LARGEST = 64


class Look(Protocol):
    """Gives the strength map of an output."""

    def __call__(self, layer: str, output: Tensor, /) -> Tensor | None:
        """Return a map, shape (h, w), on any device; None where there is none.

        Args:
            layer: the call's, or the one that an operation happens in.
            output: what it gave.
        """


class FlowRecorder(TorchFunctionMode):
    """Notes the steps of one pass; on while the pass runs, told of calls by hooks.

    Args:
        inputs: of the network.
        look: gives strength maps; None where there is no photo.
    """

    def __init__(self, inputs: Tensor, look: Look | None = None) -> None:
        super().__init__()
        self._steps = [Step("", 0, "input", NETWORK, (), tuple(inputs.shape))]
        self._origins: Any = WeakTensorKeyDictionary()
        self._origins[inputs] = 0
        self._open: list[int] = []
        self._given: list[list[tuple[Tensor, int]]] = []
        self._guards: list[AbstractContextManager[object]] = []
        self._calls: Counter[str] = Counter()
        self._look = look
        self._maps: dict[int, Tensor] = {}
        self._energies: dict[int, tuple[float, ...]] = {}
        self._last_seen: tuple[object, Tensor, Tensor | None] | None = None
        self._see(0, "", inputs)

    def begin(self, layer: str, module: nn.Module, given: object) -> None:
        """Note that a call begins.

        Args:
            layer: dotted name.
            module: itself.
            given: all its arguments.
        """
        self._calls[layer] += 1
        at = self._add(layer, self._calls[layer], "", self._sources(given))
        self._open.append(at)
        self._given.append([(one, one._version) for one in _tensors(given)])
        if type(module).__name__ == _SUM and self._look is not None:
            with unnoticed():
                self._weigh(at, _energies(list(_tensors(given))))
        if _is_one_step(module):
            self._guards.append(unnoticed())
            self._guards[-1].__enter__()

    def end(self, module: nn.Module, output: object) -> Tensor | None:
        """Note that the call that began last ends.

        Returns:
            Another view of the output where that is what was given, as of dropout: data that go
            past the layer are told from those that go through it. None otherwise.
        """
        at, taken = self._open.pop(), self._given.pop()
        if _is_one_step(module):
            self._guards.pop().__exit__(None, None, None)
        with unnoticed():
            alias = _another_view(taken, output)
        tensors = list(_tensors(output if alias is None else alias))
        step = self._steps[at]
        shape = tuple(tensors[0].shape) if tensors else ()
        self._steps[at] = Step(step.layer, step.call, "", step.scope, step.sources, shape)
        is_empty = len(self._steps) == at + 1
        last = at if is_empty else self._last_leaf(at)
        for tensor in tensors:
            if is_empty or tensor not in self._origins:
                self._origins[tensor] = last
        if tensors:
            with unnoticed():
                self._see(at, step.layer, tensors[0])
        return alias

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Note all that a network does, its calls by hooks of its own."""
        with ExitStack() as hooks, self:
            for name, module in network.named_modules():
                if not name:
                    continue

                def begin(one: nn.Module, given: object, named: object, name: str = name) -> None:
                    self.begin(name, one, (given, named))

                def end(one: nn.Module, given: object, named: object, output: object) -> object:
                    return self.end(one, output)

                hooks.enter_context(module.register_forward_pre_hook(begin, with_kwargs=True))
                hooks.enter_context(module.register_forward_hook(end, with_kwargs=True))
            yield

    def finished(self, outputs: Tensor | None) -> tuple[DataFlow, Strengths | None]:
        """Return all steps, and how strong each was; None where nothing looked at that."""
        if outputs is not None and len(self._steps) > 1:
            self._open.clear()
            source = self._origins.get(outputs)
            if source is None:  # a graph's answer is taken from what its last steps gave
                source = self._last_leaf(0)
            self._add("", 0, "output", (source,), tuple(outputs.shape))
            self._see(len(self._steps) - 1, "", outputs)
        self._last_seen = None
        flow = DataFlow(tuple(self._steps))
        if self._look is None:
            return flow, None
        maps = [self._maps.get(at) for at in range(len(self._steps))]
        arrays = tuple(None if one is None else one.cpu().numpy() for one in maps)
        return flow, Strengths(arrays, self._energies)

    def __exit__(self, *error: Any) -> None:
        while self._guards:  # of calls that failed
            self._guards.pop().__exit__(None, None, None)
        super().__exit__(*error)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        """Run a function of torch, and note it as a step where it computes something."""
        name = _name_of(func)
        read = args[1:] if name == "copy" else args  # what is overwritten is not read
        named = {key: one for key, one in (kwargs or {}).items() if key != "out"}
        sources = self._sources((read, named))
        is_sum = self._look is not None and len(sources) > 1 and name == "add"
        energies = _energies(args) if is_sum else ()
        result = func(*args, **(kwargs or {}))
        outputs = list(_tensors(result))
        if name == "setitem":
            outputs = [args[0]]
        if not sources or not outputs or name.startswith("new_") or name.endswith("_like"):
            return result
        at = sources[0]
        if len(sources) > 1 or not _passes(name, args, outputs[0]):
            at = self._add("", 0, name, sources, tuple(outputs[0].shape))
            scope = self._steps[at].scope
            self._see(at, "" if scope == NETWORK else self._steps[scope].layer, outputs[0])
            self._weigh(at, energies)
        for output in outputs:
            self._origins[output] = at
            is_in_place = at not in sources and any(output is one for one in _tensors(args))
            if is_in_place and output._base is not None:
                self._origins[output._base] = at
        return result

    def _add(
        self,
        layer: str,
        call: int,
        operation: str,
        sources: tuple[int, ...],
        shape: tuple[int, ...] = (),
    ) -> int:
        scope = self._open[-1] if self._open else NETWORK
        self._steps.append(Step(layer, call, operation, scope, sources, shape))
        return len(self._steps) - 1

    def _last_leaf(self, at: int) -> int:
        """Return the last step within a call that has none inside."""
        scopes = {step.scope for step in self._steps[at:]}
        return next(one for one in range(len(self._steps) - 1, at, -1) if one not in scopes)

    def _weigh(self, at: int, energies: tuple[float, ...]) -> None:
        if energies and self._look is not None:
            self._energies[at] = energies

    def _sources(self, given: object) -> tuple[int, ...]:
        known = (self._origins.get(tensor) for tensor in _tensors(given))
        return tuple(dict.fromkeys(one for one in known if one is not None))

    def _see(self, at: int, layer: str, output: Tensor) -> None:
        """Note how strong an output is; what a call gives of its last part's was noted there."""
        if self._look is None:
            return
        known = self._last_seen
        key = (output.data_ptr(), output._version, output.shape, output.stride(), output.dtype)
        if known is None or known[0] != key:
            known = (key, output, self._look(layer, output))
            self._last_seen = known
        if known[2] is not None:
            self._maps[at] = known[2]


def strength_map(maps: Tensor) -> Tensor:
    """Return the root mean square over channels, made smaller where it is large.

    Args:
        maps: float, shape (C, h, w).

    Returns:
        float32, shape (h', w'), each at most 64.
    """
    values = maps.float()
    strength = (values * values).sum(0).div_(values.shape[0]).sqrt_()  # vector_norm takes ten times
    height, width = strength.shape
    size = (min(height, _LARGEST), min(width, _LARGEST))
    if size == (height, width):
        return strength
    smaller: Tensor = nn.functional.adaptive_avg_pool2d(strength[None], size)
    return smaller[0]


def unnoticed() -> AbstractContextManager[object]:
    """Return a context in which no function is noted: a layer's own, or of who looks at them.

    A layer computes there what it computes without a recorder, to the last bit: attention has a
    faster way that it leaves where its functions are watched.
    """
    context: Any = torch._C.DisableTorchFunction  # torch's stubs take it for a function
    guard: AbstractContextManager[object] = context()
    return guard


def _is_one_step(module: nn.Module) -> bool:
    attention = isinstance(module, nn.MultiheadAttention)  # its one part never runs by itself
    return attention or next(module.children(), None) is None


def _tensors(value: object) -> Iterator[Tensor]:
    """Yield the tensors in a value, however deep in tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _name_of(function: Any) -> str:
    """Return what a function of torch does: "add" for ``+``, ``+=``, ``add_`` and ``torch.add``."""
    name = str(getattr(function, "__name__", type(function).__name__))
    if name.startswith("__"):
        name = name.strip("_")
        if name[:1] in "ir" and name[1:] in ("add", "sub", "mul", "truediv", "matmul"):
            name = name[1:]
    return {"concat": "cat", "concatenate": "cat", "truediv": "div"}.get(
        name.rstrip("_"), name.rstrip("_")
    )


def _passes(name: str, args: Any, output: Tensor) -> bool:
    """Return whether a function gives the numbers that it was given."""
    if name in _PASSING or name in _DROPPING:
        return True
    first = next(_tensors(args), None)
    return name == "pad" and first is not None and first.shape == output.shape


def _energies(args: Any) -> tuple[float, ...]:
    """Return the squares of what is added, each added up; () where the shapes differ."""
    added = [one for one in args if isinstance(one, Tensor)]
    if len(added) != 2 or added[0].shape != added[1].shape:
        return ()
    return tuple(float((one.float() * one.float()).sum()) for one in added)


def _another_view(taken: list[tuple[Tensor, int]], output: object) -> Tensor | None:
    """Return another view of an output that is an input nobody has written to; else None."""
    if not isinstance(output, Tensor):
        return None
    for tensor, version in taken:
        if tensor is output and version == output._version:
            return output.view_as(output)
    return None
