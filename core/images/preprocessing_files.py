"""A preprocessing in a JSON file of the user."""

from __future__ import annotations

import json
from pathlib import Path

from core.errors import PreprocessingError, cannot_read, os_reason
from core.files import open_ordinary
from core.images.preprocessing import Preprocessing, from_json

_LARGEST_FILE_BYTES = 2**20


def read(path: Path) -> Preprocessing:
    """Read a preprocessing from a JSON file.

    Raises:
        PreprocessingError: the file cannot be read or makes no sense.
    """
    try:
        with open_ordinary(path) as file:
            return from_json(json.loads(file.read(_LARGEST_FILE_BYTES).decode("utf-8-sig")))
    except OSError as error:
        raise PreprocessingError(cannot_read(path, os_reason(error))) from error
    except (ValueError, RecursionError) as error:
        raise PreprocessingError("{path} is not valid JSON.", path=path) from error
    except PreprocessingError as error:
        raise PreprocessingError("{path}: {error}", path=path, error=error) from error
