"""Which models said something, as a project keeps it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from core.values.spec import ModelSpec


def check_models(database: sqlite3.Connection) -> None:
    """Make sure that the models of a project can be read.

    Raises:
        Exception: of many types, where they cannot.
    """
    for (described,) in database.execute("SELECT described FROM models"):
        model = json.loads(described)
        if not all(isinstance(name, str) for name in model["class_names"]):
            raise TypeError("class names that are no text")
        str(model["architecture"]), str(model["sha256"])


def describe_model(model: ModelSpec) -> str:
    """Return as text which model it is that said something."""
    answers = dict(model.overrides.answers)
    return json.dumps(
        {
            "architecture": model.architecture,
            "checkpoint": str(model.checkpoint),
            "sha256": model.sha256,
            "preprocessing": model.preprocessing.to_json(),
            "outputs": model.outputs,
            "class_names": list(model.class_names),
        }
        | ({"answers": answers} if answers else {})
    )
