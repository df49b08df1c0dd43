"""Let the tools that labels are exported for read what Droplens writes.

    .venv/bin/python build_scripts/check_label_readers.py [--environments FOLDER]

Each tool is installed into an environment of its own below FOLDER (a temporary one by default;
2.6 GB together, so this is no part of the tests) and reads an export of photos and classes with
difficult names. What it says must be what the project says.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image

from core.labels import exporting
from core.labels.changes import Labelling
from core.labels.formats.table import FORMATS
from core.labels.photos import content_of
from core.labels.plans import ExportOptions
from core.labels.store import LabelStore

NAMES = (
    "plain.jpg",
    "with blanks (x) [y].jpg",
    " lead and trail .jpg",
    "quote \" and ' one.jpg",
    "comma, semicolon; tab\t bar|.jpg",
    "emoji 🐈‍⬛.png",
    "猫 é Ёж.jpg",
    "=HYPERLINK(1).jpg",
    "x" * 190 + ".jpg",
    "two/same.jpg",
    "folders/same.jpg",
    "two/same.png",
    "percent %20 + plus.jpg",
    "a::b.jpg",
    "back\\slash.jpg",
    "#hash & test.jpg",
)
CLASSES = ("cat", "a/b", "猫 é", "=1+1", 'quote " comma ,', "<b>&amp;</b>")

READERS: dict[str, tuple[list[str], str]] = {
    "hugging-face": (
        ["datasets==5.2.0", "pillow"],
        """
import os, sys, json
os.environ["HF_HUB_OFFLINE"] = "1"
from datasets import load_dataset, Image
found = {}
for rows in load_dataset("imagefolder", data_dir=sys.argv[1], cache_dir=sys.argv[2]).values():
    for row in rows.cast_column("image", Image(decode=False)):
        value = row.get("labels") or row["label"]
        found[row["image"]["path"]] = value if isinstance(value, list) else [value]
json.dump(found, open(sys.argv[3], "w"))
""",
    ),
    "imagenet-text": (
        ["datumaro==1.13.12"],
        """
import sys, json
import datumaro
read = datumaro.Dataset.import_from(sys.argv[1], "imagenet_txt")
names = [one.name for one in read.categories()[datumaro.AnnotationType.label]]
found = {one.media.path: [names[label.label] for label in one.annotations] for one in read}
json.dump(found, open(sys.argv[3], "w"))
""",
    ),
    "fiftyone": (
        ["fiftyone==1.22.1"],
        """
import sys, json
from fiftyone.utils.data.importers import FiftyOneImageClassificationDatasetImporter as Importer
found = {}
with Importer(dataset_dir=sys.argv[1]) as rows:
    for path, _, label in rows:
        several = getattr(label, "classifications", None)
        found[path] = [one.label for one in (several if several is not None else [label])]
json.dump(found, open(sys.argv[3], "w"))
""",
    ),
    "label-studio": (
        ["label-studio-sdk==2.1.2"],
        """
import sys, json
from label_studio_sdk.label_interface import LabelInterface
interface = LabelInterface(open(sys.argv[1] + "/labels config.xml", encoding="utf-8").read())
interface.validate()
from label_studio_sdk._extensions.label_studio_tools.core.utils.io import get_local_path
import urllib.parse
found = {}
for task in json.load(open(sys.argv[1] + "/labels.json", encoding="utf-8")):
    assert interface.validate_task({"data": task["data"]})
    for one in task["annotations"]:
        assert interface._validate_object(one), one
    for one in task.get("predictions", []):
        assert not interface.validate_prediction(one, return_errors=True), one
    below = urllib.parse.unquote(task["data"]["image"].partition("?d=")[2])
    found[sys.argv[4] + "/" + below] = task["annotations"][0]["result"][0]["value"]["choices"]
json.dump(found, open(sys.argv[3], "w"))
""",
    ),
}


def main() -> int:
    """Check each tool, with one class a photo and with several; 1 where one reads otherwise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--environments", type=Path)
    given: Path | None = parser.parse_args().environments
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for several in (False, True):
            for name in READERS:
                work = Path(scratch) / f"{name} {several}"
                work.mkdir()
                problem = _check(name, work, given or Path(scratch), several=several)
                print(f"{name}, {'several classes' if several else 'one class'}: {problem or 'ok'}")
                failed += bool(problem)
    return 1 if failed else 0


def _check(name: str, work: Path, environments: Path, *, several: bool) -> str:
    photos = _make_photos(work / "photos")
    form = FORMATS[name]
    target = work / "out" / f"labels{form.ending}" if form.ending else work / "out"
    with LabelStore(work / "p.droplens") as store:
        store.edit_classes("add", store.classes.add(CLASSES).set_multiple(several))
        count = len(CLASSES)
        for number, path in enumerate(photos):
            second = (1 + (number + 2) % count,) if several else ()
            store.label([Labelling(path, (1 + number % count, *second))])
        chosen, options = exporting.choose(store), ExportOptions()
        plan = exporting.plan_export(store, chosen, form, target, options)
        report = exporting.carry_out(plan, form, target, options, store.note_moves)
        expected = {content_of(one.path).sha256: sorted(one.classes) for one in chosen}
    if report.failed:
        return report.failed[0]
    folder = target.parent if form.ending else target
    answer = work / "answer.json"
    script = [_environment(environments, name), "-c", READERS[name][1]]
    arguments = [folder, work / "cache", answer, work / "photos"]
    quiet = {**os.environ, "PYTHONUTF8": "1"}
    run = subprocess.run(
        [*map(str, script), *map(str, arguments)], env=quiet, capture_output=True, text=True,
        check=False, cwd=work,
    )  # fmt: skip
    if run.returncode:
        return run.stderr.strip().splitlines()[-1]
    found = {
        content_of(Path(file)).sha256: sorted(names)
        for file, names in json.loads(answer.read_text()).items()
    }
    return "" if found == expected else f"{len(found)} of {len(expected)} photos, or other labels"


def _make_photos(folder: Path) -> list[Path]:
    made = []
    for number, name in enumerate(NAMES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (8, 8), (number * 10, 7, 99))
        picture.save(path, "PNG" if path.suffix == ".png" else "JPEG")
        made.append(path)
    return made


def _environment(environments: Path, name: str) -> Path:
    folder = environments / f"venv-{name}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *READERS[name][0]], check=True)
    return python


if __name__ == "__main__":
    sys.exit(main())
