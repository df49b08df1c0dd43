"""What all tests share: no screen, no leftovers, small models with known weights."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session", autouse=True)
def garbage_is_collected() -> None:
    """Free what tests leave: the program, once imported, waits for a painted window with that."""
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def memory_is_given_back() -> Iterator[None]:
    """Give back what a module's networks took: glibc keeps half a gigabyte of it otherwise."""
    yield
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(scope="session", autouse=True)
def a_cache_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests away from the user's caches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread of Droplens running."""
    before = set(threading.enumerate())
    yield
    ours = (
        *("engine", "decode", "search", "view", "thumbnail", "write", "convert", "stream"),
        *("label", "hash", "copy", "export", "check"),
    )
    left = [
        thread.name
        for thread in set(threading.enumerate()) - before
        if thread.is_alive() and thread.name.startswith(ours)
    ]
    assert not left


@pytest.fixture
def make_photo(tmp_path: Path) -> Callable[..., Path]:
    """Write a photo with a smooth pattern that depends on its name."""

    def make(
        name: str = "photo.png", size: tuple[int, int] = (320, 240), **options: object
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = size
        seed = sum(name.encode())
        down, across = np.mgrid[0:height, 0:width]
        pixels = np.stack(
            [(across + seed) % 256, (down * 2 + seed) % 256, (across + down) % 256], axis=2
        )
        Image.fromarray(pixels.astype(np.uint8)).save(path, **options)
        return path

    return make
