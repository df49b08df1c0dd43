from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import UnreadableImageError
from core.images.preprocessing import Preprocessing
from core.images.thumbnails import make_thumbnail
from core.images.viewing import ImageLoader


@pytest.fixture
def loader() -> Iterator[ImageLoader]:
    made = ImageLoader()
    yield made
    made.shut_down()


def test_search_delivers_all(loader: ImageLoader, make_photo: Callable[..., Path]) -> None:
    paths = [make_photo(f"{number}.png", (8, 8)) for number in range(5)]
    found: list[Path] = []
    result = loader.search([paths[0].parent], found.extend, pytest.fail).result()
    assert found == paths
    assert result.photos == list(map(str, paths))
    assert not result.came_early


def test_a_large_folder_is_told_of_before_all_of_it_is_known(
    loader: ImageLoader, tmp_path: Path
) -> None:
    for number in range(1600):
        (tmp_path / f"{number}.jpg").touch()
    chunks: list[list[Path]] = []
    result = loader.search([tmp_path], chunks.append, pytest.fail).result()
    assert [Path(file).stem for file in result.photos] == [str(number) for number in range(1600)]
    assert result.came_early
    assert len(chunks[0]) == 200
    assert max(map(len, chunks)) <= 500
    assert {str(path) for chunk in chunks for path in chunk} == set(result.photos)


def test_view_gives_photo_and_what_the_model_saw(
    loader: ImageLoader, make_photo: Callable[..., Path]
) -> None:
    path = make_photo(size=(300, 200))
    photo = loader.view(path, Preprocessing(resize=100, crop=(64, 64))).result()
    assert photo.pixels.shape == (200, 300, 3)
    assert photo.seen is not None
    assert photo.seen.shape == (64, 64, 3)
    assert loader.view(path, None).result().seen is None


def test_the_newest_view_wins(loader: ImageLoader, make_photo: Callable[..., Path]) -> None:
    held = threading.Event()
    loader._viewing.submit(held.wait)
    first = loader.view(make_photo("a.png"), None)
    second = loader.view(make_photo("b.png"), None)
    held.set()
    assert second.result().path.name == "b.png"
    assert first.cancelled()


def test_thumbnails_no_longer_seen_are_forgotten(
    loader: ImageLoader, make_photo: Callable[..., Path]
) -> None:
    paths = [make_photo(f"{number}.png") for number in range(4)]
    held = threading.Event()
    for _ in range(2):
        loader._shrinking.submit(held.wait)
    first = loader.thumbnails(paths[:2], 32)
    second = loader.thumbnails(paths[1:3], 32)
    held.set()
    assert first[paths[0]].cancelled()
    assert list(second) == [paths[2]]
    assert first[paths[1]].result().shape == (24, 32, 3)
    again = loader.thumbnails([paths[1]], 32)
    assert list(again) == [paths[1]]


def test_a_broken_photo_fails_its_future(loader: ImageLoader, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError):
        loader.view(tmp_path / "gone.png", None).result()


def test_thumbnails_are_upright_and_never_larger(make_photo: Callable[..., Path]) -> None:
    small = make_thumbnail(make_photo(size=(20, 10)), 64)
    assert small.shape == (10, 20, 3)
    assert make_thumbnail(make_photo("l.jpg", (400, 800)), 64).shape == (64, 32, 3)
    assert small.dtype == np.uint8
