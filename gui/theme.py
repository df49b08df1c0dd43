"""Colours, style sheet and icons of the light and the dark scheme."""

from __future__ import annotations

import string
from dataclasses import asdict, dataclass

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

import resources

ICON_SIZE = QSize(18, 18)
_ICON_PROPERTY = "schemeIcon"
_PICTURES = {"chevron": "chevron", "up": "chevron-up", "close": "close", "check": "check"}
"""Names in the style sheet, and of their files."""


@dataclass(frozen=True, eq=False, repr=False)  # each method made costs start-up time
class Colours:
    """The colours of one scheme, as #rrggbb."""

    window: str
    panel: str
    canvas: str
    hover: str
    border: str
    groove: str
    border_strong: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_strong: str
    accent_soft: str
    on_accent: str
    warning: str
    warning_soft: str


LIGHT = Colours(
    window="#f3f4f7",
    panel="#ffffff",
    canvas="#e9ebf0",
    hover="#eef1f6",
    border="#e0e3e9",
    groove="#e0e3e9",
    border_strong="#c5cad4",
    text="#1a1e26",
    muted="#5a6272",
    faint="#9aa1ae",
    accent="#2563eb",
    accent_strong="#1d4fc4",
    accent_soft="#dce7fd",
    on_accent="#ffffff",
    warning="#b45309",
    warning_soft="#fff5e0",
)
DARK = Colours(
    window="#15171b",
    panel="#1e2126",
    canvas="#101215",
    hover="#2a2e35",
    border="#2d3138",
    groove="#2d3138",
    border_strong="#464c57",
    text="#e8eaef",
    muted="#a0a8b6",
    faint="#6b7280",
    accent="#6aa2ff",
    accent_strong="#8ab6ff",
    accent_soft="#25385c",
    on_accent="#0b1220",
    warning="#f0b04a",
    warning_soft="#33290f",
)
LIGHT_CONTRAST = Colours(
    window="#ffffff",
    panel="#ffffff",
    canvas="#ffffff",
    hover="#d9e4ff",
    border="#000000",
    groove="#c9c9c9",
    border_strong="#000000",
    text="#000000",
    muted="#000000",
    faint="#545454",
    accent="#0036b3",
    accent_strong="#00227a",
    accent_soft="#cfdcff",
    on_accent="#ffffff",
    warning="#8a3200",
    warning_soft="#ffffff",
)
DARK_CONTRAST = Colours(
    window="#000000",
    panel="#000000",
    canvas="#000000",
    hover="#1f3a5f",
    border="#ffffff",
    groove="#4d4d4d",
    border_strong="#ffffff",
    text="#ffffff",
    muted="#ffffff",
    faint="#b5b5b5",
    accent="#ffe14d",
    accent_strong="#fff2a8",
    accent_soft="#3d3600",
    on_accent="#000000",
    warning="#ffb84d",
    warning_soft="#000000",
)

_SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "contrast": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}
_wanted = Qt.ColorScheme.Unknown
_wants_contrast = False


def colours() -> Colours:
    """Return the colours of the scheme in use; those of high contrast where the system wants it."""
    hints = QGuiApplication.styleHints()
    scheme = hints.colorScheme() if _wanted == Qt.ColorScheme.Unknown else _wanted
    is_dark = scheme == Qt.ColorScheme.Dark
    system = hints.accessibility().contrastPreference()
    if _wants_contrast or system == Qt.ContrastPreference.HighContrast:
        return DARK_CONTRAST if is_dark else LIGHT_CONTRAST
    return DARK if is_dark else LIGHT


def set_appearance(appearance: str) -> None:
    """Use "light" or "dark", or follow the "system", if need be with high "contrast"."""
    global _wanted, _wants_contrast
    _wanted = _SCHEMES.get(appearance, Qt.ColorScheme.Unknown)
    _wants_contrast = appearance == "contrast"
    QGuiApplication.styleHints().setColorScheme(_wanted)


def apply(application: QApplication) -> None:
    """Give the application palette and style sheet of the scheme in use."""
    used = colours()
    application.setPalette(_palette(used))
    sheet = resources.path("style/droplens.qss").read_text(encoding="utf-8")
    pictures = {
        name: resources.path(f"style/{file}.svg").as_posix() for name, file in _PICTURES.items()
    }
    application.setStyleSheet(string.Template(sheet).substitute(asdict(used), **pictures))


def icon(name: str, colour: str | None = None) -> QIcon:
    """Return one of the line icons in the colour of the text, sharp at 100 % and 200 %."""
    used = colours()
    made = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, colour or used.text), (QIcon.Mode.Disabled, used.faint)):
        for factor in (1, 2):
            made.addPixmap(pixmap(name, tint, ICON_SIZE.width() * factor), mode)
    return made


def set_icon(button: QAbstractButton, name: str, colour: str = "text") -> None:
    """Give a button a line icon that follows the scheme; ``colour`` is a field of Colours."""
    button.setProperty(_ICON_PROPERTY, [name, colour])
    follow_scheme(button)


def follow_scheme(widget: QWidget) -> None:
    """Draw a widget again in the colours of the scheme in use."""
    wanted = widget.property(_ICON_PROPERTY)
    if isinstance(widget, QAbstractButton) and wanted:
        name, colour = wanted
        widget.setIcon(icon(name, getattr(colours(), colour)))
    widget.update()


def pixmap(name: str, colour: str, size_px: int) -> QPixmap:
    """Return a line icon as a square picture, from Qt's cache where it was drawn before."""
    key = f"{name} {colour} {size_px}"
    kept = QPixmap()
    if QPixmapCache.find(key, kept):
        return kept
    svg = resources.path(f"icons/{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", colour).encode()))
    drawn = QPixmap(size_px, size_px)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    renderer.render(painter)
    painter.end()
    QPixmapCache.insert(key, drawn)
    return drawn


def ink_on(fill: QColor) -> QColor:
    """Return black or white, whichever is read better on a colour (WCAG's relative luminance)."""

    def linear(share: float) -> float:
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in (fill.redF(), fill.greenF(), fill.blueF()))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    dark = QColor("#111318")
    return dark if luminance > 0.18 else QColor("#ffffff")


def app_icon() -> QIcon:
    """Return the program's own icon."""
    return QIcon(str(resources.path("icons/app.svg")))


def _palette(used: Colours) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: used.window,
        QPalette.ColorRole.WindowText: used.text,
        QPalette.ColorRole.Base: used.panel,
        QPalette.ColorRole.AlternateBase: used.hover,
        QPalette.ColorRole.Text: used.text,
        QPalette.ColorRole.PlaceholderText: used.muted,
        QPalette.ColorRole.Button: used.panel,
        QPalette.ColorRole.ButtonText: used.text,
        QPalette.ColorRole.ToolTipBase: used.panel,
        QPalette.ColorRole.ToolTipText: used.text,
        QPalette.ColorRole.Highlight: used.accent,
        QPalette.ColorRole.HighlightedText: used.on_accent,
        QPalette.ColorRole.Link: used.accent,
        QPalette.ColorRole.Mid: used.border,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(used.faint))
    return palette
