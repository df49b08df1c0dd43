"""Collect every sentence of the program into resources/locale, and make catalogues of it.

    .venv/bin/python build_scripts/messages.py            collect; compile every language's .po
    .venv/bin/python build_scripts/messages.py --check    only say whether that is to be done

A new language is a folder: resources/locale/de/LC_MESSAGES/droplens.po, begun as a copy of
droplens.pot. The pseudo-language is made here: it shows what is cut off when sentences grow, and
what is not translated at all.
"""

from __future__ import annotations

import datetime
import io
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from core import errors

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "resources" / "locale"
TEMPLATE = LOCALE / "droplens.pot"
ERRORS = [name for name in vars(errors) if name.endswith("Error")]
"""Their first argument is a sentence."""
KEYWORDS = {"tr": None, "lazy": None, "tr_n": (1, 2), **dict.fromkeys(ERRORS)}
SEPARATORS = (",|thousands separator", ".|decimal separator")
PSEUDO = "pseudo"

_ACCENTS = str.maketrans("aceinosuyACEINOSUYz", "áçéîñöšûýÁÇÉÎÑÖŠÛÝž")
_KEPT = re.compile(r"\{[^}]*\}|%\(\w+\)s|&(?=\w)|\*\.\w+|\(\*[^)]*\)|\n")
_GROWTH = 0.4
_ALWAYS = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
"""So that the same sentences give the same file."""

_HEADER = b"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def collect() -> Catalog:
    """Return every sentence of core and gui with the files that say it."""
    found = Catalog(project="Droplens", charset="utf-8")
    for folder in ("core", "gui"):
        for file, _, message, _, _ in extract_from_dir(
            ROOT / folder, [("**.py", "python")], keywords=KEYWORDS
        ):
            found.add(message, locations=[(f"{folder}/{file}", 0)])
    for separator in SEPARATORS:
        found.add(separator)
    return found


def pseudo(sentence: str) -> str:
    """Return a sentence with accents, brackets and two fifths more letters; fields are kept."""
    kept = _KEPT.findall(sentence)
    accented = [part.translate(_ACCENTS) for part in _KEPT.split(sentence)]
    text = "".join(a + b for a, b in zip(accented, [*kept, ""], strict=True))
    more = "·" * round(len(sentence) * _GROWTH)
    end = "\n" if text.endswith("\n") else ""
    return f"[{text.rstrip(chr(10))}{more}]{end}"


def pseudo_catalogue(messages: Catalog) -> Catalog:
    """Return a translation of every sentence into the pseudo-language."""
    made = Catalog(
        locale="en",
        project="Droplens",
        charset="utf-8",
        creation_date=_ALWAYS,
        revision_date=_ALWAYS,
    )
    for message in messages:
        if not message.id:
            continue
        if isinstance(message.id, tuple):
            made.add(message.id, tuple(map(pseudo, message.id)))
        else:
            said = message.id if message.id in SEPARATORS else pseudo(message.id)
            made.add(message.id, said)
    return made


def template(messages: Catalog) -> bytes:
    """Return the sentences as a .pot file that changes only where sentences do."""
    content = io.BytesIO(_HEADER)
    content.seek(0, io.SEEK_END)
    write_po(content, messages, sort_output=True, omit_header=True, width=100)
    return re.sub(rb":0\b", b"", content.getvalue())


def main() -> int:
    """Collect and compile, or say whether that is to be done."""
    messages = collect()
    compiled = {LOCALE / PSEUDO: pseudo_catalogue(messages)}
    for file in sorted(LOCALE.glob("*/LC_MESSAGES/droplens.po")):
        compiled[file.parent.parent] = read_po(io.BytesIO(file.read_bytes()))
    contents = {TEMPLATE: template(messages)}
    for folder, catalogue in compiled.items():
        content = io.BytesIO()
        write_mo(content, catalogue)
        contents[folder / "LC_MESSAGES" / "droplens.mo"] = content.getvalue()
    stale = [
        path for path, now in contents.items() if not path.is_file() or path.read_bytes() != now
    ]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not of these sentences; run {Path(__file__).name}")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents[path])
    print(f"{len(messages):,} sentences, {len(stale)} files written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
