"""What PyInstaller takes of torch: its libraries, and the modules that an import reaches.

The common hook takes every submodule, headers' neighbours and the test programs, which is a third
more. Sources stay beside, for torch reads some of its own at import.
"""

from pathlib import Path

from PyInstaller.utils.hooks import PY_DYLIB_PATTERNS, collect_dynamic_libs, get_package_paths

module_collection_mode = "pyz+py"
warn_on_missing_hiddenimports = False
datas: list[tuple[str, str]] = []
binaries = [
    (source, target)
    for source, target in collect_dynamic_libs(
        "torch", search_patterns=[*PY_DYLIB_PATTERNS, "*.so.*"]
    )
    if not target.startswith(("torch/bin", "torch/test"))
]
_manager = Path(get_package_paths("torch")[1], "bin", "torch_shm_manager")
if _manager.exists():  # torch looks for it at import, on Linux and macOS
    binaries.append((str(_manager), "torch/bin"))
bindepend_symlink_suppression = ["**/torch/lib/*.so*"]
