from __future__ import annotations

from tests.attacks.mutations import decode_mutated


def test_no_decoder_breaks_on_mutated_photos() -> None:
    assert set(decode_mutated(400, seed=1)) == {"ended"}
