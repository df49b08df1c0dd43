"""The table of all actions: name, text, key, menu, icon."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from gui import theme
from gui.plain_text import literal

tr = QCoreApplication.translate


@dataclass(frozen=True, eq=False, repr=False)  # each method made costs start-up time
class Row:
    """One action; an empty name is a separator.

    Attributes:
        name: what ``app`` connects it by.
        text: in the menu.
        key: in Qt's portable form; several are separated by "; ".
        icon: name of a file in resources/icons.
        short: on buttons, where it differs from the text.
        checkable: on or off.
        submenu: title of the menu below the menu that it stands in.
    """

    name: str = ""
    text: str = ""
    key: str = ""
    icon: str = ""
    short: str = ""
    checkable: bool = False
    submenu: str = ""


def table() -> dict[str, list[Row]]:
    """Return the rows of each menu, translated."""
    appearance = tr("actions", "&Appearance")
    inside = tr("actions", "Insi&de")
    speed = tr("actions", "Sp&eed")
    exchange = tr("actions", "I&mport")
    project = tr("actions", "Pro&ject")
    return {
        tr("actions", "&File"): [
            Row("open_photos", tr("actions", "Open &photos…"), "Ctrl+O", "image",
                tr("actions", "Open photos")),
            Row("open_folder", tr("actions", "Open &folder…"), "Ctrl+Shift+O", "folder-open",
                tr("actions", "Open folder")),
            Row("open_samples", tr("actions", "Try the &sample photos"), "Ctrl+T", "sparkles",
                tr("actions", "Try the sample photos")),
            Row("paste", tr("actions", "Past&e photos"), "Ctrl+V", "clipboard-paste"),
            Row(),
            Row("save_predictions", tr("actions", "Sa&ve predictions…"), "Ctrl+S", "save"),
            Row(),
            Row("remove_selected", tr("actions", "&Remove selected from the list"), "Del",
                "x"),
            Row("remove_all", tr("actions", "Remove &all from the list"), "Ctrl+Shift+Del",
                "trash-2"),
            Row(),
            Row("quit", tr("actions", "&Quit"), "Ctrl+Q"),
        ],
        tr("actions", "&Model"): [
            Row("open_checkpoint", tr("actions", "Open &checkpoint…"), "Ctrl+Shift+C", "box"),
            Row("choose_architecture", tr("actions", "Choose &architecture…"), "Ctrl+Shift+A",
                "layers"),
            Row("recent_checkpoints", tr("actions", "&Recent checkpoints…"), "Ctrl+R"),
            Row("open_weights", tr("actions", "torchvision's &weights…"), "Ctrl+Shift+W",
                "download"),
            Row("name_classes", tr("actions", "&Name the classes…"), "Ctrl+Shift+N", "tags"),
            Row("edit_preprocessing", tr("actions", "&Preprocessing…"), "Ctrl+Shift+E",
                "sliders-horizontal"),
            Row("show_details", tr("actions", "Deta&ils of the model…"), "Ctrl+I", "info"),
            Row("save_model", tr("actions", "Sa&ve the model as…"), "Ctrl+Shift+S", "save"),
            Row(),
            Row("choose_device", tr("actions", "Choose &device…"), "Ctrl+Shift+D", "cpu"),
            Row("decode_fast", tr("actions", "&Fast decoding of large JPEGs (99% of photos keep "
                "their class)"), "Ctrl+Alt+4",
                checkable=True, submenu=speed),
            Row("mixed_precision", tr("actions", "&Half precision on NVIDIA cards (the device "
                "says how much it differs)"), "Ctrl+Alt+5", checkable=True, submenu=speed),
            Row("use_shipped", tr("actions", "Use the &built-in model"), "Ctrl+B"),
            Row(),
            Row("classify_again", tr("actions", "Classify all a&gain"), "F5", "rotate-ccw"),
            Row("stop", tr("actions", "&Stop"), "Esc", "circle-stop"),
        ],
        tr("actions", "&Labels"): [
            Row("undo", tr("actions", "&Undo"), "Ctrl+Z", "undo-2"),
            Row("redo", tr("actions", "&Redo"), "Ctrl+Shift+Z; Ctrl+Y", "redo-2"),
            Row(),
            Row("label_accept", tr("actions", "&Accept the model's class"), "Return; Enter",
                "check"),
            Row("label_accept_all", tr("actions", "Accept a&ll that are shown…"), "Ctrl+Return",
                "check-check"),
            Row("label_unsure", tr("actions", "U&nsure"), "U", "circle-question-mark"),
            Row("label_reject", tr("actions", "Re&ject"), "X", "ban"),
            Row("label_clear", tr("actions", "&Take the label away"), "0", "eraser"),
            Row("label_advance", tr("actions", "&Go on to the next photo by itself"), "Ctrl+G",
                checkable=True),
            Row("label_full_screen", tr("actions", "Label in &full screen"), "Shift+F11",
                "fullscreen", checkable=True),
            Row(),
            Row("edit_classes", tr("actions", "&Classes…"), "Ctrl+Shift+K", "tags"),
            Row("focus_classes", tr("actions", "Choose a cla&ss"), "Ctrl+J"),
            Row("focus_filter", tr("actions", "Filter &by label"), "Ctrl+Shift+F"),
            Row("filter_prediction", tr("actions", "Filter by &prediction"), "Ctrl+Shift+G",
                "funnel"),
            Row("look_alikes", tr("actions", "Loo&k-alikes of the selected photos"), "Ctrl+L",
                "copy-plus"),
            Row("label_statistics", tr("actions", "Stat&istics…"), "Ctrl+Shift+T",
                "chart-column"),
            Row(),
            Row("import_labels", tr("actions", "I&mport labels…"), "Ctrl+Shift+I", "file-input",
                submenu=exchange),
            Row("import_folders", tr("actions", "Label by &folders…"), "Ctrl+Shift+L",
                "folder-tree", submenu=exchange),
            Row("export_labels", tr("actions", "&Export labels…"), "Ctrl+Shift+X", "upload"),
            Row("new_project", tr("actions", "Ne&w project…"), "Ctrl+N", submenu=project),
            Row("open_project", tr("actions", "&Open project…"), "Ctrl+Alt+O", submenu=project),
        ],
        tr("actions", "&View"): [
            Row("previous", tr("actions", "&Previous photo"), "Alt+Left", "chevron-left"),
            Row("next", tr("actions", "&Next photo"), "Alt+Right", "chevron-right"),
            Row("search", tr("actions", "&Search photos"), "Ctrl+F", "search"),
            Row(),
            Row("zoom_in", tr("actions", "Zoom &in"), "Ctrl++; Ctrl+=", "zoom-in"),
            Row("zoom_out", tr("actions", "Zoom &out"), "Ctrl+-", "zoom-out"),
            Row("fit", tr("actions", "&Fit to window"), "Ctrl+0", "maximize"),
            Row("actual_size", tr("actions", "&Actual size"), "Ctrl+1"),
            Row("show_seen", tr("actions", "&What the model saw"), "Ctrl+M", "scan-eye",
                checkable=True),
            Row(),
            Row("choose_layer", tr("actions", "Choose &layer"), "Ctrl+Shift+Y"),
            Row("inside_maps", tr("actions", "&Feature maps"), "Alt+1", submenu=inside),
            Row("inside_block", tr("actions", "&Residual block"), "Alt+2", submenu=inside),
            Row("inside_evidence", tr("actions", "&Evidence"), "Alt+3", submenu=inside),
            Row("inside_compare", tr("actions", "&Compare photos"), "Alt+4", submenu=inside),
            Row("inside_table", tr("actions", "Layer &table"), "Alt+5", submenu=inside),
            Row("remove_map", tr("actions", "Take the feature &map away"), "Ctrl+Backspace"),
            Row(),
            Row("appearance_system", tr("actions", "&System colours"), "Ctrl+Alt+1",
                checkable=True, submenu=appearance),
            Row("appearance_light", tr("actions", "&Light colours"), "Ctrl+Alt+2",
                checkable=True, submenu=appearance),
            Row("appearance_dark", tr("actions", "&Dark colours"), "Ctrl+Alt+3",
                checkable=True, submenu=appearance),
            Row("full_screen", tr("actions", "F&ull screen"), "F11", checkable=True),
        ],
        tr("actions", "&Help"): [
            Row("show_keys", tr("actions", "&Keys"), "F1", "keyboard"),
            Row("show_problems", tr("actions", "&Problems"), "Ctrl+Shift+P", "triangle-alert"),
            Row("check_installation", tr("actions", "&Check this installation…"), "Ctrl+Alt+C",
                "check-check"),
            Row("look_for_version", tr("actions", "Look for a new &version"), "Ctrl+Alt+V",
                "download"),
            Row("about", tr("actions", "&About Droplens"), "Shift+F1", "info"),
        ],
    }  # fmt: skip


_FIRST = ("open_photos", "open_folder", "open_samples")
"""What the empty window has buttons for."""


class Actions:
    """The actions by name, standing in the window's menus.

    At first the menus are titles and only the empty window's buttons have actions: the rest
    takes a tenth of the time to the first paint, and ``fill`` makes it afterwards.
    """

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._by_name: dict[str, QAction] = {}
        self._icons: dict[str, str] = {}
        self._table = table()
        self.menus = {title: window.menuBar().addMenu(title) for title in self._table}
        for rows in self._table.values():
            for row in rows:
                if row.name in _FIRST:
                    self._make(row)

    def fill(self) -> None:
        """Make all actions and put them into their menus."""
        first, self._by_name = self._by_name, {}
        for title, rows in self._table.items():
            submenus: dict[str, QMenu] = {}
            for row in rows:
                place = self.menus[title]
                if not row.name:
                    place.addSeparator()
                    continue
                if row.submenu:
                    if row.submenu not in submenus:
                        submenus[row.submenu] = place.addMenu(row.submenu)
                    place = submenus[row.submenu]
                if row.name in first:
                    self._by_name[row.name] = first[row.name]
                place.addAction(self._by_name.get(row.name) or self._make(row))

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def some(self, *names: str) -> list[QAction]:
        """Return actions in the order of their names."""
        return [self._by_name[name] for name in names]

    def menu_of(self, name: str) -> QMenu:
        """Return the menu that an action stands in."""
        return next(menu for menu in self.menus.values() if self._by_name[name] in menu.actions())

    def all(self) -> list[QAction]:
        """Return all actions in the order of the menus."""
        return list(self._by_name.values())

    def paint_icons(self) -> None:
        """Draw the icons in the colours of the scheme in use."""
        for name, icon in self._icons.items():
            self._by_name[name].setIcon(theme.icon(icon))

    def _make(self, row: Row) -> QAction:
        action = QAction(row.text, self._window)
        action.setObjectName(row.name)
        action.setCheckable(row.checkable)
        action.setIconText(row.short or row.text.replace("&", "").rstrip("…"))
        if row.key:
            keys = [QKeySequence(key) for key in row.key.split("; ")]
            action.setShortcuts(keys)
            shown = keys[0].toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(literal(f"{action.iconText()} ({shown})"))
        if row.icon:
            self._icons[row.name] = row.icon
        self._by_name[row.name] = action
        self._window.addAction(action)
        return action
