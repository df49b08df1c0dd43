from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import PreprocessingError
from core.images import preprocessing, preprocessing_files, turning
from core.images.decoding import StoredPhoto
from core.images.preprocessing import Preprocessing, from_json
from core.images.turning import turned
from core.models.recognition.presets import from_transforms
from core.models.torchvision_import import torchvision_models


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(width * 10_007 + height)
    return Image.fromarray(values.integers(0, 256, (height, width, 3), dtype=np.uint8))


@functools.cache
def every_preset() -> list[Any]:
    models = torchvision_models()
    distinct = {}
    for name in models.list_models(module=models):
        for entry in models.get_model_weights(name):
            transforms = entry.transforms()
            distinct[repr(transforms)] = transforms
    return list(distinct.values())


SIZES = [(500, 375), (333, 500), (100, 80), (31, 600), (257, 225), (1023, 767), (640, 480), (1, 9)]


@pytest.mark.parametrize("size", SIZES)
def test_torchvisions_presets_to_the_bit(size: tuple[int, int]) -> None:
    image = noise(*size)
    presets = every_preset()
    assert len(presets) > 20
    for transforms in presets:
        own = from_transforms(transforms)
        found = own.to_input(own.seen_by_model(image))
        assert np.array_equal(found, transforms(image).numpy())


@settings(max_examples=80, deadline=None)
@given(
    width=st.integers(60, 700),
    height=st.integers(60, 700),
    orientation=st.integers(1, 8),
    preset=st.integers(0, 200),
)
def test_photos_of_every_size_and_turn_are_torchvisions_to_the_bit(
    width: int, height: int, orientation: int, preset: int
) -> None:
    presets = every_preset()
    transforms = presets[preset % len(presets)]
    own, stored = from_transforms(transforms), noise(width, height)
    found = own.to_input(own.seen_by_model(stored, orientation))
    assert np.array_equal(found, transforms(turned(stored, orientation)).numpy())


@settings(max_examples=150, deadline=None)
@given(
    width=st.integers(2, 300),
    height=st.integers(2, 300),
    resize=st.one_of(
        st.none(), st.integers(2, 80), st.tuples(st.integers(2, 80), st.integers(2, 80))
    ),
    crop=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    interpolation=st.sampled_from(preprocessing.INTERPOLATIONS),
    orientation=st.integers(1, 8),
    band_pixels=st.integers(1, 5000),
)
def test_turning_bands_is_turning_all(
    width: int,
    height: int,
    resize: Any,
    crop: tuple[int, int],
    interpolation: Any,
    orientation: int,
    band_pixels: int,
) -> None:
    own = Preprocessing(resize=resize, crop=crop, interpolation=interpolation)
    stored = noise(width, height)
    upright = turned(stored, orientation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turning, "_BAND_PIXELS", band_pixels)
        found = own.seen_by_model(stored, orientation)
    assert np.array_equal(found, own.seen_by_model(upright))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    resize=st.one_of(st.none(), st.integers(1, 60)),
    crop=st.integers(1, 60),
)
def test_the_input_always_has_its_size(
    width: int, height: int, resize: int | None, crop: int
) -> None:
    own = Preprocessing(resize=resize, crop=(crop, crop + 3))
    seen = own.seen_by_model(noise(width, height))
    assert seen.shape == (*own.input_size, 3)
    assert own.to_input(seen).shape == (3, *own.input_size)


def test_squash_without_crop() -> None:
    own = Preprocessing(resize=(32, 48), crop=None)
    assert own.input_size == (32, 48)
    assert own.seen_by_model(noise(100, 20)).shape == (32, 48, 3)
    assert own.seen_box((100, 20)) == (0, 0, 100, 20)


def test_bgr_with_a_scale_is_caffes() -> None:
    own = Preprocessing(
        resize=None,
        crop=(1, 1),
        channel_order="BGR",
        scale=255.0,
        mean=(104, 117, 123),
        std=(1, 1, 1),
    )
    image = Image.new("RGB", (1, 1), (10, 20, 30))
    assert own.to_input(own.seen_by_model(image)).ravel().tolist() == [30 - 104, 20 - 117, 10 - 123]


def test_the_box_says_what_went_in() -> None:
    image = Image.new("RGB", (400, 200))
    image.paste((255, 0, 0), (100, 0, 300, 200))
    own = Preprocessing(resize=100, crop=(100, 100))
    assert own.seen_box(image.size) == (100, 0, 300, 200)
    assert own.seen_by_model(image)[:, 2:-2, 0].min() == 255


def test_a_photo_long_and_thin_beyond_reason_is_refused() -> None:
    with pytest.raises(PreprocessingError, match="too long and thin"):
        Preprocessing().seen_by_model(Image.new("RGB", (1, 60_000)).resize((1, 600_000)))


def test_view_turns_back_where_orientation_is_not_applied() -> None:
    upright = np.asarray(noise(60, 40))
    stored = StoredPhoto(Image.fromarray(np.rot90(upright)), orientation=6)
    applied = Preprocessing(resize=None, crop=(40, 60)).see(stored)
    assert np.array_equal(applied.pixels, upright)
    assert applied.box == (0, 0, 60, 40)
    seen = Preprocessing(resize=None, crop=(60, 40), apply_orientation=False).see(stored)
    assert seen.box is None
    assert np.array_equal(np.rot90(seen.pixels, k=-1), upright)


@settings(max_examples=50, deadline=None)
@given(
    resize=st.one_of(
        st.none(), st.integers(1, 600), st.tuples(st.integers(1, 600), st.integers(1, 600))
    ),
    crop=st.tuples(st.integers(1, 600), st.integers(1, 600)),
    order=st.sampled_from(["RGB", "BGR"]),
    mean=st.tuples(*[st.floats(-300, 300)] * 3),
    upright=st.booleans(),
)
def test_json_and_back(resize: Any, crop: Any, order: Any, mean: Any, upright: bool) -> None:
    own = Preprocessing(
        resize=resize,
        crop=crop,
        channel_order=order,
        mean=mean,
        apply_orientation=upright,
        transparency="white" if upright else "dropped",
    )
    assert from_json(json.loads(json.dumps(own.to_json()))) == own


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"resise": 3},
        {"resize": 0},
        {"crop": [3]},
        {"crop": "x"},
        {"crop": None},
        {"crop": [10**9, 2]},
        {"mean": [1, 2]},
        {"mean": ["a", "b", "c"]},
        {"std": [0, 1, 1]},
        {"scale": float("nan")},
        {"interpolation": "magic"},
        {"channel_order": "GBR"},
        {"apply_orientation": "yes"},
        {"resize": True},
        {"transparency": "black"},
    ],
)
def test_values_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(PreprocessingError):
        from_json(wrong)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text('{"resize": [64, 64], "crop": null}', encoding="utf-8-sig")
    assert preprocessing_files.read(path).input_size == (64, 64)
    path.write_text("{")
    with pytest.raises(PreprocessingError, match="not valid JSON"):
        preprocessing_files.read(path)
    with pytest.raises(PreprocessingError, match="not there"):
        preprocessing_files.read(tmp_path / "gone.json")
