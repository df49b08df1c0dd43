"""Go over from PyTorch to a faster backend, once that is worth it."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.inference.backends import OnnxBackend
    from core.inference.classifier import Classifier
    from core.inference.conversion import Conversions
    from core.values.spec import ModelChoice

log = logging.getLogger(__name__)

_WORTH_A_SESSION = 8
"""Photos; a session from a template stands in the time of some three."""

_WORTH_CONVERTING = 2.0
"""Seconds that PyTorch has computed for runs; shorter work is done before a conversion is."""

_CONVERTING_SECONDS = 15.0
"""What PyTorch must still have to do: a conversion takes a core for about as long."""


class Hastening:
    """What is done for the speed of one model after another.

    Args:
        cache: folder for what can be made again; None converts nothing.
    """

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._conversions: Conversions | None = None
        self._converted: Future[OnnxBackend] | None = None
        self._classifier: Classifier | None = None
        """The one that the next is about; it has computed for a run."""
        self._is_settled = False
        """Whether nothing more is to be begun for it."""

    def before_batch(self, classifier: Classifier, choice: ModelChoice, photos_left: int) -> None:
        """Let a model that computes on the processor go over to what is ready and worth it.

        Args:
            classifier: the model.
            choice: what the user picked.
            photos_left: that wait at least.
        """
        if self._classifier is not classifier:
            if photos_left < _WORTH_A_SESSION:
                return
            self._classifier, self._converted = classifier, None
            self._is_settled = classifier.fill_template()
            if not self._is_settled:
                classifier.fold()
        if not self._is_settled:
            seconds_left = photos_left * classifier.photo_seconds
            self._convert(classifier, choice, begin=seconds_left > _CONVERTING_SECONDS)
        elif self._converted is not None and self._converted.done():
            converted, self._converted = self._converted, None
            _adopt(classifier, converted)

    def after_run(self, classifier: Classifier, choice: ModelChoice) -> None:
        """Let what would have made a run faster be made while nothing else is to do."""
        if self._classifier is classifier and not self._is_settled:
            self._convert(classifier, choice, begin=True, is_idle=True)

    def close(self) -> None:
        """Wait for nothing any more."""
        self._classifier = None
        if self._conversions is not None:
            self._conversions.shut_down()

    def _convert(
        self, classifier: Classifier, choice: ModelChoice, *, begin: bool, is_idle: bool = False
    ) -> None:
        """Take what was converted before, or convert, for a model that has had work enough."""
        from core.inference.conversion import Conversion, Conversions

        if self._cache is None:
            return
        if self._conversions is None:
            self._conversions = Conversions(self._cache / "converted")
        conversion = Conversion(choice, classifier.spec)
        pays = begin and classifier.busy_seconds > _WORTH_CONVERTING
        if pays or self._conversions.is_kept(conversion):
            self._is_settled = True
            self._converted = self._conversions.start(conversion, is_idle=is_idle)


def _adopt(classifier: Classifier, converted: Future[OnnxBackend]) -> None:
    """Use a faster backend for a model."""
    from core.inference.conversion import ConversionError

    error = converted.exception()
    if error is not None:
        level = logging.INFO if isinstance(error, ConversionError) else logging.WARNING
        log.log(level, "PyTorch goes on: %s", error)
    elif not classifier.adopt(converted.result()):
        converted.result().close()
