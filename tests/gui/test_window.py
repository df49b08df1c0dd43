"""The table of actions, the colours, the messages."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

import resources
from core.errors import DroplensError
from gui import theme
from gui.actions import Actions, table
from gui.problem_reporter import ProblemReporter


@pytest.fixture
def actions(qtbot: QtBot) -> Actions:
    window = QMainWindow()
    qtbot.addWidget(window)
    made = Actions(window)
    made.fill()
    made.window = window
    return made


def test_every_action_has_a_menu_entry_and_a_key_of_its_own(actions: Actions) -> None:
    keys: Counter[str] = Counter()
    for action in actions.all():
        assert action.text()
        assert action.shortcuts(), action.objectName()
        keys.update(key.toString() for key in action.shortcuts())
    assert [key for key, count in keys.items() if count > 1] == []
    names = [row.name for rows in table().values() for row in rows if row.name]
    assert sorted(names) == sorted(action.objectName() for action in actions.all())
    assert all(not QKeySequence(key).isEmpty() for key in keys)


def test_no_menu_gives_two_entries_the_same_letter() -> None:
    for title, rows in table().items():
        letters = Counter(
            row.text[row.text.index("&") + 1].lower()
            for row in rows
            if "&" in row.text and not row.submenu
        )
        assert [letter for letter, count in letters.items() if count > 1] == [], title


def test_every_icon_is_there_and_takes_a_colour(actions: Actions, qtbot: QtBot) -> None:
    for rows in table().values():
        for row in rows:
            if row.icon:
                picture = theme.pixmap(row.icon, "#ff0000", 24).toImage()
                reds = {
                    picture.pixelColor(x, y).red()
                    for x in range(24)
                    for y in range(24)
                    if picture.pixelColor(x, y).alpha() == 255
                }
                assert reds == {255}, row.icon


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""

    def luminance(name: str) -> float:
        colour = QColor(name)
        parts = [colour.redF(), colour.greenF(), colour.blueF()]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("used", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_text_can_be_read(used: theme.Colours) -> None:
    for ground in (used.window, used.panel, used.canvas, used.accent_soft, used.hover):
        assert contrast(used.text, ground) >= 7
        assert contrast(used.muted, ground) >= 4.5
    assert contrast(used.on_accent, used.accent) >= 4.5
    assert contrast(used.accent, used.panel) >= 4.5
    assert contrast(used.warning, used.panel) >= 4.5
    assert contrast(used.text, used.warning_soft) >= 7


@pytest.mark.parametrize(
    ("appearance", "used"), [("light", theme.LIGHT), ("dark", theme.DARK), ("odd", theme.LIGHT)]
)
def test_appearance(qtbot: QtBot, appearance: str, used: theme.Colours) -> None:
    theme.set_appearance(appearance)
    try:
        assert theme.colours() == used
    finally:
        theme.set_appearance("system")


def test_the_style_sheet_names_only_known_colours(qtbot: QtBot) -> None:
    theme.apply(QGuiApplication.instance())
    assert resources.path("style/close.svg").exists()
    with pytest.raises(FileNotFoundError, match="Install it again"):
        resources.path("style/none.svg")


def test_messages(qtbot: QtBot) -> None:
    reporter = ProblemReporter()
    qtbot.addWidget(reporter)
    counts: list[int] = []
    reporter.problems_changed.connect(counts.append)
    reporter.report(DroplensError("The disk is full."))
    assert reporter.shown_text == "The disk is full."
    reporter.note("one photo")
    assert reporter.shown_text == "The disk is full."
    try:
        raise ZeroDivisionError("secret detail")
    except ZeroDivisionError as error:
        reporter.report(error)
    assert "did not expect (ZeroDivisionError)" in reporter.shown_text
    reporter._copy_shown()
    copied = QGuiApplication.clipboard().text()
    assert "secret detail" in copied
    assert "Traceback" in copied
    reporter.forget_photos()
    assert counts == [1, 2, 3, 2]
    reporter.show_list()
    reporter.forget_all()
    assert reporter.shown_text == ""
