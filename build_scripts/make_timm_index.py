"""Write resources/timm_architectures.json.gz: timm's architectures by their parameters.

Run it in the program's environment after timm was updated; it takes half an hour, most of it to
find out which of those that look alike compute the same:
    .venv/bin/python build_scripts/make_timm_index.py
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import nn  # noqa: E402

from core.models.building import build_without_memory  # noqa: E402
from core.models.families.timm_networks import timm_config, timm_heads  # noqa: E402
from core.models.recognition.lookalikes import RESOURCE, digest  # noqa: E402
from core.models.timm_import import build_timm, timm_models  # noqa: E402

_TOLERANCE = 1e-5
_LARGEST = 120e6
"""Parameters of networks that are run; larger ones that look alike are taken to differ."""


def stem_of(name: str) -> str:
    """Return the name of the first convolution's weight."""
    first = timm_config(name).get("first_conv") or ""
    return f"{first if isinstance(first, str) else first[0]}.weight"


def outputs_of(name: str, size: tuple[int, int, int]) -> torch.Tensor | None:
    """Return what an architecture computes with parameters that their names and shapes decide.

    None where it is too large to be run here, or does not take this size.
    """
    network = build_timm(name)
    if sum(one.numel() for one in network.parameters()) > _LARGEST:
        return None
    fill(network)
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        try:
            found: torch.Tensor = network.eval()(torch.rand(1, *size, generator=generator))
        except (RuntimeError, AssertionError):
            return None
    return found


def fill(network: nn.Module) -> None:
    """Give every parameter values, the same ones wherever name and shape are the same."""
    with torch.no_grad():
        for number, (name, one) in enumerate(sorted(network.state_dict().items())):
            if not one.is_floating_point() or name.endswith(("index", "table", "idxs", "mask")):
                continue
            generator = torch.Generator().manual_seed(number)
            drawn = torch.rand(one.shape, generator=generator)
            scale = (3 / max(1, one[0].numel())) ** 0.5 if one.ndim > 1 else 0.5
            one.copy_(0.5 + drawn if one.ndim < 2 else scale * (2 * drawn - 1))


def classes_of(names: list[str]) -> list[list[str]]:
    """Return names in groups that compute the same for the same photo."""
    if len(names) == 1:
        return [names]
    size = min(tuple(timm_config(name)["input_size"]) for name in names)
    groups: list[tuple[torch.Tensor | None, list[str]]] = []
    for name in names:
        found = outputs_of(name, size)
        for known, group in groups:
            if known is not None and found is not None and agree(known, found):
                group.append(name)
                break
        else:
            groups.append((found, [name]))
    return [group for _, group in groups]


def agree(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return whether two networks gave the same."""
    if one.shape != other.shape:
        return False
    return bool((one - other).abs().max() <= _TOLERANCE * one.abs().max().clamp(min=1))


def main() -> None:
    """Build every architecture without memory, hash it, and compare those that look alike."""
    alike: dict[str, list[str]] = defaultdict(list)
    heads, stems = {}, {}
    for name in timm_models().list_models():
        network = build_without_memory(lambda name=name: build_timm(name))
        shapes = {key: tuple(one.shape) for key, one in network.state_dict().items()}
        alike[digest(shapes, timm_heads(name), stem_of(name))].append(name)
        if timm_heads(name):
            heads[timm_heads(name)] = None
        stems[stem_of(name)] = None
    groups = {}
    for key, names in alike.items():
        groups[key] = classes_of(names)
        if len(names) > 1:
            print(groups[key], flush=True)
    content = {"heads": list(heads), "stems": list(stems), "groups": groups}
    target = ROOT / "resources" / RESOURCE
    target.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    print(f"{len(list(alike))} of {sum(map(len, alike.values()))}, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
