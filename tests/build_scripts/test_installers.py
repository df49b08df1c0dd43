"""What the build steps say of the program, as far as it can be tested without building."""

from __future__ import annotations

import plistlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "build_scripts"))
    return __import__("importlib")


def test_what_is_left_out_is_never_imported() -> None:
    """The whole core and the window are used, and none of it is there."""
    script = (
        "import sys; sys.path[:0] = ['build_scripts']\n"
        "from left_out import LEFT_OUT\n"
        "from core.installation_check import run_checks\n"
        "if __name__ == '__main__':\n"
        "    failed = [one for one in run_checks() if one.error]\n"
        "    import gui.app, gui.help, gui.smoke_test, core.cli.labels\n"
        "    import core.models.weights.downloads\n"
        "    there = [m for m in LEFT_OUT\n"
        "        if any(one == m or one.startswith(m + '.') for one in sys.modules)]\n"
        "    print(failed, there)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] []"


def test_the_bundle_for_macos(scripts: Any) -> None:
    found = scripts.import_module("make_dmg").information()
    assert plistlib.loads(plistlib.dumps(found)) == found
    assert found["NSRequiresAquaSystemAppearance"] is False
    entitlements = ROOT / "build_scripts" / "packaging" / "macos" / "entitlements.plist"
    assert all(plistlib.loads(entitlements.read_bytes()).values())


def test_the_version_stands_once(scripts: Any) -> None:
    version = scripts.import_module("shared").version()
    for path in (ROOT / "build_scripts").rglob("*"):
        if path.is_file() and path.suffix not in (".pyc",):
            text = path.read_text(encoding="utf-8").replace(f"=={version}", "")  # others' pins
            assert version not in text, path


def test_templates_are_filled_whole(scripts: Any) -> None:
    shared = scripts.import_module("shared")
    for path in (shared.PACKAGING / "linux").iterdir():
        text = shared.filled(path, ARCHITECTURE="amd64", SIZE="1", DEPENDS="libc6", WHEN="now")
        assert not re.search(r"@[A-Z]+@", text), path


def test_archives_are_the_same_again(scripts: Any, tmp_path: Path) -> None:
    shared = scripts.import_module("shared")
    folder = tmp_path / "folder"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "猫.txt").write_text("x")
    (folder / "a").symlink_to("b")
    shared.pack(folder, tmp_path / "1.tar", "droplens")
    (folder / "b" / "猫.txt").touch()
    shared.pack(folder, tmp_path / "2.tar", "droplens")
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_every_override_of_lintian_has_a_reason(scripts: Any) -> None:
    overrides = scripts.import_module("make_deb").OVERRIDES
    assert all(re.fullmatch("[a-z0-9-]+", tag) and reason for tag, reason in overrides.items())
