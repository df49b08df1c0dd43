"""Attack every promise, and count what held.

    .venv/bin/python -m tests.attacks [NAME …] [--share 1.0]

Takes up to 20 minutes on two cores; ``--share 0.1`` does a tenth of it. Prints a line for each
attack and ends with 1 where one of them broke something.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.attacks import disk, import_files, pillow_images
from tests.attacks.changing_files import open_while_changing
from tests.attacks.label_files import HOSTILE, flip_bytes, make_project
from tests.attacks.measuring import ROOT, Measuring
from tests.attacks.model_files import CASES
from tests.attacks.mutations import decode_mutated
from tests.attacks.photo_files import LARGE

Attack = Callable[[Path, float], tuple[str, bool]]
"""Takes a folder and the share to be done; returns what it counted, and whether all held."""


def model_files(folder: Path, share: float) -> tuple[str, bool]:
    return _measured("tests.attacks.measuring:inspect_and_open", CASES, folder, share)


def photo_files(folder: Path, share: float) -> tuple[str, bool]:
    return _measured("tests.attacks.measuring:decode", LARGE, folder, share)


def project_files(folder: Path, share: float) -> tuple[str, bool]:
    def made(change: Callable[[Path], object]) -> Callable[[Path], object]:
        def write(path: Path) -> None:
            make_project(path)
            change(path)

        return write

    cases = {name: made(change) for name, change in HOSTILE.items()}
    job = "tests.attacks.label_files:open_hostile"
    return _measured(job, cases, folder, share, "my.droplens")


def images_of_pillow(folder: Path, share: float) -> tuple[str, bool]:
    photos = pillow_images.fetch(folder)
    photos = photos[: max(1, round(share * len(photos)))]
    said, held = pillow_images.classify_all(photos, folder)
    if any(map(shutil.which, ("convert", "magick", "vips"))):
        compared, are_alike = pillow_images.compare(photos, folder)
        return f"{said}; {compared}", held and are_alike
    return said, held


def _measured(
    job: str,
    cases: dict[str, Callable[[Path], object]],
    folder: Path,
    share: float,
    file_name: str = "hostile",
) -> tuple[str, bool]:
    worst_s, worst_bytes, broken = 0.0, 0, []
    chosen = list(cases.items())[: max(1, round(share * len(cases)))]
    with Measuring(job) as measuring:
        for number, (name, write) in enumerate(chosen):
            path = folder / str(number) / file_name
            path.parent.mkdir()
            write(path)
            measured = measuring.run(path)
            path.unlink(missing_ok=True)
            worst_s, worst_bytes = (
                max(worst_s, measured.cpu_s),
                max(worst_bytes, measured.grown_bytes),
            )
            if not measured.is_harmless:
                broken.append(f"{name}: {measured}")
    figures = f"{len(chosen)} files, at most {worst_s:.1f} s and {worst_bytes / 2**20:.0f} MB"
    return "; ".join([figures, *broken]), not broken


def label_files(folder: Path, share: float) -> tuple[str, bool]:
    cases: dict[str, Callable[[Path], object]] = {
        name: (lambda path, name=name: import_files.write(name, path.parent).replace(path))
        for name, (file, _) in import_files.CASES.items()
        if file == "labels.csv"
    }
    return _measured(
        "tests.attacks.import_files:import_labels", cases, folder, share, "hostile.csv"
    )


def mutated_photos(_: Path, share: float) -> tuple[str, bool]:
    count = round(4000 * share)
    outcomes = decode_mutated(count)
    return f"{count} photos, {dict(outcomes)}", set(outcomes) <= {"ended"}


def rewritten_models(folder: Path, share: float) -> tuple[str, bool]:
    found = {}
    for how, rounds in (("rewritten", 100), ("cut off", 100), ("replaced", 80)):
        found[how] = dict(open_while_changing(folder, max(1, round(rounds * share)), how))
    held = all(set(one) <= {"opened", "refused"} for one in found.values())
    return str(found), held


def flipped_bytes(folder: Path, share: float) -> tuple[str, bool]:
    outcomes = flip_bytes(folder, max(1, round(500 * share)))
    return str(dict(outcomes)), not any(one.startswith("silent") for one in outcomes)


def kills(folder: Path, share: float) -> tuple[str, bool]:
    rounds = str(max(1, round(230 * share)))
    command = [sys.executable, "-m", "tests.core.labels.killing", str(folder), rounds]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()[-500:], done.returncode == 0


def power_losses(folder: Path, share: float) -> tuple[str, bool]:
    rounds = max(1, round(60 * share))
    shim = disk.build_shim(folder)
    for work in disk.WORK:
        disk.lose_power(work, folder / work, shim, rounds)
    return f"{rounds} losses of {len(disk.WORK)} works", True


def failing_disks(folder: Path, share: float) -> tuple[str, bool]:
    shim = disk.build_shim(folder)
    step = max(1, round(1 / share))
    outcomes: Counter[str] = Counter()
    for work in disk.WORK:
        for reason in disk.REASONS:
            outcomes += disk.fail_at_every_change(work, reason, folder / reason, shim, step)
    return str(dict(outcomes)), set(outcomes) <= {"done", "told"}


ATTACKS: dict[str, Attack] = {
    "model-files": model_files,
    "photo-files": photo_files,
    "images-of-pillow": images_of_pillow,
    "project-files": project_files,
    "label-files": label_files,
    "mutated-photos": mutated_photos,
    "rewritten-models": rewritten_models,
    "flipped-bytes": flipped_bytes,
    "kills": kills,
    "power-losses": power_losses,
    "failing-disks": failing_disks,
}


def main() -> int:
    """Carry out the attacks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ATTACKS))
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    broken = 0
    for name in options.names or ATTACKS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="droplens-attack-") as folder:
            try:
                said, held = ATTACKS[name](Path(folder), options.share)
            except Exception:  # noqa: BLE001 - the next attack goes on
                said, held = traceback.format_exc(limit=-3), False
        broken += not held
        took = time.monotonic() - started
        print(f"{'held  ' if held else 'BROKEN'} {name} ({took:.0f} s): {said}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
