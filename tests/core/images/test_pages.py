from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import DroplensError, UnreadableImageError
from core.images.decoding import read_photo
from core.images.pages import save_pages
from tests.tiff_files import write_tiff


@pytest.mark.parametrize("ending", ["tif", "gif", "webp"])
def test_each_page_becomes_a_photo(tmp_path: Path, ending: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    path = tmp_path / f"scan.{ending}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    made = save_pages(path)
    assert [one.name for one in made] == [f"scan page {number}.png" for number in (1, 2, 3)]
    assert {one.parent for one in made} == {tmp_path / f"scan.{ending} pages"}
    for number, one in enumerate(made):
        whole = read_photo(path, number).pixels
        assert np.abs(read_photo(one).pixels.astype(int) - whole).max() <= 1
    made[1].write_bytes(b"edited by a person")
    assert save_pages(path) == made
    assert made[1].read_bytes() == b"edited by a person"


def test_pages_of_16_bits_keep_their_values(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((4, 5), value, np.uint16)) for value in (7, 4000)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    for value, made in zip((7, 4000), save_pages(tmp_path / "stack.tif"), strict=True):
        assert np.asarray(Image.open(made)).max() == value


def test_pages_that_cannot_be_written_are_a_sentence(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "scan.tif", np.zeros((4, 4), np.uint8))
    (tmp_path / "scan.tif pages").write_text("in the way")
    with pytest.raises(DroplensError, match="could not be written"):
        save_pages(path)
    with pytest.raises(UnreadableImageError):
        save_pages(tmp_path / "gone.tif")


def test_a_small_copy_of_a_page_is_no_page(tmp_path: Path) -> None:
    page, small = Image.new("RGB", (40, 20), "red"), Image.new("RGB", (8, 4), "red")
    small.encoderinfo = {"tiffinfo": {254: 1}}
    last = Image.new("RGB", (40, 20), "blue")
    path = tmp_path / "scan.tif"
    page.save(path, save_all=True, append_images=[small, last])
    photo = read_photo(path)
    assert (photo.frames, photo.frame) == (2, 0)
    assert read_photo(path, 1).pixels[0, 0].tolist() == [0, 0, 255]
    assert len(save_pages(path)) == 2
