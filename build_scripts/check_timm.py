"""Save a checkpoint of each of timm's architectures, open it, and compare.

Run it in the program's environment; all of them take some two hours:
    .venv/bin/python build_scripts/check_timm.py [--every 10] [--largest 200]

Each is right (opened as itself, or as one that computes the same), asked (among candidates that
hold it), or wrong. Larger ones are only looked up by their shapes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import nn  # noqa: E402

from core.errors import DroplensError, UnclearArchitectureError  # noqa: E402
from core.models.building import build_without_memory  # noqa: E402
from core.models.families.timm_networks import timm_config  # noqa: E402
from core.models.recognition.lookalikes import find_lookalikes  # noqa: E402
from core.models.sources.checkpoint.source import open_model  # noqa: E402
from core.models.timm_import import build_timm, timm_models  # noqa: E402
from core.values.spec import ModelChoice  # noqa: E402

_TOLERANCE = 1e-5
_CLASSES = 7


def check(name: str, folder: Path, largest: float) -> str:
    """Return what becomes of one architecture."""
    shapes = build_without_memory(lambda: build_timm(name))
    if sum(one.numel() for one in shapes.parameters()) > largest:
        known = find_lookalikes({key: tuple(one.shape) for key, one in shapes.state_dict().items()})
        return (
            "right, by shapes"
            if any(name in group for group in known.groups)
            else "wrong: not known"
        )
    if not timm_config(name).get("classifier"):
        return "without a head"
    torch.manual_seed(0)
    network = build_timm(name, num_classes=_CLASSES).eval()
    path = folder / "model.pth"
    torch.save(network.state_dict(), path)
    try:
        return compared(network, path, None, name)
    except UnclearArchitectureError as error:
        if name not in error.candidates and not same_as_one(name, path, error.candidates):
            return f"wrong: asked among {error.candidates}"
        answer = name if name in error.candidates else None
        told = compared(network, path, answer, name) if answer else "right"
        return "asked" if told == "right" else told
    except DroplensError as error:
        return f"refused: {error}"


def same_as_one(name: str, path: Path, candidates: tuple[str, ...]) -> bool:
    """Return whether an architecture computes the same as one of the candidates."""
    shapes = {key: tuple(one.shape) for key, one in torch.load(path, weights_only=True).items()}
    groups = find_lookalikes(shapes).groups
    return any(name in group and set(group) & set(candidates) for group in groups)


def compared(network: nn.Module, path: Path, architecture: str | None, name: str) -> str:
    """Return whether a file computes what its network does, once it is opened."""
    found = open_model(ModelChoice(checkpoint=path, architecture=architecture))
    _, height, width = timm_config(name)["input_size"]
    photo = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, given = network(photo), found.network(photo)
    difference = float((expected - given).abs().max() / expected.abs().max().clamp(min=1))
    if difference <= _TOLERANCE:
        return "right"
    said = bool(found.spec.inspection.questions)
    return f"{'assumed, said' if said else 'wrong'}: {found.spec.architecture}, {difference:.1e}"


def main() -> None:
    """Check all or every so many, and print what becomes of each and a table by family."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--largest", type=float, default=200, help="millions of parameters")
    options = parser.parse_args()
    table: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        for name in timm_models().list_models()[options.start :: options.every]:
            try:
                outcome = check(name, Path(folder), options.largest * 1e6)
            except Exception as error:  # noqa: BLE001 - it is told, and the next one tried
                outcome = f"broken: {error!r}"
            print(f"{name}: {outcome}", flush=True)
            module = timm_models().models.model_entrypoint(name).__module__.rpartition(".")[2]
            table[module][outcome.partition(":")[0]] += 1
    for module, counts in sorted(table.items()):
        print(f"{module}: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    total: Counter[str] = sum(table.values(), Counter())
    print(f"all: {dict(total)}")


if __name__ == "__main__":
    main()
