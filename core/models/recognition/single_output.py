"""What a single output is taken for, where the file does not say it."""

from __future__ import annotations

from core.language import tr
from core.values.spec import Outputs


def single_output(*, is_never_negative: bool) -> tuple[Outputs, str]:
    """Return what a single output is taken for, and the sentence that says so.

    Args:
        is_never_negative: whether a ReLU follows; as a yes or no all outputs would be a yes.
    """
    if is_never_negative:
        return "value", tr(
            "It has a single output, which is never negative: it is shown as a number. Choose "
            "in the details what it is."
        )
    return "sigmoid", tr(
        "It has a single output, which is taken for a yes or no. If it is a number, such as an "
        "age, choose plain values in the details."
    )
