"""Training scripts write their file anew while it is opened: nothing crashes, nothing is mixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.changing_files import open_while_changing


@pytest.mark.parametrize("how", ["rewritten", "cut off", "replaced"])
def test_a_file_that_changes_is_opened_whole_or_refused(how: str, tmp_path: Path) -> None:
    outcomes = open_while_changing(tmp_path, 12, how)
    assert set(outcomes) <= {"opened", "refused"}
