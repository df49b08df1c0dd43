"""What Droplens remembers between starts: one JSON file in the user's settings folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from core.errors import SettingsError, cannot_write
from core.work.requests import Request


@dataclass
class Settings:
    """The values; every one has a default, so that an empty file is a valid one."""

    checkpoint: str = ""
    architecture: str = ""
    mirror: str = ""
    device: str = "auto"
    decoding: str = "exact"
    mixed_precision: bool = False
    last_folder: str = ""
    recent_checkpoints: list[str] = field(default_factory=list)
    recent_folders: list[str] = field(default_factory=list)
    recent_projects: list[str] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    appearance: str = "system"
    window_geometry: str = ""
    workspace: str = ""
    layouts: dict[str, str] = field(default_factory=dict)
    feature_maps_order: str = "index"
    inside_tab: str = "network"
    inside_megabytes: int = 512
    gallery_order: str = "added"
    thumbnail_px: int = 148
    overlay_opacity: int = 70
    project: str = ""
    label_advances: bool = True
    learns_from_labels: bool = True
    taught_models: list[str] = field(default_factory=list)


THUMBNAIL_WIDTHS = range(96, 301)
"""Least widths of a card in the list, in pixels; thumbnails are made for the largest."""

_RANGES = {
    "thumbnail_px": THUMBNAIL_WIDTHS,
    "inside_megabytes": range(1, 2**20),
    "overlay_opacity": range(101),
}


def default_path() -> Path:
    """Return where the settings of this user lie."""
    from platformdirs import user_config_path  # costs start-up time, so only here

    return user_config_path("Droplens", appauthor=False) / "settings.json"


def cache_path() -> Path:
    """Return where of this user lies what can be made again."""
    from platformdirs import user_cache_path  # costs start-up time, so only here

    return user_cache_path("Droplens", appauthor=False)


def project_path() -> Path:
    """Return where the labels of this user lie, where he has not chosen another place."""
    from platformdirs import user_data_path  # costs start-up time, so only here

    return user_data_path("Droplens", appauthor=False) / "My labels.droplens"


def load(path: Path) -> Settings:
    """Read the settings; a missing file gives the defaults.

    A damaged file is set aside as ``settings.damaged.json`` and never overwritten; values
    of a wrong type, or beyond what they can be, are left at their default.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, RecursionError) as error:
        _set_aside(path, error)
        return Settings()
    return _from_json(found)


def save(settings: Settings, path: Path) -> None:
    """Write the settings whole or not at all.

    Raises:
        SettingsError: no room or no permission; the earlier settings still stand.
    """
    from core.files import make_private_folder, write_atomically

    text = json.dumps(asdict(settings), indent=1)
    try:
        make_private_folder(path.parent)
        write_atomically(path, text.encode("ascii"), is_private=True)
    except OSError as error:
        raise SettingsError(
            "The settings were not saved. {reason}", reason=cannot_write(path, error)
        ) from error


@dataclass(frozen=True)
class SaveSettings(Request[None, None]):
    """Write the settings as they are when it is asked."""

    lane = "write"
    settings: Settings
    path: Path

    def run(self, _: None) -> None:
        """Write them."""
        save(self.settings, self.path)


def _from_json(found: object) -> Settings:
    settings = Settings()
    if not isinstance(found, dict):
        return settings
    for known in fields(Settings):
        value = found.get(known.name)
        default = getattr(settings, known.name)
        if type(value) is not type(default):
            continue
        entries: list[object] = []
        if isinstance(value, list | dict):
            entries = list(value.values()) if isinstance(value, dict) else value
        if not all(isinstance(entry, str) for entry in entries):
            continue
        if known.name in _RANGES and value not in _RANGES[known.name]:
            continue
        setattr(settings, known.name, value)
    return settings


def _set_aside(path: Path, reason: Exception) -> None:
    import logging  # costs start-up time, so only where something is wrong

    log = logging.getLogger(__name__)
    log.warning("settings cannot be read: %s", reason)
    try:
        path.replace(path.with_name("settings.damaged.json"))
    except OSError as error:
        log.warning("damaged settings could not be set aside: %s", error)
