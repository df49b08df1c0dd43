"""Do work on a disk that fails or forgets, and look what is left of it."""

from __future__ import annotations

import errno
import os
import random
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from core.errors import DroplensError, LabelsError
from core.labels.changes import Labelling
from core.labels.store import LabelStore
from tests.attacks.measuring import ROOT

PHOTOS = 12
_SECTOR = 512
_RECORD = struct.Struct("=cIIqI")
_ACKNOWLEDGED = "acknowledged"


def build_shim(folder: Path) -> Path:
    """Compile the disk that fails."""
    made = folder / "failing_disk.so"
    source = Path(__file__).with_name("failing_disk.c")
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return made


# The work, each step of which is acknowledged once it is kept


class NotAcknowledgedError(Exception):
    """The disk failed beside the work."""


def _acknowledge(root: Path, step: int) -> None:
    try:
        with (root / _ACKNOWLEDGED).open("ab", buffering=0) as file:
            file.write(bytes([step]))
    except OSError as error:
        raise NotAcknowledgedError from error


def photo(root: Path, number: int) -> Path:
    return root / f"photo {number}.jpg"


def image(number: int) -> bytes:
    return b"\xff\xd8\xff" + bytes([number]) * (900 + number)


def label(root: Path) -> None:
    """Label photos one after the other, each with the class that its number says."""
    with LabelStore(root / "my.droplens") as store:
        store.edit_classes("add", store.classes.add(["a", "b", "c"]))
        _acknowledge(root, 100)
        for number in range(PHOTOS):
            store.label([Labelling(photo(root, number), (number % 3 + 1,))])
            _acknowledge(root, number)
            if number % 4 == 3:
                store.flush_log()


def check_labels(root: Path, acknowledged: list[int]) -> None:
    with LabelStore(root / "my.droplens") as store:
        labels = store.state().labels
        assert not store.notice or not acknowledged, store.notice
    for number in (one for one in acknowledged if one < PHOTOS):
        assert labels[str(photo(root, number))] == (number % 3 + 1,), number
    assert len(labels) <= sum(one < PHOTOS for one in acknowledged) + 1


def change_settings(root: Path) -> None:
    from core import settings

    for number in range(PHOTOS):
        settings.save(settings.Settings(overlay_opacity=number), root / "settings.json")
        _acknowledge(root, number)


def check_settings(root: Path, acknowledged: list[int]) -> None:
    from core import settings

    found = settings.load(root / "settings.json").overlay_opacity
    last = acknowledged[-1] if acknowledged else -1
    assert found in (last, last + 1) or (last < 0 and found == settings.Settings().overlay_opacity)
    assert not (root / "settings.damaged.json").exists()


def _export(root: Path, transfer: str) -> None:
    from core.labels.exporting import carry_out, choose, plan_export
    from core.labels.formats.table import FORMATS
    from core.labels.plans import ExportOptions

    with LabelStore(root / "my.droplens") as store:
        form, options = FORMATS["class-folders"], ExportOptions(transfer=transfer)  # type: ignore[arg-type]
        target = root / "exported"
        plan = plan_export(store, choose(store), form, target, options)
        report = carry_out(plan, form, target, options, store.note_moves)
        if report.failed:
            raise LabelsError(report.failed[0])
    _acknowledge(root, 1)


def move_photos(root: Path) -> None:
    _export(root, "move")


def copy_photos(root: Path) -> None:
    _export(root, "copy")


def check_photos(root: Path, _: list[int]) -> None:
    """Every photo is somewhere, whole."""
    contents = [path.read_bytes() for path in root.rglob("*.jpg")]
    for number in range(PHOTOS):
        assert image(number) in contents, number
    with LabelStore(root / "my.droplens") as store:
        assert len(store.state().labels) == PHOTOS


def keep_predictions(root: Path) -> None:
    from core.inference.prediction_cache import PredictionCache
    from core.values.predictions import ClassProbability, Prediction
    from tests.specs import make_spec

    spec = make_spec(names=("a", "b"))
    known = PredictionCache(root / "cache" / "predictions.sqlite")
    known.use(1)
    for number in range(PHOTOS):
        known.find(photo(root, number), spec)
        top = (ClassProbability(number % 2, spec.class_names[number % 2], 0.75),)
        known.keep([Prediction(photo(root, number), top, None, spec)])
        _acknowledge(root, number)
    known.close()


def check_predictions(root: Path, _: list[int]) -> None:
    """A cache may forget; it must not say anything wrong, nor stop the work."""
    from core.inference.prediction_cache import PredictionCache
    from tests.specs import make_spec

    spec = make_spec(names=("a", "b"))
    known = PredictionCache(root / "cache" / "predictions.sqlite")
    known.use(1)
    for number in range(PHOTOS):
        found = known.find(photo(root, number), spec)
        assert found is None or found.top[0].class_index == number % 2
    known.close()


def override(root: Path) -> None:
    from core.models.overrides import SavedOverrides
    from core.values.spec import Overrides

    overrides = SavedOverrides(root / "models")
    for number in range(PHOTOS):
        overrides.keep("0" * 64, Overrides(class_names=(f"class {number}",)))
        _acknowledge(root, number)


def check_settled(root: Path, acknowledged: list[int]) -> None:
    from core.models.overrides import SavedOverrides

    found = SavedOverrides(root / "models").of("0" * 64).class_names
    last = acknowledged[-1] if acknowledged else -1
    assert found in ((f"class {last}",), (f"class {last + 1}",)) or (last < 0 and found is None)


Work = tuple[Callable[[Path], None], Callable[[Path, list[int]], None]]
WORK: dict[str, Work] = {
    "labels": (label, check_labels),
    "settings": (change_settings, check_settings),
    "moving export": (move_photos, check_photos),
    "copying export": (copy_photos, check_photos),
    "prediction cache": (keep_predictions, check_predictions),
    "settled": (override, check_settled),
}


def prepare(root: Path, work: str) -> None:
    """Put what the work begins from into a folder."""
    root.mkdir(parents=True)
    for number in range(PHOTOS):
        photo(root, number).write_bytes(image(number))
    if "export" in work:
        label(root)
        (root / _ACKNOWLEDGED).unlink()


def _run(work: str, root: Path, shim: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "LD_PRELOAD": str(shim),
        "DISK_ROOT": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.attacks.disk", work, str(root)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


# A disk that fails


REASONS = {"full": errno.ENOSPC, "broken": errno.EIO, "write-protected": errno.EROFS}


def fail_at_every_change(
    work: str, reason: str, folder: Path, shim: Path, step: int = 1
) -> Counter[str]:
    """Let the disk fail from each change on, and look what is left.

    Args:
        work: name in ``WORK``.
        reason: name in ``REASONS``.
        folder: for the files.
        shim: as ``build_shim`` made it.
        step: changes between two tries.

    Returns:
        How the work ended: "done" or "told" (one sentence); anything else is a fault.
    """
    outcomes: Counter[str] = Counter()
    at = 1
    while not outcomes["done"]:
        root = folder / f"{work} {at}"
        prepare(root, work)
        number = str(REASONS[reason])
        done = _run(work, root, shim, DISK_FAIL_AT=str(at), DISK_ERRNO=number)
        said = done.stderr.strip()
        if done.returncode == 0:
            outcomes["done"] += 1
        elif done.returncode == 2 and "\n" not in said:
            outcomes["told"] += 1
        else:
            outcomes[f"at {at}: {done.returncode} {said[-1000:]}"] += 1
        acknowledged = root / _ACKNOWLEDGED
        kept = list(acknowledged.read_bytes()) if acknowledged.exists() else []
        WORK[work][1](root, kept)
        at += step
    return outcomes


# A loss of power


class Disk:
    """What a disk holds: files by name, as they are and as they survive a loss of power."""

    def __init__(self, root: Path) -> None:
        self.names: dict[str, int] = {}
        self.kept_names: dict[str, int] = {}
        self.contents: dict[int, bytearray] = {}
        self.kept: dict[int, bytes] = {}
        self.unsynced: dict[int, list[tuple[int, bytes]]] = {}
        self.pending: list[tuple[str, str, str]] = []
        for path in root.rglob("*"):
            if path.is_file():
                number = self._new(path.read_bytes())
                self.names[str(path)] = self.kept_names[str(path)] = number
                self.kept[number] = bytes(self.contents[number])

    def _new(self, content: bytes = b"") -> int:
        number = len(self.contents)
        self.contents[number] = bytearray(content)
        self.kept[number], self.unsynced[number] = b"", []
        return number

    def apply(self, kind: str, path: str, other: str, offset: int, data: bytes) -> None:
        """Carry out one change."""
        if kind == "C":
            if path not in self.names:
                self.names[path] = self._new()
                self.pending.append(("C", path, ""))
        elif kind == "W" and path in self.names:
            content = self.contents[self.names[path]]
            content.extend(b"\0" * (offset - len(content)))
            content[offset : offset + len(data)] = data
            self.unsynced[self.names[path]].append((offset, data))
        elif kind == "T" and path in self.names:
            content = self.contents[self.names[path]]
            del content[offset:]
            content.extend(b"\0" * (offset - len(content)))
            self.unsynced[self.names[path]].append((offset, b""))
        elif kind == "R" and path in self.names:
            self.names[other] = self.names.pop(path)
            self.pending.append((kind, path, other))
        elif kind == "L" and path in self.names:
            self.names[other] = self.names[path]
            self.pending.append((kind, path, other))
        elif kind == "U" and path in self.names:
            del self.names[path]
            self.pending.append((kind, path, ""))
        elif kind == "S":
            self._sync(path)

    def _sync(self, path: str) -> None:
        number = self.names.get(path)
        if number is not None:
            self.kept[number] = bytes(self.contents[number])
            self.unsynced[number].clear()
            for change in [one for one in self.pending if one[0] == "C" and one[1] == path]:
                self._keep_name(change)  # a new file that is synced has its name, too
        else:  # a folder
            for change in list(self.pending):
                if os.path.dirname(change[2] or change[1]) == path.rstrip("/"):  # noqa: PTH120
                    self._keep_name(change)

    def _keep_name(self, change: tuple[str, str, str]) -> None:
        self.pending.remove(change)
        kind, path, other = change
        if kind == "C":
            self.kept_names.setdefault(path, self._first(path))
        elif kind in "RL" and path in self.kept_names:
            self.kept_names[other] = self.kept_names[path]
            if kind == "R":
                del self.kept_names[path]
        elif kind == "U":
            self.kept_names.pop(path, None)

    def _first(self, path: str) -> int:
        return self.names[path]

    def after_power_loss(self, chance: random.Random) -> dict[str, bytes]:
        """Return what is found afterwards: what was not synced is there by chance, if at all."""
        for change in list(self.pending):
            if change[0] == "C" and change[1] not in self.names:
                self.pending.remove(change)  # renamed or deleted meanwhile
            elif chance.random() < 0.5:
                self._keep_name(change)
            else:
                break  # the journal of names is kept in order
        found = {}
        for path, number in self.kept_names.items():
            content = bytearray(self.kept[number])
            for offset, data in self.unsynced[number]:
                if not data:
                    if chance.random() < 0.5:
                        del content[offset:]
                    continue
                for start in range(0, len(data), _SECTOR):
                    if chance.random() < 0.5:
                        sector = data[start : start + _SECTOR]
                        content.extend(b"\0" * (offset + start - len(content)))
                        content[offset + start : offset + start + len(sector)] = sector
            found[path] = bytes(content)
        return found


def lose_power(work: str, folder: Path, shim: Path, rounds: int, seed: int = 0) -> int:
    """Do work once, noting each change, and lose the power at random moments of it.

    Args:
        work: name in ``WORK``.
        folder: for the files.
        shim: as ``build_shim`` made it.
        rounds: losses.
        seed: of the moments.

    Returns:
        How many changes the work makes.
    """
    chance = random.Random(f"{work} {seed}")
    root, log = folder / "work", folder / "changes"
    prepare(root, work)
    before = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    done = _run(work, root, shim, DISK_LOG=str(log))
    assert done.returncode == 0, done.stderr
    changes = _changes(log.read_bytes())
    log.unlink()
    for _ in range(rounds):
        end = chance.randrange(len(changes) + 1)
        _empty(root)
        for path, content in before.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(content)
        disk = Disk(root)
        acknowledged: list[int] = []
        for kind, path, other, offset, data in changes[:end]:
            if path.endswith(_ACKNOWLEDGED):
                acknowledged += data
            else:
                disk.apply(kind, path, other, offset, data)
        _empty(root)
        for path, content in disk.after_power_loss(chance).items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(content)
        WORK[work][1](root, acknowledged)
    return len(changes)


def _empty(root: Path) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _changes(log: bytes) -> list[tuple[str, str, str, int, bytes]]:
    changes, at = [], 0
    while at < len(log):
        kind, one, two, offset, size = _RECORD.unpack_from(log, at)
        at += _RECORD.size
        path, other = os.fsdecode(log[at : at + one]), os.fsdecode(log[at + one : at + one + two])
        at += one + two
        changes.append((kind.decode(), path, other, offset, log[at : at + size]))
        at += size
    return changes


def main() -> int:
    """Do one work; 2 and one sentence where that fails, as the command line has it."""
    try:
        WORK[sys.argv[1]][0](Path(sys.argv[2]))
    except (DroplensError, NotAcknowledgedError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
