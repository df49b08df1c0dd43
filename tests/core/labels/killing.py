"""Label in a process that is killed at a random moment, many times, and look what is there.

python -m tests.core.labels.killing FOLDER ROUNDS
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time
from pathlib import Path

from core.labels.changes import Labelling
from core.labels.store import LabelStore

_ACKNOWLEDGED = struct.Struct("<II")
_PHOTOS = 50


def label_for_ever(project: Path, pipe: int, seed: int) -> None:
    """Label, and tell of each label once it is kept."""
    chance = random.Random(seed)
    store = LabelStore(project)
    while True:
        photo, label = chance.randrange(_PHOTOS), chance.randrange(1, 4)
        store.label([Labelling(Path(f"/photos/{photo}.jpg"), (label,))])
        os.write(pipe, _ACKNOWLEDGED.pack(photo, label))


def main() -> None:
    """Kill, open, compare."""
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    project = folder / "killed.droplens"
    with LabelStore(project) as store:
        store.edit_classes("add", store.classes.add(["a", "b", "c"]))
    chance = random.Random(1)
    kept: dict[int, int] = {}
    total = 0
    for number in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            label_for_ever(project, writing, number)
        os.close(writing)
        time.sleep(chance.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        told = b""
        while piece := os.read(reading, 65536):
            told += piece
        os.close(reading)
        last = dict(kept)
        for photo, label in _ACKNOWLEDGED.iter_unpack(told):
            last[photo] = label
            total += 1
        with LabelStore(project) as store:
            assert store.notice == "", store.notice
            labels = store.state().labels
            found = {int(Path(file).stem): label[0] for file, label in labels.items()}
        # One label may be kept whose acknowledgement was cut off; none may be missing.
        unlike = [
            photo for photo in found.keys() | last.keys() if found.get(photo) != last.get(photo)
        ]
        assert len(unlike) <= 1, (number, unlike)
        assert not last.keys() - found.keys()
        kept = found
    print(f"{rounds} rounds, {total} labels acknowledged, none lost")  # noqa: T201


if __name__ == "__main__":
    main()
