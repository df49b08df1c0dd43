"""Import modules as fast as without Qt: PySide reads the source of each for its own name."""

from __future__ import annotations

from PySide6 import QtCore  # noqa: F401 - brings the module below
from shibokensupport import feature  # type: ignore[import-not-found]


def hasten() -> None:
    """Let no source be read after an import.

    PySide looks in every module that is imported after it for its name, to know where its
    switchable features (``snake_case``, ``true_property``) may hold. Droplens uses none of them.
    The reading takes a tenth of torch's import and 40 MB, for the sources are kept. In a frozen
    program, which has no sources, it has always found nothing.
    """
    feature._mod_uses_pyside = _uses_no_feature


def _uses_no_feature(_: object) -> bool:
    return False
