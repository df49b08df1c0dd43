"""What comes next is added by new files and a row of a table, and the program shows it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

ROOT = Path(__file__).parent.parent
ADDED = Path(__file__).parent / "additions"
_PATIENCE_S = 600

ROWS = {
    "core/models/families/__init__.py": (
        (
            "from core.models.families.alexnet import",
            "from core.models.families.pebble import PEBBLE\n",
        ),
        ("    ALEXNET,\n", "    PEBBLE,\n"),
    ),
    "core/models/sources/__init__.py": (
        (
            "from core.models.sources.checkpoint import",
            "from core.models.sources.palette import PaletteSource\n",
        ),
        ("CheckpointSource()", "PaletteSource(), "),
    ),
    "core/labels/formats/table.py": (
        ("    path_lists,\n", "    pairs,\n"),
        (
            '        Format("csv",',
            '        Format("pairs", "Pairs", pairs.read, pairs.write, ".txt"),\n',
        ),
    ),
    "gui/app.py": (
        ("from gui.images.room import", "from gui.counting.room import CountingRoom\n"),
        ("ChecksRoom, ModelsRoom", "CountingRoom, "),
    ),
}
"""For each addition its import and its row, before what stands there; the language needs none."""

TRANSLATED = {
    "&File": "&Datei",
    "Count": "Zahl",
    "Not counted": "Nicht gezählt",
    "&Count photos": "Fotos &zählen",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program, with everything added."""
    house = tmp_path_factory.mktemp("house")
    passed_over = shutil.ignore_patterns("__pycache__", "additions")
    for folder in ("core", "gui", "resources", "build_scripts"):
        shutil.copytree(ROOT / folder, house / folder, ignore=passed_over)
    for file in ("__init__.py", "e2e/__init__.py", "e2e/driver.py"):
        (house / "tests" / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / file, house / "tests" / file)
    shutil.copytree(ADDED, house, dirs_exist_ok=True, ignore=passed_over)
    for file, additions in ROWS.items():
        text = (house / file).read_text(encoding="utf-8")
        for before, row in additions:
            assert text.count(before) == 1, (file, before)
            at = text.index(before)
            text = text[:at] + row + text[at:]
        (house / file).write_text(text, encoding="utf-8")
    catalogue = Catalog(locale="de")
    for english, german in TRANSLATED.items():
        catalogue.add(english, german)
    content = io.BytesIO()
    write_mo(content, catalogue)
    spoken = house / "resources/locale/de/LC_MESSAGES"
    spoken.mkdir(parents=True)
    (spoken / "droplens.mo").write_bytes(content.getvalue())
    run(house, "build_scripts/make_fingerprints.py")
    return house


def run(house: Path, *arguments: object, **environment: str) -> str:
    """Run Python in the copy; return what it printed."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), **environment},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos and a model of each new kind."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("files")
    (folder / "photos").mkdir()
    for name, colour in (("a", "#2040f0"), ("b", "#f02040")):
        Image.new("RGB", (40, 40), colour).save(folder / "photos" / f"{name}.png")
    (folder / "b.palette").write_text("red\ngreen\nblue\n")
    state = {
        "conv1.weight": torch.ones(4, 3, 3, 3),
        "conv1.bias": torch.zeros(4),
        "fc.weight": torch.ones(2, 4),
        "fc.bias": torch.tensor([0.0, 1.0]),
    }
    torch.save({"state_dict": state, "classes": ["no", "yes"]}, folder / "c.pth")
    return folder


def test_the_command_line_knows_them(house: Path, files: Path) -> None:
    def said(*arguments: object) -> Any:
        return json.loads(run(house, "-m", "core", *arguments))

    palette = said("inspect", files / "b.palette", "--json")
    assert (palette["usable"], palette["source"]) == (True, "palette")
    pebble = said("inspect", files / "c.pth", "--json")
    assert (pebble["architecture"], pebble["class_names"]) == ("pebble_s", ["no", "yes"])
    assert (pebble["matched"], pebble["preprocessing"]["crop"]) == (1.0, [32, 32])
    photos = said("classify", files / "photos", "--checkpoint", files / "b.palette", "--json", "-")
    assert [one["predictions"][0]["class_name"] for one in photos] == ["blue", "red"]
    photos = said("classify", files / "photos", "--checkpoint", files / "c.pth", "--json", "-")
    assert [one["predictions"][0]["class_name"] for one in photos] == ["yes", "yes"]
    layers = said("layers", "--checkpoint", files / "c.pth", "--json")
    assert [layer["layer"] for layer in layers][:1] == ["conv1"]


def test_the_window_shows_them(house: Path, files: Path, tmp_path: Path) -> None:
    homes = {f"XDG_{name}_HOME": str(tmp_path) for name in ("CONFIG", "DATA", "CACHE")}
    printed = run(house, "use.py", files, DROPLENS_LANGUAGE="de", **homes)
    assert json.loads(printed.splitlines()[-1]) == {
        "menu": "&Datei",
        "panel": ["Zahl", True, "Nicht gezählt"],
        "action": ["Fotos &zählen", True],
        "source": ["blue", "red"],
        "layers": [0, 0, True],
        "can be saved": [False, True],
        "family": "2 classes",
        "architectures": ["Pebble S", "Pebble L"],
        "format": ["Pairs", True],
    }
