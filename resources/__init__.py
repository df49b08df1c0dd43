"""Data that the program ships: the default checkpoint, names, samples, icons, style."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """Return where a shipped file or folder lies, in a checkout and in the frozen program.

    Args:
        name: relative to this folder with forward slashes, e.g. "icons/app.svg".

    Raises:
        FileNotFoundError: the program's installation lacks it.
    """
    found = _ROOT / name
    if not found.exists():
        raise FileNotFoundError(f"Droplens is missing its own file {found}. Install it again.")
    return found
