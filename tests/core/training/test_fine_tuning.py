from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from core.errors import DroplensError, TeachingError
from core.images.preprocessing import Preprocessing
from core.inference.classifying import Classify
from core.inference.engine import Engine
from core.training.fine_tuning import FineTune
from core.training.pixels import Views, with_margin
from core.training.progress import Progress
from core.training.recipe import MOST_EPOCHS, Recipe, epochs_within, is_over
from core.training.teaching import Labelled, Looked, Taught, TeachHead
from core.training.truth import Truth
from core.training.tuning import Tuner
from core.values.spec import ModelChoice
from tests.stripes import CLASSES, write_stripes

PHOTOS = 6
RECIPE = Recipe(epochs=2, batch=4)


@pytest.fixture
def request_(tmp_path: Path) -> FineTune:
    folder = write_stripes(tmp_path / "photos", PHOTOS)
    photos = tuple(
        Labelled(photo, (label,))
        for label, name in enumerate(CLASSES)
        for photo in sorted((folder / name).iterdir())
    )
    return FineTune(
        photos, CLASSES, tmp_path / "tuned.safetensors", tmp_path / "trainings", recipe=RECIPE
    )


def taught_by(request: FineTune, engine: Engine) -> Taught:
    last = list(request.run(engine))[-1]
    assert isinstance(last, Taught)
    return last


def test_a_whole_network_learns_and_opens(engine: Engine, request_: FineTune) -> None:
    in_use = {
        name: tensor.clone() for name, tensor in engine.classifier().network.state_dict().items()
    }
    steps = list(request_.run(engine))
    for name, tensor in engine.classifier().network.state_dict().items():
        assert torch.equal(tensor, in_use[name]), name
    taught = steps[-1]
    assert isinstance(taught, Taught)
    progress = [step for step in steps if isinstance(step, Progress)]
    assert len(progress) == 2 * progress[0].steps
    assert progress[-1].seconds_left == 0
    history = progress[-1].history
    assert len({one.held_out_loss for one in history}) == len(history) == 3
    assert taught.figures.accuracy == max(one.accuracy for one in history)
    assert taught.figures.is_selected
    assert taught.figures.trained + taught.figures.validated == 2 * PHOTOS
    engine.open(ModelChoice(request_.model), "cpu")
    assert engine.classifier().spec.class_names == CLASSES
    assert not list(request_.folder.iterdir())


@pytest.mark.parametrize("stopped_after", [1, 3, 4])
def test_a_training_that_was_stopped_ends_as_if_it_had_not(
    engine: Engine, request_: FineTune, tmp_path: Path, stopped_after: int
) -> None:
    whole = replace(request_, model=tmp_path / "whole.safetensors", folder=tmp_path / "other")
    taught_by(whole, engine)
    steps = request_.run(engine)
    done = 0
    while done < stopped_after:
        done += isinstance(next(steps), Progress)
    steps.close()  # type: ignore[attr-defined]
    assert not request_.model.exists()
    taught_by(request_, engine)
    unbroken, gone_on = load_file(whole.model), load_file(request_.model)
    assert all(torch.equal(unbroken[name], gone_on[name]) for name in unbroken)


def test_a_damaged_state_is_begun_anew(engine: Engine, request_: FineTune) -> None:
    steps = request_.run(engine)
    while not isinstance(next(steps), Progress):
        pass
    steps.close()  # type: ignore[attr-defined]
    (state,) = request_.folder.glob("*/state.pt")
    state.write_bytes(state.read_bytes()[:1000])
    assert taught_by(request_, engine).model.is_file()


def test_another_label_is_another_training(engine: Engine, request_: FineTune) -> None:
    for wanted in (request_, replace(request_, photos=request_.photos[:-1])):
        steps = wanted.run(engine)
        while not isinstance(next(steps), Progress):
            pass
        steps.close()  # type: ignore[attr-defined]
    assert len(list(request_.folder.iterdir())) == 2


def test_a_broken_photo_is_left_out(engine: Engine, request_: FineTune) -> None:
    request_.photos[0].photo.write_bytes(b"no photo")
    taught = taught_by(request_, engine)
    assert [one.photo for one in taught.failed] == [request_.photos[0].photo]
    assert taught.figures.trained + taught.figures.validated == 2 * PHOTOS - 1


def test_no_room_is_a_sentence(engine: Engine, request_: FineTune, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TeachingError, match="could not be begun"):
        list(replace(request_, folder=tmp_path / "file").run(engine))


def test_photos_that_are_all_alike_are_refused(
    engine: Engine, request_: FineTune, tmp_path: Path
) -> None:
    first = [next(one for one in request_.photos if one.classes == (label,)) for label in (0, 1)]
    copies = []
    for number in range(3):
        for one in first:
            copy = tmp_path / f"{one.classes[0]} {number}.png"
            copy.write_bytes(one.photo.read_bytes())
            copies.append(Labelled(copy, one.classes))
    with pytest.raises(TeachingError, match="held out"):
        list(replace(request_, photos=tuple(copies)).run(engine))


def test_the_photos_are_looked_at_first(engine: Engine, request_: FineTune) -> None:
    steps = request_.run(engine)
    assert isinstance(next(steps), Looked)
    steps.close()  # type: ignore[attr-defined]


# The parts


def test_minutes_choose_the_epochs() -> None:
    assert epochs_within(600, 60) == 10
    assert epochs_within(600, 0.01) == MOST_EPOCHS
    assert epochs_within(1, 60) == 2


def test_it_ends_where_nothing_gets_better() -> None:
    assert not is_over([0.5, 0.9, 0.8])
    assert is_over([0.5, 0.9, *[0.9] * 8])


@pytest.mark.parametrize(
    ("given", "crop"),
    [
        (Preprocessing(), (256, 256)),
        (Preprocessing(resize=(240, 260)), (240, 260)),
        (Preprocessing(resize=(224, 224), crop=None), None),
    ],
)
def test_views_can_move_within_what_was_resized(
    given: Preprocessing, crop: tuple[int, int] | None
) -> None:
    assert with_margin(given).crop == crop


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_views_are_those_of_their_seed(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 40, channels), np.uint8)
    views = Views((32, 32), channels, 10)
    state = torch.random.get_rng_state()
    first = views.of(pixels, 1)
    assert first.shape == (3, 32, 32, channels)
    assert first.dtype == np.uint8
    assert (first == views.of(pixels, 1)).all()
    assert not (first == views.of(pixels, 2)).all()
    assert torch.equal(state, torch.random.get_rng_state())


class Small(nn.Module):
    """Fits no more than some photos in memory."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.last = nn.Linear(3, 2)

    def forward(self, values: Tensor) -> Tensor:
        if len(values) > self.most:
            raise MemoryError
        return self.last(values.mean(dim=(2, 3)))  # type: ignore[no-any-return]


def tuner(most: int, *, is_several: bool = False) -> Tuner:
    torch.manual_seed(0)
    truth = Truth.of([(0,), (0,), (1,)], 2, is_several=is_several)
    made = Tuner(Small(most), Preprocessing(), RECIPE, "cpu", truth)
    made.plan(10)
    return made


@pytest.mark.parametrize("is_several", [False, True])
def test_what_does_not_fit_in_memory_is_halved_and_learns_the_same(is_several: bool) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (4, 8, 8, 3), np.uint8)
    shown = np.array([[True, False], [False, True], [False, True], [True, is_several]])
    whole, halved = (tuner(most, is_several=is_several) for most in (4, 1))
    losses = [one.step(pixels, shown, 0) for one in (whole, halved)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert halved.part == 1
    for one, other in zip(whole.network.parameters(), halved.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_one_photo_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(TeachingError, match="does not fit in memory"):
        tuner(0).step(np.zeros((2, 8, 8, 3), np.uint8), np.eye(2, dtype=np.bool_), 0)


def test_several_classes_a_photo_are_learnt(
    engine: Engine, request_: FineTune, tmp_path: Path
) -> None:
    """Stripes one way, the other way, and both in one photo."""
    both = []
    for one, other in zip(request_.photos[:PHOTOS], request_.photos[PHOTOS:], strict=True):
        with Image.open(one.photo) as first, Image.open(other.photo) as second:
            path = tmp_path / f"both {one.photo.name}"
            Image.blend(first, second, 0.5).save(path)
        both.append(Labelled(path, (0, 1)))
    photos = (*request_.photos, *both)
    taught = taught_by(replace(request_, photos=photos, is_several=True), engine)
    assert taught.figures.is_several
    spec = engine.open(ModelChoice(request_.model), "cpu").spec
    assert (spec.outputs, spec.class_names) == ("sigmoid", CLASSES)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_graphics_card_teaches_what_the_processor_opens(
    engine: Engine, request_: FineTune, tmp_path: Path
) -> None:
    engine.open(ModelChoice(), "cuda")
    steps = request_.run(engine)
    while not isinstance(next(steps), Progress):
        pass
    steps.close()  # type: ignore[attr-defined]
    assert taught_by(request_, engine).figures.accuracy > 0.5
    head = TeachHead(request_.photos, CLASSES, tmp_path / "head.safetensors")
    assert list(head.run(engine))
    for model in (request_.model, head.model):
        engine.open(ModelChoice(model), "cpu")
        answers = [
            one.top[0].class_index
            for batch in Classify([one.photo for one in request_.photos]).run(engine)
            for one in batch.predictions
        ]
        assert np.mean(np.equal(answers, [one.classes[0] for one in request_.photos])) > 0.7


# The command line


def test_a_training_that_was_killed_goes_on_to_the_same_end(
    request_: FineTune, tmp_path: Path
) -> None:
    photos = request_.photos[0].photo.parent.parent

    def begin(home: str) -> subprocess.Popen[bytes]:
        cache = str(tmp_path / home / "cache")
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "core", "train", str(photos), "--method", "fine-tune"),
                *("--epochs", "2", "--out", str(tmp_path / f"{home}.safetensors")),
            ],
            env={**os.environ, "HOME": str(tmp_path / home), "XDG_CACHE_HOME": cache},
        )

    killed = begin("killed")
    trainings = tmp_path / "killed" / "cache" / "Droplens" / "trainings"
    while not list(trainings.glob("*/state.pt")):
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert not (tmp_path / "killed.safetensors").exists()
    assert begin("killed").wait() == 0
    assert begin("whole").wait() == 0
    gone_on = load_file(tmp_path / "killed.safetensors")
    for name, tensor in load_file(tmp_path / "whole.safetensors").items():
        assert torch.allclose(tensor, gone_on[name], atol=1e-5), name


def test_a_place_that_cannot_be_written_is_refused_before_hours_of_learning(
    engine: Engine, request_: FineTune, tmp_path: Path
) -> None:
    nowhere = replace(request_, model=tmp_path / "nowhere" / "tuned.safetensors")
    with pytest.raises(DroplensError, match="could not be written"):
        next(iter(nowhere.run(engine)))
    assert not request_.folder.exists()
