"""Label files that are small and take for ever to import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.errors import LabelsError
from core.labels import importing
from core.labels.store import LabelStore
from tests.attacks.disk import image

Case = tuple[str, Callable[[], str]]


def one_photo_often() -> str:
    return "file,label\n" + "".join(f"a.jpg,class {at}\n" for at in range(30_000))


CASES: dict[str, Case] = {
    "letters with many accents": (
        "labels.csv",
        lambda: "file,label\na.jpg,x" + "\u0315" * 60_000 + "\u0300" * 60_000 + "\n",
    ),
    "a path of 60,000 folders": (
        "labels.csv",
        lambda: "file,label\n" + "a/" * 60_000 + "b.jpg,x\n",
    ),
    "one photo in 30,000 rows": ("labels.csv", one_photo_often),
    "500,000 columns": (
        "labels.csv",
        lambda: "file,label" + "," * 500_000 + "\n" + "a.jpg,x\n" * 10_000,
    ),
    "8 million rows": ("labels.csv", lambda: "file,label\n" + "a.jpg,\n" * 8_000_000),
    "20 million lists": ("labels.jsonl", lambda: "[]\n" * 20_000_000),
    "deep JSON": ("labels.json", lambda: "[" * 2_000_000),
    "long numbers": (
        "labels.json",
        lambda: '{"classes": ["a"], "labels": {"a": ' + "9" * 10**6 + "}}",
    ),
    "quotes without an end": ("labels.txt", lambda: ('"' + "\\" * 500_000 + "\n") * 3),
}


def write(name: str, folder: Path) -> Path:
    """Write a photo and a hostile file of labels for it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.jpg").write_bytes(image(1))
    file, content = CASES[name]
    (folder / file).write_text(content(), encoding="utf-8")
    return folder / file


def import_labels(path: Path) -> str:
    """Bring a file of labels into a new project."""
    with LabelStore(path.with_name("new.droplens")) as store:
        try:
            plan = importing.plan_import(store, None, path)
            importing.carry_out(plan, store)
        except LabelsError as error:
            return f"refused: {error}"[:300]
        return f"imported: {len(plan.labels)}"
