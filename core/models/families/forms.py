"""Read the form of a network that no builder names off the shapes of a state dict.

What a file claims is bounded before anything is built from it.
"""

from __future__ import annotations

import functools

from core.models.families.base import Shape, Shapes, Variant

_LARGEST_SIDE, _MOST_PARTS = 2**16, 256


def is_sound(shape: Shape, sides: int) -> bool:
    """Return whether a shape has so many sides, none of them zero or larger than any network's."""
    return len(shape) == sides and all(0 < side <= _LARGEST_SIDE for side in shape)


def count_numbered(shapes: Shapes, start: str) -> int:
    """Return how many parts follow a beginning, numbered from 0; 0 for too many or one missing."""
    numbers = {name[len(start) :].split(".", 1)[0] for name in shapes if name.startswith(start)}
    count = len(numbers)
    is_whole = count <= _MOST_PARTS and numbers == {str(number) for number in range(count)}
    return count if is_whole else 0


@functools.lru_cache(maxsize=16)
def shapes_of(form: Variant) -> dict[str, Shape]:
    """Return names and shapes of the state dict of a form's network."""
    from core.models.building import build_without_memory  # torch, which costs start-up time

    network = build_without_memory(lambda: form.build({}))
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
