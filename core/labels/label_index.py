"""What labels and predictions mean beside each other, for the window: no file is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from core.labels.class_groups import Groups, Offer, found, merged, offers
from core.labels.classes import REJECT, UNSURE, ClassList, LabelClass, Labels, clean_name
from core.values.class_mapping import joined

LabelFilter = Literal["any", "none", "some", "disagreeing", "doubted", "unsure", "reject", "class"]
_MOST_KEPT = 50
LABEL_FILTERS: tuple[LabelFilter, ...] = get_args(LabelFilter)


@dataclass(frozen=True)
class Filter:
    """Which photos are shown.

    Attributes:
        label: by their label; "class" are those of ``class_id``, "doubted" those that the model
            itself says to be unsure of.
        class_id: a class.
        predicted: the class that the model finds likeliest must be one of these, or below one of
            these groups, or its name must hold one of these texts; nothing for any.
        at_least: its least probability, 0..1.
    """

    label: LabelFilter = "any"
    class_id: int = 0
    predicted: tuple[str, ...] = ()
    at_least: float = 0.0

    @property
    def passes_all(self) -> bool:
        """Return whether no photo is hidden."""
        return self.label == "any" and not self.predicted and self.at_least <= 0


class LabelIndex:
    """The classes as they are, and which of them a model's classes mean.

    Attributes:
        groups: classes of the model in use, by the title of their group.
        named_from: the probability from which on all classes of a photo are named; 0 for the
            likeliest alone.
    """

    def __init__(self) -> None:
        self._resolved: dict[Labels, Labels] = {(): ()}
        self._proposed: tuple[int, ...] = ()
        self._names: Sequence[str] = ()
        self._given: Mapping[str, str] = {}
        self._above: Groups = {}
        self._wanted: dict[tuple[str, ...], set[int]] = {}
        self.groups: Groups = {}
        self.by_id: dict[int, LabelClass] = {}
        self.classes = ClassList()
        self.named_from = 0.0

    def set_classes(self, classes: ClassList) -> None:
        """Let another list hold."""
        self.classes = classes
        self.by_id = {one.id: one for one in classes.classes}
        self._resolved = {(): ()}
        self._propose()

    def set_names(self, names: Sequence[str], above: Groups | None = None) -> None:
        """Say which classes the model in use knows.

        Args:
            names: of the classes.
            above: words above them, as WordNet has them; None where they are not known anew.
        """
        if above is None and names is self._names:
            return  # asked for each prediction
        words = above if above is not None else self._above if names == self._names else {}
        if names != self._names or words != self._above:
            self._names, self._above = names, words
            self._propose()

    def set_mapping(self, given: Mapping[str, str]) -> None:
        """Say what classes of models mean, as a person has settled it."""
        cleaned = {clean_name(name): meant for name, meant in given.items()}
        if cleaned != self._given:
            self._given = cleaned
            self._propose()

    def resolve(self, labels: Labels) -> Labels:
        """Return what a label means now."""
        known = self._resolved.get(labels)
        if known is None:
            known = self._resolved[labels] = self.classes.resolve(labels)
        return known

    def proposed(self, index: int) -> int:
        """Return the class that a class index of the model is, 0 where the project has none."""
        return self._proposed[index] if index < len(self._proposed) else 0

    def means_none(self, name: str) -> bool:
        """Return whether a person has said that a model's class is none of the project's."""
        return self._given.get(clean_name(name)) == ""

    def find_classes(self, terms: tuple[str, ...]) -> set[int]:
        """Return which classes of the model in use are meant by terms of a filter."""
        if terms not in self._wanted:
            if len(self._wanted) > _MOST_KEPT:
                self._wanted.clear()
            self._wanted[terms] = found(terms, self._names, self.groups, self._above)
        return self._wanted[terms]

    def offers(self, counts: Mapping[int, int]) -> list[Offer]:
        """Return what a filter by prediction can show, of photos counted by class index."""
        return offers(counts, self._names, self.groups)

    def is_disagreeing(self, labels: Labels, index: int) -> bool:
        """Return whether a person has said otherwise than the model says."""
        resolved = self.resolve(labels)
        if not resolved or resolved[0] < 0 or index >= len(self._proposed):
            return False
        return self._proposed[index] not in resolved

    def accepts(self, shown: Filter, labels: Labels, index: int, probability: float) -> bool:
        """Return whether a photo passes a filter.

        Args:
            shown: the filter.
            labels: as they were given.
            index: of the likeliest class; beyond all where there is none.
            probability: of it.
        """
        if shown.predicted or shown.at_least > 0:
            known = index < len(self._names)
            if not known or probability < shown.at_least:
                return False
            if shown.predicted and index not in self.find_classes(shown.predicted):
                return False
        if shown.label in ("any", "doubted"):  # of the latter whoever knows the model decides
            return True
        resolved = self.resolve(labels)
        if shown.label == "class":
            return shown.class_id in resolved
        if shown.label == "none":
            return not resolved
        if shown.label == "some":
            return bool(resolved) and resolved[0] > 0
        if shown.label == "disagreeing":
            return self.is_disagreeing(labels, index)
        return resolved == ((UNSURE if shown.label == "unsure" else REJECT),)

    def _propose(self) -> None:
        ids = {one.name: one.id for one in self.classes.classes}
        meant = joined([clean_name(name) for name in self._names], tuple(ids), self._given)
        self._proposed = tuple(ids.get(meant.get(clean_name(name), ""), 0) for name in self._names)
        labels = ["" if one <= 0 else self.by_id[one].name for one in self._proposed]
        self.groups = merged(self._names, self._above, labels)
        self._wanted = {}
