from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import UnusableCheckpointError
from core.inference.engine import Engine
from core.inference.features import Body, PhotoFeatures, body_of
from core.inside.pooled import pooled_features
from core.models.families import BUILT_IN
from core.models.new_head import features_of, identity, with_linear_head
from core.models.sources.checkpoint.source import open_model
from core.values.spec import ModelChoice
from tests.networks import trained

FAMILIES = (
    "resnet18",
    "vgg11_bn",
    "squeezenet1_0",
    "densenet121",
    "googlenet",
    "mobilenet_v3_small",
    "mnasnet0_5",
    "convnext_tiny",
    "vit_b_32",
    "swin_t",
    "maxvit_t",
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(decoders=2, cache=tmp_path / "cache")
    made.open(ModelChoice(), "cpu")
    yield made
    made.close()


def features(engine: Engine, photos: list[Path]) -> list[PhotoFeatures]:
    return list(body_of(engine).features(photos, engine, engine.kept_features()))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_head_that_gives_what_it_is_given_gives_the_features(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = tmp_path / "network.pth"
    torch.save(trained(name, 7).state_dict(), file)
    opened = open_model(ModelChoice(file))
    assert opened.plan is not None
    size = features_of(opened.plan)
    network, plan = with_linear_head(opened.network, opened.plan, *identity(size))
    inputs = torch.randn(2, 3, *opened.spec.preprocessing.input_size)
    with torch.no_grad():
        found = network(inputs)
        before = opened.network(inputs)
        weight, bias = torch.randn(4, size), torch.randn(4)
        other, _ = with_linear_head(opened.network, opened.plan, weight, bias)
        expected = found @ weight.T + bias
        assert (other(inputs) - expected).abs().max() <= 1e-4 * expected.abs().max()
        assert torch.equal(opened.network(inputs), before)  # left as it was
    assert found.shape == (2, size)
    assert plan.head is not None
    unit = torch.nn.functional.normalize(found, dim=1).numpy()
    assert unit == pytest.approx(pooled_features(opened.network, inputs), abs=1e-5)


def test_features_are_those_of_the_network(engine: Engine, make_photo: Callable[..., Path]) -> None:
    photos = [make_photo(f"{number}.png") for number in range(3)]
    found = features(engine, photos)
    classifier = engine.classifier()
    for one in found:
        seen = classifier.spec.preprocessing.see_file(one.photo)
        inputs = torch.from_numpy(classifier.spec.preprocessing.to_input(seen.pixels))[None]
        expected = pooled_features(classifier.network, inputs)[0]
        assert one.values is not None
        length = float(np.linalg.norm(one.values))
        assert one.values / length == pytest.approx(expected, abs=1e-4)


def test_features_are_kept_by_content(
    engine: Engine, make_photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [make_photo(f"{number}.png") for number in range(3)]
    first = features(engine, photos)
    engine.close()
    later = Engine(decoders=2, cache=tmp_path / "cache")
    later.open(ModelChoice(), "cpu")
    body_of(later)
    monkeypatch.setattr(Engine, "decode", lambda *_, **__: pytest.fail("it was known"))
    photos[0].rename(tmp_path / "renamed.png")
    second = features(later, [tmp_path / "renamed.png", *photos[1:]])
    for before, after in zip(first, second, strict=True):
        assert before.values is not None
        assert after.values is not None
        assert np.array_equal(before.values, after.values)
        assert before.sha256 == after.sha256
    monkeypatch.undo()
    later.open(ModelChoice(architecture="squeezenet1_1"), "cpu")
    (other,) = features(later, photos[1:2])
    assert other.values is not None
    assert other.values.shape == (512,)
    later.close()


def test_what_was_kept_and_is_damaged_is_computed_again(
    engine: Engine, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    photo = make_photo("a.png")
    (first,) = features(engine, [photo])
    database = sqlite3.connect(tmp_path / "cache" / "features.sqlite")
    with database:
        database.execute("UPDATE known SET value = x'0102'")
    database.close()
    (second,) = features(engine, [photo])
    assert first.values is not None
    assert second.values == pytest.approx(first.values)


def test_photos_that_cannot_be_opened_say_why(
    engine: Engine, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    found = features(engine, [make_photo("a.png"), tmp_path / "gone.jpg", tmp_path / "broken.jpg"])
    assert [one.values is None for one in found] == [False, True, True]
    assert all(one.reason for one in found[1:])


def test_a_model_that_nobody_can_build_again_has_no_body() -> None:
    opened = open_model(ModelChoice(architecture=BUILT_IN.name))

    class Unbuildable:
        plan, spec = None, opened.spec

    with pytest.raises(UnusableCheckpointError, match="cannot be given other classes"):
        Body(Unbuildable())  # type: ignore[arg-type]
