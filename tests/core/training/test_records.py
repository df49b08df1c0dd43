from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from core.training.records import ReadRecords


def taught(path: Path, **changes: object) -> Path:
    training = {
        "method": "head",
        "photos": {"train": 12},
        "accuracy": 0.75,
        "interval": [0.5, 0.9],
        **changes,
    }
    notes = {
        "architecture": "resnet18",
        "class_names": json.dumps(["ant", "bee"]),
        "training": json.dumps(training),
    }
    save_file({"weight": torch.zeros(2)}, path, notes)
    return path


def test_a_model_says_how_it_was_taught(tmp_path: Path) -> None:
    (record,) = ReadRecords((taught(tmp_path / "mine.safetensors"),)).run(None)
    assert (record.architecture, record.method) == ("resnet18", "head")
    assert (record.photos, record.classes) == (12, 2)
    assert (record.accuracy, record.interval) == (0.75, (0.5, 0.9))
    assert record.when > 0


def test_an_unknown_accuracy_stays_unknown(tmp_path: Path) -> None:
    model = taught(tmp_path / "mine.safetensors", accuracy=None, interval=None)
    (record,) = ReadRecords((model,)).run(None)
    assert record.accuracy is None
    assert record.method == "head"


def test_what_is_gone_or_something_else_says_nothing(tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"no model")
    plain = tmp_path / "plain.safetensors"
    save_file({"weight": torch.zeros(2)}, plain)
    odd = taught(tmp_path / "odd.safetensors", photos="many")
    gone = tmp_path / "gone.safetensors"
    for record in ReadRecords((other, plain, odd, gone)).run(None):
        assert (record.method, record.accuracy) == ("", None)
