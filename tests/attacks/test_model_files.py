"""Every hostile model file ends in an answer, within 10 s of processor time and 1.5 GB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks import onnx_files
from tests.attacks.keras_files import CASES as KERAS_CASES
from tests.attacks.measuring import Measuring
from tests.attacks.model_files import CASES


@pytest.fixture(scope="module")
def measuring() -> Iterator[Measuring]:
    with Measuring("tests.attacks.measuring:inspect_and_open") as one:
        yield one


@pytest.mark.parametrize("name", CASES)
def test_hostile_model_files_end_in_an_answer(
    name: str, measuring: Measuring, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.pth"
    CASES[name](path)
    measured = measuring.run(path)
    path.unlink()
    assert measured.is_harmless, measured
    assert "\n" not in measured.answer
    measured.answer.encode()


@pytest.mark.parametrize("name", onnx_files.CASES)
def test_hostile_onnx_files_end_in_an_answer(
    name: str, measuring: Measuring, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.onnx"
    onnx_files.CASES[name](path)
    measured = measuring.run(path)
    path.unlink()
    assert measured.is_harmless, measured
    assert "\n" not in measured.answer
    measured.answer.encode()


@pytest.mark.parametrize("name", KERAS_CASES)
def test_hostile_keras_files_end_in_an_answer(
    name: str, measuring: Measuring, tmp_path: Path
) -> None:
    path = KERAS_CASES[name](tmp_path / "hostile.h5")
    measured = measuring.run(path)
    path.unlink()
    assert measured.is_harmless, measured
    assert "\n" not in measured.answer
    assert measured.answer.startswith("refused"), measured.answer
