from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from core.values.predictions import ClassProbability, Prediction, pack, to_csv, unpack
from tests.core.inference.test_classifier import spec


def test_csv_is_for_spreadsheets() -> None:
    model = spec(3)
    good = Prediction(
        Path("猫, “é”.jpg"), (ClassProbability(1, "=HYPERLINK(1)", 0.75),), None, model
    )
    bad = Prediction(Path("-broken.jpg"), (), "the file is empty", model)
    content = to_csv([good, bad], top_k=2)
    assert content.startswith(b"\xef\xbb\xbf")
    head, first, second = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert head[:4] == ["image", "class_index_1", "class_name_1", "probability_1"]
    assert first[:7] == ["猫, “é”.jpg", "1", "'=HYPERLINK(1)", "0.750000", "", "", ""]
    assert second[0] == "'-broken.jpg"
    said = dict(zip(head, second, strict=True))["error"]
    assert said == "'-broken.jpg could not be read: the file is empty."
    assert dict(zip(head, first, strict=True))["sha256"] == "0" * 64


def test_json_has_the_contracts_keys() -> None:
    made = Prediction(Path("a.jpg"), (ClassProbability(1, "cat", 0.75),), None, spec(3))
    assert made.to_json() == {
        "image": "a.jpg",
        "predictions": [{"class_index": 1, "class_name": "cat", "probability": 0.75}],
        "unsure": False,
        "error": None,
        "model": {
            "architecture": "tiny",
            "checkpoint": "tiny.pth",
            "sha256": "0" * 64,
            "preprocessing": spec(3).preprocessing.to_json(),
            "outputs": "softmax",
        },
    }


def test_plain_values_are_packed_whatever_they_are() -> None:
    model = replace(spec(1), outputs="value")
    for value in (-0.75, 34.5):
        top = (ClassProbability(0, model.class_names[0], value, value),)
        assert unpack(pack(top), model) == top
    with pytest.raises(ValueError, match="beyond 0 and 1"):
        unpack(pack([ClassProbability(0, "a", 1.5, 3.0)]), model)
