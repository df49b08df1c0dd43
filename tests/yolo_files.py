"""Files as Ultralytics writes them, of small networks, made without Ultralytics."""

from __future__ import annotations

import contextlib
import copy
import sys
import types
from collections.abc import Iterator

import torch
from torch import nn

from core.models.families.yolo import SplitForm, YoloForm

PLAIN = YoloForm(
    (8, 16, 32, 64, 128),
    (
        SplitForm(8, 16, 1, 8),
        SplitForm(16, 32, 2, 16),
        SplitForm(32, 64, 2, 32),
        SplitForm(64, 128, 1, 64),
    ),
)
"""The layers of YOLOv8, each half as wide as those of the smallest published."""

ATTENDING = YoloForm(
    (8, 16, 32, 64, 128),
    (
        SplitForm(8, 32, 1, 4),
        SplitForm(16, 64, 1, 8),
        SplitForm(32, 64, 1, 16, 2),
        SplitForm(64, 128, 1, 32, 2),
    ),
    attention=1,
)
"""The same of YOLO11."""

_PLACES = {
    "Conv": "ultralytics.nn.modules.conv",
    "Classify": "ultralytics.nn.modules.head",
    "ClassificationModel": "ultralytics.nn.tasks",
}
_BLOCK = "ultralytics.nn.modules.block"


def network_of(form: YoloForm, classes: int = 3) -> nn.Sequential:
    """Return a network whose parameters follow from their names' order alone."""
    network = form.build({})
    assert isinstance(network, nn.Sequential)
    network[-1].linear = nn.Linear(1280, classes)
    with torch.no_grad():
        for at, (name, tensor) in enumerate(network.state_dict().items()):
            if not tensor.is_floating_point():
                continue
            waves = torch.cos(torch.arange(tensor.numel()) * 0.7 + at).reshape(tensor.shape)
            around = name.endswith(("bn.weight", "running_var"))
            share = tensor[0].numel() ** -0.5 if tensor.ndim > 1 else 0.3
            tensor.copy_((1 + 0.3 * waves) if around else waves * share)
    return network.eval()


def state_dict_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return the state dict under Ultralytics' names."""
    return {f"model.{name}": tensor for name, tensor in network.state_dict().items()}


@contextlib.contextmanager
def pickled(network: nn.Sequential, **attributes: object) -> Iterator[nn.Module]:
    """Give a copy of a network whose classes are called as Ultralytics'; not to be run.

    Args:
        network: of ``network_of``.
        attributes: of the whole.
    """
    before = set(sys.modules)
    try:
        whole = _foreign("ClassificationModel")()
        whole.model = copy.deepcopy(network)
        whole.model.__class__ = nn.Sequential
        for module in list(whole.modules())[2:]:
            kind = type(module).__name__
            if type(module).__module__ == "core.models.yolo_network":
                module.__class__ = _foreign(kind)
            if kind in ("Bottleneck", "PSABlock"):
                vars(module)["add"] = True
            module._modules.pop("softmax", None)
        for at, layer in enumerate(whole.model):
            vars(layer).update(i=at, f=-1, type="somewhere")
        vars(whole).update(attributes)
        yield whole
    finally:
        for name in set(sys.modules) - before:
            if name.startswith("ultralytics"):
                del sys.modules[name]


def rename(module: nn.Module, kind: str, place: str = _BLOCK) -> None:
    """Let a module of a pickled network be of another class."""
    module.__class__ = _foreign(kind, place)


def _foreign(kind: str, place: str = "") -> type[nn.Module]:
    """Return a class that lives where another library keeps its own."""
    place = place or _PLACES.get(kind, _BLOCK)
    parts = place.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(parts[end - 1]))
    held = vars(sys.modules[place])
    made = held.setdefault(kind, type(kind, (nn.Module,), {"__module__": place}))
    assert isinstance(made, type)
    return made
