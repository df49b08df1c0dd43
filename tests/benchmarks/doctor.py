"""Whether a wrong set-up is named, and a right one left alone.

    .venv/bin/python tests/benchmarks/doctor.py [--networks NAME…] [--seconds 60] [--out FILE.json]

The models that are shipped are tried on labelled photos of ImageNet beside the project; every other
architecture of torchvision that is named learns the clothes beside the project for so many seconds
first, from nothing. Then each is set up wrongly in the ways that users do, and rightly; it is told
how often the fault is named first with labels, how often by numbers alone where there is a batch
norm, and in how many of the right set-ups something is found. "all" are all of torchvision's.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.images.preprocessing import Preprocessing  # noqa: E402
from core.inference.diagnosing import Diagnose  # noqa: E402
from core.inference.diagnosis import Diagnosis  # noqa: E402
from core.inference.engine import Engine  # noqa: E402
from core.inference.setups import other_numbers  # noqa: E402
from core.models.torchvision_import import torchvision_models  # noqa: E402
from core.values.spec import ModelChoice, Overrides  # noqa: E402
from tests.benchmarks.measuring import table  # noqa: E402

SHIPPED = ("tf_efficientnet_lite0", "tf_efficientnet_lite2", "squeezenet1_1")
_DATA = ROOT.parent / "shared" / "data"
_MOST_PHOTOS = 100
_BATCH = 16


@dataclass(frozen=True)
class Fault:
    """A way in which a model is set up wrongly.

    Attributes:
        name: of it.
        kind: of the finding that names it.
        preprocessing: that is used.
        names: class names that are used; None for the right ones.
        turned: photos lie on their side.
    """

    name: str
    kind: str
    preprocessing: Preprocessing
    names: tuple[str, ...] | None = None
    turned: bool = False


def faults(right: Preprocessing, names: tuple[str, ...]) -> Iterator[Fault]:
    """Yield what can be wrong with a model."""
    plain = {"mean": (0.0,) * 3, "std": (1.0,) * 3}
    yield Fault("right", "", right)
    if right.channel_order == "RGB":
        yield Fault("BGR", "colours", replace(right, channel_order="BGR"))
    yield Fault("0 to 255", "numbers", replace(right, scale=255.0, **plain))
    yield Fault("0 to 1, no mean", "numbers", replace(right, scale=1.0, **plain))
    if "half" in other_numbers(right):
        half = (0.5,) * 3
        yield Fault("0.5 and 0.5", "numbers", replace(right, scale=1.0, mean=half, std=half))
    caffe = (103.939, 116.779, 123.68)
    yield Fault(
        "Caffe", "numbers",
        replace(right, scale=255.0, mean=caffe, std=(1.0,) * 3, channel_order="BGR"),
    )  # fmt: skip
    size = right.input_size[0]
    small = 128 if size > 160 else 224
    yield Fault(
        "wrong size", "size", replace(right, resize=round(small * 256 / 224), crop=(small, small))
    )
    yield Fault("squash for crop", "cut", replace(right, resize=(size, size), crop=None))
    yield Fault("sideways", "sideways", right, turned=True)
    count = len(names)
    random = np.random.default_rng(0).permutation(count).tolist()
    orders = {
        "sorted names": sorted(range(count), key=lambda at: names[at]),
        "reversed names": list(range(count))[::-1],
        "one off": [*range(1, count), 0],
        "one off, other way": [count - 1, *range(count - 1)],
        "shuffled names": random,
    }
    for name, order in orders.items():
        changed = tuple(names[at] for at in order)
        if changed != names:
            yield Fault(name, "order", right, changed)


@dataclass(frozen=True)
class Subject:
    """A model that knows the labels of photos.

    Attributes:
        name: its architecture.
        choice: what is opened.
        photos: files, and the name of each one's class.
    """

    name: str
    choice: ModelChoice
    photos: tuple[tuple[Path, str], ...]


def shipped(name: str) -> Subject:
    """Return a model that is shipped, with photos of ImageNet."""
    engine = Engine()
    choice = ModelChoice(architecture=name)
    names = engine.open(choice, "cpu").spec.class_names
    engine.close()
    folder = _DATA / "imagenet_samples"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    photos = tuple((folder / row["file"], names[int(row["class_index"])]) for row in rows)
    return Subject(name, choice, photos)


def taught(name: str, seconds: float, folder: Path) -> Subject:
    """Return a network that has learnt the clothes for so long, and photos it has not seen."""
    torch.manual_seed(0)
    classes = sorted(one.name for one in (_DATA / "clothing" / "train").iterdir())
    extra = {"aux_logits": False} if name in ("googlenet", "inception_v3") else {}
    network = torchvision_models().get_model(name, weights=None, num_classes=len(classes), **extra)
    used = Preprocessing()
    files = [
        (path, at)
        for at, one in enumerate(classes)
        for path in sorted((_DATA / "clothing" / "train" / one).iterdir())
    ]
    pixels = torch.stack([_input(path, used) for path, _ in files])
    labels = torch.tensor([at for _, at in files])
    steps = torch.optim.AdamW(network.parameters(), 1e-3)
    random = np.random.default_rng(0)
    network.train()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        order = random.permutation(len(files))
        for begin in range(0, len(files) - _BATCH + 1, _BATCH):
            at = torch.from_numpy(order[begin : begin + _BATCH])
            loss = torch.nn.functional.cross_entropy(network(pixels[at]), labels[at])
            steps.zero_grad()
            loss.backward()
            steps.step()
            if time.monotonic() > ends:
                break
    path = folder / f"{name}.pth"
    torch.save({"state_dict": network.state_dict(), "classes": classes}, path)
    photos = tuple(
        (photo, one)
        for one in classes
        for photo in sorted((_DATA / "clothing" / "validation" / one).iterdir())
    )
    return Subject(name, ModelChoice(path, architecture=name), photos)


def _input(path: Path, used: Preprocessing) -> torch.Tensor:
    return torch.from_numpy(used.to_input(used.see_file(path).pixels))


def diagnosed(subject: Subject, fault: Fault, folder: Path, *, labels: bool) -> Diagnosis:
    """Return what is found where a model is set up in a way."""
    step = -(-len(subject.photos) // _MOST_PHOTOS)
    photos = subject.photos[::step]
    if fault.turned:
        photos = tuple((_turned(path, folder), label) for path, label in photos)
    overrides = Overrides(preprocessing=fault.preprocessing, class_names=fault.names)
    engine = Engine()
    try:
        names = engine.open(replace(subject.choice, overrides=overrides), "cpu").spec.class_names
        index = {name: at for at, name in enumerate(names)}
        known = tuple(index[label] for _, label in photos) if labels else ()
        *_, found = Diagnose(tuple(path for path, _ in photos), known).run(engine)
    finally:
        engine.close()
    assert isinstance(found, Diagnosis)
    return found


def _turned(path: Path, folder: Path) -> Path:
    turned = folder / f"{path.parent.name} {path.stem}.png"
    if not turned.exists():
        Image.open(path).convert("RGB").transpose(Image.Transpose.ROTATE_90).save(turned)
    return turned


def main() -> None:
    """Try all models and print how often the fault is named."""
    options = argparse.ArgumentParser()
    options.add_argument("--networks", nargs="*", default=[*SHIPPED, "resnet18"])
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    networks = chosen.networks
    if networks == ["all"]:
        library = torchvision_models()
        networks = [*SHIPPED, *library.list_models(module=library)]
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in networks:
            subject = shipped(name) if name in SHIPPED else taught(name, chosen.seconds, folder)
            engine = Engine()
            spec = engine.open(subject.choice, "cpu").spec
            engine.close()
            for fault in faults(spec.preprocessing, spec.class_names):
                begun = time.monotonic()
                found = diagnosed(subject, fault, folder, labels=True)
                kinds = [one.kind for one in found.findings]
                alone = None
                is_without_norm = found.mismatch is None  # there colours are told as well
                if fault.kind in ("", "numbers") or (fault.kind == "colours" and is_without_norm):
                    alone = diagnosed(subject, fault, folder, labels=False)
                row = {
                    "network": name,
                    "fault": fault.name,
                    "accuracy": found.accuracy,
                    "named": kinds[:1] == [fault.kind] if fault.kind else not kinds,
                    "found": [(one.kind, one.name) for one in found.findings],
                    "mismatch": found.mismatch,
                    "alone": None
                    if alone is None or not alone.is_told
                    else bool(alone.findings) == bool(fault.kind),
                    "seconds": time.monotonic() - begun,
                }
                rows.append(row)
                print(json.dumps(row), flush=True)
                if chosen.out is not None:
                    chosen.out.write_text(json.dumps(rows, indent=1))
    _tell(rows)


def _tell(rows: list[dict[str, object]]) -> None:
    counts: defaultdict[str, list[list[bool]]] = defaultdict(lambda: [[], []])
    for row in rows:
        for at, key in enumerate(("named", "alone")):
            if row[key] is not None:
                counts[str(row["fault"])][at].append(bool(row[key]))
    print(
        table(
            ("set-up", "with labels", "by numbers alone"),
            [
                (fault, *(f"{sum(one)} of {len(one)}" if one else "" for one in both))
                for fault, both in counts.items()
            ],
        )
    )


if __name__ == "__main__":
    main()
