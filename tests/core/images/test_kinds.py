from __future__ import annotations

from pathlib import Path

from core.images.kinds import FILE_TYPES, Kind, kind_of
from core.models.sources import model_pattern


def test_files_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "folder.pt"
    folder.mkdir()
    names = ("a.jpg", "b.PTH", "c.safetensors", "My labels.droplens", "x.tar", "none")
    paths = [*(tmp_path / name for name in names), folder]
    photo, checkpoint = Kind.PHOTO, Kind.CHECKPOINT
    kinds = [photo, checkpoint, checkpoint, Kind.PROJECT, checkpoint, photo, Kind.FOLDER]
    assert [kind_of(path) for path in paths] == kinds
    assert kind_of(Path("bad\0name.pt")) is checkpoint


def test_an_ending_stands_once() -> None:
    endings = [ending for one in FILE_TYPES for ending in one.endings]
    assert len(endings) == len(set(endings))
    patterns = model_pattern().split()
    assert {"*.safetensors", "*.onnx"} <= set(patterns)
    assert len(patterns) == len(set(patterns))
