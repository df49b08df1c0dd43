"""Errors that a user can act on: each is one sentence saying what, which file, what to do."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from core.language import lazy, tr, tr_n

if TYPE_CHECKING:
    from core.values.spec import Overrides


class DroplensError(Exception):
    """Base of every expected error; its text is shown to the user as it stands.

    Args:
        sentence: as ``language.tr`` takes it, or one that is translated already.
        fields: what stands in its places.
    """

    def __init__(self, sentence: str = "", /, **fields: object) -> None:
        super().__init__(tr(sentence, **fields))


class StoppedError(Exception):
    """Work that nobody waits for any more has ended early."""


class UnreadableImageError(DroplensError):
    """A photo cannot be decoded.

    Attributes:
        reason: in words that end a sentence, e.g. "the file is empty".
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(cannot_read(path, reason))
        self.reason = reason


class UnusableCheckpointError(DroplensError):
    """A file holds no classifier that Droplens can open.

    Attributes:
        matched: share of the likeliest architecture's parameters found in the file, 0..1.
    """

    def __init__(self, sentence: str, matched: float = 0.0, /, **fields: object) -> None:
        super().__init__(sentence, **fields)
        self.matched = matched


class ArchitectureMismatchError(UnusableCheckpointError):
    """The checkpoint is of another architecture than the one asked for."""


class UnclearArchitectureError(UnusableCheckpointError):
    """Several architectures have a checkpoint's parameters, and only the user can say which it is.

    Attributes:
        candidates: their names.
        overrides: what the user has said of the file before; None where nobody has looked.
    """

    overrides: Overrides | None = None

    def __init__(self, path: Path, candidates: tuple[str, ...]) -> None:
        super().__init__(
            "{path} can be of {n} architectures that compute differently and leave no trace of it "
            "in the file: {listed}. Choose the one that was trained.",
            1.0,
            path=path,
            n=len(candidates),
            listed=", ".join(candidates),
        )
        self.candidates = candidates


class ClassNamesError(DroplensError):
    """A list of class names cannot be read or does not fit the model."""


class PreprocessingError(DroplensError):
    """A preprocessing is impossible or its file cannot be read."""


class DeviceUnavailableError(DroplensError):
    """The device that was asked for does not work here."""


class UnknownLayerError(DroplensError):
    """The network has no layer of this name and call number."""


class NotSpatialError(DroplensError):
    """A layer's output has no height and width."""


class DownloadError(DroplensError):
    """Weights could not be downloaded, or a file given for them is another."""


class NotResidualError(DroplensError):
    """A layer is no residual block, or adds no shortcut."""


class SettingsError(DroplensError):
    """The settings cannot be written."""


class LabelsError(DroplensError):
    """Labels cannot be kept, read or written, or a class list cannot be so."""


def cannot_read(path: Path, reason: str) -> str:
    """Return the sentence for a file that could not be read."""
    return tr("{path} could not be read: {reason}.", path=path, reason=reason)


_REASONS = {
    errno.ENOENT: lazy("it is not there"),
    errno.EACCES: lazy("you have no permission to read it"),
    errno.EPERM: lazy("you have no permission to read it"),
    errno.ENOTSUP: lazy("it is not an ordinary file"),
    errno.EISDIR: lazy("it is a folder"),
    errno.ENOSPC: lazy("the disk is full"),
    errno.EROFS: lazy("the disk is write-protected"),
    errno.ENAMETOOLONG: lazy("its name is too long"),
    errno.ELOOP: lazy("its links run in a circle"),
    errno.EIO: lazy("the disk reports an error"),
}


_IN_USE = lazy("another program has it open")
_WINDOWS_REASONS = {
    32: _IN_USE,  # ERROR_SHARING_VIOLATION
    33: _IN_USE,  # ERROR_LOCK_VIOLATION
    1224: _IN_USE,  # ERROR_USER_MAPPED_FILE
    206: lazy("its name is too long"),  # ERROR_FILENAME_EXCED_RANGE
}
"""Windows's own numbers, for what its numbers of POSIX call a lack of permission, or nothing."""

_ACCESS_DENIED = 5


def os_reason(error: OSError) -> str:
    """Return the reason of an operating system error in words that end a sentence."""
    windows = _WINDOWS_REASONS.get(getattr(error, "winerror", None) or 0)
    if windows is not None:
        return windows
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    return error.strerror or type(error).__name__


def cannot_write(path: Path, error: OSError) -> str:
    """Return the sentence for a file that could not be written."""
    reason = {
        errno.EACCES: tr("you have no permission to write there"),
        errno.EPERM: tr("you have no permission to write there"),
        errno.ENOENT: tr("its folder does not exist"),
        errno.ENOTDIR: tr("its folder does not exist"),
    }.get(error.errno or 0, os_reason(error))
    windows = getattr(error, "winerror", None) or 0
    if windows in _WINDOWS_REASONS:
        reason = os_reason(error)
    elif windows == _ACCESS_DENIED:  # so Windows answers to who replaces an open file, too
        reason = tr("you have no permission to write there, or another program has it open")
    return tr(
        "{path} could not be written: {reason}. Choose another place.", path=path, reason=reason
    )


class CheckError(DroplensError):
    """A model cannot be checked on these photos."""


class TeachingError(DroplensError):
    """A model cannot be taught on these labels."""


def left_out(photos: int) -> str:
    """Return what to say of photos that a result does not count."""
    return tr_n(
        "{n} photo could not be opened and is left out.",
        "{n} photos could not be opened and are left out.",
        photos,
    )
