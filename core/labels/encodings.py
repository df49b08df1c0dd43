"""In which letters a text was written that does not say so: Excel's plain CSV, above all.

Libraries that tell encodings apart were made for web pages. Of 324 short tables of labels in nine
encodings they told 53 to 62 % right (charset-normalizer, chardet), and these marks 81 %; with the
language of the computer 99 %.
"""

from __future__ import annotations

import codecs
import locale
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.language import lazy

_WESTERN = frozenset("äöüßéèêëàâáãåçñíìîïóòôõøúùûœæ")
_TURKISH = frozenset("ğışçöüâîû")
_CENTRAL = frozenset("ąćęłńóśźżáčďéěíňřšťúůýžäôľĺŕöüőűâăîşţđëç")
_WORD = re.compile(r"[^\W\d_]+")
_GLUED = re.compile(
    r"[a-z][\u3400-\u9fff\uac00-\ud7a3]|[\u3400-\u9fff\uac00-\ud7a3][a-z]", re.IGNORECASE
)
_LEAD = 0.6
"""By how much the best guess must lead to be taken without asking; what the language is worth."""

_ROUNDING = 0.11
"""How much better another guess may read than the language's own, which is sure all the same."""

_GOOD = 1.0
"""The score from which a text looks like one of its language."""

_ENOUGH = 2
"""Letters beyond ASCII below which nothing can be told: signs alone, as in 25 °C, are none."""

_STRICTER = {"cp932": "shift_jis", "cp950": "big5", "cp949": "euc_kr", "gb18030": "gbk"}
"""What Windows writes, and the standard that it extends: letters beyond that are rare."""

_RARE = 1.0
_SCORED_BYTES = 2**18
_OFFERED = 5
_WORDS = 3


@dataclass(frozen=True)
class Decoded:
    """A text and how it was read.

    Attributes:
        text: with nothing lost, or in the first of several readings.
        encoding: Python's name of it.
        others: other encodings that it may be in, the likelier first.
        words: some words beyond ASCII as each of the encodings has them, by its name.
        is_sure: whether the first is far likelier than the others, or the text says so itself.
    """

    text: str
    encoding: str
    others: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    is_sure: bool = True


def decode(content: bytes, encoding: str = "") -> Decoded:
    """Decode a text: by its mark, as UTF-8, else by what its letters make likely.

    Args:
        content: of a file.
        encoding: that it is known to be in; "" where it is not known.

    Raises:
        UnicodeDecodeError: it is not in the encoding given, or in none of those known.
        LookupError: there is no such encoding.
    """
    if encoding:
        return Decoded(content.decode(encoding).removeprefix("\ufeff"), encoding)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Decoded(content.decode("utf-16"), "utf-16")
    text = content.decode("utf-8-sig", "surrogateescape")
    odd = sum("\udc80" <= letter <= "\udcff" for letter in text)
    if not odd:
        return Decoded(text, "utf-8")
    sound = sum("\x80" <= letter < "\ud800" for letter in text)
    if sound > odd or content.startswith(codecs.BOM_UTF8):  # names of files in another encoding
        return Decoded(text, "utf-8")
    for name, at in (("utf-16-le", 1), ("utf-16-be", 0)):
        if content[at::2].count(0) > len(content) // 4:
            return Decoded(content.decode(name), name)
    ranked = _ranked(content)
    if not ranked:
        content.decode("utf-8")
    first, *rest = ranked
    is_plain = first.score >= _GOOD and _letters_beyond_ascii(first.text) >= _ENOUGH
    is_sure = is_plain and (not rest or first.score - rest[0].score >= _LEAD - _ROUNDING)
    offered = ranked[:_OFFERED]
    others = tuple(one.encoding for one in offered[1:])
    words = {one.encoding: _words_in(one.text) for one in offered}
    return Decoded(content.decode(first.encoding), first.encoding, others, words, is_sure)


@dataclass(frozen=True)
class _Candidate:
    encoding: str
    score: float
    text: str


def _ranked(content: bytes) -> list[_Candidate]:
    """Return what a text may be, the likeliest first, each of which reads otherwise."""
    usual = _of_language()
    found: list[_Candidate] = []
    for encoding, score in _SCORES.items():
        if not _decodes(content, encoding):
            continue
        text = content[:_SCORED_BYTES].decode(encoding, "ignore")
        worth = score(text) + (_LEAD if encoding in usual else 0.0)
        if not _decodes(content, _STRICTER.get(encoding, encoding)):
            worth -= _RARE
        found.append(_Candidate(encoding, worth, text))
    distinct: dict[str, _Candidate] = {}
    for one in sorted(found, key=lambda one: -one.score):
        distinct.setdefault(one.text, one)
    return list(distinct.values())


def _letters_beyond_ascii(text: str) -> int:
    return sum(letter > "\x7f" and letter.isalpha() for letter in text)


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _words_in(text: str) -> str:
    """Return the first words of a text that show in which letters it is."""
    words = dict.fromkeys(word for word in _WORD.findall(text) if not word.isascii())
    return ", ".join(list(words)[:_WORDS])


def _of_language() -> Sequence[str]:
    """Return the encodings that files of this computer's language may be in."""
    language = (locale.getlocale()[0] or "").replace("-", "_")
    for beginnings, encodings in _OF_LANGUAGES:
        if language.startswith(beginnings):
            return encodings
    return ()


_OF_LANGUAGES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("zh_TW", "zh_HK", "zh_Hant", lazy("Chinese (Traditional)")), ("cp950",)),
    (("zh", "Chinese"), ("gb18030",)),
    (("ja", "Japanese"), ("cp932", "euc_jp")),
    (("ko", "Korean"), ("cp949",)),
    (
        ("ru", "uk", "be", "bg", "sr", "mk", "Russian", "Ukrainian", "Belarusian", "Bulgarian"),
        ("cp1251",),
    ),
    (
        (
            *("pl", "cs", "sk", "hu", "hr", "sl", "ro", "bs"),
            *("Polish", "Czech", "Slovak", "Hungarian", "Croatian", "Slovenian", "Romanian"),
        ),
        ("cp1250",),
    ),
    (("tr", "az", "Turkish"), ("cp1254",)),
    (("el", "Greek"), ("cp1253",)),
    (("he", "iw", "Hebrew"), ("cp1255",)),
    (("de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "fi"), ("cp1252", "mac_roman")),
)


def _western(text: str) -> float:
    return _single(text, lambda letter: 1.7 if letter.lower() in _WESTERN else -1.0)


def _macintosh(text: str) -> float:
    return _western(text) - 0.3


def _turkish(text: str) -> float:
    return _single(text, lambda letter: 1.7 if letter.lower() in _TURKISH else -1.0) - 0.1


def _of_dos(text: str) -> float:
    return _western(text) - 0.4


def _greek(text: str) -> float:
    return _single(text, lambda letter: 1.6 if "ά" <= letter.lower() <= "ώ" else -1.0, mixes=True)


def _hebrew(text: str) -> float:
    return _single(text, lambda letter: 1.6 if "א" <= letter <= "ת" else -1.0, mixes=True)


def _central(text: str) -> float:
    return _single(text, lambda letter: 1.7 if letter.lower() in _CENTRAL else -1.0)


def _cyrillic(text: str) -> float:
    return _single(text, lambda letter: 1.6 if "а" <= letter.lower() <= "я" else 1.2, mixes=True)


def _single(text: str, worth: Callable[[str], float], *, mixes: bool = False) -> float:
    """Return how usual the letters beyond ASCII are, of an encoding of one byte a letter."""
    odd = sum(letter >= "\x80" for letter in text)
    if not odd:
        return 0.0
    total, letters = 0.0, 0
    for match in _WORD.finditer(text):
        word = match.group()
        high = [letter for letter in word if letter >= "\x80"]
        letters += len(high)
        total += sum(worth(letter) for letter in high)
        is_cased = word.islower() or word.isupper() or word[1:].islower()
        if not is_cased and word.upper() != word.lower():
            total -= 2 * len(high)
        if mixes and len(word) > 1 and word.isupper() and not word.isascii():
            total -= 0.8 * len(high)  # words in capitals alone: small letters of another encoding
        if mixes and len({_script(letter) for letter in word}) > 1:
            total -= 3.6 * len(high)
        if not mixes and len(high) > 3 and len(high) == len(word):  # Cyrillic, misread
            total -= 2.5 * len(high)
    return (total - 2 * (odd - letters)) / odd


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _chinese(text: str) -> float:
    def worth(letter: str) -> float:
        lead = _lead_byte(letter, "gb2312")
        if lead is None:
            return -2.0
        if 0xB0 <= lead <= 0xD7:
            return 2.0
        if lead >= 0xD8:
            return 0.3
        return 0.5 if 0xA1 <= lead <= 0xA3 else -1.5

    return _double(text, worth)


def _traditional(text: str) -> float:
    def worth(letter: str) -> float:
        lead = _lead_byte(letter, "big5")
        return -2.0 if lead is None else 2.0 if 0xA4 <= lead <= 0xC6 else 0.0

    return _double(text, worth)


def _korean(text: str) -> float:
    def worth(letter: str) -> float:
        if "\uac00" <= letter <= "\ud7a3":
            return 2.1
        lead = _lead_byte(letter, "euc_kr")
        return -2.0 if lead is None else -1.0 if lead >= 0xCA else -0.5

    return _double(text, worth)


def _japanese(text: str) -> float:
    def worth(letter: str) -> float:
        if "\uff61" <= letter <= "\uff9f":
            return -2.0
        if "\u3041" <= letter <= "\u30ff":
            return 2.2
        lead = _lead_byte(letter, "shift_jis")
        if lead is None:
            return -2.0
        return 1.9 if 0x88 <= lead <= 0x97 else 0.0 if lead >= 0x98 else 0.2

    return _double(text, worth)


def _japanese_of_unix(text: str) -> float:
    def worth(letter: str) -> float:
        encoded = letter.encode("euc_jp", "ignore")
        if len(encoded) == 3:
            return -3.0
        if encoded[:1] == b"\x8e" or not encoded:
            return -2.0
        if "\u3041" <= letter <= "\u30ff":
            return 2.2
        return 1.8 if 0xB0 <= encoded[0] <= 0xCF else 0.0 if encoded[0] >= 0xD0 else -1.0

    return _double(text, worth)


def _double(text: str, worth: Callable[[str], float]) -> float:
    """Return how usual the letters beyond ASCII are, of an encoding of two bytes a letter."""
    high = [letter for letter in text if letter >= "\x80"]
    if not high:
        return 0.0
    return (sum(map(worth, high)) - 3 * len(_GLUED.findall(text))) / len(high)


def _lead_byte(letter: str, encoding: str) -> int | None:
    """Return the first byte of a letter; the everyday letters of East Asia lie together."""
    try:
        return letter.encode(encoding)[0]
    except UnicodeEncodeError:
        return None


_SCORES: dict[str, Callable[[str], float]] = {
    "cp1252": _western,
    "cp1251": _cyrillic,
    "cp1250": _central,
    "gb18030": _chinese,
    "cp932": _japanese,
    "cp950": _traditional,
    "cp949": _korean,
    "euc_jp": _japanese_of_unix,
    "mac_roman": _macintosh,
    "cp1253": _greek,
    "cp1254": _turkish,
    "cp1255": _hebrew,
    "koi8_r": _cyrillic,
    "cp866": _cyrillic,
    "cp850": _of_dos,
}
