"""ONNX files that lead elsewhere, exhaust a reader or never end; none carries code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto as Types
from onnx import helper, numpy_helper

from core.models.sources.onnx.wire import field_of_bytes

Write = Callable[[Path], object]


def node(operator: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def integers(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def real(name: str, value: float = 1.0) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, np.float32), name)


HEAD = [node("GlobalAveragePool", "m", "p"), node("Flatten", "p", "y")]


def model(
    nodes: Sequence[onnx.NodeProto] = (node("Relu", "x", "m"), *HEAD),
    constants: Sequence[onnx.TensorProto] = (),
    *,
    shape: Sequence[int | str] = (1, 3, 8, 8),
    change: Callable[[onnx.ModelProto], object] = lambda _: None,
    domains: Sequence[str] = ("",),
) -> onnx.ModelProto:
    given = helper.make_tensor_value_info("x", Types.FLOAT, shape)
    gives = helper.make_tensor_value_info("y", Types.FLOAT, None)
    graph = helper.make_graph(list(nodes), "g", [given], [gives], list(constants))
    opsets = [helper.make_opsetid(domain, 17 if not domain else 1) for domain in domains]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    change(made)
    return made


def saved(make: Callable[[], onnx.ModelProto]) -> Write:
    return lambda path: path.write_bytes(make().SerializeToString())


def raw(content: Callable[[], bytes]) -> Write:
    return lambda path: path.write_bytes(content())


def added(*nodes: onnx.NodeProto, constants: Sequence[onnx.TensorProto] = ()) -> Write:
    """Write a network that adds "c", which other nodes make, to the photo."""
    end = [node("ReduceMean", "c", "r", keepdims=0), node("Add", "x r", "m"), *HEAD]
    return saved(lambda: model([*nodes, *end], constants))


def claiming(*dims: int, content: bytes = b"") -> Write:
    """Write parameters that declare another shape than they have."""
    tensor = Types(name="W", data_type=Types.FLOAT, dims=list(dims), raw_data=content)
    return saved(lambda: model(constants=[tensor]))


def outside(location: str, offset: str = "0", length: str = "4096") -> Write:
    tensor = Types(name="W", data_type=Types.FLOAT, dims=[1024], data_location=Types.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=value)
    return saved(lambda: model(constants=[tensor]))


def linked(path: Path) -> None:
    link = path.with_name("linked.bin")
    link.unlink(missing_ok=True)
    link.symlink_to("/etc/passwd")
    outside("linked.bin", length="100")(path)


def nested(depth: int, branches: int) -> onnx.ModelProto:
    graph = helper.make_graph(
        [node("Identity", "x", "y0")], "g", [], [helper.make_tensor_value_info("y0", 1, None)]
    )
    for at in range(depth):
        names = ("then_branch", "else_branch")[:branches]
        choice = node("If", "c", f"y{at + 1}", **dict.fromkeys(names, graph))
        output = helper.make_tensor_value_info(f"y{at + 1}", 1, None)
        graph = helper.make_graph([choice], "g", [], [output])
    chosen = numpy_helper.from_array(np.array(True), "c")
    return model([*graph.node, node("Identity", f"y{depth}", "m"), *HEAD], [chosen])


def endless_loop() -> onnx.ModelProto:
    values = [("i", 7, []), ("a", 9, []), ("b", 1, [1, 3, 8, 8])]
    inputs = [helper.make_tensor_value_info(*one) for one in values]
    outputs = [helper.make_tensor_value_info(*one) for one in (("a2", 9, []), ("b2", 1, None))]
    body = helper.make_graph(
        [node("Identity", "a", "a2"), node("Relu", "b", "b2")], "body", inputs, outputs
    )
    count = numpy_helper.from_array(np.array(10**15, np.int64), "n")
    going = numpy_helper.from_array(np.array(True), "t")
    return model([node("Loop", "n t x", "m", body=body), *HEAD], [count, going])


def doubling_functions(depth: int) -> onnx.ModelProto:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    functions = []
    for at in range(depth):
        inner = f"F{at - 1}"
        steps = [
            helper.make_node(inner if at else "Relu", ["a"], ["c"], domain="own" if at else ""),
            helper.make_node(inner if at else "Relu", ["c"], ["b"], domain="own" if at else ""),
        ]
        functions.append(helper.make_function("own", f"F{at}", ["a"], ["b"], steps, opsets))
    call = helper.make_node(f"F{depth - 1}", ["x"], ["m"], domain="own")

    def change(made: onnx.ModelProto) -> None:
        made.functions.extend(functions)

    return model([call, *HEAD], change=change, domains=("", "own"))


def function_of_itself() -> onnx.ModelProto:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    inner = helper.make_node("F", ["a"], ["b"], domain="own")
    own = helper.make_function("own", "F", ["a"], ["b"], [inner], opsets)
    call = helper.make_node("F", ["x"], ["m"], domain="own")
    return model([call, *HEAD], change=lambda made: made.functions.append(own), domains=("", "own"))


def with_metadata(**values: str) -> Write:
    return saved(lambda: model(change=lambda made: helper.set_model_props(made, values)))


def chain(count: int) -> onnx.ModelProto:
    steps = [node("Relu", f"t{at}" if at else "x", f"t{at + 1}") for at in range(count)]
    return model([*steps, node("Identity", f"t{count}", "m"), *HEAD])


def sparse() -> onnx.ModelProto:
    values = Types(name="W", data_type=Types.FLOAT, dims=[1], raw_data=b"\0" * 4)
    where = Types(data_type=Types.INT64, dims=[1], raw_data=b"\0" * 8)
    tensor = onnx.SparseTensorProto(values=values, indices=where, dims=[100_000, 100_000])
    return model(change=lambda made: made.graph.sparse_initializer.append(tensor))


def many_expansions() -> Write:
    """Write a network whose constants, computed ahead, would fill the memory."""
    steps = [node("Expand", f"k{at} s", f"e{at}") for at in range(200)]
    means = [node("ReduceMean", f"e{at}", f"r{at}", keepdims=0) for at in range(200)]
    names = " ".join(f"r{at}" for at in range(200))
    constants = [integers("s", 10_000, 10_000), *(real(f"k{at}", at) for at in range(200))]
    return added(*steps, *means, node("Sum", names, "c"), constants=constants)


def graph_of(content: bytes) -> bytes:
    return b"\x08\x08" + field_of_bytes(7, content)


SQUARE = integers("s", 9_000, 9_000)
CASES: dict[str, Write] = {
    "nothing": raw(lambda: b""),
    "one byte": raw(lambda: b"\x08"),
    "zeros": raw(lambda: b"\0" * 10_000),
    "half of a file": raw(lambda: model().SerializeToString()[:-20]),
    "a graph that claims 2**60 bytes": raw(lambda: b"\x08\x08\x3a" + b"\x80" * 8 + b"\x10"),
    "a number of endless length": raw(lambda: b"\x08" + b"\xff" * 100_000),
    "groups in groups": raw(lambda: b"\x08\x08" + b"\x3b" * 1_000_000),
    "3,000,000 empty nodes": raw(lambda: graph_of(b"\x0a\0" * 3_000_000)),
    "4,000,000 empty parameters": raw(lambda: graph_of(b"\x2a\0" * 4_000_000)),
    "4,000,000 empty outputs": raw(lambda: graph_of(b"\x62\0" * 4_000_000)),
    "2,000,000 pairs of metadata": raw(lambda: graph_of(b"") + b"\x72\0" * 2_000_000),
    "20,000 steps": saved(lambda: chain(20_000)),
    "100,000 steps": saved(lambda: chain(100_000)),
    "8 graphs in graphs": saved(lambda: nested(8, 2)),
    "14 graphs in graphs": saved(lambda: nested(14, 2)),
    "30 graphs in graphs": saved(lambda: nested(30, 1)),
    "functions that double 40 times": saved(lambda: doubling_functions(40)),
    "functions that double 12 times": saved(lambda: doubling_functions(12)),
    "a function of itself": saved(function_of_itself),
    "a loop of 10**15": saved(endless_loop),
    # Tensors that are not there.
    "parameters of billions": claiming(10**9, 10**9),
    "parameters whose count overflows": claiming(2**32, 2**32),
    "parameters of negative sides": claiming(-1, -4, content=b"\0" * 16),
    "parameters of 10,000 axes": claiming(*[1] * 10_000, content=b"\0" * 4),
    "sparse parameters": saved(sparse),
    "a photo of 2**40 pixels a side": saved(lambda: model(shape=(1, 3, 2**40, 2**40))),
    "a photo of 60,000 pixels a side": saved(lambda: model(shape=(1, 3, 60_000, 60_000))),
    "a million photos at a time": saved(lambda: model(shape=(10**6, 3, 224, 224))),
    "a photo of 1,000 axes": saved(lambda: model(shape=[1] * 1_000)),
    # Files elsewhere.
    "parameters above the folder": outside("../secret"),
    "parameters in the system": outside("/etc/passwd"),
    "parameters of a device": outside("/dev/zero"),
    "parameters behind a link": linked,
    "parameters at an address": outside("*/_ORT_MEM_ADDR_/*", offset="140737488355328"),
    "parameters at no number": outside("hostile.onnx", offset="-1"),
    "parameters in a file that is the network": outside("hostile.onnx", length="4096"),
    # Steps that make much of little.
    "an operator of somebody's": saved(
        lambda: model(
            [helper.make_node("Run", ["x"], ["m"], domain="evil"), *HEAD], domains=("", "evil")
        )
    ),
    "a constant of 1.6 GB": added(
        node("ConstantOfShape", "s", "c"), constants=[integers("s", 20_000, 20_000)]
    ),
    "a constant of 10**17": added(
        node("ConstantOfShape", "s", "c"), constants=[integers("s", 10**9, 10**8)]
    ),
    "numbers to 10**12": added(
        node("Range", "a b d", "c"), constants=[real("a", 0), real("b", 1e12), real("d", 1)]
    ),
    "random numbers of 40 GB": added(node("RandomNormal", "", "c", shape=[100_000, 100_000])),
    "one photo repeated": added(
        node("Tile", "x s", "c"), constants=[integers("s", 1_000, 100, 100, 100)]
    ),
    "a photo of 100,000 pixels": added(
        helper.make_node("Resize", ["x", "", "s"], ["c"], mode="nearest"),
        constants=[numpy_helper.from_array(np.array([1, 1, 12_500, 12_500], np.float32), "s")],
    ),
    "a border of 100,000 pixels": added(
        node("Pad", "x s", "c"), constants=[integers("s", *[0, 0, 100_000, 100_000] * 2)]
    ),
    "200 constants of 400 MB": many_expansions(),
    "a product of 9,000 × 9,000": added(
        node("Expand", "k s", "e"), node("MatMul", "e e", "c"), constants=[real("k"), SQUARE]
    ),
    "a convolution of 2,000 channels": added(
        node("Expand", "k s", "e"),
        node("Expand", "k w", "f"),
        node("Conv", "e f", "c"),
        constants=[real("k"), integers("s", 1, 2_000, 180, 180), integers("w", 2_000, 2_000, 3, 3)],
    ),
    "a thousand products": added(
        node("Expand", "k s", "t0"),
        *(node("MatMul", f"t{at} t{at}", f"t{at + 1}") for at in range(1_000)),
        node("Identity", "t1000", "c"),
        constants=[real("k", 1e-3), integers("s", 1_500, 1_500)],
    ),
    # Text.
    "class names of 5,000 digits": with_metadata(names="{" + "1" * 5_000 + ": 'a'}"),
    "class names in lists in lists": with_metadata(classes="[" * 1_000_000),
    "class names of one quote": with_metadata(names="{0: '" + "\\" * 1_000_000),
    "class names of 10,000,000 letters": with_metadata(
        labels=",".join(["a" * 3_000_000] * 3), classes="a\0b\u202e,b\r,c"
    ),
    "an image size of 5,000 digits": with_metadata(author="Ultralytics", imgsz="9" * 5_000),
}
