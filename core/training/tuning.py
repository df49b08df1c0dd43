"""The steps in which a whole network learns: AdamW, a warm-up and a cosine, averaged weights."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import TeachingError
from core.inference.backends import Normalisation
from core.inference.memory import is_out_of_memory
from core.models.compiler import without_compiler
from core.training.pixels import chance

if TYPE_CHECKING:
    from core.images.preprocessing import Preprocessing
    from core.training.recipe import Recipe
    from core.training.truth import Truth

Pixels = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float32]

_WARM_UP = 0.05
_LARGEST_GRADIENT = 1.0
_CACHED = 8
"""Photos of which a processor's caches hold more: a third faster than 16 at a time."""
_RANDOM = ("Dropout", "StochasticDepth", "DropPath", "DropBlock2d")
"""Layers that do something else while a network learns. Batch norms stay as they are: a few photos
would spoil their statistics."""


class Tuner:
    """A copy of a network that learns.

    Args:
        network: with the head that it begins with; left as it is.
        preprocessing: whose numbers make pixels the input.
        recipe: how it learns.
        device: torch's name.
        truth: of all photos that it learns from; it says what classes weigh in the loss.
    """

    def __init__(
        self,
        network: nn.Module,
        preprocessing: Preprocessing,
        recipe: Recipe,
        device: str,
        truth: Truth,
    ) -> None:
        self._recipe, self._device = recipe, torch.device(device)
        self._normalisation = Normalisation(preprocessing, self._device)
        self.network = copy.deepcopy(network).to(self._device)
        # torch's stubs do not know what its documentation says.
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.eval()
        for module in self.network.modules():
            if type(module).__name__.startswith(_RANDOM):
                module.train()
        parameters = list(self.network.parameters())
        frozen = int(recipe.frozen * len(parameters))
        for at, parameter in enumerate(parameters):
            parameter.requires_grad_(at >= frozen and parameter.is_floating_point())
        self.average = copy.deepcopy(self.network).eval()
        self.part = recipe.batch if self._device.type == "cuda" else min(recipe.batch, _CACHED)
        """Photos that are computed at a time; what memory does not hold is halved."""
        self._is_several = truth.is_several
        self._weights = torch.from_numpy(truth.weights).to(self._device)
        self._steps = 0
        self._done = 0
        learning = [one for one in parameters if one.requires_grad]
        decayed = [one for one in learning if one.ndim > 1]
        plain = [one for one in learning if one.ndim <= 1]
        with without_compiler():
            self._adam = torch.optim.AdamW(
                [
                    {"params": decayed, "weight_decay": recipe.decay},
                    {"params": plain, "weight_decay": 0.0},
                ],
                lr=recipe.rate,
            )

    def plan(self, steps: int) -> None:
        """Say how many steps there will be: the rate follows from it."""
        self._steps = steps

    def step(self, pixels: Pixels, shown: Bools, seed: int) -> float:
        """Learn from a batch and return its loss.

        Args:
            pixels: uint8, shape (N, H, W, C), of the size that the network is given.
            shown: whether a photo shows a class, shape (N, K).
            seed: of what layers leave out by chance.

        Raises:
            TeachingError: one photo does not fit in memory.
        """
        for group in self._adam.param_groups:
            group["lr"] = self._recipe.rate * self._share_of_rate()
        with without_compiler(), torch.enable_grad(), chance(seed, self._device):
            loss = self._gradients(pixels, shown)
            nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
            self._adam.step()
        self._done += 1
        self._follow()
        return loss

    def logits(self, pixels: Pixels) -> Numbers:
        """Return what the averaged network says of photos, shape (N, K)."""
        with torch.inference_mode(), self._precision():
            found = self.average(self._input(pixels))
        return np.asarray(found.float().cpu().numpy(), np.float32)

    def state(self) -> dict[str, Any]:
        """Return all that going on needs."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "adam": self._adam.state_dict(),
            "done": self._done,
            "steps": self._steps,
        }

    def go_on(self, state: dict[str, Any]) -> None:
        """Be as when the state was taken."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        with without_compiler():
            self._adam.load_state_dict(state["adam"])
        self._done, self._steps = state["done"], state["steps"]

    def _gradients(self, pixels: Pixels, shown: Bools) -> float:
        """Compute the gradients of a batch, in parts that fit in memory, and return the loss."""
        while True:
            self._adam.zero_grad(set_to_none=True)
            try:
                return sum(
                    self._gradient(pixels[at : at + self.part], shown[at : at + self.part], shown)
                    for at in range(0, len(pixels), self.part)
                )
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if self.part == 1:
                    raise TeachingError(
                        "One photo does not fit in memory while all layers learn; teach the last "
                        "layer alone, or choose a smaller model."
                    ) from error
                self.part = (self.part + 1) // 2

    def _gradient(self, pixels: Pixels, shown: Bools, batch: Bools) -> float:
        with self._precision():
            logits = self.network(self._input(pixels)).float()
        loss = self._loss(logits, self._wanted(shown)) / self._weight(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def _wanted(self, shown: Bools) -> Tensor:
        return torch.from_numpy(shown.astype(np.float32)).to(self._device)

    def _loss(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """Return the sum of the losses of photos."""
        smoothing = self._recipe.smoothing
        if self._is_several:
            softened = wanted * (1 - smoothing) + smoothing / 2
            return nn.functional.binary_cross_entropy_with_logits(
                logits, softened, pos_weight=self._weights, reduction="sum"
            )
        return nn.functional.cross_entropy(
            logits, wanted, self._weights, label_smoothing=smoothing, reduction="sum"
        )

    def _weight(self, batch: Bools) -> float | Tensor:
        """Return what all photos of a batch weigh together."""
        return len(batch) if self._is_several else (self._wanted(batch) @ self._weights).sum()

    def _follow(self) -> None:
        """Let the average follow the network; at first faster, as there is little to average."""
        kept = min(self._recipe.averaging, (1 + self._done) / (10 + self._done))
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
            for average, current in pairs:
                average.lerp_(current, 1 - kept)

    def _share_of_rate(self) -> float:
        warm = max(1, round(_WARM_UP * self._steps))
        if self._done < warm:
            return (self._done + 1) / warm
        rest = max(1, self._steps - warm)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (self._done - warm) / rest)))

    def _input(self, pixels: Pixels) -> Tensor:
        return self._normalisation(torch.from_numpy(pixels).to(self._device))

    def _precision(self) -> torch.autocast:
        is_cuda = self._device.type == "cuda"
        return torch.autocast(self._device.type, torch.bfloat16, enabled=is_cuda)
