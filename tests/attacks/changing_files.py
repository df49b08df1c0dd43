"""Model files that are written anew, cut off or replaced while they are opened."""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import time
from collections import Counter
from pathlib import Path

import torch

from core.errors import DroplensError
from core.models.sources.checkpoint.source import open_model
from core.values.spec import ModelChoice
from tests.networks import trained

_ROUND_S = 0.12
"""About as long as opening takes, so that the change comes in the middle of it."""

_LAST = "classifier.1.bias"


def contents() -> list[bytes]:
    """Return two checkpoints of one size that differ in every parameter."""
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        written = io.BytesIO()
        torch.save(trained("squeezenet1_1", 3).state_dict(), written)
        found.append(written.getvalue())
    return found


def open_while_changing(folder: Path, rounds: int, how: str) -> Counter[str]:
    """Open a file in a process of its own while another writes it.

    Args:
        folder: for the file.
        rounds: how often.
        how: "rewritten" in place as ``torch.save`` does it, "cut off", or "replaced".

    Returns:
        How the rounds ended: "opened", "refused", "mixed" (hash and parameters are of different
        files), or "signal N".
    """
    chance = random.Random(how)
    pair = contents()
    path = folder / "changing.pth"
    outcomes: Counter[str] = Counter()
    for number in range(rounds):
        old, new = pair[number % 2], pair[1 - number % 2]
        path.write_bytes(old)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            torch.set_num_threads(1)
            os.close(reading)
            os.write(writing, _opened(path, pair).encode())
            os._exit(0)
        os.close(writing)
        time.sleep(chance.random() * _ROUND_S)  # any moment will do; none is waited for
        _change(path, new, how)
        with os.fdopen(reading) as answer:
            text = answer.read()
        _, status = os.waitpid(child, 0)
        outcomes[text if text else f"signal {os.WTERMSIG(status)}"] += 1
    path.unlink()
    return outcomes


def _change(path: Path, content: bytes, how: str) -> None:
    if how == "replaced":
        beside = path.with_suffix(".new")
        beside.write_bytes(content)
        shutil.move(beside, path)
    elif how == "cut off":
        os.truncate(path, len(content) // 3)
    else:
        path.write_bytes(content)


def _opened(path: Path, pair: list[bytes]) -> str:
    try:
        opened = open_model(ModelChoice(checkpoint=path))
    except DroplensError:
        return "refused"
    for content in pair:
        if hashlib.sha256(content).hexdigest() == opened.spec.sha256:
            state = torch.load(io.BytesIO(content))
            mine = opened.network.state_dict()
            same = all(torch.equal(one, mine[key]) for key, one in state.items())
            return "opened" if same else "mixed"
    return "mixed"
