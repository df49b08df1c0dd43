"""What a model's file can leave open, for the user to answer: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from core.language import tr

ARCHITECTURE = "architecture"


class Answer(NamedTuple):
    """One answer to a question.

    Attributes:
        value: as overrides and the command line name it.
        text: in words.
    """

    value: str
    text: str


@dataclass(frozen=True)
class Question:
    """Something that a checkpoint does not say of its network and that changes its predictions.

    Attributes:
        key: by which overrides answer it.
        sentence: what is asked.
        answers: what can be answered.
        assumed: the value that is taken where nobody answers; "" where the model does not open
            before.
        note: the sentence that says so, among the model's problems until it is answered.
    """

    key: str
    sentence: str
    answers: tuple[Answer, ...]
    assumed: str
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the fields as JSON values."""
        return {
            "key": self.key,
            "question": self.sentence,
            "answers": [answer.value for answer in self.answers],
            "assumed": self.assumed or None,
        }


def architecture_question(names: tuple[str, ...], assumed: str, note: str = "") -> Question:
    """Return the question which of several architectures was trained."""
    answers = tuple(Answer(name, name) for name in sorted(names))
    return Question(ARCHITECTURE, tr("Which architecture was trained?"), answers, assumed, note)
