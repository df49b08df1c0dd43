"""Write resources/fingerprints.json.gz: names, shapes and parts of every architecture.

Run it in the program's environment after torchvision was updated:
    .venv/bin/python build_scripts/make_fingerprints.py
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.models.building import build_network  # noqa: E402
from core.models.families import ARCHITECTURES  # noqa: E402


def main() -> None:
    """Build all architectures and write their names and shapes, each distinct one once."""
    names: dict[str, int] = {}
    shapes: dict[tuple[int, ...], int] = {}
    table = {}
    children = {}
    for architecture in ARCHITECTURES:
        network = build_network(architecture.name)
        children[architecture.name] = [name for name, _ in network.named_children()]
        state_dict = network.state_dict()
        table[architecture.name] = [
            (
                names.setdefault(name, len(names)),
                shapes.setdefault(tuple(tensor.shape), len(shapes)),
            )
            for name, tensor in state_dict.items()
        ]
    content = {
        "names": list(names),
        "shapes": list(shapes),
        "architectures": {
            name: [number for pair in pairs for number in pair] for name, pairs in table.items()
        },
        "children": children,
    }
    text = json.dumps(content, separators=(",", ":"))
    target = ROOT / "resources" / "fingerprints.json.gz"
    target.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(table)} architectures, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
