from __future__ import annotations

import json

import pytest

from core.errors import LabelsError
from core.labels.classes import KEYS, REJECT, ClassList


@pytest.fixture
def classes() -> ClassList:
    return ClassList().add(["cat", "dog", "owl"])


def test_new_classes_get_colours_and_keys_of_their_own(classes: ClassList) -> None:
    assert classes.names == ("cat", "dog", "owl")
    assert [one.key for one in classes.classes] == ["1", "2", "3"]
    assert len({one.colour for one in classes.classes}) == 3
    many = classes.add(f"class {number}" for number in range(100))
    keys = [one.key for one in many.classes if one.key]
    assert keys == list(KEYS)


def test_a_name_that_is_there_is_not_added_again(classes: ClassList) -> None:
    assert classes.add(["dog", " dog ", "dog\n", "hen"]).names == ("cat", "dog", "owl", "hen")


def test_composed_and_decomposed_letters_are_one_name() -> None:
    assert ClassList().add(["é", "e\u0301"]).names == ("é",)


@pytest.mark.parametrize("name", ["", "  ", "\n", "x" * 201])
def test_impossible_names_are_refused_in_a_sentence(classes: ClassList, name: str) -> None:
    with pytest.raises(LabelsError, match="name"):
        classes.add([name])


def test_rename_to_a_name_that_is_there_is_refused(classes: ClassList) -> None:
    with pytest.raises(LabelsError, match="merge"):
        classes.rename(1, "dog")
    assert classes.rename(1, "cat").names == classes.names


def test_merged_classes_count_for_one_through_several_merges(classes: ClassList) -> None:
    merged = classes.merge(1, into=2).merge(2, into=3)
    assert merged.resolve((1,)) == (3,)
    assert merged.resolve((1, 3)) == (3,)
    assert merged.resolve((REJECT,)) == (REJECT,)


def test_removed_classes_take_their_labels_with_them(classes: ClassList) -> None:
    assert classes.remove(2).resolve((2, 3)) == (3,)


def test_a_number_is_never_given_again(classes: ClassList) -> None:
    again = classes.remove(3).add(["hen"])
    assert again[4].name == "hen"
    assert again.resolve((3,)) == ()


def test_a_key_moves_to_the_class_that_it_is_given_to(classes: ClassList) -> None:
    changed = classes.set_key(3, "1")
    assert [one.key for one in changed.classes] == ["", "2", "1"]
    assert [one.key for one in changed.set_key(3, "").classes] == ["", "2", ""]
    with pytest.raises(LabelsError, match="U"):
        classes.set_key(1, "u")


def test_order_and_text(classes: ClassList) -> None:
    moved = classes.move(3, 0).merge(1, into=2).set_multiple(True)
    assert moved.names == ("owl", "dog")
    assert ClassList.from_json(moved.to_json()) == moved


def test_a_long_chain_of_merged_classes_is_read_at_once() -> None:
    chain = [[number, number + 1] for number in range(1, 20_000)]
    text = json.dumps({"classes": [], "multiple": False, "became": chain, "next": 20_001})
    found = ClassList.from_json(text)
    assert set(found.became.values()) == {20_000}  # without the steps between
    assert found.resolve((1, 500)) == (20_000,)
    gone = ClassList.from_json(text.replace("[1, 2]", "[1, null]"))
    assert gone.resolve((1,)) == ()
    with pytest.raises(ValueError, match="each other"):
        ClassList.from_json(text.replace("[2, 3]", "[2, 1]"))
