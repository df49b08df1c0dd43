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
from core.inference.classifying import Batch, Classify
from core.inference.engine import Engine
from core.inference.requests import OpenModel, SaveModel
from core.inside.requests import BeforeAndAfter, Compare, FeatureMaps, Layers, LookAlikes
from core.models.sources.checkpoint.source import default_checkpoint, open_model
from core.values.predictions import Prediction
from core.values.spec import ModelChoice, Overrides
from core.work.lane import Lane


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(decoders=2)
    yield made
    made.close()


@pytest.fixture
def ready(engine: Engine) -> Engine:
    engine.open(ModelChoice(architecture="squeezenet1_1"), "cpu")
    return engine


@pytest.fixture
def lane(ready: Engine) -> Iterator[Lane]:
    """Return the thread that owns the network, with a model open."""
    made = Lane("engine", ready)
    yield made
    made.stop_all()
    made.shut_down()


def classify(engine: Engine, photos: list[Path], **options: int) -> list[Prediction]:
    batches = Classify(photos, **options).run(engine)
    return [prediction for batch in batches for prediction in batch.predictions]


def plain_loop(paths: list[Path]) -> list[torch.Tensor]:
    """The documented pipeline, by torchvision's own parts."""
    from torchvision.models import SqueezeNet1_1_Weights

    transform = SqueezeNet1_1_Weights.IMAGENET1K_V1.transforms()
    network = open_model(ModelChoice(architecture="squeezenet1_1")).network
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
    found = classify(ready, paths, batch_size=batch_size)
    assert [one.photo for one in found] == paths
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
    found = classify(
        ready,
        [tmp_path / "gone.jpg", make_photo("a.png"), tmp_path / "empty.jpg", make_photo("b.png")],
    )
    assert [one.reason for one in found] == ["it is not there", None, "the file is empty", None]
    assert found[0].model.checkpoint == default_checkpoint("squeezenet1_1")
    assert len(found[0].model.sha256) == 64


def test_only_broken_photos(ready: Engine, tmp_path: Path) -> None:
    assert [one.top for one in classify(ready, [tmp_path / "gone.jpg"])] == [()]


def test_stop_ends_after_one_batch(lane: Lane, make_photo: Callable[..., Path]) -> None:
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(30)]
    batches: list[Batch] = []
    held = threading.Event()

    def stop_at_once(batch: Batch) -> None:
        batches.append(batch)
        run.stop()

    lane.queue(held.wait)
    run = lane.stream(Classify(paths, batch_size=4), stop_at_once)
    held.set()
    run.future.result()
    assert [len(batch.predictions) for batch in batches] == [4]


def test_a_click_waits_for_at_most_one_batch(lane: Lane, make_photo: Callable[..., Path]) -> None:
    photo = make_photo("looked at.png")
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(30)]
    events: list[str] = []

    def note(_: Batch) -> None:
        events.append("batch")
        if len(events) == 1:
            maps = lane.ask(FeatureMaps(photo, "features.0"))
            maps.future.add_done_callback(lambda _: events.append("maps"))

    lane.stream(Classify(paths, batch_size=2), note).future.result()
    assert events.index("maps") <= 2
    assert events.count("batch") == 15


def test_the_newest_of_a_slot_wins(lane: Lane, make_photo: Callable[..., Path]) -> None:
    held, photo = threading.Event(), make_photo()
    lane.queue(held.wait)
    asked = [lane.ask(FeatureMaps(photo, f"features.{layer}")).future for layer in (0, 1, 3)]
    held.set()
    assert asked[-1].result().maps.layer == "features.3"
    assert [future.cancelled() for future in asked] == [True, True, False]


def test_two_saved_models_are_both_written(lane: Lane, tmp_path: Path) -> None:
    held = threading.Event()
    lane.queue(held.wait)
    asked = [lane.ask(SaveModel(tmp_path / f"{name}.safetensors")) for name in "ab"]
    held.set()
    assert [handle.future.result().is_file() for handle in asked] == [True, True]


def test_a_refused_model_leaves_the_one_before(
    ready: Engine, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(UnusableCheckpointError):
        OpenModel(ModelChoice(checkpoint=tmp_path / "gone.pth"), "cpu").run(ready)
    assert classify(ready, [make_photo()])[0].reason is None


def test_without_a_model_a_run_says_so(engine: Engine, make_photo: Callable[..., Path]) -> None:
    with pytest.raises(UnusableCheckpointError, match="No model is loaded"):
        classify(engine, [make_photo()])


def test_layers_of_the_default_model(ready: Engine) -> None:
    layers = Layers().run(ready).layers
    assert [layer.name for layer in layers[:2]] == ["features", "features.0"]
    assert layers[1].shape == (64, 111, 111)
    assert [layer.name for layer in layers].count("features.3.squeeze") == 1


def test_shutting_down_in_the_middle_of_a_run(make_photo: Callable[..., Path]) -> None:
    engine = Engine(decoders=2)
    engine.open(ModelChoice(architecture="squeezenet1_1"), "cpu")
    lane = Lane("engine", engine)
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(20)]
    begun = threading.Event()
    run = lane.stream(Classify(paths, batch_size=1), lambda _: begun.set())
    begun.wait()
    lane.stop_all()
    lane.shut_down()
    assert run.future.done()
    assert lane.ask(Layers()).future.cancelled()


def test_one_channel_over_many_photos(ready: Engine, make_photo: Callable[..., Path]) -> None:
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(3)]
    broken = make_photo("broken.png")
    broken.write_bytes(b"")
    found = list(Compare((*paths, broken), "features.0", 1, 7).run(ready))
    assert [one.photo for one in found] == [*paths, broken]
    maps = FeatureMaps(paths[0], "features.0").run(ready).maps.values
    assert np.array_equal(found[0].values, maps[7])
    assert "empty" in found[3].reason
    (mean,) = Compare((paths[0],), "features.0").run(ready)
    assert np.allclose(mean.values, maps.mean(axis=0))
    with pytest.raises(UnknownLayerError):
        list(Compare((paths[0],), "nothing").run(ready))


def test_look_alikes_are_as_alike_as_their_features(
    ready: Engine, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "empty.jpg").touch()
    one, other = make_photo("a.png"), make_photo("b.png", (64, 300))
    photos = (one, other, tmp_path / "empty.jpg")
    found = {likeness.photo: likeness.cosine for likeness in LookAlikes(photos, (one,)).run(ready)}
    assert found[one] == pytest.approx(1, abs=1e-3)
    assert found[other] is not None
    assert found[other] < 0.999
    assert found[tmp_path / "empty.jpg"] is None


def test_before_and_after_an_edit_of_the_preprocessing(
    engine: Engine, make_photo: Callable[..., Path]
) -> None:
    own = Preprocessing(channel_order="BGR", resize=(128, 128), crop=None)
    overrides = Overrides(preprocessing=own)
    engine.open(ModelChoice(architecture="squeezenet1_1", overrides=overrides), "cpu")
    before, after = BeforeAndAfter(make_photo(size=(200, 100)), "features.0").run(engine)
    assert (before.seen.shape, after.seen.shape) == ((224, 224, 3), (128, 128, 3))
    assert before.values.shape != after.values.shape
