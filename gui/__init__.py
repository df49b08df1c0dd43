"""What Droplens shows: no torch below this folder."""

import sys


def _load_torch_runtime_before_qt() -> None:
    """On Windows, importing torch after Qt can fail (WinError 1114) unless c10.dll came first.

    Loading the one library costs little; torch itself is imported later, by the engine.
    """
    import ctypes
    import importlib.util
    from pathlib import Path

    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return
    library = Path(found.origin).parent / "lib" / "c10.dll"
    if library.exists():
        ctypes.CDLL(str(library))


if sys.platform == "win32":
    _load_torch_runtime_before_qt()
