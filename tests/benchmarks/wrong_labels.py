"""How many labels that were made wrong stand among those that look it most.

``python tests/benchmarks/wrong_labels.py FOLDER [--share 0.1] [--draws 5]``: a folder with a folder
a class. Each draw gives a share of the photos another class at random; of as many as were changed
that look wrong most, the share is told that were.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from core.checks.reviewing import Review
from core.cli.labelled import photos_in_folders
from core.cli.main import parser
from core.cli.model_options import opened_model
from core.training.holding_out import HeldOut, HoldOut
from core.training.teaching import Labelled


def main() -> None:
    """Run the draws and print a line for each."""
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=Path)
    options.add_argument("--share", type=float, default=0.1)
    options.add_argument("--draws", type=int, default=5)
    chosen = options.parse_args()
    named = photos_in_folders(chosen.folder)
    classes, paths = named.classes, [path for path, _ in named.photos]
    right = np.array([classes.index(names[0]) for _, names in named.photos])
    model = parser().parse_args(["review", str(chosen.folder)])
    found = []
    with tempfile.TemporaryDirectory() as cache, opened_model(model, Path(cache)) as engine:
        for seed in range(chosen.draws):
            random = np.random.default_rng(seed)
            changed = random.choice(len(paths), round(chosen.share * len(paths)), replace=False)
            labels = right.copy()
            others = random.integers(1, len(classes), len(changed))
            labels[changed] = (labels[changed] + others) % len(classes)
            labelled = tuple(
                Labelled(path, (int(label),)) for path, label in zip(paths, labels, strict=True)
            )
            *_, held = HoldOut(labelled, classes).run(engine)
            assert isinstance(held, HeldOut)
            reviewed = Review(
                tuple((one.photo, classes[one.classes[0]]) for one in labelled),
                classes,
                dict(zip(held.photos, held.shares, strict=True)),
                {},
                {},
                {},
            ).run(None)
            worst = {one.position for one in reviewed.suspects[: len(changed)]}
            found.append(len(worst & set(changed.tolist())) / len(changed))
            print(
                f"draw {seed}: {len(changed)} labels changed, {len(reviewed.suspects)} look wrong, "
                f"of the worst {len(changed)} {found[-1]:.1%} were changed"
            )
    print(f"mean {statistics.mean(found):.1%}, worst {min(found):.1%}")


if __name__ == "__main__":
    main()
