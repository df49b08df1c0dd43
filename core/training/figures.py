"""How right a head is, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

from core.language import percent, tr


@dataclass(frozen=True)
class Figures:
    """What is known of a head beside its numbers.

    Attributes:
        trained, validated: how many photos it was fitted to, and how many it was tried on.
        accuracy: share of photos that it was not fitted to and named rightly; None where no class
            has photos enough to hold some out.
        interval: within which the true share lies in 95 of 100 cases; None likewise.
        is_cross_validated: whether each photo was held out in turn, by heads like the one that was
            fitted to all in the end.
        penalty: of its weights, chosen by cross-validation.
        is_selected: whether the best of several epochs was chosen by the photos that it was tried
            on, which makes the accuracy a little too good.
        alike: photos to try it on that did not count, being nearly the same as some learnt from.
        is_several: whether photos may show several classes; one then counts as right where exactly
            those that it shows are named.
        temperature: by which its logits are divided, which surely makes its probabilities mean
            what they say on photos that it was not fitted to; None where it would not.
    """

    trained: int
    validated: int
    accuracy: float | None
    interval: tuple[float, float] | None
    is_cross_validated: bool
    penalty: float
    alike: int = 0
    is_selected: bool = False
    is_several: bool = False
    temperature: float | None = None

    @property
    def said(self) -> str:
        """Return how right it is, in a sentence."""
        if self.accuracy is None or self.interval is None:
            return tr("How right it is cannot be said yet: label more photos that are not alike.")
        low, high = self.interval
        values = {
            "share": percent(self.accuracy),
            "n": self.validated,
            "low": percent(low),
            "high": percent(high),
        }
        if self.is_several:
            return tr(
                "All classes right on {share} of {n} photos that it had not seen; the true share "
                "lies between {low} and {high}.",
                **values,
            )
        return tr(
            "{share} right on {n} photos that it had not seen; the true share lies between {low} "
            "and {high}.",
            **values,
        )

    def to_json(self, failed: int) -> dict[str, object]:
        """Return the fields as JSON values.

        Args:
            failed: photos that could not be opened.
        """
        return {
            "photos": {
                "train": self.trained,
                "validation": self.validated,
                "failed": failed,
                "alike": self.alike,
            },
            "accuracy": self.accuracy,
            "interval": None if self.interval is None else list(self.interval),
            "is_cross_validated": self.is_cross_validated,
            "is_selected": self.is_selected,
            "is_several": self.is_several,
            "penalty": self.penalty,
            "temperature": self.temperature,
        }
