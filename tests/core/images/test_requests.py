from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import UnreadableImageError
from core.images.preprocessing import Preprocessing
from core.images.requests import FindPhotos, FoundPhotos, SearchResult, Thumbnail, ViewPhoto
from core.images.thumbnails import make_thumbnail
from core.work.lane import Lanes


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes()
    yield made
    made.stop_all()
    made.shut_down()


def search(lanes: Lanes, folder: Path) -> tuple[list[list[Path]], SearchResult]:
    """Return the chunks that a search brings, and its result."""
    items: list[FoundPhotos | SearchResult] = []
    request = FindPhotos((folder,))
    lanes[request.lane].stream(request, items.append).future.result()
    chunks = [item.photos for item in items if isinstance(item, FoundPhotos) and item.photos]
    (result,) = (item for item in items if isinstance(item, SearchResult))
    assert items[-1] is result
    return chunks, result


def test_search_delivers_all(lanes: Lanes, make_photo: Callable[..., Path]) -> None:
    paths = [make_photo(f"{number}.png", (8, 8)) for number in range(5)]
    chunks, result = search(lanes, paths[0].parent)
    assert [path for chunk in chunks for path in chunk] == paths
    assert result.photos == list(map(str, paths))
    assert not result.came_early


def test_a_large_folder_is_told_of_before_all_of_it_is_known(lanes: Lanes, tmp_path: Path) -> None:
    for number in range(1600):
        (tmp_path / f"{number}.jpg").touch()
    chunks, result = search(lanes, tmp_path)
    assert [Path(file).stem for file in result.photos] == [str(number) for number in range(1600)]
    assert result.came_early
    assert len(chunks[0]) == 200
    assert max(map(len, chunks)) <= 500
    assert {str(path) for chunk in chunks for path in chunk} == set(result.photos)


def test_view_gives_photo_and_what_the_model_saw(make_photo: Callable[..., Path]) -> None:
    path = make_photo(size=(300, 200))
    photo = ViewPhoto(path, Preprocessing(resize=100, crop=(64, 64))).run(None)
    assert photo.pixels.shape == (200, 300, 3)
    assert photo.seen is not None
    assert photo.seen.shape == (64, 64, 3)
    assert ViewPhoto(path).run(None).seen is None


def test_the_newest_view_wins(lanes: Lanes, make_photo: Callable[..., Path]) -> None:
    held = threading.Event()
    lane = lanes["view"]
    lane.queue(held.wait)
    first = lane.ask(ViewPhoto(make_photo("a.png")))
    second = lane.ask(ViewPhoto(make_photo("b.png")))
    held.set()
    assert second.future.result().path.name == "b.png"
    assert first.future.cancelled()


def test_thumbnails_are_made_side_by_side_and_may_be_given_up(
    lanes: Lanes, make_photo: Callable[..., Path]
) -> None:
    lane, held = lanes["thumbnail"], threading.Barrier(3)
    for _ in range(2):
        lane.queue(held.wait)
    first, second = (lane.ask(Thumbnail(make_photo(f"{n}.png"), 32)) for n in range(2))
    assert first.future.cancel()
    held.wait(30)  # both threads have begun
    assert second.future.result().shape == (24, 32, 3)


def test_a_broken_photo_fails_its_request(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError):
        ViewPhoto(tmp_path / "gone.png").run(None)


def test_thumbnails_are_upright_and_never_larger(make_photo: Callable[..., Path]) -> None:
    small = make_thumbnail(make_photo(size=(20, 10)), 64)
    assert small.shape == (10, 20, 3)
    assert make_thumbnail(make_photo("l.jpg", (400, 800)), 64).shape == (64, 32, 3)
    assert small.dtype == np.uint8
