from __future__ import annotations

from pathlib import Path

from core.images.kinds import FILE_TYPES, Kind, sorted_by_kind
from core.models.sources import model_pattern


def test_files_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "folder.pt"
    folder.mkdir()
    names = ("a.jpg", "b.PTH", "c.safetensors", "My labels.droplens", "x.tar", "none")
    paths = [*(tmp_path / name for name in names), folder]
    assert sorted_by_kind(paths) == {
        Kind.PHOTO: [paths[0], paths[5]],
        Kind.CHECKPOINT: [paths[1], paths[2], paths[4]],
        Kind.PROJECT: [paths[3]],
        Kind.FOLDER: [folder],
    }
    assert sorted_by_kind([Path("bad\0name.pt")]) == {Kind.CHECKPOINT: [Path("bad\0name.pt")]}


def test_an_ending_stands_once() -> None:
    endings = [ending for one in FILE_TYPES for ending in one.endings]
    assert len(endings) == len(set(endings))
    assert "*.safetensors" in model_pattern().split()
