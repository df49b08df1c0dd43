"""What can be asked about torchvision's own weights: which there are, and to have them here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.work.requests import Request, is_stopped, tell

if TYPE_CHECKING:
    from core.models.weights.downloads import Progress
    from core.models.weights.named import Weights


@dataclass(frozen=True)
class ListWeights(Request[object, "tuple[Weights, ...]"]):
    """torchvision's own weights; torchvision is imported, and so by the network's worker."""

    lane = "engine"

    def run(self, _: object) -> tuple[Weights, ...]:
        from core.models.weights.named import list_weights

        return list_weights()


@dataclass(frozen=True)
class DownloadWeights(Request[None, "Iterator[Progress]"]):
    """Download weights, or go on with it; stopping keeps what is there.

    Attributes:
        weights: what to download.
        mirror: address of a folder that holds torchvision's files; "" is torchvision's own.
    """

    lane = "download"
    weights: Weights
    mirror: str = ""

    def run(self, _: None) -> Iterator[Progress]:
        from core.models.weights.downloads import Download

        Download(self.weights, self.mirror, tell, is_stopped=is_stopped).run()
        return iter(())


@dataclass(frozen=True)
class TakeWeightsFile(Request[None, Path]):
    """Put a file of weights that the user has already in its place."""

    lane = "copy"
    weights: Weights
    given: Path

    def run(self, _: None) -> Path:
        from core.models.weights.files import take_file

        return take_file(self.weights, self.given, is_stopped)
