from __future__ import annotations

import gettext
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import resources
from core import language
from core.language import catalogues, lazy, number, percent, tr, tr_n

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language.use(language.English())


def test_english_fills_fields_and_groups_digits() -> None:
    assert tr("{n} photos in {folder}", n=12345, folder="{n}") == "12,345 photos in {n}"
    assert tr("no fields: {n}") == "no fields: {n}"
    assert tr_n("{n} photo", "{n} photos", 1) == "1 photo"
    assert tr_n("{n} photo", "{n} photos", 0) == "0 photos"
    assert (number(1234.56, 1), percent(0.125, 1)) == ("1,234.6", "12.5%")


def test_another_language_has_its_own_separators_and_says_what_was_marked() -> None:
    marked = lazy("the disk is full")
    assert tr("Not saved: {reason}.", reason=marked) == "Not saved: the disk is full."

    class German(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            known = {"the disk is full": "der Datenträger ist voll"}
            return {**known, "Not saved: {reason}.": "Nicht gesichert: {reason}."}.get(
                message, message
            )

    language.use(German(), ".", ",")
    assert (number(1234.56, 1), tr("{n}", n=1234)) == ("1.234,6", "1.234")
    assert tr("Not saved: {reason}.", reason=marked) == "Nicht gesichert: der Datenträger ist voll."
    assert marked == "the disk is full"


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "xx_YY.UTF-8"}, "en"),
        ({"LANG": "xx", "DROPLENS_LANGUAGE": "pseudo"}, "pseudo"),
        ({"LC_ALL": "pseudo.UTF-8@x", "LANG": "en"}, "pseudo"),
    ],
)
def test_the_environment_chooses(environment: dict[str, str], code: str) -> None:
    assert catalogues.begin(environment) == code
    assert tr("Quit").startswith("[" if code == "pseudo" else "Q") or tr("&Quit")[0] == "["


def test_the_catalogue_holds_the_sentences_of_now() -> None:
    done = subprocess.run(
        [sys.executable, "build_scripts/messages.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""  # a sentence that is put together and cannot be translated


def test_the_pseudo_language_is_two_fifths_longer() -> None:
    said = gettext.translation(catalogues.DOMAIN, resources.path("locale"), ["pseudo"]).gettext(
        "The clipboard holds no photos."
    )
    assert said[0] + said[-1] == "[]"
    assert len(said) == pytest.approx(1.4 * len("The clipboard holds no photos."), abs=3)
