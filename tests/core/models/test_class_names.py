from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ClassNamesError
from core.models.class_names.lists import from_value, imagenet_names, placeholder_names, read

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1).map(lambda one: f"n{one}")


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "cat\ndog\n",
        "cat\r\ndog",
        "\ufeffcat\ndog",
        "0 cat\n1 dog\n",
        "0: cat\n1: dog",
        "cat\n\ndog\n\n",
    ],
)
def test_text_files(tmp_path: Path, content: str) -> None:
    assert read(written(tmp_path / "names.txt", content), 2) == ("cat", "dog")


@pytest.mark.parametrize(
    "content",
    [
        ["cat", "dog"],
        {"0": "cat", "1": "dog"},
        {"cat": 0, "dog": 1},
        {"classes": ["cat", "dog"], "seed": 3},
        {"id2label": {"1": "dog", "0": "cat"}},
    ],
)
def test_json_files(tmp_path: Path, content: object) -> None:
    path = written(tmp_path / "names.json", json.dumps(content))
    assert read(path, 2) == ("cat", "dog")


def test_names_that_are_numbers_stay(tmp_path: Path) -> None:
    assert read(written(tmp_path / "names.txt", "7\n8\n"), 2) == ("7", "8")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("names.txt", "cat\n", "1 class names, but the model has 2 classes"),
        ("names.txt", b"\xff\xfe\x00", "not a text file in UTF-8"),
        ("names.json", "{", "not valid JSON"),
        ("names.json", '{"a": {"b": 1}}', "no list of class names"),
        ("names.json", "3", "no list of class names"),
        ("names.json", '{"0": "cat", "2": "dog"}', "no list of class names"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, name: str, content: str, said: str) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(ClassNamesError, match=said) as caught:
        read(path, 2)
    assert str(path) in str(caught.value)


def test_missing_and_huge_files(tmp_path: Path) -> None:
    with pytest.raises(ClassNamesError, match="not there"):
        read(tmp_path / "gone.txt", 2)
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(ClassNamesError, match="too large"):
        read(tmp_path / "huge.txt", 2)


@given(st.lists(NAMES, min_size=1, unique=True))
def test_all_forms_of_a_list_agree(names: list[str]) -> None:
    wanted = tuple(names)
    assert from_value(names) == wanted
    assert from_value(dict(enumerate(names))) == wanted
    assert from_value({str(index): name for index, name in enumerate(names)}) == wanted
    assert from_value({name: index for index, name in enumerate(names)}) == wanted


def test_a_mapping_that_reads_both_ways_is_decided_by_its_key() -> None:
    both = {"1": 0, "0": 1}
    assert from_value(both, "class_to_idx") == ("1", "0")
    assert from_value(both, "idx_to_class") == ("1", "0")
    assert from_value({"2": 0, "0": 1, "1": 2}, "class_to_idx") == ("2", "0", "1")
    assert from_value({"2": 0, "0": 1, "1": 2}, "idx_to_class") == ("1", "2", "0")


@pytest.mark.parametrize("value", [None, 3, "text", [], {}, [True], {0: True}, {True: "x"}, [[1]]])
def test_what_is_no_list_of_names(value: object) -> None:
    assert from_value(value) is None


def test_imagenet() -> None:
    names = imagenet_names()
    assert len(names) == 1000
    assert (names[0], names[281], names[999]) == ("tench", "tabby", "toilet tissue")
    assert placeholder_names(2) == ("class 0", "class 1")


def test_names_are_one_line_and_keep_the_marks_of_their_script() -> None:
    hebrew = "\u05d7\u05ea\u05d5\u05dc\u200f!"
    assert from_value([hebrew, "a\nb", "\u202egnp.exe"]) == (hebrew, "a b", " gnp.exe")
