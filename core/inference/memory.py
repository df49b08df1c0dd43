"""Whether memory ran out."""

from __future__ import annotations

import torch


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error of torch means that memory ran out.

    CUDA raises a type of its own; the processor's allocator and MPS say it in words alone.
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    said = (  # Linux, Windows, MPS, ONNX Runtime
        "can't allocate memory",
        "not enough memory",
        "out of memory",
        "Failed to allocate memory",
    )
    return any(words in text for words in said)
