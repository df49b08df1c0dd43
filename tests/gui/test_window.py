"""The table of actions, the colours, the messages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QKeySequence
from pytestqt.qtbot import QtBot

import resources
from core.errors import DroplensError
from gui import theme
from gui.actions import Action
from gui.app import Droplens
from gui.problem_reporter import ProblemReporter


def brought(droplens: Droplens) -> list[Action]:
    """Return the actions that all rooms bring."""
    return [action for room in droplens.rooms for action in room.actions()]


def test_every_action_has_a_menu_entry_and_a_key_of_its_own(droplens: Droplens) -> None:
    keys: Counter[str] = Counter()
    actions = droplens.window.actions_table
    for action in actions.all():
        assert action.text()
        assert action.shortcuts(), action.objectName()
        keys.update(key.toString() for key in action.shortcuts())
    assert [key for key, count in keys.items() if count > 1] == []
    names = [action.name for action in brought(droplens)]
    assert sorted(names) == sorted(action.objectName() for action in actions.all())
    assert all(not QKeySequence(key).isEmpty() for key in keys)


def test_no_menu_gives_two_entries_the_same_letter(droplens: Droplens) -> None:
    for title, menu in droplens.window.actions_table.menus.items():
        texts = [action.text() for action in menu.actions()]
        letters = Counter(text[text.index("&") + 1].lower() for text in texts if "&" in text)
        assert [letter for letter, count in letters.items() if count > 1] == [], title


def test_actions_can_be_chosen_when_what_they_need_is_there(droplens: Droplens) -> None:
    actions = droplens.window.actions_table
    assert not actions["next"].isEnabled()
    assert not actions["undo"].isEnabled()
    assert actions["open_photos"].isEnabled()
    droplens.session.add_photos([Path("/a.jpg")])
    assert actions["next"].isEnabled()
    droplens.session.remove_photos([Path("/a.jpg")])
    assert not actions["next"].isEnabled()


def test_one_appearance_is_on(droplens: Droplens) -> None:
    actions = droplens.window.actions_table
    try:
        actions["appearance_dark"].trigger()
        assert droplens.session.settings.appearance == "dark"
        assert theme.colours() == theme.DARK
        assert not actions["appearance_system"].isChecked()
    finally:
        actions["appearance_system"].trigger()


def test_every_icon_is_there_and_takes_a_colour(droplens: Droplens) -> None:
    for action in brought(droplens):
        if action.icon:
            picture = theme.pixmap(action.icon, "#ff0000", 24).toImage()
            reds = {
                picture.pixelColor(x, y).red()
                for x in range(24)
                for y in range(24)
                if picture.pixelColor(x, y).alpha() == 255
            }
            assert reds == {255}, action.icon


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""

    def luminance(name: str) -> float:
        colour = QColor(name)
        parts = [colour.redF(), colour.greenF(), colour.blueF()]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


SCHEMES = {
    "light": theme.LIGHT,
    "dark": theme.DARK,
    "light, high contrast": theme.LIGHT_CONTRAST,
    "dark, high contrast": theme.DARK_CONTRAST,
}


@pytest.mark.parametrize("used", SCHEMES.values(), ids=SCHEMES)
def test_text_can_be_read(used: theme.Colours) -> None:
    for ground in (used.window, used.panel, used.canvas, used.accent_soft, used.hover):
        assert contrast(used.text, ground) >= 7
        assert contrast(used.muted, ground) >= 4.5
    assert contrast(used.on_accent, used.accent) >= 4.5
    assert contrast(used.accent, used.panel) >= 4.5
    assert contrast(used.warning, used.panel) >= 4.5
    assert contrast(used.text, used.warning_soft) >= 7
    if used in (theme.LIGHT_CONTRAST, theme.DARK_CONTRAST):
        assert contrast(used.faint, used.panel) >= 7
        assert contrast(used.border, used.panel) >= 7
        assert contrast(used.accent, used.panel) >= 7


@pytest.mark.parametrize(
    ("appearance", "used"),
    [
        ("light", theme.LIGHT),
        ("dark", theme.DARK),
        ("odd", theme.LIGHT),
        ("contrast", theme.LIGHT_CONTRAST),
    ],
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
