"""Names of networks that were cut into a sequence of their parts."""

from __future__ import annotations

from collections.abc import Iterator

from core.models.families.base import Names
from core.models.recognition.fingerprints import Fingerprint, fingerprints

_BODIES = ("features", "layers")
"""Parts that are the whole body of their network."""


def sequences(names: Names) -> Iterator[tuple[tuple[Fingerprint, ...], dict[str, str]]]:
    """Yield the names as those of ``nn.Sequential(*network.children())`` or of one child alone.

    Yields:
        The architectures that a reading can be of, and the names in it.
    """
    firsts = {name.split(".", 1)[0] for name in names}
    if not any(first.isdecimal() for first in firsts):
        return
    by_children: dict[tuple[str, ...], list[Fingerprint]] = {}
    for one in fingerprints():
        by_children.setdefault(one.children, []).append(one)
    for children, of in by_children.items():
        named = {}
        for name, old in names.items():
            first, dot, rest = name.partition(".")
            is_child = dot and first.isdecimal() and int(first) < len(children)
            named[f"{children[int(first)]}.{rest}" if is_child else name] = old
        yield tuple(of), named
        if children[0] in _BODIES:
            yield tuple(of), {f"{children[0]}.{name}": old for name, old in names.items()}
