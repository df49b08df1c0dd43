"""What reads bytes of others: each reader as a function of bytes, with files to begin from.

A reader may refuse its input in a sentence; whatever else it raises is a fault, and so is a crash,
a hang of 20 s, and more than 2 GB of memory.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

Consume = Callable[[bytes], object]


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
        consume: reads bytes.
        seeds: files to begin from, small and as they should be.
        longest_bytes: of the inputs that are tried.
    """

    consume: Consume
    seeds: Callable[[], list[bytes]]
    longest_bytes: int = 65536


_PIXELS = 4_000_000
_MEMORY = Path("/dev/shm")
_FOLDER = Path(
    tempfile.mkdtemp(prefix="droplens-fuzzing-", dir=_MEMORY if _MEMORY.is_dir() else None)
)


def _written(content: bytes, name: str = "input") -> Path:
    path = _FOLDER / name
    path.write_bytes(content)
    return path


# Model files


def unpickle(content: bytes) -> None:
    from core.models.sources.checkpoint.stored import Memory
    from core.models.sources.checkpoint.unpickling import Source, load

    with contextlib.suppress(Exception):  # whatever a broken file provokes; its reader takes all
        load(Source(Memory(bytearray(content))), most_operations=100_000)


def inspect(content: bytes) -> None:
    from core.models.sources.checkpoint.source import inspect_checkpoint

    found = inspect_checkpoint(_written(content))
    json.dumps([found.summary, found.problems, found.class_names]).encode()
    found.summary.encode()


def _small_network() -> dict[str, object]:
    import torch

    state = {"conv1.weight": torch.zeros(4, 3, 3, 3), "fc.weight": torch.zeros(2, 4)}
    return {"model": state, "epoch": 3, "classes": ["a", "b"], "args": {"lr": 0.1}}


def pickles() -> list[bytes]:
    values = (_small_values(), {"a": [1, 2.5, None, True], "b": ("x", b"y")}, {1, 2}, 10**30)
    return [pickle.dumps(value, protocol) for value in values for protocol in (0, 2, 4, 5)]


def _small_values() -> dict[str, object]:
    import collections

    import numpy as np

    return {"o": collections.OrderedDict(a=1), "n": np.arange(3), "s": np.float32(1)}


def zips() -> list[bytes]:
    import torch

    kept = []
    for value in (_small_network(), torch.nn.Sequential(torch.nn.Linear(3, 2))):
        written = io.BytesIO()
        torch.save(value, written)
        kept.append(written.getvalue())
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(kept[0])) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for member in source.infolist():
            target.writestr(member.filename, source.read(member))
    return [*kept, packed.getvalue()]


def streams_and_tars() -> list[bytes]:
    import torch

    from tests.attacks.model_files import tar_header

    written = io.BytesIO()
    torch.save(_small_network(), written, _use_new_zipfile_serialization=False)
    members = {
        b"sys_info": pickle.dumps({}, 2),
        b"storages": pickle.dumps(0, 2) + pickle.dumps([], 2),
        b"tensors": pickle.dumps(0, 2),
        b"pickle": pickle.dumps({"a": 1}, 2),
    }
    tar = b"".join(
        tar_header(name, len(content)) + content + b"\0" * (-len(content) % 512)
        for name, content in members.items()
    )
    return [written.getvalue(), tar + b"\0" * 1024]


def safetensors() -> list[bytes]:
    import torch
    from safetensors.torch import save

    state = {"conv1.weight": torch.zeros(4, 3, 3, 3), "fc.weight": torch.zeros(2, 4)}
    names = {"class_names": '["a", "b"]', "head": "{}", "options": "{}", "preprocessing": "{}"}
    return [save(state), save(state, names)]


# Photos


def decode(content: bytes) -> None:
    from core.errors import UnreadableImageError
    from core.images import decoding
    from core.images.decoding import read_photo

    decoding.PIXEL_LIMIT = _PIXELS  # large ones are the business of tests/attacks
    with contextlib.suppress(UnreadableImageError):
        read_photo(_written(content))


def photos() -> list[bytes]:
    image = Image.linear_gradient("L").resize((12, 9)).convert("RGB")
    forms = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "DDS", "PCX", "SGI",
             "QOI", "AVIF", "HEIF", "JPEG2000", "ICNS")  # fmt: skip
    found = []
    for form in forms:
        written = io.BytesIO()
        with contextlib.suppress(OSError, ValueError, KeyError):
            image.save(written, form)
            found.append(written.getvalue())
    exif = Image.Exif()
    exif[0x0112] = 6
    written = io.BytesIO()
    image.save(written, "JPEG", exif=exif, progressive=True)
    return [*found, written.getvalue()]


# Labels


_ENDINGS = (".csv", ".json", ".jsonl", ".txt", ".csv")


def read_labels(content: bytes) -> None:
    from core.errors import LabelsError
    from core.labels.formats.table import FORMATS, guess_format
    from core.labels.importing import UNEXPECTED

    if not content:
        return
    ending = _ENDINGS[content[0] % len(_ENDINGS)]
    path = _written(content[1:], f"labels{ending}")
    names = list(FORMATS)
    with contextlib.suppress(LabelsError, *UNEXPECTED):  # the import says it in a sentence
        guess_format(path).read(path)
    with contextlib.suppress(LabelsError, *UNEXPECTED):
        FORMATS[names[content[0] % len(names)]].read(path)
    path.unlink()


def label_files() -> list[bytes]:
    return [
        b"\0image_id,label\na.jpg,cat\nb.jpg,dog\n",
        b'\0file;label\n"a;b.jpg";\'=cat\n',
        b"\0id,cat,dog\na,0.2,0.8\n",
        b'\1{"classes": ["cat"], "labels": {"a": 0, "b": null}}',
        b'\1[{"data": {"image": "a.jpg"}, "annotations": [{"result": [{"type": "choices", '
        b'"value": {"choices": ["cat"]}}]}]}]',
        b'\1{"flags": {"cat": true}, "imagePath": "a.jpg", "shapes": []}',
        b'\2{"file_name": "a.jpg", "label": "cat"}\n{"file": "b.jpg", "labels": ["a", "b"]}\n',
        b'\3a.jpg 0\n"my image".jpg 1 2\n',
    ]


def open_project(content: bytes) -> None:
    from core.errors import LabelsError
    from core.labels.records import count
    from core.labels.store import LabelStore

    folder = _FOLDER / "project"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / "my.droplens"
    path.write_bytes(content)
    with contextlib.suppress(LabelsError), LabelStore(path) as store:
        store.state()
        count(store)


def projects() -> list[bytes]:
    from core.labels.changes import Labelling
    from core.labels.store import LabelStore

    folder = _FOLDER / "seed"
    folder.mkdir(exist_ok=True)
    path = folder / "my.droplens"
    with LabelStore(path) as store:
        store.edit_classes("add", store.classes.add(["cat", "dog"]))
        store.label([Labelling(folder / "a.jpg", (1,)), Labelling(folder / "b.jpg", (2,))])
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("VACUUM")
    database.close()
    return [path.read_bytes()]


# The rest


def read_settings(content: bytes) -> None:
    from core import settings
    from core.models.overrides import SavedOverrides

    settings.load(_written(content, "settings.json"))
    sha256 = "0" * 64
    _written(content, f"{sha256}.json")
    SavedOverrides(_FOLDER).of(sha256)


def setting_files() -> list[bytes]:
    from dataclasses import asdict

    from core.settings import Settings

    overrides = {"class_names": ["a"], "preprocessing": {"resize": 256}, "outputs": "sigmoid"}
    return [json.dumps(asdict(Settings())).encode(), json.dumps(overrides).encode()]


def read_message(content: bytes) -> None:
    from gui.instance_name import paths_in

    paths_in(content)


TARGETS = {
    "unpickler": Target(unpickle, pickles, 4096),
    "zip": Target(inspect, zips),
    "tar": Target(inspect, streams_and_tars),
    "safetensors": Target(inspect, safetensors),
    "images": Target(decode, photos, 16384),
    "labels": Target(read_labels, label_files, 8192),
    "project": Target(open_project, projects, 262144),
    "settings": Target(read_settings, setting_files, 8192),
    "socket": Target(read_message, lambda: [b'["/a.jpg", "/b c.pth"]\n', b"[]\n"], 4096),
}


def clean_up() -> None:
    """Delete what was written."""
    shutil.rmtree(_FOLDER, ignore_errors=True)


def corpus(name: str, folder: Path) -> Iterator[Path]:
    """Write the seeds of a target into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        path = folder / f"seed-{number:02}"
        path.write_bytes(seed)
        yield path
