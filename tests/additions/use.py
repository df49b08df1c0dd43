"""Uses a Droplens to which a family, a source, a room, a format and a language were added.

Args: a folder with photos, "b.palette" and "c.pth"; prints what was seen as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QLineEdit, QTreeWidget

from core.labels.formats.table import FORMATS
from core.models.families import BY_NAME
from gui.inside.inside_panel import InsidePanel
from gui.labels.export_dialog import ExportDialog
from gui.models.architecture_picker import ArchitecturePicker
from gui.models.model_bar import ModelBar
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]


def main(folder: Path) -> None:
    application = QApplication(["droplens", "-style", "Fusion"])
    seen: dict[str, Any] = {}

    def script(person: Person) -> Steps:
        bar = person.see(ModelBar)
        yield lambda: person.all_classified(2)
        seen["menu"] = person.window.menuBar().actions()[0].text()
        dock = person.window.findChild(QDockWidget, "counting")
        count = dock.findChild(QLabel, "count")
        seen["panel"] = [dock.windowTitle(), dock.isVisible(), count.text()]
        action = person.window.actions_table["count_photos"]
        seen["action"] = [action.text(), action.isEnabled()]
        action.trigger()
        yield lambda: count.text() == "2"
        person.drop(folder / "b.palette")
        yield lambda: bar.architecture.value == "Palette"
        yield lambda: person.all_classified(2)
        seen["source"] = [row.prediction.top[0].class_name for row in person.rows()]
        panel = person.see(InsidePanel)
        person.choose("workspace_inside")
        yield lambda: "cannot be shown" in panel.maps._facts.text()
        seen["layers"] = [panel.tree.tree.topLevelItemCount(), panel.table.model.rowCount()]
        save = person.window.actions_table["save_model"]
        seen["can be saved"] = [save.isEnabled()]
        person.drop(folder / "c.pth")
        yield lambda: bar.architecture.value == BY_NAME["pebble_s"].title
        yield lambda: person.all_classified(2)
        yield lambda: panel.tree.tree.topLevelItemCount() > 0
        seen["layers"].append(panel.table.model.rowCount() > 0)
        seen["can be saved"].append(save.isEnabled())
        seen["family"] = bar.class_names.value
        person.choose("choose_architecture")
        yield lambda: person.see(ArchitecturePicker)
        picker = person.see(ArchitecturePicker)
        picker.findChild(QLineEdit).setText("pebble")
        tree = picker.findChild(QTreeWidget)
        shown = tree.findItems("Pebble", Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive)
        seen["architectures"] = [one.text(0) for one in shown if not one.isHidden()]
        picker.close()
        person.choose("export_labels")
        yield lambda: person.see(ExportDialog)
        dialog = person.see(ExportDialog)
        dialog.set_format("pairs")
        seen["format"] = [str(dialog.format.title), "pairs" in FORMATS]
        dialog.reject()

    drive([str(folder / "photos")], script)
    application.quit()
    sys.stdout.write(json.dumps(seen) + "\n")


main(Path(sys.argv[1]))
