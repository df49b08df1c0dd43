from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import UnknownLayerError, UnusableCheckpointError
from core.images.decoding import load_rgb
from core.images.preprocessing import Preprocessing
from core.inference.engine import Engine
from core.inference.predictions import Prediction
from core.inside.lens import ComparedPhoto
from core.models.checkpoints import default_checkpoint, open_model
from core.models.spec import ModelChoice, Settled


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(decoders=2)
    yield made
    made.shut_down()


@pytest.fixture
def ready(engine: Engine) -> Engine:
    engine.open_model(ModelChoice(), "cpu").result()
    return engine


def plain_loop(paths: list[Path]) -> list[torch.Tensor]:
    """The documented pipeline, by torchvision's own parts."""
    from torchvision.models import SqueezeNet1_1_Weights

    transform = SqueezeNet1_1_Weights.IMAGENET1K_V1.transforms()
    network = open_model(ModelChoice()).network
    found = []
    for path in paths:
        batch = transform(load_rgb(path, upright=True)).unsqueeze_(0)
        with torch.no_grad():
            found.append(network(batch).softmax(1)[0])
    return found


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_a_run_equals_the_plain_loop_in_order(
    ready: Engine, make_photo: Callable[..., Path], batch_size: int
) -> None:
    paths = [make_photo(f"{number}.png", (300 + number, 260)) for number in range(7)]
    found: list[Prediction] = []
    outcome = ready.classify(paths, found.extend, batch_size=batch_size).finished.result()
    assert (outcome.done, outcome.failed, outcome.stopped) == (7, 0, False)
    assert [one.image for one in found] == paths
    for one, expected in zip(found, plain_loop(paths), strict=True):
        assert len(one.top) == 5
        _, index = torch.max(expected, 0)
        assert one.top[0].class_index == index
        for top in one.top:
            # One grey level in some pixels: only what the crop keeps is resized.
            assert top.probability == pytest.approx(expected[top.class_index].item(), abs=2e-3)


def test_broken_photos_are_results_not_the_end(
    ready: Engine, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "empty.jpg").touch()
    paths = [
        tmp_path / "gone.jpg",
        make_photo("a.png"),
        tmp_path / "empty.jpg",
        make_photo("b.png"),
    ]
    found: list[Prediction] = []
    outcome = ready.classify(paths, found.extend).finished.result()
    assert (outcome.done, outcome.failed) == (4, 2)
    assert [one.reason for one in found] == [
        "it is not there",
        None,
        "the file is empty",
        None,
    ]
    assert found[0].model.checkpoint == default_checkpoint()
    assert len(found[0].model.sha256) == 64


def test_only_broken_photos(ready: Engine, tmp_path: Path) -> None:
    found: list[Prediction] = []
    ready.classify([tmp_path / "gone.jpg"], found.extend).finished.result()
    assert [one.top for one in found] == [()]


def test_stop_ends_after_one_batch(ready: Engine, make_photo: Callable[..., Path]) -> None:
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(30)]
    found: list[Prediction] = []

    def stop_at_once(predictions: list[Prediction]) -> None:
        found.extend(predictions)
        run.stop()

    held = threading.Event()
    ready.queue(lambda: held.wait() and None)
    run = ready.classify(paths, stop_at_once, batch_size=4)
    held.set()
    outcome = run.finished.result()
    assert (outcome.done, outcome.stopped) == (4, True)
    assert len(found) == 4


def test_a_click_waits_for_at_most_one_batch(
    ready: Engine, make_photo: Callable[..., Path]
) -> None:
    photo = make_photo("looked at.png")
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(30)]
    events: list[str] = []
    clicked = threading.Event()

    def note(_: list[Prediction]) -> None:
        events.append("batch")
        if not clicked.is_set():
            clicked.set()
            maps = ready.feature_maps(photo, "features.0", 1)
            maps.add_done_callback(lambda _: events.append("maps"))

    run = ready.classify(paths, note, batch_size=2)
    run.finished.result()
    assert events.index("maps") <= 2
    assert events.count("batch") == 15


def test_the_newest_interactive_request_wins(
    ready: Engine, make_photo: Callable[..., Path]
) -> None:
    held = threading.Event()
    ready.queue(lambda: held.wait() and None)
    photo = make_photo()
    requests = [ready.feature_maps(photo, f"features.{layer}", 1) for layer in (0, 1, 3)]
    held.set()
    assert requests[-1].result().maps.layer == "features.3"
    assert [request.cancelled() for request in requests] == [True, True, False]


def test_a_refused_model_leaves_the_one_before(
    ready: Engine, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(UnusableCheckpointError):
        ready.open_model(ModelChoice(checkpoint=tmp_path / "gone.pth"), "cpu").result()
    found: list[Prediction] = []
    assert ready.classify([make_photo()], found.extend).finished.result().failed == 0


def test_without_a_model_a_run_says_so(engine: Engine, make_photo: Callable[..., Path]) -> None:
    run = engine.classify([make_photo()], lambda _: None)
    with pytest.raises(UnusableCheckpointError, match="No model is loaded"):
        run.finished.result()


def test_layers_of_the_default_model(ready: Engine) -> None:
    layers = ready.layer_table(None).result().layers
    assert [layer.name for layer in layers[:2]] == ["features", "features.0"]
    assert layers[1].shape == (64, 111, 111)
    assert [layer.name for layer in layers].count("features.3.squeeze") == 1


def test_shutting_down_in_the_middle_of_a_run(make_photo: Callable[..., Path]) -> None:
    engine = Engine(decoders=2)
    engine.open_model(ModelChoice(), "cpu").result()
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(20)]
    begun = threading.Event()
    run = engine.classify(paths, lambda _: begun.set(), batch_size=1)
    begun.wait()
    engine.shut_down()
    assert run.finished.done()
    assert engine.layer_table(None).cancelled()


def test_an_error_of_the_receiver_ends_the_run_in_its_future(
    ready: Engine, make_photo: Callable[..., Path]
) -> None:
    def fail(_: list[Prediction]) -> None:
        raise ZeroDivisionError

    run = ready.classify([make_photo()], fail)
    with pytest.raises(ZeroDivisionError):
        run.finished.result()
    assert ready.layer_table(None).result()


def test_one_channel_over_many_photos(ready: Engine, make_photo: Callable[..., Path]) -> None:
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(3)]
    broken = make_photo("broken.png")
    broken.write_bytes(b"")
    found: list[ComparedPhoto] = []
    comparison = ready.compare([*paths, broken], "features.0", 1, 7, found.append)
    assert comparison.finished.result() == 4
    assert [one.image for one in found] == [*paths, broken]
    maps = ready.feature_maps(paths[0], "features.0", 1).result().maps.values
    assert np.array_equal(found[0].values, maps[7])
    assert "empty" in found[3].reason
    means: list[ComparedPhoto] = []
    ready.compare(paths[:1], "features.0", 1, None, means.append).finished.result()
    assert np.allclose(means[0].values, maps.mean(axis=0))
    with pytest.raises(UnknownLayerError):
        ready.compare(paths, "nothing", 1, None, found.append).finished.result()


def test_a_newer_comparison_ends_the_older(ready: Engine, make_photo: Callable[..., Path]) -> None:
    path = make_photo()
    first, second = threading.Event(), threading.Event()

    def hold(_: ComparedPhoto) -> None:
        first.set()
        second.wait()

    older = ready.compare([path] * 50, "features.0", 1, 0, hold)
    first.wait()
    newer = ready.compare([path], "features.0", 1, 0, lambda _: None)
    second.set()
    assert newer.finished.result() == 1
    assert older.finished.result() == 1


def test_before_and_after_an_edit_of_the_preprocessing(
    engine: Engine, make_photo: Callable[..., Path]
) -> None:
    own = Preprocessing(channel_order="BGR", resize=(128, 128), crop=None)
    engine.open_model(ModelChoice(settled=Settled(preprocessing=own)), "cpu").result()
    photo = make_photo(size=(200, 100))
    before, after = engine.before_and_after(photo, "features.0", 1, None).result()
    assert (before.seen.shape, after.seen.shape) == ((224, 224, 3), (128, 128, 3))
    assert before.values.shape != after.values.shape
