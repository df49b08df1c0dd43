from __future__ import annotations

from core.labels.class_groups import found, merged, offers
from core.labels.classes import ClassList
from core.labels.label_index import Filter, LabelIndex
from core.models.class_names.lists import imagenet_groups, imagenet_names

NAMES = ("tabby", "Egyptian cat", "hot dog", "beagle", "mask", "gasmask")
ABOVE = {
    "cat; true cat": frozenset({0, 1}),
    "dog; domestic dog": frozenset({3}),
    "mask": frozenset({5}),
    "cat; big cat": frozenset({1}),
}


def meant(*terms: str) -> set[int]:
    groups = merged(NAMES, ABOVE, [""] * len(NAMES))
    return found(terms, NAMES, groups, ABOVE)


def test_a_term_is_a_class_a_group_or_a_text() -> None:
    assert meant("dog") == {3}  # the group, and no sausage
    assert meant("DOG ") == {3}
    assert meant("hot") == {2}
    assert meant("domestic") == {3}  # another word for the group
    assert meant("tab", "beagle") == {0, 3}
    assert meant("horse") == meant("") == meant() == set()


def test_a_group_that_is_named_like_a_class_can_be_told_from_it() -> None:
    assert meant("mask") == {4}
    assert meant("mask (group)") == {5}
    assert meant("cat") == {0, 1}
    assert meant("cat; big cat") == {1}


def test_what_classes_mean_to_a_person_groups_them() -> None:
    index = LabelIndex()
    index.set_classes(ClassList().add(["Katze", "beagle"]))
    index.set_names(NAMES, ABOVE)
    index.set_mapping({"tabby": "Katze", "Egyptian cat": "Katze"})
    assert index.find_classes(("katze",)) == {0, 1}
    assert "beagle" not in index.groups  # the class itself says it
    shown = Filter(predicted=("Katze",), at_least=0.5)
    assert index.accepts(shown, (), 1, 0.6)
    assert not index.accepts(shown, (), 1, 0.4)
    assert not index.accepts(shown, (), 3, 0.9)
    index.set_names(("a", "b"))  # another model
    assert index.find_classes(("cat",)) == set()


def test_offers_tell_what_was_found_once() -> None:
    groups = merged(NAMES, {**ABOVE, "pet": frozenset({0, 1, 3})}, [""] * len(NAMES))
    listed = {one.title: one for one in offers({0: 2, 1: 1, 2: 4}, NAMES, groups)}
    assert [listed[title].photos for title in ("tabby", "cat", "pet", "dog")] == [2, 3, 3, 0]
    assert listed["cat"].is_telling
    assert not listed["pet"].is_telling  # the same photos as the narrower one
    assert not listed["beagle"].is_telling
    assert next(iter(listed)) == "hot dog"


def test_words_above_imagenets_classes() -> None:
    names = imagenet_names()
    groups = imagenet_groups(names)
    by_word = {words.split("; ")[0]: members for words, members in groups.items()}
    assert by_word["dog"] == frozenset(range(151, 269))
    assert {names[index] for index in by_word["domestic cat"]} >= {"tabby", "Egyptian cat"}
    assert names.index("beer bottle") in by_word["bottle"]
    assert max(index for members in groups.values() for index in members) < 1000
    assert imagenet_groups(names[:-1]) == {}
