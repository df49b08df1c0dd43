"""Write the groups of ImageNet's classes, such as "dog" or "bird", as WordNet has them.

Run it in the program's environment, with the nouns of WordNet 3.0 (Debian's package wordnet-base):
    .venv/bin/python build_scripts/make_class_groups.py /usr/share/wordnet/data.noun

A group is a word of WordNet above at least two of the classes. Of words above the same classes the
lowest is kept, for it says most; those above more than 400 classes ("object", "whole") say nothing.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = ROOT / "resources" / "class_names" / "imagenet_wordnet.txt"
GROUPS = ROOT / "resources" / "class_names" / "imagenet_groups.txt"

MOST_CLASSES = 400
ABOVE = ("@", "@i")
"""WordNet's marks for a more general word, of a kind or of one single thing."""


def read_nouns(path: Path) -> dict[int, tuple[list[str], list[int]]]:
    """Return the words of each set of synonyms, and the sets above it, by its number.

    The format is told by WordNet's page wndb(5).
    """
    nouns = {}
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith("  "):
            continue  # the licence
        fields = line.split(" ")
        count = int(fields[3], 16)
        words = [fields[4 + 2 * at].replace("_", " ") for at in range(count)]
        start = 4 + 2 * count
        pointers = [fields[start + 1 + 4 * at :][:2] for at in range(int(fields[start]))]
        nouns[int(fields[0])] = (words, [int(to) for mark, to in pointers if mark in ABOVE])
    return nouns


def ranges(members: list[int]) -> str:
    """Return class indexes as "151-268,273"."""
    runs: list[list[int]] = []
    for index in members:
        if runs and index == runs[-1][-1] + 1:
            runs[-1][1:] = [index]
        else:
            runs.append([index])
    return ",".join("-".join(map(str, run)) for run in runs)


def main() -> None:
    """Write resources/class_names/imagenet_groups.txt."""
    nouns = read_nouns(Path(sys.argv[1]))
    below: defaultdict[int, set[int]] = defaultdict(set)
    depth: dict[int, int] = {}
    for index, number in enumerate(NUMBERS.read_text(encoding="utf-8").split()):
        level, steps = {int(number[1:])}, 0
        while level:
            level, steps = {above for one in level for above in nouns[one][1]}, steps + 1
            for above in level:
                below[above].add(index)
                depth[above] = min(steps, depth.get(above, steps))
    groups: dict[tuple[int, ...], int] = {}
    for noun in sorted(below, key=lambda noun: depth[noun]):
        if 2 <= len(below[noun]) <= MOST_CLASSES:
            groups.setdefault(tuple(sorted(below[noun])), noun)
    lines = sorted(
        f"{'; '.join(nouns[noun][0])}\t{ranges(list(members))}" for members, noun in groups.items()
    )
    GROUPS.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
