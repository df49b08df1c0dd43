"""Models in zip archives: they open as if they had never been packed, and leave nothing behind."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path

import pytest
import torch

from core.errors import DroplensError
from core.models.sources import is_model, model_pattern, source_of
from core.values.spec import ModelChoice
from tests.core.models.keras_files import plain_classifier, write_h5
from tests.networks import trained


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where archives are unpacked."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def packed(path: Path, **members: Path | str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if isinstance(content, Path):
                archive.write(content, name)
            else:
                archive.writestr(name, content)
    return path


def refusal(path: Path) -> str:
    found = source_of(path).inspect(path)
    assert not found.usable
    with pytest.raises(DroplensError) as caught:
        source_of(path).open(ModelChoice(checkpoint=path), None, lambda: False)
    assert str(caught.value) == found.summary
    return found.summary


def test_a_download_of_teachable_machine(tmp_path: Path, scratch: Path) -> None:
    model = write_h5(tmp_path / "keras_model.h5", *plain_classifier())
    path = packed(
        tmp_path / "converted_keras.zip",
        **{"keras_model.h5": model, "labels.txt": "0 cat\n1 dog\n2 none\n"},
    )
    assert is_model(path)
    assert source_of(path).inspect(path).class_names == ("cat", "dog", "none")
    opened = source_of(path).open(ModelChoice(checkpoint=path), None, lambda: False)
    alone = source_of(model).open(ModelChoice(checkpoint=model), None, lambda: False)
    photo = torch.rand(1, 3, 8, 8)
    assert torch.equal(opened.network(photo), alone.network(photo))
    assert opened.spec.checkpoint == path
    assert opened.spec.class_names == ("cat", "dog", "none")
    assert not list(scratch.glob("droplens-*"))


def test_an_archive_of_torchserve(tmp_path: Path) -> None:
    torch.save(trained("squeezenet1_1", 3).state_dict(), tmp_path / "inner.pth")
    path = packed(
        tmp_path / "model.mar",
        **{
            "inner.pth": tmp_path / "inner.pth",
            "MAR-INF/MANIFEST.json": "{}",
            "index_to_name.json": json.dumps({"0": "a", "1": "b", "2": "c"}),
            "handler.py": "raise SystemExit",
        },
    )
    found = source_of(path).inspect(path)
    assert found.architecture == "squeezenet1_1"
    assert found.class_names == ("a", "b", "c")


def test_what_an_archive_says_names_the_archive(tmp_path: Path, scratch: Path) -> None:
    path = packed(tmp_path / "odd.zip", **{"folder/model.pth": "<html>"})
    assert refusal(path).startswith(str(path / "model.pth"))
    assert not list(scratch.glob("droplens-*"))


def test_several_models_are_listed(tmp_path: Path) -> None:
    path = packed(tmp_path / "two.zip", **{"a.onnx": "a", "b.pth": "b", "__MACOSX/c.pth": "c"})
    assert "2 models (a.onnx, b.pth)" in refusal(path)


def test_other_archives_are_no_models(tmp_path: Path) -> None:
    photos = packed(tmp_path / "photos.zip", **{"a.jpg": "a", "b.txt": "b"})
    keras = packed(tmp_path / "keras.zip", **{"model.weights.h5": "", "config.json": "{}"})
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(b"PK\x05\x06" + b"\xff" * 40)
    torch.save({"a": torch.zeros(1)}, tmp_path / "torch.zip")
    for path in (photos, keras, damaged, tmp_path / "torch.zip", tmp_path / "none.zip"):
        assert not is_model(path), path
    assert source_of(tmp_path / "torch.zip").name == "checkpoint"
    assert "*.zip" in model_pattern()


def test_bombs_and_odd_names_write_nothing_elsewhere(tmp_path: Path, scratch: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("model.pth", bytes(64 * 2**20))
    assert "damaged" in refusal(bomb)
    climbing = packed(tmp_path / "climb.zip", **{"../../model.pth": "a", "../../labels.txt": "b"})
    assert str(climbing) in refusal(climbing)
    assert not list(scratch.glob("droplens-*"))
    assert not (tmp_path.parent / "labels.txt").exists()


def test_damage_inside_and_passwords_are_told(tmp_path: Path) -> None:
    path = packed(tmp_path / "model.zip", **{"model.pth": "text " * 400})
    content = bytearray(path.read_bytes())
    locked = bytearray(content)
    at = content.index(b"model.pth") + len(b"model.pth")
    content[at + 2] ^= 0xFF
    path.write_bytes(content)
    assert "damaged" in refusal(path)
    for header, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(header) + place] |= 1
    path.write_bytes(locked)
    assert "password" in refusal(path)
