"""How a whole network is taught: the numbers, and how long it may take."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Recipe:
    """What a fine-tuning does. Source of the order, head first: Kumar and others, 2022 (LP-FT).

    Attributes:
        minutes: that it may take; the number of epochs follows from a measured step.
        epochs: how often each photo is seen; 0 as often as the minutes allow.
        batch: photos a step.
        rate: the greatest learning rate, of AdamW; it rises over a twentieth of the steps, and
            falls by a cosine to nothing.
        decay: of the weights, a step and rate.
        smoothing: share of each label that is spread over all classes.
        frozen: share of the parameters, the first ones, that stay as they are: that makes twice as
            many epochs in the same time.
        averaging: share of the average of the weights that a step leaves as it was; the average is
            what is tried and kept.
    """

    minutes: float = 10.0
    epochs: int = 0
    batch: int = 16
    rate: float = 2e-4
    decay: float = 0.02
    smoothing: float = 0.1
    averaging: float = 0.98
    frozen: float = 0.3

    def to_json(self) -> dict[str, object]:
        """Return the fields as JSON values."""
        return asdict(self)


USUAL = Recipe()
_SHORT_MINUTES = 15.0


def recipe_for(minutes: float, epochs: int = 0) -> Recipe:
    """Return what is best in a time: with more of it all layers learn."""
    usual = Recipe(minutes=minutes, epochs=epochs)
    return usual if minutes <= _SHORT_MINUTES else replace(usual, frozen=0.0)


LEAST_EPOCHS, MOST_EPOCHS = 2, 30
"""Of a recipe that says minutes: fewer have no time to learn, more bring nothing."""
_PATIENCE = 8
"""Epochs without a better one, after which it ends."""


def epochs_within(seconds: float, seconds_an_epoch: float) -> int:
    """Return how many epochs fit into a time."""
    return max(LEAST_EPOCHS, min(MOST_EPOCHS, int(seconds / max(seconds_an_epoch, 1e-6))))


def is_over(accuracies: list[float]) -> bool:
    """Return whether the accuracy after each epoch, the oldest first, has stopped to rise."""
    best = max(range(len(accuracies)), key=accuracies.__getitem__, default=0)
    return len(accuracies) - 1 - best >= _PATIENCE
