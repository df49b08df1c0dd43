"""Files made to run code, to fill the memory, or to take for ever; and files that broke."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import random
import resource
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from core.models.sources.checkpoint.source import inspect_checkpoint
from tests.networks import trained

MARK = Path("/tmp/droplens-was-here")
LIMIT_S = 4
LIMIT_BYTES = 500 * 2**20
MUTATED = int(os.environ.get("DROPLENS_MUTATED_FILES", "1500"))
"""Files in one run of the tests; 20,000 were tried before a release."""


def zipped(content: bytes, **members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        for name, member in members.items():
            archive.writestr(f"archive/data/{name}", member)
    return made.getvalue()


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def call(module: str, name: str, *arguments: bytes) -> bytes:
    return f"c{module}\n{name}\n".encode() + b"(" + b"".join(arguments) + b"tR"


def deep(opening: bytes, closing: bytes, count: int = 10_000) -> bytes:
    return b"\x80\x02" + opening * count + closing * count + b"."


def storage(key: bytes, count: int, kind: bytes = b"FloatStorage") -> bytes:
    number = b"\x8a\x08" + struct.pack("<q", count)
    parts = text("storage") + b"ctorch\n" + kind + b"\n" + key + text("cpu") + number
    return b"(" + parts + b"tQ"


def tensor(count: int, *size: int) -> bytes:
    sides = b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", one) for one in size) + b"t"
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(text("0"), count)
    return made + b"K\x00" + sides + sides + b"\x89ccollections\nOrderedDict\n)RtR"


TOUCH = text(f"touch {MARK}")
GIANT = b"\x8a\x05" + (2**33).to_bytes(5, "little")
BOMBS: dict[str, bytes] = {
    "os.system": call("os", "system", TOUCH) + b".",
    "eval": call("builtins", "eval", text("__import__('os').system('true')")) + b".",
    "exec": call("builtins", "exec", text("1/0")) + b".",
    "getattr chain": call(
        "builtins", "getattr", call("builtins", "__import__", text("os")), text("system")
    )
    + b"("
    + TOUCH
    + b"tR.",
    "torch.load": call("torch", "load", text("/etc/passwd")) + b".",
    "torch.jit": call("torch.jit", "load", text("/etc/passwd")) + b".",
    "runpy": call("runpy", "run_path", text("/tmp/x.py")) + b".",
    "pip": call("pip._internal", "main", b"]") + b".",
    "dotted name": b"\x80\x04" + b"\x8c\x0bcollections" + b"\x8c\x15OrderedDict.fromkeys.x\x93.",
    "inst": b"(" + TOUCH + b"ios\nsystem\n.",
    "obj": b"(cos\nsystem\n" + TOUCH + b"o.",
    "newobj_ex": b"\x80\x04csubprocess\nPopen\n)}\x92.",
    "build on a function": b"c_codecs\nencode\n}"
    + text("__defaults__")
    + call("os", "system", TOUCH)
    + b"sb.",
    "build on a class": b"ccollections\nOrderedDict\n(}}"
    + text("__init__")
    + call("os", "system", TOUCH)
    + b"stb.",
    "extension": b"\x80\x02\x82\x01.",
    "deep lists": deep(b"]", b"a", 10_000).replace(b"a" * 10_000, b"a" * 9_999),
    "deep tuples": deep(b"(", b"t"),
    "very deep tuples as a key": b"\x80\x02}" + b"(" * 400_000 + b"t" * 400_000 + b"K\x01s.",
    "very deep tuples in a set": b"\x80\x04\x8f(" + b"(" * 400_000 + b"t" * 400_000 + b"\x90.",
    "deep dictionaries": b"\x80\x02" + b"}K\x01" * 10_000 + b"N" + b"s" * 10_000 + b".",
    "2 GB of text claimed": b"\x80\x04\x8d" + struct.pack("<Q", 2**31) + b"short.",
    "2 GB of bytes claimed": b"\x80\x04\x8e" + struct.pack("<Q", 2**31) + b"short.",
    "2 GB bytearray claimed": b"\x80\x05\x96" + struct.pack("<Q", 2**31) + b"short.",
    "frame claimed": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",
    "long claimed": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"1.",
    "memo far away": b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b".",
    "bytes of a size": call("builtins", "bytes", GIANT) + b".",
    "bytearray of a size": call("builtins", "bytearray", GIANT) + b".",
    "list of a range": call("builtins", "list", call("builtins", "range", GIANT)) + b".",
    "storage of a size": call("torch", "UntypedStorage", GIANT) + b".",
    "tensor of a size": call("torch", "Tensor", GIANT) + b".",
    "tensor larger than its storage": b"\x80\x02}" + text("a") + tensor(4, 2**20, 2**20) + b"s.",
    "storage larger than the file": b"\x80\x02}" + text("a") + tensor(2**40, 2) + b"s.",
    "negative sizes": b"\x80\x02}" + text("a") + tensor(4, -1, 4) + b"s.",
    "laughs": b"\x80\x02]("
    + b"".join(b"q%c" % one + b"h%c" % one * 9 for one in range(1, 60))
    + b"e.",
    "no end": b"\x80\x02" + b"N0" * 6_000_000 + b".",
    "digits": b"I" + b"9" * 1_000_000 + b"\n.",
    "cycle of a list": b"\x80\x02]q\x00h\x00a.",
    "cycle of a dictionary": b"\x80\x02}q\x00" + text("state_dict") + b"h\x00s.",
    "cycle of a network": b"\x80\x02c__main__\nNet\n)\x81q\x00}"
    + text("_modules")
    + b"}"
    + text("0")
    + b"h\x00ssb.",
    "codec": call("_codecs", "encode", text("x"), text("bz2")) + b".",
    "array of a type": call("numpy", "dtype", text("<U999999999"), b"\x89", b"\x88") + b".",
}


def measured(path: Path) -> tuple[float, int]:
    """Inspect a file; return seconds and by how many bytes the greatest memory use grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()  # a busy machine must not fail the test
    found = inspect_checkpoint(path)
    elapsed = time.process_time() - started
    assert not found.usable
    assert "\n" not in found.summary
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return elapsed, (after - before) * 1024


def assert_harmless(path: Path) -> None:
    before = set(sys.modules)
    elapsed, grown = measured(path)
    assert elapsed < LIMIT_S
    assert grown < LIMIT_BYTES
    assert not MARK.exists()
    assert set(sys.modules) == before


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("container", ["zip", "stream"])
def test_bombs_end_in_an_error(name: str, container: str, tmp_path: Path) -> None:
    pickled = BOMBS[name]
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    path = tmp_path / "bomb.pth"
    path.write_bytes(
        zipped(pickled, **{"0": b"\0" * 16}) if container == "zip" else magic + pickled
    )
    assert_harmless(path)


def test_every_operation_of_pickle_once(tmp_path: Path) -> None:
    path = tmp_path / "all.pth"
    for operation in pickletools.opcodes:
        for before in (b"", b"N", b"NN", b"(", b"(N", b"]N", b"}NN", b"]("):
            content = before + operation.code.encode("latin1") + b"\x01\n1\n" + b"\0" * 12 + b"."
            path.write_bytes(zipped(content))
            found = inspect_checkpoint(path)
            assert not found.usable


@pytest.mark.parametrize("size", [2**31, 2**20])
def test_zip_bombs(size: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("archive/data.pkl", "w", force_zip64=True) as member,
    ):
        for _ in range(size // 2**20):
            member.write(b"N" * 2**20)
    assert_harmless(path)


def test_safetensors_that_claim_too_much(tmp_path: Path) -> None:
    path = tmp_path / "bomb.safetensors"
    for header in (
        b'{"a":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}',
        b'{"a":{"dtype":"F32","shape":[1,0],"data_offsets":[0,0]}}',
        b'{"a":' + b"[" * 100_000,
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,7]}}',
    ):
        path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 8)
        assert_harmless(path)
    path.write_bytes(struct.pack("<Q", 2**31) + b"{}")
    assert_harmless(path)


def originals(folder: Path) -> list[bytes]:
    """Return one small file of each container."""
    network = trained("squeezenet1_1", 2)
    few = dict(list(network.state_dict().items())[:6])
    path = folder / "original"
    made: list[bytes] = []

    def keep(write: Callable[[Path], Any]) -> None:
        write(path)
        made.append(path.read_bytes())

    beside = {"epoch": 3, "classes": ["a", "b"], "args": {"lr": 0.1}}
    keep(lambda one: torch.save({"model": few, **beside}, one))
    keep(
        lambda one: torch.save({"model": few, **beside}, one, _use_new_zipfile_serialization=False)
    )
    keep(lambda one: torch.save(torch.nn.Sequential(torch.nn.Linear(3, 2)), one))
    keep(lambda one: save_file(few, one, {"class_names": '["a", "b"]'}))
    return made


def test_mutated_files_neither_crash_nor_hang(tmp_path: Path) -> None:
    chance = random.Random(0)
    path = tmp_path / "mutated.pth"
    contents = originals(tmp_path)
    before = set(sys.modules)
    slowest = 0.0
    for number in range(MUTATED):
        content = bytearray(contents[number % len(contents)])
        # The beginning and the end are what readers walk; the middle is mostly numbers.
        for _ in range(chance.randint(1, 8)):
            near = chance.choice([len(content), 1500, -3000])
            place = chance.randrange(near) if near > 0 else len(content) - chance.randrange(-near)
            content[min(place, len(content) - 1)] = chance.randrange(256)
        if chance.random() < 0.2:
            del content[chance.randrange(len(content)) :]
        path.write_bytes(content)
        started = time.process_time()
        inspect_checkpoint(path)
        slowest = max(slowest, time.process_time() - started)
    assert slowest < LIMIT_S
    assert set(sys.modules) == before
