"""Which class index of a model each label means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from core.models.class_names.lists import imagenet_synonyms
from core.values.class_mapping import joined


def indices_of(
    class_names: Sequence[str], labels: Iterable[str], given: Mapping[str, str]
) -> dict[str, int]:
    """Return the class index of each label that one class of a model means, and one alone.

    Args:
        class_names: the model's.
        labels: of photos.
        given: for a class of the model the label that it means, as a person says.
    """
    names = tuple(class_names)
    meant = joined(names, tuple(dict.fromkeys(labels)), given, imagenet_synonyms(names))
    once = Counter(meant.values())
    return {label: names.index(name) for name, label in meant.items() if once[label] == 1}
