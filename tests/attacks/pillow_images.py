"""The photos that Pillow tests itself with: a thousand odd, damaged and hostile ones."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageCms

from core.errors import UnreadableImageError
from core.images.decoding import read_photo
from tests.attacks.measuring import ROOT, Measuring

_MOST_SIZES = 8
_CLOSE = 4
"""Grey levels that two decoders may differ by, in the mean."""

_SHARE = 0.95
"""Of the photos must be as close. The others: 16-bit values of a small range, which we brighten;
orientations that stand in XMP alone; signed values; and photos that the others misread."""


def fetch(folder: Path) -> list[Path]:
    """Return Pillow's test photos, from the archive of its sources."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
    command += ["-q", "-d", os.fspath(folder), f"pillow=={PIL.__version__}"]
    subprocess.run(command, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        for member in archive:
            if "/Tests/images/" in member.name and member.isfile():
                archive.extract(member, folder, filter="data")
    return sorted(path for path in folder.rglob("Tests/images/**/*") if path.is_file())


def classify_all(photos: list[Path], folder: Path) -> tuple[str, bool]:
    """Classify all at once, and measure each alone; count what came of them."""
    result = folder / "predictions.json"
    command = [sys.executable, "-m", "core", "classify", "--json", os.fspath(result)]
    done = subprocess.run(
        [*command, *map(os.fspath, photos)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    predictions = json.loads(result.read_bytes())
    told = {one["error"] for one in predictions if one["error"]}
    foreign = [line for line in done.stderr.splitlines() if not _is_ours(line)]
    answers = Counter("refused" if one["error"] else "classified" for one in predictions)
    slow, most = [], 0
    with Measuring("tests.attacks.measuring:decode") as measuring:
        for photo in photos:
            measured = measuring.run(photo)
            most = max(most, measured.grown_bytes)
            if not measured.is_harmless:
                slow.append(photo.name)
    said = (
        f"{answers['classified']:,} classified, {answers['refused']:,} refused for "
        f"{len(told):,} reasons, {len(foreign)} lines of others, at most {most / 2**20:,.0f} MB, "
        f"{len(slow)} beyond the limits {slow[:3]}"
    )
    is_all = len(predictions) == len(photos) and done.returncode == 1
    return said, is_all and not foreign and not slow and "Traceback" not in done.stderr


def _is_ours(line: str) -> bool:
    return " could not be " in line or line.startswith("/")


def compare(photos: list[Path], folder: Path) -> tuple[str, bool]:
    """Compare what people see with ImageMagick's and libvips' pictures, as far as these open."""
    profile = folder / "srgb.icc"
    profile.write_bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    both, apart = 0, []
    for photo in photos:
        try:
            shown = read_photo(photo)
        except UnreadableImageError:
            continue
        if shown.damage is not None:
            continue
        others = [*_by_magick(photo, profile), *_by_vips(photo, folder / "vips.png")]
        if others:
            both += 1
            if not any(_are_close(shown.pixels, one) for one in others):
                apart.append(photo.name)
    share = 1 - len(apart) / max(1, both)
    said = f"{both:,} opened by others, {share:.1%} within {_CLOSE} grey levels of one of them"
    return f"{said}, not {', '.join(apart)}", share >= _SHARE


def _are_close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return ours.shape == theirs.shape and bool(
        np.abs(ours.astype(int) - theirs.astype(int)).mean() <= _CLOSE
    )


def _by_magick(photo: Path, profile: Path) -> Iterator[np.ndarray]:
    """Yield the first picture of a photo, on the whole canvas; of an icon all its sizes."""
    program = shutil.which("magick") or shutil.which("convert")
    if program is None:
        return
    kind = photo.suffix.lower()
    first = ["-coalesce", "-delete", "1--1"] if kind == ".gif" else []
    turned = ["-auto-orient", "-background", "white", "-alpha", "remove", "-alpha", "off"]
    numbers = range(_MOST_SIZES) if kind in (".ico", ".cur") else range(1)
    for number in numbers:
        name = os.fspath(photo) if first else f"{photo}[{number}]"
        command = [program, name, *first, *turned, "-profile", os.fspath(profile)]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(
                [*command, "-depth", "8", "ppm:-"], capture_output=True, timeout=60, check=False
            )
            with Image.open(io.BytesIO(done.stdout), formats=("PPM",)) as image:
                yield np.asarray(image.convert("RGB"))


def _by_vips(photo: Path, written: Path) -> Iterator[np.ndarray]:
    program = shutil.which("vips")
    if program is None:
        return
    written.unlink(missing_ok=True)
    command = [program, "thumbnail", os.fspath(photo), os.fspath(written), "100000"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            [*command, "--size", "down", "--export-profile", "srgb"],
            capture_output=True,
            timeout=60,
            check=False,
        )
        with Image.open(written, formats=("PNG",)) as image:
            white = Image.new("RGBA", image.size, "white")
            over = Image.alpha_composite(white, image.convert("RGBA"))
            yield np.asarray(over.convert("RGB"))
