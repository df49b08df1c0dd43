"""One fine-tuning while it goes on: its epochs, and what is kept of them on the disk."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import TeachingError, cannot_write
from core.inference.engine import Engine
from core.training.progress import Epoch, Progress
from core.training.recipe import MOST_EPOCHS, epochs_within, is_over
from core.training.teaching import Prepared, Taught, write

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.training.fine_tuning import FineTune
    from core.training.linear_head import LinearHead
    from core.training.tuning import Tuner

    Indices = npt.NDArray[np.int64]
    Pixels = npt.NDArray[np.uint8]

_STATE, _PIXELS, _TRIED = "state.pt", "photos.u8", "tried.u8"
_KEEP_SECONDS = 60.0
_FORGOTTEN_SECONDS = 30 * 86400
_MEASURED_STEPS = 4
"""Whose median says how long a step takes."""
_EVALUATED = 16


@dataclass
class Course:
    """One fine-tuning while it goes on."""

    request: FineTune
    prepared: Prepared
    begun: float
    history: list[Epoch] = field(default_factory=list)
    epoch: int = 0
    at: int = 0
    epochs: int = 0

    def __post_init__(self) -> None:
        import numpy as np

        from core.training.learning import not_alike
        from core.training.splits import groups_of, hold_out

        examples, validation = self.prepared.examples, self.prepared.validation
        count = len(examples)
        if len(validation):
            self._learnt = np.arange(count)
            self._tried = count + not_alike(examples, validation)
        else:
            groups = groups_of(examples.features, examples.contents, examples.bursts)
            self._tried = hold_out(
                examples.truth.kinds, groups, self.request.share, self.request.seed
            )
            self._learnt = np.setdiff1d(np.arange(count), self._tried)
        if not len(self._tried):
            raise TeachingError(
                "No photo could be held out to see when to stop: label more photos that are not "
                "alike, or teach the head alone."
            )
        self._truth = examples.truth.followed_by(validation.truth)
        self.folder = self.request.folder / self._key()
        self._best: dict[str, Any] = {}
        self._losses: list[float] = []
        self._step_seconds: list[float] = []
        self._kept = time.monotonic()
        self._tuner: Tuner | None = None

    # Beginning

    def lay_out(self, engine: Engine) -> Iterator[int]:
        """Decode the photos into files, unless they lie there; yield how many are done."""
        from core.training.pixels import DecodedPhotos, with_margin

        _forget_old(self.request.folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TeachingError(
                "The training could not be begun. {reason}", reason=cannot_write(self.folder, error)
            ) from error
        preprocessing = self.prepared.classifier.spec.preprocessing
        photos = self.prepared.photos
        parts = []
        for name, chosen, used in (
            (_PIXELS, self._learnt, with_margin(preprocessing)),
            (_TRIED, self._tried, preprocessing),
        ):
            decoded = DecodedPhotos(self.folder / name, len(chosen), used)
            yield from decoded.decode([photos[at] for at in chosen.tolist()], engine)
            parts.append(decoded.pixels)
        self._pixels, self._tried_pixels = parts

    def begin(self) -> Iterator[int]:
        """Fit the head and make the network that learns, or go on where it was stopped."""
        from core.training.learning import learn
        from core.training.pixels import Views

        spec = self.prepared.classifier.spec
        learnt = self.prepared.examples.chosen(self._learnt)
        head: LinearHead | None = None
        for step in learn(learnt, learnt.first(0), 0.0, 0):
            if step is None:
                yield len(self.prepared.photos)
            else:
                head, self._penalty = step.head, step.figures.penalty
        assert head is not None
        self._made = self.prepared.with_head(self.request.classes, head)
        self._tuner = self._new_tuner()
        size = spec.preprocessing.input_size
        self._views = Views(size, spec.preprocessing.channels, len(self._learnt))
        self.epochs = self.request.recipe.epochs
        if not self._go_on():
            self._try()

    def _new_tuner(self) -> Tuner:
        from core.training.tuning import Tuner

        classifier, request = self.prepared.classifier, self.request
        return Tuner(
            self._made.network,
            classifier.spec.preprocessing,
            request.recipe,
            classifier.device.name,
            self._truth.chosen(self._learnt),
        )

    @property
    def _steps(self) -> int:
        return -(-len(self._learnt) // self.request.recipe.batch)

    # Going on

    @property
    def is_over(self) -> bool:
        """Return whether all epochs are done, or no more of them bring anything."""
        if self.request.ends_now:
            return True
        accuracies = [one.accuracy for one in self.history]
        return bool(self.epochs) and (self.epoch >= self.epochs or is_over(accuracies))

    def step(self) -> None:
        """Learn from one batch; after the last of an epoch try the network."""
        import numpy as np

        assert self._tuner is not None
        seed, batch = self.request.seed, self.request.recipe.batch
        order = np.random.default_rng([seed, self.epoch]).permutation(len(self._learnt))
        chosen = order[self.at * batch : (self.at + 1) * batch]
        chance = int(np.random.default_rng([seed, self.epoch, self.at]).integers(2**31))
        self._tuner.plan((self.epochs or MOST_EPOCHS) * self._steps)
        begun = time.monotonic()
        pixels = self._views.of(self._pixels[chosen], chance)
        shown = self._truth.shown[self._learnt[chosen]]
        self._losses.append(self._tuner.step(pixels, shown, chance))
        self._step_seconds.append(time.monotonic() - begun)
        self.at += 1
        if not self.epochs and len(self._step_seconds) >= min(_MEASURED_STEPS, self._steps):
            self._plan()
        if self.at >= self._steps:
            self._end_epoch()
        elif time.monotonic() - self._kept > _KEEP_SECONDS:
            self.keep()

    @property
    def progress(self) -> Progress:
        """Return how far it is."""
        left = self.epochs * self._steps - self.epoch * self._steps - self.at
        each = sum(self._step_seconds) / max(1, len(self._step_seconds))
        return Progress(tuple(self.history), self.epochs, self.at, self._steps, left * each)

    def keep(self) -> None:
        """Write what going on needs, whole or not at all."""
        import torch

        from core.files import replacing

        assert self._tuner is not None
        state = {
            "tuner": self._tuner.state(),
            "best": self._best,
            "history": [(one.loss, one.held_out_loss, one.accuracy) for one in self.history],
            "losses": self._losses,
            "epoch": self.epoch,
            "at": self.at,
            "epochs": self.epochs,
        }
        try:
            with replacing(self.folder / _STATE) as unfinished, unfinished.open("wb") as file:
                torch.save(state, file)
        except OSError as error:
            raise TeachingError(
                "The training could not be kept. {reason}",
                reason=cannot_write(self.folder / _STATE, error),
            ) from error
        self._kept = time.monotonic()

    def end(self) -> Taught:
        """Write the best model and take away what is needed no more."""
        taught = self.write()
        del self._pixels, self._tried_pixels  # Windows deletes no file that is mapped
        shutil.rmtree(self.folder, ignore_errors=True)
        return taught

    def write(self) -> Taught:
        """Write the best model so far."""
        from core.training.figures import Figures
        from core.values.intervals import wilson_interval

        prepared = self.prepared
        # Its tensors are those of the model in use, which stays as it is.
        made = replace(self._made, network=copy.deepcopy(self._made.network))
        made.network.load_state_dict(self._best)
        count = len(self._tried)
        accuracy = max(one.accuracy for one in self.history)
        figures = Figures(
            trained=len(self._learnt),
            validated=count,
            accuracy=accuracy,
            interval=wilson_interval(round(accuracy * count), count),
            is_cross_validated=False,
            is_selected=True,
            penalty=self._penalty,
            alike=max(0, len(self._truth) - len(self._learnt) - count),
            is_several=self.request.is_several,
        )
        taught = Taught(self.request.model, self.request.classes, prepared.failed, figures)
        contents = prepared.examples.chosen(self._learnt).contents
        how = {
            "method": "fine-tune",
            "seed": self.request.seed,
            "recipe": replace(self.request.recipe, epochs=self.epochs).to_json(),
            "epochs": [
                {"loss": one.loss if at else None, "accuracy": one.accuracy}
                for at, one in enumerate(self.history)
            ],
        }
        write(made, taught, how, contents)
        return taught

    def _plan(self) -> None:
        """Choose the number of epochs by the time that a step takes."""
        each = statistics.median(self._step_seconds)
        seconds = each * self._steps
        tried = len(self._tried) * each / self.request.recipe.batch / 3
        left = self.request.recipe.minutes * 60 - (time.monotonic() - self.begun)
        self.epochs = epochs_within(left, seconds + tried)

    def _end_epoch(self) -> None:
        self.epoch, self.at = self.epoch + 1, 0
        self._try()
        self.keep()

    def _try(self) -> None:
        """Note what the network says of the photos that it does not learn from."""
        import numpy as np

        from core.training.truth import shares_of

        assert self._tuner is not None
        pixels, truth = self._tried_pixels, self._truth.chosen(self._tried)
        found = [
            self._tuner.logits(np.array(pixels[at : at + _EVALUATED]))
            for at in range(0, len(pixels), _EVALUATED)
        ]
        shares = shares_of(np.concatenate(found), is_several=truth.is_several)
        losses = -truth.log_likelihood(shares)
        loss = float(np.mean(self._losses)) if self._losses else float("nan")
        accuracy = float(truth.right(shares).mean())
        if not self.history or (accuracy, -float(losses.mean())) > self._best_so_far():
            state = self._tuner.average.state_dict()
            self._best = {name: value.detach().cpu().clone() for name, value in state.items()}
        self.history.append(Epoch(loss, float(losses.mean()), accuracy))
        self._losses = []

    def _best_so_far(self) -> tuple[float, float]:
        return max((one.accuracy, -one.held_out_loss) for one in self.history)

    def _go_on(self) -> bool:
        """Be as when it was stopped; return whether it ever was."""
        import torch

        path = self.folder / _STATE
        if not path.is_file():
            return False
        assert self._tuner is not None
        try:
            with path.open("rb") as file:
                state = torch.load(file, map_location="cpu", weights_only=True)
            self._tuner.go_on(state["tuner"])
            self.history = [Epoch(*one) for one in state["history"]]
        except Exception as error:  # whatever a damaged file provokes: it begins anew
            import logging

            from core.inference.memory import is_out_of_memory

            if is_out_of_memory(error):
                raise TeachingError("The training does not fit in memory.") from error

            logging.getLogger(__name__).warning("%s is not used", path, exc_info=True)
            self._tuner, self.history = self._new_tuner(), []
            return False
        self._best, self._losses = state["best"], state["losses"]
        self.epoch, self.at, self.epochs = state["epoch"], state["at"], state["epochs"]
        return True

    def _key(self) -> str:
        """Return a name for this training: all that what comes of it depends on."""
        prepared = self.prepared
        spec = prepared.classifier.spec
        contents = (*prepared.examples.contents, *prepared.validation.contents)
        depends_on = [
            spec.network_key,
            spec.preprocessing.to_json(),
            self.request.recipe.to_json(),
            self.request.classes,
            self.request.seed,
            self.request.share,
            [*contents],
            self._truth.shown.tolist(),
            self.request.is_several,
            self._learnt.tolist(),
        ]
        return hashlib.blake2b(json.dumps(depends_on).encode(), digest_size=12).hexdigest()


def _forget_old(folder: Path) -> None:
    """Take away what was left of trainings that nobody has gone on with for long."""
    for left in folder.glob("*"):
        try:
            if time.time() - left.stat().st_mtime > _FORGOTTEN_SECONDS:
                shutil.rmtree(left)
        except OSError:
            continue  # another program is at it, or it may not be touched
