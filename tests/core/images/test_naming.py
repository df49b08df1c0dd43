from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from natsort import natsorted, ns

from core.images.naming import natural_key


def test_numbers_count_as_numbers() -> None:
    names = ["img10.png", "IMG2.png", "img1b.png", "img.png", "img01.png", "10", "9", "b", "A"]
    assert sorted(names, key=natural_key) == [
        "9",
        "10",
        "A",
        "b",
        "img01.png",
        "img1b.png",
        "IMG2.png",
        "img10.png",
        "img.png",
    ]


@given(st.lists(st.text("aB1290_- .é猫", max_size=12), max_size=12))
def test_the_order_is_natsorts(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == natsorted(names, alg=ns.IGNORECASE)
