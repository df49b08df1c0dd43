"""How far a fine-tuning is, and what its epochs brought."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """What an epoch brought.

    Attributes:
        loss: mean over the photos that it learnt from, with the labels smoothed.
        held_out_loss: mean over the photos that it did not learn from.
        accuracy: of these.
    """

    loss: float
    held_out_loss: float
    accuracy: float


@dataclass(frozen=True)
class Progress:
    """How far a fine-tuning is.

    Attributes:
        history: the epochs so far; the first is that of the head alone, whose loss is NaN.
        epochs: how many there will be beside it.
        step: of the epoch that goes on.
        steps: of each epoch.
        seconds_left: until the end.
    """

    history: tuple[Epoch, ...]
    epochs: int
    step: int
    steps: int
    seconds_left: float
