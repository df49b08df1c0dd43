"""What undo and redo would do, in words."""

from __future__ import annotations

from core.language import tr


def undo_text(kind: str) -> str:
    """Return the text of the action that takes a step back; "" is no step."""
    return tr("&Undo {step}", step=_in_words(kind)) if kind else tr("&Undo")


def redo_text(kind: str) -> str:
    """Return the text of the action that does a step again; "" is no step."""
    return tr("&Redo {step}", step=_in_words(kind)) if kind else tr("&Redo")


def _in_words(kind: str) -> str:
    words = {
        "label": tr("labelling"),
        "accept": tr("accepting"),
        "import": tr("the import"),
        "add": tr("adding classes"),
        "rename": tr("renaming a class"),
        "merge": tr("merging classes"),
        "remove": tr("deleting a class"),
        "order": tr("ordering classes"),
        "colour": tr("changing a colour"),
        "key": tr("changing a key"),
        "multiple": tr("changing how many classes a photo has"),
    }
    return words.get(kind, kind)
