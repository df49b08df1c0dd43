"""Carry out an export: which photos, a dry run, copying without ever overwriting, going on."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from core.errors import LabelsError, cannot_write, os_reason
from core.files import flush_folder, remove, replacing, write_atomically
from core.images.finding import is_photo
from core.labels.formats.table import Format
from core.labels.plans import ExportOptions, Plan, PlannedFile, Transfer, is_same
from core.labels.records import LabelledPhoto, read_records
from core.labels.store import LabelStore
from core.language import tr

Which = Literal["all", "labelled", "corrected", "disagreeing"]
WHICH: tuple[Which, ...] = get_args(Which)


@dataclass
class Report:
    """What an export has done.

    Attributes:
        written: photos and files written now.
        present: photos that an earlier, interrupted export had written already.
        failed: sentences, one for each photo that could not be written.
        moved: files that were moved, from where to where.
        is_stopped: whether the user ended it; it goes on when it is started again.
    """

    written: int = 0
    present: int = 0
    failed: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    is_stopped: bool = False


def choose(
    store: LabelStore, which: Which = "labelled", only_class: str | None = None
) -> list[LabelledPhoto]:
    """Return the photos to be exported, in the order of the list.

    Args:
        store: the project.
        which: "all", "labelled", "corrected" (otherwise than the model had proposed) or
            "disagreeing" (otherwise than the model says now).
        only_class: leave all other classes out.

    Raises:
        LabelsError: there is no such class.
    """
    if only_class is not None and store.classes.id_of(only_class) is None:
        raise LabelsError(
            "There is no class “{only_class}” in {path}.", only_class=only_class, path=store.path
        )
    tests: dict[Which, Callable[[LabelledPhoto], bool]] = {
        "all": lambda _: True,
        "labelled": lambda one: one.is_labelled,
        "corrected": lambda one: one.is_corrected,
        "disagreeing": lambda one: one.is_disagreeing,
    }
    return [
        one
        for one in read_records(store)
        if tests[which](one) and (only_class is None or only_class in one.classes)
    ]


def plan_export(
    store: LabelStore,
    photos: Sequence[LabelledPhoto],
    form: Format,
    target: Path,
    options: ExportOptions,
) -> Plan:
    """Work out what an export would write; nothing is touched.

    Args:
        store: the project.
        photos: as ``choose`` gave them.
        form: of the labels.
        target: a folder, which need not be there, or the file to write.
        options: what else the person chose.

    Raises:
        LabelsError: nothing to write, the target is unfit, or the template is.
    """
    if form.write is None:
        raise LabelsError(
            "Labels cannot be written as {title}, only read; choose another.", title=form.title
        )
    if form.takes_photos and os.path.isfile(target):  # noqa: PTH113
        raise LabelsError("{target} is a file; choose a folder.", target=target)
    if not form.takes_photos and (
        os.path.isdir(target) or target.suffix.lower() != form.ending  # noqa: PTH112
    ):
        what = tr("is a folder") if os.path.isdir(target) else tr("has another ending")  # noqa: PTH112
        raise LabelsError(
            "{target} {what}; choose a file that ends in {ending}.",
            target=target,
            what=what,
            ending=form.ending,
        )
    if options.template is not None and target == options.template:
        raise LabelsError("{target} is the template itself; choose another file.", target=target)
    if form.takes_photos and not any(one.is_labelled for one in photos):
        raise LabelsError("None of these photos has a class; label some first, then export.")
    if not photos:
        raise LabelsError("There is no such photo; label some first, then export.")
    taken = frozenset(str(one.path) for one in read_records(store))
    plan = form.write(photos, store.classes.names, target, replace(options, taken=taken))
    away = sum(1 for one in plan.files if not os.path.exists(one.photo.path))  # noqa: PTH110
    if away:
        plan.notes.append(
            tr("{away} photos are not where they were and may not be written.", away=away)
        )
    return plan


def carry_out(
    plan: Plan,
    form: Format,
    target: Path,
    options: ExportOptions,
    on_moved: Callable[[dict[str, str]], object],
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Report:
    """Write what was planned: photos first, the files with their labels last.

    Args:
        plan: as ``plan_export`` gave it.
        form: of the labels.
        target: as for the plan.
        options: as for the plan.
        on_moved: called with files that were moved, from where to where.
        on_progress: called with the number of photos done and of all.
        is_stopped: asked before each photo.

    Raises:
        LabelsError: the folder cannot be written, or the disk is full; what was written stays,
            and the same export goes on from there.
    """
    root = target if form.takes_photos else target.parent
    report = Report()
    try:
        root.mkdir(parents=True, exist_ok=True)
        for number, (one, transfer) in enumerate(_transfers(plan, options.transfer)):
            if is_stopped():
                report.is_stopped = True
                return report
            moved: dict[str, str] = {}
            try:
                _bring(one, root, transfer, report, moved)
            finally:
                if moved:  # at once, for a label follows its photo only once this is noted
                    report.moved |= moved
                    on_moved(moved)
            on_progress(number + 1, len(plan.files))
        for name, content in plan.texts.items():
            _write_text(root / name, content)
            report.written += 1
    except OSError as error:
        raise LabelsError(
            "{cannot_write} What was written stays, and the same export goes on from there.",
            cannot_write=cannot_write(Path(error.filename or root), error),
        ) from error
    return report


def _transfers(plan: Plan, transfer: Transfer) -> Iterator[tuple[PlannedFile, Transfer]]:
    """Yield each file with how it is brought; one that is needed again is not moved yet."""
    uses = Counter(one.photo.path for one in plan.files)
    for one in plan.files:
        uses[one.photo.path] -= 1
        is_needed_again = transfer == "move" and uses[one.photo.path] > 0
        yield one, "copy" if is_needed_again else transfer


_ENDS_ALL = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)


def _bring(
    one: PlannedFile, root: Path, transfer: Transfer, report: Report, moved: dict[str, str]
) -> None:
    source, target = one.photo.path, root / one.target
    try:
        _refuse_links(root, target)
        if target.exists() and is_same(target, one.photo):
            report.present += 1
            if transfer == "move" and source.exists() and not source.samefile(target):
                _remove(source, target)
        elif source.exists() and not is_photo(source):
            report.failed.append(tr("{source} was not exported: it is not a photo.", source=source))
            return
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                _bring_linked(source, target, transfer)
            else:
                _TRANSFERS[transfer](source, target)
            report.written += 1
        if transfer == "move":
            moved[str(source)] = str(target)
    except OSError as error:
        if error.errno in _ENDS_ALL:
            raise
        report.failed.append(_sentence(source, target, error, transfer))


def _refuse_links(root: Path, target: Path) -> None:
    """Make sure that nothing is written through a link that lies in the target folder.

    Raises:
        OSError: with ELOOP where there is one.
    """
    for place in (target, *target.parents):
        if place == root:
            return
        if place.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(place))


def _remove(source: Path, target: Path) -> None:
    """Delete a photo from its old place once its new one is safe from a loss of power."""
    flush_folder(target.parent)
    remove(source, target)


def _sentence(source: Path, target: Path, error: OSError, transfer: Transfer) -> str:
    if transfer == "link" and error.errno == errno.EXDEV:
        return tr(
            "{source} could not be linked: {parent} is on another disk; copy instead.",
            source=source,
            parent=target.parent,
        )
    if error.errno == errno.ELOOP:
        return tr(
            "{source} was not exported: {filename} is a link to somewhere else.",
            source=source,
            filename=error.filename,
        )
    if error.errno == errno.EEXIST:
        return tr(
            "{source} was not exported: {target} has come in between; export again.",
            source=source,
            target=target,
        )
    return tr("{source} could not be exported: {reason}.", source=source, reason=os_reason(error))


def _bring_linked(source: Path, target: Path, transfer: Transfer) -> None:
    """Bring what a symbolic link leads to; of a link that is moved, only the link goes."""
    if transfer == "link":
        _link(source.resolve(), target)
        return
    _copy(source, target)
    if transfer == "move":
        _remove(source, target)


def _copy(source: Path, target: Path) -> None:
    """Copy a photo whole or not at all, over nothing."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".droplens-")
    os.close(handle)
    try:
        shutil.copyfile(source, name)
        _flush(Path(name))
        _place(Path(name), target)
    except BaseException:
        with contextlib.suppress(OSError):
            remove(Path(name))
        raise
    with contextlib.suppress(OSError):  # the photo is there; disks may know no such marks
        shutil.copystat(source, target)  # last, as Windows deletes no protected file


def _place(file: Path, target: Path) -> None:
    """Rename a file, over nothing; its old name goes last."""
    try:
        _link(file, target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.EXDEV):
            raise
        if os.path.lexists(target):  # a disk without hard links
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        file.rename(target)
    else:
        remove(file, target)


def _link(source: Path, target: Path) -> None:
    target.hardlink_to(source)


def _move(source: Path, target: Path) -> None:
    """Move a photo, to another disk too: it goes from its old place once it stands at the new."""
    try:
        _link(source, target)
    except OSError as error:
        if error.errno == errno.EEXIST:
            raise
        _copy(source, target)  # another disk, or one without hard links
    _remove(source, target)


def _flush(file: Path) -> None:
    with file.open("rb" if sys.platform != "win32" else "rb+") as opened:
        os.fsync(opened.fileno())


_TRANSFERS: dict[Transfer, Callable[[Path, Path], None]] = {
    "copy": _copy,
    "move": _move,
    "link": _link,
}


def _write_text(file: Path, content: bytes) -> None:
    """Write a file of labels; an earlier one that says otherwise is kept under another name."""
    if file.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_file() and file.read_bytes() != content:
        number = 1
        while (earlier := file.with_name(f"{file.name}.before-{number}")).exists():
            number += 1
        with replacing(earlier) as temporary:
            shutil.copyfile(file, temporary)
    write_atomically(file, content)
