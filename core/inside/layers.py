"""Every layer of a network in one forward pass of one photo: what it is, and what it gave."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from core.inside.data_flow import DataFlow, Strengths
from core.inside.flow_recorder import FlowRecorder, strength_map, unnoticed
from core.inside.layer_settings import Described, describe
from core.inside.layouts import Layout, Layouts, Shown
from core.models.compiler import without_compiler

log = logging.getLogger(__name__)

_NO_STATISTICS = (0.0, 0.0, 0.0, None)


@dataclass(frozen=True)
class Layer:
    """One call of one module.

    Attributes:
        name: dotted, as in ``network.named_modules()``.
        kind: the module's class, e.g. "Conv2d".
        call: from 1; above 1 where the network runs the module again.
        calls: how often it runs in one pass.
        input_shapes: of the tensors that it was given, the batch of one included.
        output_shape: of what it gave, likewise; () where that is no tensor.
        parameters: of the module with all its parts.
        layout: what its output is; None where it cannot be shown.
        shape: (C, h, w) as it is shown; None likewise.
        minimum: of the output for this photo, as are the next three.
        mean: of all values.
        maximum: of all values.
        dead: share of channels that are zero everywhere, 0..1; None where not shown.
        is_leaf: whether it has no parts of its own.
        has_attention: whether it gives a map of attention for each head.
        described: what it is set to.
    """

    name: str
    kind: str
    call: int
    calls: int
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    parameters: int
    layout: Layout | None
    shape: tuple[int, int, int] | None
    minimum: float
    mean: float
    maximum: float
    dead: float | None
    is_leaf: bool
    has_attention: bool
    described: Described = field(default_factory=Described)


class Recording:
    """What a network computed for one photo.

    Attributes:
        layers: in order of execution, a part after what it is part of.
        flow: which step takes the output of which; empty where one layer alone was looked at.
        strengths: how strong each step was; None likewise.
        error: why the pass failed in the middle, "" where it did not.
        outputs: the network's own, shape (1, K); None after an error.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        flow: DataFlow,
        strengths: Strengths | None,
        error: str,
        outputs: Tensor | None,
    ) -> None:
        self.layers = layers
        self.flow, self.strengths = flow, strengths
        self.error = error
        self.outputs = outputs
        self._kept: dict[tuple[str, int], Shown] = {}

    @property
    def kept_bytes(self) -> int:
        """Return how much memory the kept outputs take."""
        storages = {
            shown.maps.untyped_storage().data_ptr(): shown.maps.untyped_storage().nbytes()
            for shown in self._kept.values()
        }
        return sum(storages.values())

    def shown(self, layer: str, call: int) -> Shown | None:
        """Return the output of a call, on the CPU; None where it was not kept."""
        return self._kept.get((layer, call))

    def keep(self, layer: str, call: int, shown: Shown) -> None:
        """Keep the output of a call."""
        self._kept[layer, call] = shown


def record(
    network: nn.Module, inputs: Tensor, *, limit_bytes: int = 0, only: str | None = None
) -> Recording:
    """Run a network once and note every call of every module.

    Outputs are copied in the hook, since layers that work in place overwrite what they were
    given; where two modules give the very same tensor, one copy serves both.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
        limit_bytes: outputs beyond it are described and not kept.
        only: the one layer whose outputs are kept, whatever their size.
    """
    recorder = _Recorder(network, inputs, limit_bytes, only)
    error, outputs = "", None
    try:
        with recorder.attached(), torch.no_grad(), recorder.flow or nullcontext():
            outputs = network(inputs)
    except (RuntimeError, AssertionError, ValueError) as failure:
        log.warning("the pass failed in the middle", exc_info=True)
        error = (str(failure).splitlines() or [type(failure).__name__])[0]
    return recorder.finished(error, outputs)


def count_multiply_adds(network: nn.Module, inputs: Tensor) -> Mapping[str, int]:
    """Return the multiply-adds of each module in one pass, by dotted name; "" is the network.

    They depend on shapes alone. A module that runs several times has the sum of its calls.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # one fused step, which the counter misses
    try:
        with (
            without_compiler(),
            sdpa_kernel(SDPBackend.MATH),  # the counter misses the processor's fused one, too
            FlopCounterMode(display=False) as counter,
            torch.no_grad(),
        ):
            network(inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    root = type(network).__name__
    return {
        str(name).removeprefix(root).lstrip("."): sum(kinds.values()) // 2
        for name, kinds in counter.get_flop_counts().items()
        if name != "Global"
    }


class _Recorder:
    def __init__(
        self, network: nn.Module, inputs: Tensor, limit_bytes: int, only: str | None
    ) -> None:
        self._network = network
        self._layouts = Layouts(network)
        # Of one layer alone nobody asks for the flow, which takes its time.
        self.flow = FlowRecorder(inputs, self._strength) if only is None else None
        self._limit, self._only = limit_bytes, only
        self._layers: list[Layer | None] = []
        self._open: dict[str, list[int]] = {}
        self._calls: Counter[str] = Counter()
        self._kept: dict[tuple[str, int], Shown] = {}
        self._kept_bytes = 0
        self._last: _Last | None = None
        self._parameters = _parameters_by_module(network)

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Attach hooks to every module, and detach them on every way out."""
        with ExitStack() as hooks:
            for name, module in self._network.named_modules():
                if name:
                    begin, end = self._begin(name), self._end(name)
                    hooks.enter_context(module.register_forward_pre_hook(begin, with_kwargs=True))
                    hooks.enter_context(module.register_forward_hook(end, with_kwargs=True))
            try:
                yield
            finally:
                self._last = None

    def finished(self, error: str, outputs: Tensor | None) -> Recording:
        """Return what was recorded; calls that never ended are left out."""
        done = [layer for layer in self._layers if layer is not None]
        layers = tuple(replace(layer, calls=self._calls[layer.name]) for layer in done)
        flow, strengths = DataFlow(), None
        if self.flow is not None:
            flow, strengths = self.flow.finished(outputs)
        kept = None if outputs is None else outputs.detach().clone().cpu()
        recording = Recording(layers, flow, strengths, error, kept)
        for (name, call), shown in self._kept.items():
            recording.keep(name, call, shown)
        return recording

    def _begin(self, name: str) -> object:
        def hook(module: nn.Module, given: object, named: object) -> None:
            self._open.setdefault(name, []).append(len(self._layers))
            self._layers.append(None)
            if self.flow is not None:
                self.flow.begin(name, module, (given, named))

        return hook

    def _end(self, name: str) -> object:
        def hook(
            module: nn.Module, given: tuple[object, ...], named: object, output: object
        ) -> Tensor | None:
            at = self._open[name].pop()
            self._calls[name] += 1
            alias = None if self.flow is None else self.flow.end(module, output)
            seen = output if alias is None else alias
            with unnoticed():
                self._layers[at] = self._describe(name, self._calls[name], module, given, seen)
            return alias

        return hook

    def _describe(
        self, name: str, call: int, module: nn.Module, given: tuple[object, ...], output: object
    ) -> Layer:
        tensor = output[0] if isinstance(output, tuple) and output else output
        shown, (low, mean, high, dead) = self._measured(name, call, tensor)
        shape = None
        if shown is not None:
            channels, height, width = shown.maps.shape
            shape = (channels, height, width)
        return Layer(
            name=name,
            kind=type(module).__name__,
            call=call,
            calls=call,
            input_shapes=tuple(tuple(one.shape) for one in given if isinstance(one, Tensor)),
            output_shape=tuple(tensor.shape) if isinstance(tensor, Tensor) else (),
            parameters=self._parameters[name],
            layout=None if shown is None else shown.layout,
            shape=shape,
            minimum=low,
            mean=mean,
            maximum=high,
            dead=dead,
            is_leaf=not any(True for _ in module.children()),
            has_attention="Attention" in type(module).__name__ and bool(self._heads(module)),
            described=describe(module),
        )

    def _strength(self, layer: str, output: Tensor) -> Tensor | None:
        shown = self._layouts.show(layer, output.detach())
        if shown is None or shown.layout == "vector" or not output.is_floating_point():
            return None
        return strength_map(shown.maps)

    def _heads(self, module: nn.Module) -> int:
        return int(getattr(module, "num_heads", 0) or getattr(module, "n_heads", 0))

    def _measured(
        self, name: str, call: int, output: object
    ) -> tuple[Shown | None, tuple[float, float, float, float | None]]:
        """Return the output as it is shown, copied where it is to be kept, and its statistics."""
        if not isinstance(output, Tensor):
            return None, _NO_STATISTICS
        if self._last is not None and self._last.is_of(output) and self._only is None:
            if self._last.is_kept:
                self._kept[name, call] = self._last.shown
            return self._last.shown, self._last.statistics
        shown = self._layouts.show(name, output.detach())
        if shown is None:
            return None, _statistics_of_tensor(output)
        size = output.numel() * 4
        wanted = self._wants(name, size)
        if wanted:
            copy = output.detach().to("cpu", torch.float32, copy=True)
            shown = self._layouts.show(name, copy)
            assert shown is not None
            self._kept[name, call] = shown
            self._kept_bytes += size
        self._last = _Last(output, output._version, shown, wanted, _statistics(shown))
        return shown, self._last.statistics

    def _wants(self, name: str, size: int) -> bool:
        if self._only is not None:
            return name == self._only
        return self._kept_bytes + size <= self._limit


@dataclass(frozen=True)
class _Last:
    """The output that came last, which what it is part of often gives again."""

    output: Tensor
    version: int
    shown: Shown
    is_kept: bool
    statistics: tuple[float, float, float, float | None]

    def is_of(self, output: Tensor) -> bool:
        """Return whether an output is this very tensor or a view of it, not written to since."""
        return (
            self.output.data_ptr() == output.data_ptr()
            and self.output.shape == output.shape
            and self.output.stride() == output.stride()
            and self.output.dtype == output.dtype
            and self.version == output._version
        )


def _parameters_by_module(network: nn.Module) -> Counter[str]:
    """Return how many parameters each module has with all its parts, each counted once."""
    counts: Counter[str] = Counter()
    for name, parameter in network.named_parameters():
        size = parameter.numel()
        owner = name.rpartition(".")[0]
        while owner:
            counts[owner] += size
            owner = owner.rpartition(".")[0]
    return counts


def _statistics(shown: Shown) -> tuple[float, float, float, float | None]:
    """Return least, mean and greatest value, and the share of channels that are zero."""
    flat = shown.maps.reshape(shown.maps.shape[0], -1)
    low, high = flat.amin(1), flat.amax(1)  # together twenty times as fast as aminmax
    dead = ((low == 0) & (high == 0)).float().mean()
    numbers = torch.stack([low.min(), flat.mean(), high.max(), dead]).tolist()
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _statistics_of_tensor(output: Tensor) -> tuple[float, float, float, float | None]:
    """Return the same of what cannot be shown."""
    if not output.is_floating_point() or not output.numel():
        return _NO_STATISTICS
    low, high = torch.aminmax(output)
    return float(low), float(output.mean()), float(high), None
