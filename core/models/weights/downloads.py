"""Download weights: with progress, pause, resume, retry, and a check of the hash at the end."""

from __future__ import annotations

import http.client
import logging
import os
import re
import shutil
import ssl
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError, URLError

from core.errors import DownloadError, cannot_write, os_reason
from core.files import hash_of, open_ordinary
from core.language import number, tr
from core.models.weights.named import Weights

log = logging.getLogger(__name__)

State = Literal["downloading", "waiting", "done", "paused", "failed"]

_CHUNK_BYTES = 2**18
_TIMEOUT_S = 20
_WAITS_S = (0.5, 1, 2, 4, 8)
_TRY_AGAIN_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE_NOT_SATISFIABLE = 416
_PAUSE_S = 0.1
_LENGTH = re.compile(r"\d{1,15}", re.ASCII)
_CREDENTIALS = re.compile(r"//[^/]*@")
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Progress:
    """How far a download is.

    Attributes:
        weights: what is downloaded.
        state: what it is doing, or how it ended.
        done_bytes: on the disk so far.
        total_bytes: of the whole file; torchvision's own figure before the server answers.
        problem: why it waits or failed, in one sentence; "" where it does not.
    """

    weights: Weights
    state: State
    done_bytes: int
    total_bytes: int
    problem: str = ""


class Download:
    """One download; ``run`` does it in the thread that calls it, once.

    Args:
        weights: what to download.
        mirror: address of a folder that holds torchvision's files; "" is torchvision's own.
        on_progress: called in the thread that runs it.
        waits_s: seconds before each new try after the connection failed.
        is_stopped: asked often; where it says yes, the download ends and keeps what is there, so
            that a later one goes on from it.
    """

    def __init__(
        self,
        weights: Weights,
        mirror: str = "",
        on_progress: Callable[[Progress], None] = lambda _: None,
        waits_s: tuple[float, ...] = _WAITS_S,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.weights = weights
        self._url = f"{mirror.rstrip('/')}/{weights.file_name}" if mirror else weights.url
        self._on_progress = on_progress
        self._waits_s = waits_s
        self._is_stopped = is_stopped
        self._total = weights.size_bytes

    def run(self) -> Path | None:
        """Download, and return the file; None where it was stopped.

        Raises:
            DownloadError: it failed for good, in one sentence; what is there is kept.
        """
        try:
            path = self._run()
        except DownloadError as error:
            self._tell("failed", str(error))
            raise
        if path is not None:
            self._tell("done")
        else:
            self._tell("paused")
        return path

    def _run(self) -> Path | None:
        part = self.weights.part_path
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            is_resumed = part.exists() and part.stat().st_size > 0
            if not self._fetch_with_retries(part):
                return None
            if not _has_hash(part, self.weights) and is_resumed:
                # What lay there was of another file; once more from the beginning.
                part.unlink()
                if not self._fetch_with_retries(part):
                    return None
            if not _has_hash(part, self.weights):
                part.unlink()
                raise DownloadError(
                    "{url} is not the file that torchvision names: its hash does not "
                    "begin with {hash_start}. It was deleted; try again, or another "
                    "mirror.",
                    url=_shown(self._url),
                    hash_start=self.weights.hash_start,
                )
            part.replace(self.weights.path)
        except OSError as error:
            raise DownloadError(cannot_write(self.weights.path, error)) from error
        return self.weights.path

    def _fetch_with_retries(self, part: Path) -> bool:
        """Fetch until the file is whole; return False where it was asked to stop.

        Each try that brings something earns the full number of tries again.
        """
        tries, most = 0, _size(part)
        while not self._is_stopped():
            try:
                return self._fetch(part)
            except _TryAgainError as error:
                # What was there before does not count: it may have been thrown away meanwhile.
                tries, most = (0, _size(part)) if _size(part) > most else (tries, most)
                if tries >= len(self._waits_s):
                    raise DownloadError(
                        "{name} could not be downloaded: {error}. What came so far is "
                        "kept; check the connection and try again.",
                        name=self.weights.name,
                        error=error,
                    ) from error
                self._tell(
                    "waiting", tr("{capitalize}; trying again.", capitalize=str(error).capitalize())
                )
                self._wait(self._waits_s[tries])
                tries += 1
        return False

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_stopped():
            time.sleep(min(_PAUSE_S, seconds))

    def _fetch(self, part: Path) -> bool:
        have = _size(part)
        headers = {"User-Agent": "Droplens", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            with _open(self._url, headers) as response:
                if not _continues(response, have):
                    have = 0
                length = response.headers.get("Content-Length")
                if length is not None and _LENGTH.fullmatch(length):
                    self._total = have + int(length)
                    self._check_size(self._total)
                    _check_room(part, int(length))
                if not self._receive(response, part, have):
                    return False
        except HTTPError as error:
            if error.code == _RANGE_NOT_SATISFIABLE and have:
                return self._end_or_restart(part, error)
            raise _refused(self._url, error) from error
        except (URLError, http.client.HTTPException, OSError) as error:
            raise self._sorted_out(error) from error
        if _size(part) < self._total and length is not None:
            raise _TryAgainError(tr("the connection was cut"))
        return True

    def _receive(self, response: Any, part: Path, have: int) -> bool:
        """Append what comes to the part; return False where it was asked to stop."""
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            self._tell("downloading", done=have)
            while not self._is_stopped():
                chunk = response.read1(_CHUNK_BYTES)
                self._check_size(have + len(chunk))
                if not chunk:
                    file.flush()
                    os.fsync(file.fileno())
                    return True
                try:
                    file.write(chunk)
                except OSError as error:
                    raise _NoRoomError(error) from error
                have += len(chunk)
                self._tell("downloading", done=have)
        return False

    def _check_size(self, size: int) -> None:
        if size > self.weights.largest_bytes:
            raise DownloadError(
                "{url} is larger than {name}, which has {size_bytes} MB; it is not the "
                "file that torchvision names. Try another mirror.",
                url=_shown(self._url),
                name=self.weights.name,
                size_bytes=number(self.weights.size_bytes / 1e6),
            )

    def _end_or_restart(self, part: Path, error: HTTPError) -> bool:
        """Nothing lies behind what is there: it is whole, or of another file."""
        if _has_hash(part, self.weights):
            return True
        part.unlink()
        raise _TryAgainError(tr("what was there is of another file")) from error

    def _sorted_out(self, error: Exception) -> Exception:
        """Return what an error of the connection or the disk means."""
        if isinstance(error, _NoRoomError):
            return DownloadError(
                "{cannot_write} What came so far is kept.",
                cannot_write=cannot_write(self.weights.part_path, error.reason),
            )
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return DownloadError(
                "The server at {url} shows a certificate that this computer does not "
                "trust ({verify_message}); ask who runs your network, or use a mirror.",
                url=_shown(self._url),
                verify_message=reason.verify_message,
            )
        if isinstance(reason, FileNotFoundError | PermissionError | IsADirectoryError):
            assert isinstance(reason, OSError)
            return DownloadError(cannot_write(self.weights.part_path, reason))
        if isinstance(reason, TimeoutError):
            return _TryAgainError(tr("the server does not answer"))
        if isinstance(reason, OSError) and reason.strerror:
            return _TryAgainError(tr("the connection failed ({reason})", reason=os_reason(reason)))
        return _TryAgainError(tr("the connection was cut"))

    def _tell(self, state: State, problem: str = "", done: int | None = None) -> None:
        done = _size(self.weights.part_path) if done is None else done
        if state == "done":
            done = self._total = _size(self.weights.path)
        self._on_progress(Progress(self.weights, state, done, max(done, self._total), problem))


class _TryAgainError(Exception):
    """A failure that may pass; its text ends a sentence."""


class _NoRoomError(OSError):
    """The disk took no more."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(reason.errno, reason.strerror)
        self.reason = reason


def _open(url: str, headers: dict[str, str]) -> Any:
    if not url.startswith(("https://", "http://")):
        raise DownloadError(
            "{url!r} is not a web address; a mirror begins with https://.", url=_shown(url)
        )
    try:
        request = urllib.request.Request(url, headers=headers)
    except ValueError as error:
        raise DownloadError("{url!r} is not a web address.", url=_shown(url)) from error
    handlers: list[urllib.request.BaseHandler] = []
    if url.startswith("https://"):
        import truststore  # the certificates that the system trusts, a company's own included

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    # The proxy is the system's, which urllib looks up by itself.
    return urllib.request.build_opener(*handlers).open(request, timeout=_TIMEOUT_S)


def _continues(response: Any, have: int) -> bool:
    """Return whether an answer goes on where the part ends; servers may send all again."""
    given = response.headers.get("Content-Range", "")
    return bool(have) and response.status == 206 and given.startswith(f"bytes {have}-")


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise DownloadError(
            "The disk has {free} MB free, but the download needs {needed} MB more; make "
            "room in {parent}.",
            free=number(free / 1e6),
            needed=number(needed / 1e6),
            parent=part.parent,
        )


def _refused(url: str, error: HTTPError) -> Exception:
    if error.code in _TRY_AGAIN_LATER:
        return _TryAgainError(tr("the server answers {code}", code=error.code))
    if error.code == 404:
        return DownloadError(
            "There is no file at {url}; check the mirror's address.", url=_shown(url)
        )
    reason = f"{error.code} {error.reason}"[:_LONGEST_REASON]
    return DownloadError("The server refuses {url}: {reason}.", url=_shown(url), reason=reason)


def _shown(url: str) -> str:
    """Return an address for people: without the name and password of a mirror."""
    return _CREDENTIALS.sub("//", url)


def _has_hash(path: Path, weights: Weights) -> bool:
    with open_ordinary(path) as file:
        return hash_of(file).hex().startswith(weights.hash_start)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
