"""Compare Ultralytics' classifiers with what Ultralytics itself computes of them.

Ultralytics is no dependency of Droplens. Run by hand, in an environment of its own that has
Droplens' dependencies, ultralytics and opencv-python-headless; no network is asked:

    YOLO_OFFLINE=1 python build_scripts/check_yolo.py [NAME…]

Each network is made with random parameters and saved in half precision, as Ultralytics does when it
has trained one: whole, fused, and as a state dict. Each must open and compute the same, with names,
image size and preprocessing, and again from the file that Droplens saves of it. Detectors and their
like must be refused by their right name.
"""

from __future__ import annotations

import copy
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ["YOLO_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from core.models.sources import source_of
from core.models.sources.checkpoint.saving import save_model
from core.models.torchvision_import import torchvision_models
from core.values.spec import ModelChoice

LARGEST_DIFFERENCE = 1e-4
_SIZE = 160
_SPREAD = 2.0
"""Standard deviation of a class's logit over photos."""

_OPENED = [
    (f"{version}{size}-cls", classes)
    for version in ("yolov8", "yolo11", "yolo26")
    for size in "nsmlx"
    for classes in (3, 1000)
]
_REFUSED = {
    "yolov8n": "detector",
    "yolo11n": "detector",
    "yolo26n": "detector",
    "yolov8n-seg": "segmentation",
    "yolo11n-seg": "segmentation",
    "yolov8n-pose": "poses",
    "yolo11n-pose": "poses",
    "yolov8n-obb": "turned boxes",
    "yolo11n-obb": "turned boxes",
    "yolo12n-cls": "A2C2f",
    "yolov8n-cls-resnet50": "ResNetLayer",
}


def classifier(name: str, classes: int) -> Any:
    """Return an untrained network whose answers tell photos apart."""
    from ultralytics.nn.tasks import ClassificationModel

    torch.manual_seed(len(name) + classes)
    network: Any = ClassificationModel(f"{name}.yaml", nc=classes, verbose=False)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.momentum = 1.0  # statistics of the one pass below, not those of a new network
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0, 0.3)
    head, features = network.model[-1].linear, []
    head.register_forward_pre_hook(lambda _, given: features.append(given[0]))
    photos = _photos(16)
    with torch.no_grad():
        network.train()(photos)
        network.eval()(photos)
        nn.init.normal_(head.weight)
        head.weight *= _SPREAD / head(features[-1]).std(0)[:, None]
        head.bias -= head(features[-1]).mean(0)
    head._forward_pre_hooks.clear()
    network.names = {index: f"kind {index}" for index in range(classes)}
    return network


def _photos(count: int) -> Tensor:
    """Return noise of several grains: fine noise alone would look the same to a network."""
    grains = [
        nn.functional.interpolate(torch.rand(count, 3, side, side), (_SIZE, _SIZE), mode="nearest")
        for side in (1, 2, 8, 40)
    ]
    return sum(grains, torch.zeros(())) / len(grains)


def forms(half: Any, fused: Any) -> dict[str, object]:
    """Return what is saved of a network and of its fused copy, by the name of the form."""
    told = {"train_args": {"imgsz": _SIZE, "task": "classify"}, "version": "8", "date": ""}
    return {
        "trained": {"model": half, "ema": None, **told},
        "resumable": {"model": None, "ema": half, "epoch": 3, "optimizer": {}, **told},
        "pickled": half,
        "fused": {"model": fused, **told},
        "state-dict": half.state_dict(),
        "fused-state-dict": fused.state_dict(),
    }


def difference(path: Path, photos: Tensor, wanted: Tensor) -> tuple[float, str]:
    """Return the largest difference of any probability, and what is said of the file."""
    opened = source_of(path).open(ModelChoice(checkpoint=path), None, lambda: False)
    with torch.no_grad():
        found = opened.network(photos).softmax(1)
        again = path.with_suffix(".safetensors")
        save_model(opened.network, opened.spec, opened.plan, again)
        reopened = source_of(again).open(ModelChoice(checkpoint=again), None, lambda: False)
        same = reopened.network(photos).softmax(1)
    assert torch.equal(found, same), "the saved file computes otherwise"
    assert not reopened.spec.inspection.problems, reopened.spec.inspection.problems
    assert reopened.spec.preprocessing == opened.spec.preprocessing
    return float((found - wanted).abs().max()), opened.spec.summary


def check_opened(name: str, classes: int, folder: Path) -> int:
    """Compare all forms of one network; return how many differ."""
    half, photos, failures = classifier(name, classes).half(), _photos(3), 0
    fused = copy.deepcopy(half).float().fuse(verbose=False).half()
    answers = [_answer(network, photos) for network in (half, fused)]
    for form, content in forms(half, fused).items():
        wanted = answers["fused" in form]
        path = folder / f"{name}-{form}.pt"
        torch.save(content, path)
        try:
            found, said = difference(path, photos, wanted)
        except Exception as error:  # noqa: BLE001 - whatever is wrong is one failure
            found, said = float("inf"), str(error)
        is_same = found < LARGEST_DIFFERENCE
        failures += not is_same
        spread = float((wanted.amax(0) - wanted.amin(0)).max())
        print(f"{name} {classes} {form}: {found:.1e} (answers within {spread:.2g})", end="")
        print("" if is_same else f"  DIFFERS: {said}", flush=True)
        if form == "trained":
            failures += check_photo(path, folder)
    return failures


def _answer(network: Any, photos: Tensor) -> Tensor:
    """Return what a network itself computes, in single precision of its half parameters."""
    with torch.no_grad():
        answer = copy.deepcopy(network).float()(photos)
    found: Tensor = answer[0] if isinstance(answer, tuple) else answer
    return found


def check_photo(path: Path, folder: Path) -> int:
    """Classify photos with Ultralytics' own program and with Droplens; return failures."""
    from ultralytics import YOLO

    opened = source_of(path).open(ModelChoice(checkpoint=path), None, lambda: False)
    theirs, worst, given = YOLO(path), 0.0, []
    theirs.model.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    # Fused convolutions round otherwise, which random heads make large.
    theirs.model.fuse = lambda **_: theirs.model
    for height, width in ((160, 160), (333, 500), (640, 211)):
        grains = (_photos(1)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        photo = folder / "photo.png"
        Image.fromarray(grains).resize((width, height), Image.Resampling.BICUBIC).save(photo)
        wanted = theirs.predict(photo, verbose=False, device="cpu")[0].probs.data
        pixels = opened.spec.preprocessing.seen_by_model(Image.open(photo).convert("RGB"))
        with torch.no_grad():
            inputs = torch.from_numpy(opened.spec.preprocessing.to_input(pixels))
            found = opened.network(inputs[None]).softmax(1)[0]
        assert torch.equal(given[-1][0], inputs), "other pixels"
        worst = max(worst, float((found - wanted).abs().max()))
        names = tuple(theirs.names[index] for index in range(len(wanted)))
        assert opened.spec.class_names == names, "other class names"
    print(f"    photos through both programs: {worst:.1e}")
    return int(worst >= LARGEST_DIFFERENCE)


def check_refused(name: str, reason: str, folder: Path) -> int:
    """Return 1 where a file of another task opens or is named wrongly."""
    from ultralytics import YOLO

    network = YOLO(f"{name}.yaml", verbose=False).model
    failures = 0
    held: Mapping[str, object] = {"model": network.half(), "ema": None}
    for content in (held, network.state_dict()):
        path = folder / "other.pt"
        torch.save(content, path)
        found = source_of(path).inspect(path)
        is_named = not found.usable and (reason in found.summary or content is not held)
        failures += not is_named
        print(f"{name}: {found.summary.removeprefix(str(path))}{'' if is_named else '  WRONG'}")
    return failures


def main(names: list[str]) -> int:
    """Check all networks, or those named; return how many checks failed."""
    torchvision_models()  # which ultralytics imports, and which may lack its C++ operators
    failures = 0
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        for name, classes in _OPENED:
            if not names or name in names:
                failures += check_opened(name, classes, folder)
        for name, reason in _REFUSED.items():
            if not names or name in names:
                failures += check_refused(name, reason, folder)
    print(f"{failures} failed")
    return failures


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
