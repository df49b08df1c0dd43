from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.inference.engine import Engine
from core.values.spec import ModelChoice


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(cache=tmp_path / "cache")
    engine.open(ModelChoice(), "cpu")
    yield engine
    engine.close()
