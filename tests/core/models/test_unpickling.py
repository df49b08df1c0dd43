from __future__ import annotations

import contextlib
import pickle
import pickletools
import sys
import time
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.sources.checkpoint import unpickling
from core.models.sources.checkpoint.inert import Stub
from core.models.sources.checkpoint.stored import Memory
from core.models.sources.checkpoint.unpickling import Source


def load(content: bytes) -> Any:
    return unpickling.load(Source(Memory(bytearray(content))))


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'touch /tmp/droplens-was-here'\ntR.",
        b"cbuiltins\neval\n(S'1/0'\ntR.",
        b"(S'touch /tmp/droplens-was-here'\nios\nsystem\n.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x05false\x85R.",
        b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(S'os'\ntRS'system'\ntR(S'false'\ntR.",
        b"csubprocess\nPopen\n)\x81}S'args'\nS'false'\nsb.",
        b"\x82\x01.",
    ],
)
def test_calls_run_nothing_and_import_nothing(content: bytes) -> None:
    before = set(sys.modules)
    try:
        found = load(content)
    except (pickle.UnpicklingError, ValueError):
        found = Stub()
    assert isinstance(found, Stub)
    assert set(sys.modules) == before


def test_plain_values_and_tensors_come_back() -> None:
    plain = {"a": [1, 2.5, None, True], "b": (b"x", "猫"), "c": {1, 2}, "d": 2 + 3j}
    assert load(pickle.dumps(plain)) == plain
    for protocol in range(6):
        assert load(pickle.dumps(plain, protocol)) == plain


def test_cycles_and_depth_end() -> None:
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    found = load(pickle.dumps(cyclic))
    assert found[0] is found
    deep = b"(" * 10_000 + b"l" * 10_000 + b"."
    started = time.monotonic()
    with contextlib.suppress(pickle.UnpicklingError, RecursionError):
        load(deep)
    assert time.monotonic() - started < 2
    stub = Stub()
    stub.state["_modules"] = {"self": stub}
    stub.state["_parameters"] = {"weight": torch.ones(1)}
    assert list(stub.parameters()) == ["weight"]


def test_a_claimed_size_is_not_believed() -> None:
    claims = b"\x80\x04\x8d" + (2 * 2**30).to_bytes(8, "little") + b"short."
    with pytest.raises(pickle.UnpicklingError):
        load(claims)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_pickles_neither_crash_nor_import(data: st.DataObject) -> None:
    content = bytearray(pickle.dumps({"a": [1, "x", (2.0, None)], "b": argument()}, protocol=2))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    before = set(sys.modules)
    with contextlib.suppress(Exception):  # any error is an answer
        load(bytes(content))
    assert set(sys.modules) == before


def argument() -> Any:
    return pickletools.opcodes[0].__class__


def test_codecs_beyond_text_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError):
        load(b"c_codecs\nencode\n(VQUJD\nVbase64\ntR.")
