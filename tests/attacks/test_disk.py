"""Whatever the disk does, nothing that was acknowledged is lost, and no file is half written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.attacks import disk

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the disk is made for Linux")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return disk.build_shim(tmp_path_factory.mktemp("shim"))


@pytest.mark.parametrize("work", disk.WORK)
def test_a_loss_of_power_loses_nothing_that_was_acknowledged(
    work: str, shim: Path, tmp_path: Path
) -> None:
    assert disk.lose_power(work, tmp_path, shim, 15, seed=1) > 20


@pytest.mark.parametrize("reason", disk.REASONS)
@pytest.mark.parametrize("work", disk.WORK)
def test_a_disk_that_fails_ends_in_a_sentence(
    work: str, reason: str, shim: Path, tmp_path: Path
) -> None:
    outcomes = disk.fail_at_every_change(work, reason, tmp_path, shim, step=37)
    assert set(outcomes) <= {"done", "told"}, outcomes


def test_the_disk_really_forgets(tmp_path: Path, shim: Path) -> None:
    """Without a sync, what was written may be gone: else the tests above prove nothing."""
    import random

    written = disk.Disk(tmp_path)
    path = str(tmp_path / "a")
    written.apply("C", path, "", 0, b"")
    written.apply("W", path, "", 0, b"x" * 100)
    found = [written.after_power_loss(random.Random(seed)).get(path) for seed in range(20)]
    assert None in found or b"" in found
    written.apply("S", path, "", 0, b"")
    assert written.after_power_loss(random.Random(0))[path] == b"x" * 100
