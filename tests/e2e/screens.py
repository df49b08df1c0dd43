"""Looks at every workspace and dialog on all screens that Droplens is made for; by hand, minutes.

    python -m tests.e2e.screens FOLDER

What is cut, outside, nameless or too small is printed; FOLDER gets a sheet of pictures for each
screen, for the eye.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QWidget

import resources
from core import settings
from tests.e2e.driver import Person, drive
from tests.e2e.faults import faults, nameless, told
from tests.e2e.test_screens import visited

Steps = Generator[Callable[[], object], None, None]

SCREENS = {
    "1024x600": (1024, 600, 1),
    "1280x720": (1280, 720, 1),
    "1366x768": (1366, 768, 1),
    "1440x900 at 200 %": (1440, 900, 2),
    "3840x2160 at 300 %": (1280, 720, 3),
}
"""Width and height in points, and pixels a point."""
APPEARANCES = ("light", "dark", "contrast")
LANGUAGES = ("en", "pseudo")
_PROCESSES = 2
_COLUMNS, _PICTURE_PX, _CAPTION_PX = 4, 800, 40


class Look(NamedTuple):
    """One screen, appearance and language."""

    screen: str
    appearance: str
    language: str


def main() -> int:
    """Look at all of them, each in a process; or at the one that is named."""
    folder = Path(sys.argv[1]).resolve()
    if len(sys.argv) > 2:
        return look_at(Look(*sys.argv[2:]), folder)
    folder.mkdir(parents=True, exist_ok=True)
    looks = [Look(*one) for one in product(SCREENS, APPEARANCES, LANGUAGES)]
    with ThreadPoolExecutor(_PROCESSES) as pool:
        found = list(pool.map(lambda look: start(look, folder), looks))
    for look, said in zip(looks, found, strict=True):
        sys.stdout.write(f"{', '.join(look)}: {said or 'nothing'}\n")
    return 1 if any(found) else 0


def start(look: Look, folder: Path) -> str:
    """Look at one in a process of its own; return what it says."""
    with tempfile.TemporaryDirectory() as home:
        width, height, ratio = SCREENS[look.screen]
        screen = {"name": "one", "width": width * ratio, "height": height * ratio}
        screen |= {"x": 0, "y": 0, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
        config = Path(home) / "screens.json"
        config.write_text(json.dumps({"screens": [screen]}), encoding="utf-8")
        environment = {
            **os.environ,
            **dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), home),
            "XDG_STATE_HOME": home,
            "DROPLENS_LANGUAGE": look.language,
            "QT_QPA_PLATFORM": f"offscreen:configfile={config}",
            "QT_SCALE_FACTOR": str(ratio),
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.screens", str(folder), *look],
            env=environment, capture_output=True, text=True,
        )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line]
    lines += [done.stderr] if done.returncode else []
    return "".join(f"\n  {line}" for line in lines)


def look_at(look: Look, folder: Path) -> int:
    """Go through the program on one screen; print faults and write the sheet."""
    width, height, _ = SCREENS[look.screen]
    settings.save(settings.Settings(appearance=look.appearance), settings.default_path())
    QApplication([])
    found: dict[str, list[str]] = {}
    pictures: list[tuple[str, Path]] = []

    def see(place: str, window: QWidget) -> None:
        found_here = [*faults(window, QSize(width, height)), *nameless(window)]
        if window.width() > width or window.height() > height:
            found_here.append(f"{told(window)}: larger than the screen")
        for fault in found_here:
            found.setdefault(fault, []).append(place)
        file = Path(scratch) / f"{len(pictures)}.png"
        window.grab().save(str(file))
        pictures.append((place, file))

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        yield from visited(person, see, QSize(width, height))

    samples = [str(resources.path(f"samples/{name}")) for name in ("coffee.png", "china.jpg")]
    with tempfile.TemporaryDirectory() as scratch:
        drive(samples, script)
        sheet(pictures).save(folder / f"{', '.join(look)}.png")
    for fault, places in sorted(found.items()):
        sys.stdout.write(f"{fault} ({', '.join(dict.fromkeys(places))})\n")
    return 0


def sheet(pictures: list[tuple[str, Path]]) -> Image.Image:
    """Return pictures side by side, each below its name."""
    shrunk = []
    for place, file in pictures:
        with Image.open(file) as picture:
            picture.thumbnail((_PICTURE_PX, _PICTURE_PX))
            shrunk.append((place, picture.convert("RGB")))
    rows = [shrunk[at : at + _COLUMNS] for at in range(0, len(shrunk), _COLUMNS)]
    heights = [_CAPTION_PX + max(picture.height for _, picture in row) for row in rows]
    made = Image.new("RGB", (_COLUMNS * _PICTURE_PX, sum(heights)), "#808080")
    draw = ImageDraw.Draw(made)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, (place, picture) in enumerate(row):
            draw.text((column * _PICTURE_PX + 8, top + 8), place, fill="white", font_size=20)
            made.paste(picture, (column * _PICTURE_PX, top + _CAPTION_PX))
        top += height
    return made


if __name__ == "__main__":
    sys.exit(main())
