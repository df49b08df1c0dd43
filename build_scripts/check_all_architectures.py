"""Save a 2-class checkpoint of every architecture, open it, and compare with torch.

It builds each of the 80 once, which takes minutes and up to 8 GB of memory:
    .venv/bin/python build_scripts/check_all_architectures.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.models.families import ARCHITECTURES  # noqa: E402
from core.models.sources.checkpoint.source import open_model  # noqa: E402
from core.values.spec import ModelChoice  # noqa: E402
from tests.networks import trained  # noqa: E402

LARGEST_DIFFERENCE = 1e-5
LARGE_PARAMETERS = 2e8


def difference(architecture: str, path: Path) -> float:
    """Return the largest difference between torch's probabilities and the opened model's."""
    torch.manual_seed(0)
    network = trained(architecture, 2)
    torch.save({"epoch": 3, "model_state_dict": network.state_dict()}, path)
    opened = open_model(ModelChoice(checkpoint=path))
    if opened.spec.architecture != architecture:
        raise SystemExit(f"{architecture} was taken for {opened.spec.architecture}")
    size = opened.spec.preprocessing.input_size
    if sum(parameter.numel() for parameter in network.parameters()) > LARGE_PARAMETERS:
        size = (224, 224)
    image = torch.randn(1, 3, *size)
    with torch.no_grad():
        return float((network(image).softmax(1) - opened.network(image).softmax(1)).abs().max())


def main() -> int:
    """Check all; 1 if one differs."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for architecture in ARCHITECTURES:
            found = difference(architecture.name, Path(folder) / "checkpoint.pth")
            print(f"{architecture.name}: largest difference {found:.2g}", flush=True)
            if not found <= LARGEST_DIFFERENCE:
                wrong.append(architecture.name)
    print(f"{len(ARCHITECTURES) - len(wrong)} of {len(ARCHITECTURES)} predict what torch predicts")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
