from __future__ import annotations

import pytest

from core.values.class_mapping import joined


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("great white shark", "great white shark"),
        ("great white shark", "Great_White-Shark"),
        ("T-shirt", "tshirt"),
        ("butterfly", "butterflies"),
        ("moths", "Moth"),
        ("glass", "glasses"),
        ("Käfer", "Ka\u0308fer"),
        ("蝶", "蝶"),
    ],
)
def test_names_that_mean_the_same(ours: str, theirs: str) -> None:
    assert joined([ours, "other"], [theirs, "another"]) == {ours: theirs}


@pytest.mark.parametrize(
    ("ours", "theirs"), [("cat", "dog"), ("bus", "bu"), ("-", "_"), ("as", "a")]
)
def test_names_that_do_not(ours: str, theirs: str) -> None:
    assert joined([ours], [theirs]) == {}


def test_a_name_that_could_mean_two_is_left_out() -> None:
    assert joined(["tree-frog", "treefrog"], ["tree frog"]) == {}
    assert joined(["tree-frog", "tree frog"], ["tree frog"]) == {"tree frog": "tree frog"}


def test_a_class_that_the_model_names_twice_means_one() -> None:
    assert joined(["dog", "dog", "cat"], ["dog"]) == {"dog": "dog"}


def test_other_names_count_before_plurals() -> None:
    numbers = {"tench": ("n01440764",), "goldfish": ("n01443537",)}
    found = joined(["tench", "goldfish"], ["n01443537", "N01440764"], synonyms=numbers)
    assert found == {"tench": "N01440764", "goldfish": "n01443537"}


def test_what_a_person_says_counts_before_all() -> None:
    given = {"tench": "fish", "goldfish": "fish", "cat": "", "gone": "x"}
    assert joined(["tench", "goldfish", "cat", "dog"], ["fish", "cat", "dog"], given) == {
        "tench": "fish",
        "goldfish": "fish",
        "dog": "dog",
    }


def test_what_is_given_takes_no_label_from_a_class_of_the_same_name() -> None:
    given = {"truck": "car"}
    assert joined(("car", "truck"), ("car",), given) == {"car": "car", "truck": "car"}
