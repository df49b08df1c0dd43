"""How right a taught model is: heads against scikit-learn's, fine-tuning, labelling in an order.

    .venv/bin/python tests/benchmarks/teaching.py [--photos FOLDER] [--seeds 5] [--parts PART…]

The folder holds ``train`` and ``validation`` with a folder a class. *Heads*: whole processes teach
the built-in models twice, with no features kept and with all. On the same features scikit-learn's
LogisticRegressionCV is fitted where it is installed (it is no dependency). *Labels*: accuracy on
the validation photos after so many labels of random photos, and of those that Droplens asks for,
mean of the seeds. *Intervals*: in how many of 100 random draws of 60 labels the accuracy on the
validation photos lies within the interval that is stated. *Fine-tuning*: a whole process of ten
minutes. *Steps*: photos a second of fine-tuning against a bare loop of PyTorch whose photos lie
decoded in memory, steps in turn. *Live*: seconds in which a head learns 1,000 labels of ten classes
anew (goal 0.3). *Kills*: a fine-tuning of a project is killed at 20 random moments and goes on each
time; how right each ends, beside one that was not killed.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.inference.engine import Engine  # noqa: E402
from core.inference.features import body_of  # noqa: E402
from core.labels.changes import Labelling  # noqa: E402
from core.labels.store import LabelStore  # noqa: E402
from core.training.learning import Examples, learn  # noqa: E402
from core.training.linear_head import USUAL_PENALTY, PenaltyChoice, fit  # noqa: E402
from core.training.next_photos import order_of_labels  # noqa: E402
from core.training.splits import folds_of, groups_of  # noqa: E402
from core.values.spec import ModelChoice  # noqa: E402
from tests.benchmarks.measuring import table  # noqa: E402
from tests.truths import one_each  # noqa: E402

GOALS = {"tf_efficientnet_lite0": 0.81, "tf_efficientnet_lite2": 0.84}
GOAL_SECONDS = {"cold": 90, "warm": 3}
GOAL_BELOW_SKLEARN = 0.005
_PHOTOS = ROOT.parent / "shared" / "data" / "clothing"
_LABELS = (50, 100, 200, 400)


_PARTS = ("heads", "labels", "intervals", "fine-tuning", "steps", "live", "kills")
_BETWEEN = 10
"""Labels after which the order is made anew."""
_DRAWS, _DRAWN = 100, 60
_KILLS, _OF_EACH, _SECONDS = 20, 10, (3.0, 25.0)


def whole_run(architecture: str, photos: Path, home: Path, *more: str) -> dict[str, Any]:
    """Teach in a process of its own and return its report, with the seconds of all of it."""
    program = Path(sys.executable).with_name("droplens-cli")
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment["XDG_CACHE_HOME"] = str(home / "cache")
    command = [program, "train", photos / "train", "--validation", photos / "validation"]
    command += ["--out", home / "taught.safetensors", "--architecture", architecture, *more]
    begun = time.perf_counter()
    done = subprocess.run(
        [*map(str, command), "--json", "-"],
        env=environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "seconds": round(time.perf_counter() - begun, 1)}


def features(architecture: str, photos: Path, home: Path) -> dict[str, Any]:
    """Return features and labels of both sets, as numpy arrays."""
    classes = sorted(path.name for path in (photos / "train").iterdir() if path.is_dir())
    found: dict[str, Any] = {}
    engine = Engine(cache=home / "cache" / "Droplens")
    engine.open(ModelChoice(architecture=architecture), "cpu")
    for part in ("train", "validation"):
        files = [
            (path, label)
            for label, name in enumerate(classes)
            for path in sorted((photos / part / name).iterdir())
        ]
        seen = body_of(engine).features([path for path, _ in files], engine, engine.kept_features())
        found[part] = (
            np.stack([one.values for one in seen if one.values is not None]),
            np.array([label for _, label in files], np.int64),
        )
    engine.close()
    return found


def of_sklearn(found: dict[str, Any]) -> float | None:
    """Return the accuracy of scikit-learn's head; None where it is not installed."""
    try:
        from sklearn.linear_model import LogisticRegressionCV
    except ImportError:
        return None
    made = LogisticRegressionCV(Cs=10, cv=5, max_iter=500).fit(*found["train"])
    return round(float(made.score(*found["validation"])), 4)


def after_labels(found: dict[str, Any], labels: int, seed: int) -> float:
    """Return the accuracy of a head that was taught on so many random photos."""
    values, wanted = found["train"]
    chosen = np.random.default_rng(seed).permutation(len(wanted))[:labels]
    return _accuracy(found, values[chosen], wanted[chosen], seed)


def after_asked_labels(found: dict[str, Any], seed: int) -> dict[int, float]:
    """Return the accuracy after so many labels of the photos that Droplens asks for."""
    values, wanted = found["train"]
    given = np.full(len(wanted), -1, np.int64)
    shares = None
    accuracies = {}
    while (given >= 0).sum() < max(_LABELS):
        asked = order_of_labels(values, given, shares, seed)[:_BETWEEN]
        given[asked] = wanted[asked]
        known = np.flatnonzero(given >= 0)
        if len(set(given[known].tolist())) > 1:
            head = fit(values[known], one_each(given[known], int(wanted.max()) + 1), USUAL_PENALTY)
            shares = head.probabilities(values)
        if len(known) in _LABELS:
            accuracies[len(known)] = _accuracy(found, values[known], given[known], seed)
    return accuracies


def _accuracy(found: dict[str, Any], values: Any, wanted: Any, seed: int) -> float:
    classes = int(found["validation"][1].max()) + 1
    groups = groups_of(values, [""] * len(values), [""] * len(values))
    truth = one_each(wanted, classes)
    choice = PenaltyChoice(values, truth)
    for fold in folds_of(wanted, groups, seed):
        for _ in choice.hold_out(fold):
            pass
    penalty, _ = choice.best()
    head = fit(values, truth, penalty)
    tried, right = found["validation"]
    return float((head.probabilities(tried).argmax(axis=1) == right).mean())


def labels(architecture: str, photos: Path, home: Path, seeds: int) -> dict[str, Any]:
    """Return what labels bring, random ones and those that are asked for."""
    found = features(architecture, photos, home)
    asked = [after_asked_labels(found, seed) for seed in range(seeds)]
    return {
        "random": {
            count: round(
                statistics.mean(after_labels(found, count, seed) for seed in range(seeds)), 3
            )
            for count in _LABELS
        },
        "asked": {
            count: round(statistics.mean(one[count] for one in asked), 3) for count in _LABELS
        },
    }


def intervals(architecture: str, photos: Path, home: Path, _: int) -> dict[str, Any]:
    """Return in how many draws the stated interval holds the true accuracy."""
    found = features(architecture, photos, home)
    values, wanted = found["train"]
    tried, right = found["validation"]
    within = 0
    for seed in range(_DRAWS):
        chosen = np.random.default_rng(seed).permutation(len(wanted))[:_DRAWN]
        truth = one_each(wanted[chosen], 10)
        examples = Examples(values[chosen], truth, tuple(map(str, chosen)), ("",) * _DRAWN)
        learnt = [one for one in learn(examples, examples.first(0), 0.0, 0) if one][-1]
        accuracy = (learnt.head.probabilities(tried).argmax(axis=1) == right).mean()
        assert learnt.figures.interval is not None
        low, high = learnt.figures.interval
        within += low <= accuracy <= high
    return {"draws": _DRAWS, "labels": _DRAWN, "within": int(within), "goal": 90}


def heads(architecture: str, photos: Path, home: Path, _: int) -> dict[str, Any]:
    """Return how right heads are, and how long they take."""
    cold = whole_run(architecture, photos, home)
    warm = whole_run(architecture, photos, home)
    return {
        "photos": cold["photos"],
        "accuracy": round(cold["accuracy"], 4),
        "goal": GOALS.get(architecture),
        "sklearn": of_sklearn(features(architecture, photos, home)),
        "seconds": {"cold": cold["seconds"], "warm": warm["seconds"]},
    }


def fine_tuning(architecture: str, photos: Path, home: Path, _: int) -> dict[str, Any]:
    """Return how right ten minutes of fine-tuning make a model, beside its head alone."""
    alone = whole_run(architecture, photos, home)
    tuned = whole_run(architecture, photos, home, "--method", "fine-tune", "--minutes", "10")
    return {
        "head": round(alone["accuracy"], 4),
        "fine_tuned": round(tuned["accuracy"], 4),
        "seconds": tuned["seconds"],
    }


def steps(architecture: str, photos: Path, home: Path, rounds: int) -> dict[str, Any]:
    """Return photos a second of fine-tuning and of a bare loop."""
    import torch

    from core.training.pixels import Views
    from core.training.recipe import USUAL
    from core.training.tuning import Tuner

    engine = Engine(cache=home / "cache" / "Droplens")
    engine.open(ModelChoice(architecture=architecture), "cpu")
    classifier = engine.classifier()
    preprocessing, batch = classifier.spec.preprocessing, USUAL.batch
    random = np.random.default_rng(0)
    height, width = preprocessing.input_size
    wide = random.integers(0, 256, (batch, height + 32, width + 32, 3), np.uint8)
    classes = len(classifier.spec.class_names)
    wanted = random.integers(0, classes, batch)
    truth = one_each(wanted, classes)
    tuner = Tuner(classifier.network, preprocessing, USUAL, "cpu", truth)
    tuner.plan(1000)
    views = Views((height, width), 3, 600)
    bare = copy.deepcopy(tuner.network)
    adam = torch.optim.AdamW(bare.parameters(), lr=1e-4)
    inputs = torch.rand(batch, 3, height, width).to(memory_format=torch.channels_last)
    targets = torch.from_numpy(wanted)
    taken: dict[str, list[float]] = {"droplens": [], "bare": []}
    for number in range(rounds * 4):
        begun = time.perf_counter()
        tuner.step(views.of(wide, number), truth.shown, number)
        taken["droplens"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(bare(inputs), targets).backward()
        adam.step()
        taken["bare"].append(time.perf_counter() - begun)
    engine.close()
    rates = {way: round(batch / statistics.median(seconds), 1) for way, seconds in taken.items()}
    return {"photos_a_second": rates, "share": round(rates["droplens"] / rates["bare"], 2)}


def live(architecture: str, photos: Path, home: Path, rounds: int) -> dict[str, Any]:
    """Return how long it takes to fit a head anew after a label."""
    found = features(architecture, photos, home)
    values = np.concatenate([found["train"][0], found["validation"][0]])
    wanted = np.concatenate([found["train"][1], found["validation"][1]])
    chosen = np.random.default_rng(0).integers(len(wanted), size=1000)
    values, wanted = values[chosen], wanted[chosen]
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        fit(values, one_each(wanted, 10), USUAL_PENALTY).probabilities(values)
        taken.append(time.perf_counter() - begun)
    return {"seconds": round(statistics.median(taken), 3), "goal": 0.3}


def kills(architecture: str, photos: Path, home: Path, _: int) -> dict[str, Any]:
    """Kill a fine-tuning at random moments, and return how each ends that comes to its end."""
    project = home / "project.droplens"
    with LabelStore(project) as store:
        folders = sorted(path for path in (photos / "train").iterdir() if path.is_dir())
        store.edit_classes("add", store.classes.add([folder.name for folder in folders]))
        for number, folder in enumerate(folders, 1):
            files = sorted(folder.iterdir())[:_OF_EACH]
            store.register(files)
            store.label([Labelling(file, (number,)) for file in files])
    labels_before = _content(project)
    program = Path(sys.executable).with_name("droplens-cli")
    random = np.random.default_rng(0)

    def begin(folder: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "HOME": str(home / folder), "PYTHONPATH": str(ROOT)}
        environment["XDG_CACHE_HOME"] = str(home / folder / "cache")
        command = [program, "train", "--project", project, "--method", "fine-tune"]
        command += ["--epochs", "4", "--architecture", architecture]
        command += ["--out", home / f"{folder}.safetensors", "--json", home / f"{folder}.json"]
        return subprocess.Popen(list(map(str, command)), env=environment, cwd=ROOT)

    def accuracy(folder: str) -> float:
        return float(json.loads((home / f"{folder}.json").read_text())["accuracy"])

    begin("unbroken").wait()
    ends, killed = [], 0
    while killed < _KILLS or not ends:
        process = begin("killed")
        try:
            process.wait(float(random.uniform(*_SECONDS)) if killed < _KILLS else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        else:
            ends.append(accuracy("killed"))
    features = sqlite3.connect(home / "killed" / "cache" / "Droplens" / "features.sqlite")
    return {
        "kills": killed,
        "unbroken": accuracy("unbroken"),
        "ends": ends,
        "labels_are_untouched": _content(project) == labels_before,
        "features": features.execute("PRAGMA integrity_check").fetchone()[0],
    }


def _content(project: Path) -> list[str]:
    """Return all that a project holds; SQLite counts in the file's head how often it was opened."""
    database = sqlite3.connect(f"file:{project}?mode=ro", uri=True)
    lines = list(database.iterdump())
    database.close()
    return lines


_MEASURES = dict(
    zip(_PARTS, (heads, labels, intervals, fine_tuning, steps, live, kills), strict=True)
)


def measure(photos: Path, seeds: int, parts: list[str], only: list[str]) -> dict[str, Any]:
    """Return the figures as JSON values."""
    rows = []
    for architecture in only or (*GOALS, "squeezenet1_1"):
        for part in parts:
            with tempfile.TemporaryDirectory() as scratch:
                found = _MEASURES[part](architecture, photos, Path(scratch), seeds)
            rows.append({"architecture": architecture, "part": part, **found})
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return {"benchmark": "teaching", "seeds": seeds, "rows": rows}


def show(result: dict[str, Any]) -> str:
    """Return what labels bring as the README's table."""
    rows: list[tuple[object, ...]] = [
        (row["architecture"], order, *row[order].values())
        for row in result["rows"]
        if row["part"] == "labels"
        for order in ("random", "asked")
    ]
    return table(("architecture", "order", *map(str, _LABELS)), rows)


def main() -> None:
    """Print JSON and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=_PHOTOS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS))
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    result = measure(options.photos, options.seeds, options.parts, options.only)
    print(json.dumps(result, indent=1))
    print(show(result))


if __name__ == "__main__":
    main()
