"""Take the model out of a zip archive, with the small files beside it, while it is opened."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from core.errors import DroplensError, StoppedError, UnusableCheckpointError, cannot_read, os_reason
from core.files import open_ordinary
from core.images.finding import NO_FOLDERS
from core.images.kinds import Kind, kind_of
from core.zip_files import expands_too_much, open_zip

_OF_OTHER_ARCHIVES = ("model.weights.h5",)
"""What .keras files, which are archives too, hold without the network."""

_OF_TORCH = "data.pkl"
_ODD_NAME = re.compile(r'[\x00-\x1f<>:"|?*\\]')
_LARGEST_BYTES, _LARGEST_BESIDE_BYTES = 4 * 2**30, 16 * 2**20
_MOST_BESIDE = 100
_LOCKED = 1
"""The bit of a member's flags that says so."""

_BLOCK_BYTES = 2**20


def as_packed(said: str, inner: Path, path: Path) -> str:
    """Return a sentence with the archive in the place of the folder that will be gone."""
    return said.replace(str(inner.parent), str(path))


def holds_model(path: Path) -> bool:
    """Return whether a file is an archive with a model that ``torch.save`` did not write."""
    try:
        with open_ordinary(path) as file:
            archive = open_zip(file)
            return archive is not None and bool(_models(archive))
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def _models(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members that models come from; none for an archive of ``torch.save``."""
    members = archive.infolist()
    if any(one.filename.endswith(_OF_TORCH) for one in members):
        return []
    return [one for one in members if _is_model(PurePosixPath(one.filename))]


def _is_model(name: PurePosixPath) -> bool:
    own = not name.name.startswith(".") and not set(NO_FOLDERS) & set(name.parts)
    return own and name.name not in _OF_OTHER_ARCHIVES and kind_of(Path(name)) is Kind.CHECKPOINT


@contextlib.contextmanager
def unpacked(path: Path, is_stopped: Callable[[], bool]) -> Iterator[Path]:
    """Give the model of an archive as a file, which is gone afterwards.

    Raises:
        UnusableCheckpointError: it holds several, is damaged, or claims to be far larger.
        StoppedError: it was asked to stop.
    """
    with tempfile.TemporaryDirectory(prefix="droplens-") as scratch:
        folder = Path(scratch)
        try:
            with open_ordinary(path) as file:
                archive = open_zip(file)
                if archive is None:
                    raise zipfile.BadZipFile
                model = _only_model(path, archive)
                if model.flag_bits & _LOCKED:
                    raise UnusableCheckpointError(
                        "{path} is locked with a password; unpack it and open the model in it.",
                        path=path,
                    )
                for member in (model, *_beside(archive, model)):
                    _unpack(archive, member, folder, is_stopped)
        except OSError as error:
            raise UnusableCheckpointError(cannot_read(path, os_reason(error))) from error
        except (DroplensError, StoppedError):
            raise
        except Exception as error:  # a broken archive provokes whatever there is
            raise UnusableCheckpointError(
                "{path} is damaged or incomplete; copy or download it again, or unpack it and "
                "open the model in it.",
                path=path,
            ) from error
        yield folder / PurePosixPath(model.filename).name


def _only_model(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    models = _models(archive)
    if len(models) != 1:
        raise UnusableCheckpointError(
            "{path} holds {n} models ({listed}); unpack it and open one of them.",
            path=path,
            n=len(models),
            listed=", ".join(one.filename for one in models[:3]),
        )
    return models[0]


def _beside(archive: zipfile.ZipFile, model: zipfile.ZipInfo) -> list[zipfile.ZipInfo]:
    """Return the small files of the model's folder."""
    folder = PurePosixPath(model.filename).parent
    found = [
        one
        for one in archive.infolist()
        if not one.is_dir()
        and one.filename != model.filename
        and PurePosixPath(one.filename).parent == folder
        and one.file_size <= _LARGEST_BESIDE_BYTES
    ]
    return found[:_MOST_BESIDE]


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, is_stopped: Callable[[], bool]
) -> None:
    """Write a member under its own name, without the folders before it."""
    name = PurePosixPath(member.filename).name
    if _ODD_NAME.search(name) or name in ("", ".", ".."):
        return
    if expands_too_much(member) or member.file_size > _LARGEST_BYTES:
        raise zipfile.BadZipFile
    if shutil.disk_usage(folder).free < member.file_size:
        raise OSError(28, "")
    with archive.open(member) as packed, (folder / name).open("xb") as file:
        while piece := packed.read(_BLOCK_BYTES):
            if is_stopped():
                raise StoppedError
            file.write(piece)
