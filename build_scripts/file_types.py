"""What installers say of the files that Droplens opens, made from the program's own table."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.images.kinds import FILE_TYPES, FileType, Kind

ASSOCIATED = tuple(one for one in FILE_TYPES if one.is_associated)
OWN = tuple(one for one in ASSOCIATED if one.kind is not Kind.PHOTO)


def mime_types() -> str:
    """Return all types as a desktop entry lists them."""
    return "".join(f"{one.mime_type};" for one in ASSOCIATED)


def mime_info() -> str:
    """Return the types that no desktop knows, as shared-mime-info wants them."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">\n'
        f"{''.join(map(_mime_type, OWN))}</mime-info>\n"
    )


def nsis_macro() -> str:
    """Return a macro of NSIS that does something for each ending."""
    lines = [f'  !insertmacro ${{DO}} "{ending}"' for one in ASSOCIATED for ending in one.endings]
    return "\n".join(["!macro ENDINGS DO", *lines, "!macroend", ""])


def document_types() -> list[dict[str, object]]:
    """Return the types as Info.plist lists them."""
    roles = {"CFBundleTypeRole": "Viewer", "LSHandlerRank": "Alternate"}
    photos = {"CFBundleTypeName": "Photo", **roles, "LSItemContentTypes": ["public.image"]}
    own = [
        {
            "CFBundleTypeName": one.title,
            **roles,
            "CFBundleTypeExtensions": [ending[1:] for ending in one.endings],
        }
        for one in OWN
    ]
    return [photos, *own]


def _mime_type(one: FileType) -> str:
    globs = "".join(f'    <glob pattern="*{ending}"/>\n' for ending in one.endings)
    return (
        f'  <mime-type type="{one.mime_type}">\n'
        f"    <comment>{one.title}</comment>\n{globs}  </mime-type>\n"
    )
