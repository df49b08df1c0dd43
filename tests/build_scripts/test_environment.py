from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "build_scripts"))
    import environment

    return environment


def miss(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    def load(name: str) -> None:
        if name in libraries:
            raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)


def test_missing_libraries_are_named_by_their_package(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    miss(monkeypatch, "libxcb-icccm.so.4", "libxcb-cursor.so.0")
    assert environment.missing_qt_packages() == ["libxcb-cursor0", "libxcb-icccm4"]


def test_without_rights_the_one_line_is_printed(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    miss(monkeypatch, "libxcb-keysyms.so.1")
    monkeypatch.setattr(environment, "is_debian", lambda: True)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SystemExit) as left:
        environment.install_qt_libraries()
    assert "sudo apt-get install --yes --no-install-recommends libxcb-keysyms1" in str(left.value)


def test_as_root_they_are_installed(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    miss(monkeypatch, "libxcb-keysyms.so.1")
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(environment, "is_debian", lambda: True)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", run)
    environment.install_qt_libraries()
    assert [command[:2] for command in ran] == [["apt-get", "update"], ["apt-get", "install"]]
    assert ran[1][-1] == "libxcb-keysyms1"


def test_an_environment_that_stands_is_not_made_again(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "install_qt_libraries", lambda: None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("installed again"))
    if not (ROOT / ".venv" / "installed-test").exists():
        pytest.skip("the tests run in another environment")
    assert environment.prepare("test").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux runs without a screen")
def test_run_without_a_screen_says_so() -> None:
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "build_scripts/run.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("There is no screen here")
    assert len(done.stderr.strip().splitlines()) == 1


def test_run_says_its_usage_without_a_screen() -> None:
    done = subprocess.run(
        [sys.executable, "build_scripts/run.py", "--help"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("usage: python3 build_scripts/run.py [PATH…]")


@pytest.mark.parametrize("script", ["run.py", "test.py", "environment.py"])
def test_the_scripts_stand_on_the_standard_library_alone(script: str) -> None:
    from tests.test_architecture import imports_of

    found = {name.split(".")[0] for name in imports_of(ROOT / "build_scripts" / script)}
    assert found <= set(sys.stdlib_module_names) | {"environment"}
