"""What is checked: for each photo its label and what a model says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """Photos with a label each, and what a model says of them.

    Attributes:
        classes: names, those of labels and those that the model has beside them.
        labels: class indices, shape (N,).
        shares: the probability of each class, float32, shape (N, K).
    """

    classes: tuple[str, ...]
    labels: Indices
    shares: Numbers

    @classmethod
    def of(
        cls,
        labels: Sequence[str],
        shares: Numbers,
        class_names: Sequence[str],
        joined: dict[str, str],
    ) -> Answers:
        """Return the answers in the words of labels.

        Args:
            labels: the class of each photo, N.
            shares: the probability of each of the model's classes, shape (N, C).
            class_names: the model's classes, C.
            joined: for a class of the model the class of labels that it means; the probabilities of
                all that mean one are added up.
        """
        classes = list(dict.fromkeys(labels))
        index = {name: at for at, name in enumerate(classes)}
        own: dict[str, int] = {}  # classes of the model that mean none, whatever their name
        columns = []
        for name in class_names:
            places, word = (index, joined[name]) if name in joined else (own, name)
            if word not in places:
                places[word] = len(classes)
                classes.append(word)
            columns.append(places[word])
        summed = np.zeros((len(labels), len(classes)), np.float32)
        for at, column in enumerate(columns):
            summed[:, column] += shares[:, at]
        return cls(tuple(classes), np.array([index[name] for name in labels], np.int64), summed)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> Indices:
        """Return the likeliest class of each photo, shape (N,)."""
        return np.asarray(self.shares.argmax(axis=1), np.int64)

    def chosen(self, positions: Indices) -> Answers:
        """Return those of the photos at some positions."""
        return Answers(self.classes, self.labels[positions], self.shares[positions])
