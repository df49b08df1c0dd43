"""Model files that crash, freeze or exhaust a reader; none carries code."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from core.models.families.resnet import ResNetForm
from tests.networks import trained

Write = Callable[[Path], object]
ZEROS = b"\0" * 64
STREAM_HEAD = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}))


# The pickle language


def text(value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def number(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    head = b"\x8a" + bytes([len(raw)]) if len(raw) < 256 else b"\x8b" + struct.pack("<i", len(raw))
    return head + raw


def row(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def call(module: str, attribute: str, *arguments: bytes) -> bytes:
    return name(module, attribute) + row(*arguments) + b"R"


def listed(*parts: bytes) -> bytes:
    return b"](" + b"".join(parts) + b"e"


def nested(count: int) -> bytes:
    return b")" + b"\x85" * count


def storage(key: str, count: int, kind: str = "FloatStorage") -> bytes:
    return row(text("storage"), name("torch", kind), text(key), text("cpu"), number(count)) + b"Q"


def tensor(held: bytes, offset: int | bytes, sizes: bytes, strides: bytes) -> bytes:
    start = number(offset) if isinstance(offset, int) else offset
    rest = b"\x89" + name("collections", "OrderedDict") + b")R"
    make = name("torch._utils", "_rebuild_tensor_v2")
    return make + b"(" + held + start + sizes + strides + rest + b"tR"


def sides(*values: int) -> bytes:
    return row(*map(number, values))


def entry(key: str, value: bytes) -> bytes:
    return b"}" + text(key) + value + b"s"


def zipped(
    pickled: bytes,
    members: dict[str, bytes] | None = None,
    compression: int = zipfile.ZIP_STORED,
    filler: int = 0,
) -> Write:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", compression) as archive:
            if filler:
                archive.writestr("archive/f", b"x" * filler)
            content = b"\x80\x02" + pickled + b"."
            archive.writestr("archive/data.pkl", content, compress_type=zipfile.ZIP_STORED)
            for key, member in (members or {}).items():
                archive.writestr(f"archive/data/{key}", member)

    return write


def stream(pickled: bytes, rest: bytes = b"") -> Write:
    return lambda path: path.write_bytes(STREAM_HEAD + b"\x80\x02" + pickled + b"." + rest)


# Networks


def saved(make: Callable[[], Any]) -> Write:
    return lambda path: torch.save(make(), path)


def squeezenet() -> dict[str, torch.Tensor]:
    return dict(trained("squeezenet1_1", 3).state_dict())


def expanded(*shape: int) -> torch.Tensor:
    return torch.zeros(1).expand(*shape) if shape else torch.tensor(1)


def form(**arguments: Any) -> dict[str, torch.Tensor]:
    return {key: expanded(*shape) for key, shape in ResNetForm(**arguments).shapes().items()}


def large_head(classes: int) -> dict[str, torch.Tensor]:
    state = dict(trained("resnet18", 10).state_dict())
    return {**state, "fc.weight": expanded(classes, 512), "fc.bias": expanded(classes)}


def changed_network(change: Callable[[Any], object]) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        network = trained("resnet18", 10)
        change(network)
        return network

    return make


def shared_modules() -> nn.Module:
    """Return a network in which one part with many parameters stands at very many places."""
    leaf = nn.Module()
    for at in range(200):
        leaf.register_parameter(f"p{at}", nn.Parameter(torch.zeros(1)))
    part: nn.Module = leaf
    for _ in range(12):
        part = nn.Sequential(part, part, part)
    return part


def shared_state() -> bytes:
    """Return a pickle in which one large state is given to very many objects."""
    state = b"}(" + b"".join(number(at) + b"N" for at in range(50_000)) + b"u"
    objects = b"".join(b"h\x01)\x81h\x02b" for _ in range(100_000))
    return b"](" + name("a", "B") + b"q\x01" + state + b"q\x02" + objects + b"e"


def labels(content: dict[str, Any]) -> Callable[[], Any]:
    return lambda: {"state_dict": squeezenet(), **content}


def surrogate_names(path: Path) -> None:
    written = io.BytesIO()
    torch.save({"state_dict": squeezenet(), "classes": ["@", "b", "c"]}, written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename.endswith("data.pkl"):
                content = content.replace(text("@"), text(b"\xed\xa0\x80"))
            target.writestr(member.filename, content)


def nested_configuration() -> dict[str, Any]:
    """Return a checkpoint whose configuration holds itself beside long lists of names."""
    content: dict[str, Any] = {"state_dict": squeezenet()}
    for key in ("classes", "class_names", "labels", "label_names"):
        content[key] = list(range(100_000))
    for key in ("hyper_parameters", "hparams", "args", "config", "meta", "data", "extra"):
        content[key] = content
    return content


def many_heads() -> nn.Module:
    network = trained("resnet18", 10)
    network.fc = nn.Identity()
    for at in range(1_000):
        network.register_module(f"head{at}", nn.Linear(512, 2))
    return network


# Other containers


def safetensors(header: bytes | dict[str, Any]) -> Write:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return lambda path: path.write_bytes(struct.pack("<Q", len(raw)) + raw + ZEROS)


def with_metadata(**metadata: Any) -> Write:
    kept = {key: json.dumps(value) for key, value in metadata.items()}
    return lambda path: save_file(
        {key: one.contiguous() for key, one in squeezenet().items()}, path, kept
    )


def tar_header(member: bytes, size: bytes | int, kind: bytes = b"0") -> bytes:
    header = bytearray(512)
    header[: len(member)] = member
    header[100:124] = b"0000644\x000000000\x000000000\0"
    header[124:136] = size if isinstance(size, bytes) else b"%011o\0" % size
    header[136:156] = b"00000000000\0        "
    header[156:157] = kind
    header[257:265] = b"ustar\x0000"
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def extended_header(body: bytes) -> Write:
    content = tar_header(b"sys_info", 0) + tar_header(b"pax", len(body), b"x") + body
    padded = content + b"\0" * (-len(body) % 512) + tar_header(b"pickle", 0) + b"\0" * 1024
    return lambda path: path.write_bytes(padded)


def tar(*headers: bytes) -> Write:
    return lambda path: path.write_bytes(b"".join(headers) + b"\0" * 1024)


def byteorder_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        with archive.open("archive/byteorder", "w", force_zip64=True) as member:
            for _ in range(2 * 1024):
                member.write(b"\0" * 2**20)


def sparse_file(path: Path) -> None:
    """Write the beginning of a pickle, and 200 GB of which nothing lies on the disk."""
    path.write_bytes(STREAM_HEAD + b"\x80\x02}.")
    with path.open("r+b") as file:
        file.truncate(200 * 10**9)


HUGE = number((1 << 8 * 2_000_000) - 1)
MERSENNE = 2**61 - 1
OD = name("collections", "OrderedDict")
META = "_rebuild_meta_tensor_no_storage"
FLOAT = name("torch", "float32")
IMAGE_OF_ONE = tensor(storage("0", 1), 0, sides(2 * 10**7), sides(0))
MANY = b"".join(b"h\x01h\x02R" for _ in range(4_000))
FOUR_MB = 4 * 2**20
FILLER = b"x" * FOUR_MB
CLASSES = b"".join(b"ca\nb%d\n" % at for at in range(300_000))
TOO_LARGE = {"resize": 4096, "crop": [4096, 4096], "mean": [1e308] * 3, "std": [5e-324] * 3}
DIGITS = {"classes": {"1" * 5000: "a", "0": "b", "2": "c"}}
BLOB = b"\0" * (8 * 2**20)


def one_mapping_often() -> dict[str, Any]:
    """Return a checkpoint with one large mapping under very many keys."""
    large = dict.fromkeys(map(str, range(50_000)), 0)
    return {"state_dict": squeezenet(), **{f"k{at}": large for at in range(20_000)}}


def one_module_often() -> dict[str, Any]:
    tree = shared_modules()
    state = dict(trained("resnet18", 3).state_dict())
    del state["fc.weight"], state["fc.bias"]
    return {"state_dict": state, **{f"k{at}": tree for at in range(3_000)}}


def modules_of_one_tree() -> dict[str, Any]:
    tree = shared_modules()
    return {f"k{at}": nn.Sequential(tree) for at in range(1_000)}


def views_of_one_deflated_storage(path: Path) -> None:
    """Write all parameters of a network as views of one storage, in an archive that is packed."""
    state = trained("densenet121", 3).state_dict()
    flat = torch.zeros(sum(one.numel() for one in state.values()))
    views, at = {}, 0
    for key, one in state.items():
        views[key] = flat[at : at + one.numel()].view(one.shape)
        at += one.numel()
    written = io.BytesIO()
    torch.save(views, written)
    with (
        zipfile.ZipFile(written) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for member in source.infolist():
            target.writestr(member.filename, source.read(member))


def long_directory(path: Path) -> None:
    """Write an archive of few members with very many extra fields each."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        for at in range(300):
            member = zipfile.ZipInfo(f"archive/{at}")
            member.extra = b"\xfe\xca\0\0" * 16_000
            archive.writestr(member, b"")


def far_apart(path: Path) -> None:
    """Write a bias whose few values lie far apart in a sparse file of 3 GB."""
    with path.open("wb") as file:
        file.write(STREAM_HEAD)
        strides = tensor(storage("0", 12_000_000 * 64), 0, sides(64), sides(12_000_000))
        file.write(b"\x80\x02}" + text("features.0.bias") + strides + b"s.")
        file.write(pickle.dumps(["0"], 2) + struct.pack("<q", 12_000_000 * 64))
        file.truncate(file.tell() + 12_000_000 * 64 * 4)


CASES: dict[str, Write] = {
    "one mapping under 20,000 keys": saved(one_mapping_often),
    "one pickled module under 3,000 keys": saved(one_module_often),
    "1,000 modules of one tree": saved(modules_of_one_tree),
    "all parameters in one deflated storage": views_of_one_deflated_storage,
    "long directory": long_directory,
    "values far apart": far_apart,
    "mean of 400 digits": with_metadata(preprocessing={"mean": [10**400, 0, 0]}),
    "std that is too small": with_metadata(preprocessing={"std": [1e-320, 1, 1]}),
    # Deep values: hashing, comparing or printing them overflows the stack.
    "ordered dictionary with a deep key": zipped(
        OD + row(listed(row(nested(600_000), b"N"))) + b"R"
    ),
    "the same, 150 KB": zipped(OD + row(listed(row(nested(150_000), b"N"))) + b"R"),
    "deep value": zipped(entry("a", nested(700_000))),
    "deep list": zipped(entry("a", b"]" * 700_000 + b"a" * 699_999)),
    "deep class names": zipped(entry("classes", listed(nested(600_000)))),
    "deep frozen set": zipped(call("builtins", "frozenset", listed(nested(300_000)))),
    "deep tuple of a tuple": zipped(call("builtins", "tuple", listed(nested(300_000)))),
    "deep key of a storage": zipped(
        row(text("storage"), name("torch", "FloatStorage"), nested(600_000), text("cpu"), b"K\x04")
        + b"Q",
        {"0": ZEROS},
    ),
    "objects in objects": zipped(
        name("a", "B") + b"q\x01" + b"h\x01)\x81}K\x01" * 180_000 + b"N" + b"sb" * 180_000
    ),
    # Memory from little.
    "size of an expanded tensor": zipped(
        name("torch", "Size") + row(IMAGE_OF_ONE) + b"R", {"0": ZEROS}
    ),
    "size of a meta tensor": zipped(
        call("torch", "Size", call("torch._utils", META, FLOAT, sides(10**8), sides(1)))
    ),
    "one list made a size very often": zipped(
        listed(name("torch", "Size") + b"q\x01" + listed(b"K\x01" * 300_000) + b"\x85q\x02" + MANY)
    ),
    "one deflated storage very often": zipped(
        b"]("
        + row(text("storage"), name("torch", "ByteStorage"), text("0"), text("cpu"), number(2**20))
        + b"q\x05Q"
        + b"h\x05Q" * 20_000
        + b"e",
        {"0": b"\0" * 2**20},
        zipfile.ZIP_DEFLATED,
    ),
    "one unaligned storage very often": zipped(
        b"]("
        + row(text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), number(2**21))
        + b"q\x05Q"
        + b"h\x05Q" * 3_000
        + b"e",
        {"0": BLOB},
        filler=1,
    ),
    "byte order of 2 GB": byteorder_bomb,
    "one buffer very often": zipped(
        listed(
            name("numpy.core.numeric", "_frombuffer")
            + b"q\x01"
            + row(
                b"B" + struct.pack("<I", FOUR_MB) + b"x" * FOUR_MB, text("f4"), sides(1), text("C")
            )
            + b"q\x02"
            + MANY
        )
    ),
    "one bytearray very often": zipped(
        listed(
            name("numpy.core.numeric", "_frombuffer")
            + b"q\x01"
            + row(
                b"\x96" + struct.pack("<Q", FOUR_MB) + b"x" * FOUR_MB,
                text("f4"),
                sides(1),
                text("C"),
            )
            + b"q\x02"
            + MANY
        )
    ),
    "a buffer of a number of bytes": zipped(
        listed(
            call("numpy.core.numeric", "_frombuffer", number(3 * 2**30), text("f4"), sides(1), b"N")
        )
    ),
    "one large state for many objects": zipped(shared_state()),
    "very many classes": zipped(
        b"](" + b"".join(b"ca\nb%d\n" % at for at in range(300_000)) + b"e"
    ),
    "one class very often": zipped(b"](" + b"ca\nb\n" * 700_000 + b"e"),
    "head of 4,000,000 expanded classes": saved(lambda: large_head(4_000_000)),
    "head of a billion expanded classes": saved(lambda: large_head(10**9)),
    "19 GB of a single number": saved(
        lambda: form(block="Bottleneck", layers=(1, 1, 1, 1), groups=1, width_per_group=64 * 40)
    ),
    "3,000 blocks of a single number": saved(
        lambda: form(block="BasicBlock", layers=(1, 1, 3000, 1))
    ),
    "one part at a million places": saved(shared_modules),
    "large header": safetensors(
        b"{"
        + b",".join(
            b'"%d":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}' % at for at in range(500_000)
        )
        + b"}"
    ),
    "8 MB of empty lists": safetensors(b'{"a":[' + b"[]," * 2_600_000 + b"[]]}"),
    # Networks whose pass takes more than they have.
    "pooling to 3000×3000": saved(
        changed_network(lambda one: setattr(one.avgpool, "output_size", (3000, 3000)))
    ),
    "padding of 4,000": saved(
        changed_network(lambda one: setattr(one.conv1, "padding", (4000, 4000)))
    ),
    "stride 0": saved(changed_network(lambda one: setattr(one.conv1, "stride", (0, 0)))),
    "pooling with stride 0": saved(changed_network(lambda one: setattr(one.maxpool, "stride", 0))),
    "dilation 0": saved(changed_network(lambda one: setattr(one.conv1, "dilation", (0, 0)))),
    "epsilon that is no number": saved(
        changed_network(lambda one: setattr(one.bn1, "eps", float("nan")))
    ),
    "input of 4096×4096": with_metadata(
        preprocessing={
            "resize": 4096,
            "crop": [4096, 4096],
            "mean": [1e308] * 3,
            "std": [5e-324] * 3,
        }
    ),
    "dilation of a SqueezeNet": with_metadata(
        options={"dilation": [1, 1, 1], "batch_norm_epsilon": 1e-300, "changes": [{"a": 1}] * 10}
    ),
    "one change very often": with_metadata(
        options={"changes": [["features.1", "ReLU", []]] * 400_000}
    ),
    "changes of what is no layer": with_metadata(
        options={"changes": [["features", "x", 1], ["features.0", "", [["__class__", 1]]]]}
    ),
    # Time, most of it with the interpreter held.
    "sides of two million bytes": zipped(
        tensor(storage("0", 4), 0, HUGE + b"q\x07\x850" + row(b"h\x07" * 40), row(b"h\x07" * 40)),
        {"0": ZEROS},
    ),
    "an offset of two million bytes": zipped(
        tensor(storage("0", 4), HUGE, sides(4), sides(1)), {"0": ZEROS}
    ),
    "a storage of two million bytes": stream(
        row(text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), HUGE) + b"Q"
    ),
    "integers that share a hash": zipped(
        b"}(" + b"".join(number(at * MERSENNE) + b"N" for at in range(1, 60_000)) + b"u"
    ),
    "the same, negative, in a set": zipped(
        call("builtins", "set", listed(*(number(-at * MERSENNE) for at in range(1, 60_000))))
    ),
    "the same, in an ordered dictionary": zipped(
        OD + row(listed(*(row(number(at * MERSENNE), b"N") for at in range(1, 60_000)))) + b"R"
    ),
    "digits as text": zipped(b"I" + b"1" * 20_000_000 + b"\n"),
    "escapes as text": zipped(b"]V" + b"\\u0041" * 2_000_000 + b"\na"),
    "name of losses": saved(lambda: {**squeezenet(), "loss" * 20_000 + "!": torch.zeros(1)}),
    "name of counters": saved(lambda: {**squeezenet(), ".best_" * 30_000 + "!": torch.zeros(1)}),
    "name of 200,000 dots": saved(lambda: {**squeezenet(), "a." * 200_000 + "w": torch.zeros(1)}),
    "name of norms": saved(lambda: {**squeezenet(), "denselayer1" * 20_000: torch.zeros(1)}),
    "200,000 names": saved(lambda: {f"x{at}.weight": torch.zeros(1) for at in range(200_000)}),
    "7,000 numbered names": saved(
        lambda: {f"{one}.{two}.weight": expanded(2, 2) for one in range(70) for two in range(100)}
    ),
    "configuration that holds itself": saved(nested_configuration),
    "1,000 heads": saved(many_heads),
    "extended tar header": extended_header(b"1" * 60_000 + b" " + b"1" * 10),
    "extended tar header of 259 KB": extended_header(b"0 hdrcharset=\n" * 4_000 + b"1" * 200_000),
    "tar member of negative size": tar(
        tar_header(b"pickle", 0), tar_header(b"storages", (-1024).to_bytes(12, "big", signed=True))
    ),
    "100,000 tar members": tar(*(tar_header(b"m%d" % at, 0) for at in range(100_000))),
    "integers of 4,000 digits": safetensors(
        b'{"a":{"dtype":"F32","shape":[' + b"9" * 4_000 + b'],"data_offsets":[0,16]}}'
    ),
    "deep metadata": safetensors(
        {
            "__metadata__": {"head": "[" * 100_000, "options": "{" * 10, "preprocessing": "NaN"},
            "a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
        }
    ),
    "200 GB of which nothing is there": sparse_file,
    # Text.
    "class number of 5,000 digits": saved(
        labels({"classes": {"1" * 5000: "a", "0": "b", "2": "c"}})
    ),
    "half a character in a class name": surrogate_names,
    "class names with control characters": saved(
        labels({"classes": ["a\0b", "\u202egnp.exe", "c" * 5_000_000]})
    ),
    "class names of many lines": saved(labels({"classes": ["a\nb", "b\r", "c\n" * 1000]})),
    "one byte that begins ONNX": lambda path: path.write_bytes(b"\x08"),
    "view beyond its storage": zipped(
        entry(
            "a",
            row(
                text("storage"),
                name("torch", "FloatStorage"),
                text("0"),
                text("cpu"),
                number(4),
                row(text("v"), number(-3), number(100)),
            )
            + b"Q",
        ),
        {"0": ZEROS},
    ),
}
