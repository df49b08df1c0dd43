"""Is there a newer Droplens? Asked at the user's wish alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from core.errors import DownloadError
from core.work.requests import Request

_TIMEOUT_S = 10
_LARGEST_BYTES = 2**20
_LONGEST_VERSION = 40
_PAGE = "Releases"


@dataclass(frozen=True)
class NewestVersion:
    """What the project's page says.

    Attributes:
        version: the newest one.
        own: this program's.
        page: where it can be had.
    """

    version: str
    own: str
    page: str

    @property
    def is_newer(self) -> bool:
        """Return whether it is newer than this program."""
        return _numbers(self.version) > _numbers(self.own)


@dataclass(frozen=True)
class FindNewestVersion(Request[None, NewestVersion]):
    """Ask the project's page for the newest version."""

    lane = "web"

    def run(self, _: None) -> NewestVersion:
        """Return the newest version."""
        return newest_version()


def releases_page() -> str:
    """Return the address of the project's releases, as pyproject.toml names it."""
    from importlib.metadata import metadata

    found = dict(
        entry.split(", ", 1) for entry in metadata("droplens").get_all("Project-URL") or []
    )
    return str(found.get(_PAGE, ""))


def newest_version(page: str | None = None) -> NewestVersion:
    """Ask which version is the newest.

    Args:
        page: of the releases on GitHub, or another server that speaks like it.

    Raises:
        DownloadError: the page was not reached, or says something else.
    """
    import urllib.request  # costs start-up time, so only here
    from importlib.metadata import version

    page = releases_page() if page is None else page
    address = re.sub(r"^https://github\.com/", "https://api.github.com/repos/", page) + "/latest"
    request = urllib.request.Request(address, headers={"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            found = json.loads(answer.read(_LARGEST_BYTES))
        newest = str(found["tag_name"])[:_LONGEST_VERSION].removeprefix("v")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DownloadError(
            "Whether there is a newer version could not be found out: {page} was not "
            "reached. Look there yourself.",
            page=page,
        ) from error
    return NewestVersion(newest, version("droplens"), page)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])
