"""Write a model for people who program: a state dict, and a script that needs no Droplens."""

from __future__ import annotations

import io
import json
from pathlib import Path

import torch
from torch import nn

from core.errors import UnusableCheckpointError, cannot_write
from core.files import write_result
from core.models.building import Blueprint
from core.values.spec import ModelSpec

_STATE, _NAMES, _SCRIPT, _NOTES = "model.pth", "classes.json", "classify.py", "README.txt"


def save_for_pytorch(network: nn.Module, spec: ModelSpec, plan: Blueprint, folder: Path) -> Path:
    """Write a folder with the state dict, a script and a note.

    The script does what is widely documented: build the network, replace its head, load the state
    dict, ``eval()``, transform, ``no_grad()``.

    Args:
        network: in evaluation mode.
        spec: names and preprocessing.
        plan: what the network was built from.
        folder: made where it is not there.

    Returns:
        The folder.

    Raises:
        UnusableCheckpointError: the network is not one that torchvision or timm builds by a name.
        DroplensError: the folder cannot be written.
    """
    script = script_of(spec, plan)
    tensors = {name: one.detach().cpu() for name, one in network.state_dict().items()}
    content = io.BytesIO()
    torch.save({"model_state_dict": tensors}, content)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableCheckpointError(
            "The model cannot be saved. {cannot_write}", cannot_write=cannot_write(folder, error)
        ) from error
    write_result(folder / _STATE, content.getvalue())
    names = json.dumps(spec.class_names, ensure_ascii=False, indent=1)
    write_result(folder / _NAMES, names.encode())
    write_result(folder / _SCRIPT, script.encode())
    write_result(folder / _NOTES, _notes(spec, plan).encode())
    return folder


def script_of(spec: ModelSpec, plan: Blueprint) -> str:
    """Return a script that opens the state dict and names the class of each photo given.

    Raises:
        UnusableCheckpointError: the network is not one that torchvision or timm builds by a name.
    """
    _refuse_others(spec, plan)
    family, name = plan.fingerprint.family, plan.fingerprint.architecture.name
    library = "torchvision" if family.is_of_torchvision else "timm"
    lines = [
        f'"""Name what photos show: python {_SCRIPT} PHOTO…"""',
        "",
        "import json",
        "import sys",
        "from pathlib import Path",
        "",
        *(["import timm"] if library == "timm" else []),
        "import torch",
        "from PIL import Image, ImageOps",
        "from torchvision import models, transforms" if library == "torchvision" else
        "from torchvision import transforms",
        "",
        "folder = Path(__file__).parent",
        f'classes = json.loads((folder / "{_NAMES}").read_text(encoding="utf-8"))',
        f"network = {_building(name, plan)}",
        f"network{_path(_place(plan))} = {_head(plan)}",
        f'checkpoint = torch.load(folder / "{_STATE}", weights_only=True)',
        'network.load_state_dict(checkpoint["model_state_dict"])',
        *_turning(spec, plan),
        "network.eval()",
        "transform = transforms.Compose([",
        *(f"    {step}," for step in _steps(spec)),
        "])",
        "for path in sys.argv[1:]:",
        f"    image = {_opening(spec)}",
        "    with torch.no_grad():",
        "        probabilities = network(transform(image).unsqueeze(0)).softmax(1)[0]",
        "    best = int(probabilities.argmax())",
        '    print(f"{path}: {classes[best]} {float(probabilities[best]):.6f}")',
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _refuse_others(spec: ModelSpec, plan: Blueprint) -> None:
    family, head, used = plan.fingerprint.family, plan.head, spec.preprocessing
    plain = Blueprint(plan.fingerprint, None, plan.shapes).options == plan.options
    named = plan.fingerprint.variant is None and not family.is_built_here
    usual = head is not None and head.is_plain and head.pooling == "own"
    first = plan.fingerprint.cuts[0].body.get(plan.fingerprint.first)
    same = plan.shapes.get(plan.fingerprint.first) == first
    says = spec.outputs == "softmax" and used.channel_order == "RGB" and len(spec.class_names) > 1
    if not (plain and named and usual and same and says):
        raise UnusableCheckpointError(
            "{title} cannot be written for PyTorch: torchvision and timm build it by no name "
            "alone. “Save the model as…” writes it whole.",
            title=spec.title,
        )


def _building(name: str, plan: Blueprint) -> str:
    family = plan.fingerprint.family
    options: dict[str, object] = dict(family.options)
    size = family.image_size(plan.shapes)
    if size is not None and family.is_of_torchvision:
        options["image_size"] = size
    given = "".join(f", {key}={value!r}" for key, value in options.items())
    if family.is_of_torchvision:
        return f'models.get_model("{name}", weights=None{given})'
    return f'timm.create_model("{name}"{given})'


def _place(plan: Blueprint) -> str:
    assert plan.head is not None
    return plan.head.place


def _path(place: str) -> str:
    """Return how Python reaches a module by its dotted name."""
    return "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in place.split("."))


def _head(plan: Blueprint) -> str:
    assert plan.head is not None
    (layer,) = plan.head.layers
    outputs, features = layer.shape[:2]
    bias = "" if layer.bias else ", bias=False"
    if plan.fingerprint.takes_maps(plan.head.place):
        return f"torch.nn.Conv2d({features}, {outputs}, kernel_size=1{bias})"
    return f"torch.nn.Linear({features}, {outputs}{bias})"


def _turning(spec: ModelSpec, plan: Blueprint) -> list[str]:
    if not plan.fingerprint.family.transforms_input:
        return []
    return [f"network.transform_input = {spec.preprocessing.transform_input}"]


def _opening(spec: ModelSpec) -> str:
    opened = "Image.open(path)"
    if spec.preprocessing.apply_orientation:
        opened = f"ImageOps.exif_transpose({opened})"
    return f'{opened}.convert("RGB")'


def _steps(spec: ModelSpec) -> list[str]:
    used = spec.preprocessing
    steps = []
    if used.resize is not None:
        mode = f"transforms.InterpolationMode.{used.interpolation.upper()}"
        steps.append(f"transforms.Resize({used.resize!r}, {mode})")
    if used.crop is not None:
        steps.append(f"transforms.CenterCrop({used.crop!r})")
    steps.append("transforms.ToTensor()")
    if used.scale != 1:
        steps.append(f"transforms.Lambda(lambda values: values * {used.scale!r})")
    steps.append(f"transforms.Normalize({used.mean!r}, {used.std!r})")
    return steps


def _notes(spec: ModelSpec, plan: Blueprint) -> str:
    from core.models.torchvision_import import torchvision_version

    library = "" if plan.fingerprint.family.is_of_torchvision else " and timm"
    return (
        f"{spec.title}, {len(spec.class_names)} classes, written by Droplens.\n\n"
        f"{_STATE} holds {{'model_state_dict': …}} for torch.load(…, weights_only=True).\n"
        f"{_NAMES} holds the names of the classes, in order.\n"
        f"{_SCRIPT} opens both and names what photos show:\n\n"
        f"    python {_SCRIPT} photo.jpg\n\n"
        f"It needs torch, torchvision{library} and Pillow; written with torch {torch.__version__} "
        f"and torchvision {torchvision_version()}.\n"
        "Photos that are transparent, or have more than 8 bits a channel, are turned into RGB as\n"
        "Pillow does it, which may differ from what Droplens makes of them.\n"
    )
