"""Photos with flipped, missing and repeated bytes, decoded in processes of their own."""

from __future__ import annotations

import os
import random
from collections import Counter

from tests.fuzzing.targets import decode, photos

_AT_ONCE = 100


def decode_mutated(count: int, seed: int = 0) -> Counter[str]:
    """Decode mutated photos of every format.

    Returns:
        How the processes ended, each of which decodes a hundred: "ended", or "signal N".
    """
    seeds = [one for one in photos() if one]
    outcomes: Counter[str] = Counter()
    for first in range(0, count, _AT_ONCE):
        child = os.fork()
        if not child:
            chance = random.Random(f"{seed} {first}")
            for number in range(first, min(first + _AT_ONCE, count)):
                decode(_mutated(seeds[number % len(seeds)], chance))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ended = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        outcomes["ended" if ended else f"signal {os.WTERMSIG(status)}"] += 1
    return outcomes


def _mutated(content: bytes, chance: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(chance.randint(1, 12)):
        made[chance.randrange(len(made))] = chance.randrange(256)
    if chance.random() < 0.2:
        del made[chance.randrange(len(made)) :]
    if made and chance.random() < 0.1:
        place = chance.randrange(len(made))
        made[place:place] = made[place : place + 64]
    return bytes(made)
