"""Whether a model's probabilities mean what they say, and what they can be used for."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from core.checks.calibration import (
    Bin,
    Temperature,
    conformal_sets,
    conformal_threshold,
    expected_calibration_error,
    reliability,
    threshold_for,
)
from core.checks.figures import Report
from core.language import number, percent, tr
from core.values.spec import Outputs

ASKED = (0.9, 0.95, 0.99)
"""Shares that are right, or covered, for which it is said what it takes."""


@dataclass(frozen=True)
class Threshold:
    """From which probability on a share of photos is right.

    Attributes:
        accuracy: that is asked for.
        probability: from which on it is reached.
        coverage: share of the photos that reach it.
    """

    accuracy: float
    probability: float
    coverage: float


@dataclass(frozen=True)
class ConformalSets:
    """Naming every class from a probability on, so that labels are among those named.

    Attributes:
        coverage: share of photos whose label is to be among them.
        probability: from which on a class is named.
        mean_classes: how many are named a photo.
    """

    coverage: float
    probability: float
    mean_classes: float

    @property
    def is_promised(self) -> bool:
        """Return whether there are photos enough to promise it by less than naming all classes."""
        return self.probability > 0


@dataclass(frozen=True)
class Confidence:
    """What probabilities mean.

    Attributes:
        ece: the expected calibration error.
        reliability: how right photos are at each probability.
        temperature: that suits; None where outputs are of no softmax, or photos too few.
        thresholds: those of ``ASKED`` that can be reached.
        conformal: for each of ``ASKED``.
    """

    ece: float
    reliability: tuple[Bin, ...]
    temperature: Temperature | None
    thresholds: tuple[Threshold, ...]
    conformal: tuple[ConformalSets, ...]

    @classmethod
    def of(cls, report: Report, outputs: Outputs) -> Confidence:
        """Return what the photos of a check tell."""
        answers = report.answers
        thresholds = [
            Threshold(asked, *found)
            for asked in ASKED
            if (found := threshold_for(answers, asked)) is not None
        ]
        conformal = []
        for asked in ASKED:
            probability = conformal_threshold(answers, asked)
            sets = conformal_sets(answers, probability)
            conformal.append(ConformalSets(asked, probability, sum(map(len, sets)) / len(sets)))
        return cls(
            expected_calibration_error(answers),
            reliability(answers),
            report.temperature(outputs),
            tuple(thresholds),
            tuple(conformal),
        )

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        temperature = self.temperature
        return {
            "ece": self.ece,
            "reliability": [asdict(one) for one in self.reliability],
            "temperature": None
            if temperature is None
            else {**asdict(temperature), "helps": temperature.helps},
            "thresholds": [asdict(one) for one in self.thresholds],
            "conformal": [asdict(one) for one in self.conformal],
        }

    def sentences(self) -> list[str]:
        """Return it in words."""
        said = [
            tr(
                "Probability and share of right ones are {ece} apart in the mean.",
                ece=percent(self.ece, 1),
            )
        ]
        said += [
            tr(
                "From {probability} on {share} are right; {coverage} of the photos reach it.",
                probability=percent(one.probability, 1),
                share=percent(one.accuracy),
                coverage=percent(one.coverage),
            )
            for one in self.thresholds
        ]
        if self.temperature is not None and self.temperature.helps:
            said.append(
                tr(
                    "Divided by a temperature of {value} they would mean it better.",
                    value=number(self.temperature.value, 2),
                )
            )
        return said
