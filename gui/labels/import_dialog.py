"""Before labels are imported: what was read, how, and what would come of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.files import readable
from core.language import tr
from gui import theme
from gui.labels.statistics_dialog import CountBars
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel
from gui.widgets.scroll_area import ScrollArea

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.labels.importing import ImportPlan
    from core.labels.reading import ReadOptions

_ENCODINGS = (
    *("utf-8", "cp1252", "cp1250", "cp1251", "gb18030", "cp950", "cp932", "cp949", "euc_jp"),
    *("mac_roman", "iso8859-15", "cp1253", "cp1254", "cp1255", "cp1256", "utf-16"),
)


_NOTE_LINES = 5
_OF_TEXT = ("csv", "csv-plain", "path-list", "roboflow", "hugging-face")
"""Forms whose letters a person may have to tell; JSON says so itself."""


class ImportDialog(QDialog):
    """Shows a plan; asks for another where a person chooses otherwise."""

    options_changed = Signal(object)
    """How the labels shall be read; a plan for that is to be shown."""
    agreed = Signal(object)
    """The plan that is to be carried out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Import labels"))
        resize_within_screen(self, 620, 560)
        self._plan: ImportPlan | None = None
        self._filling = False
        self._title = PlainLabel(wordWrap=True)
        self._make_choices()
        self._rows = self._make_rows()
        self._counts = ScrollArea()
        self._counts.setObjectName("panel")
        self._counts.setMinimumHeight(70)
        self._notes = PlainLabel(wordWrap=True)
        self._notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._notes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._note_area = ScrollArea(self._notes)
        self._note_area.setFixedHeight(_NOTE_LINES * self.fontMetrics().lineSpacing())
        self._status = PlainLabel(wordWrap=True)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._go = self._buttons.addButton(tr("Import"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._go.setProperty("primary", True)
        self._go.clicked.connect(self._agree)
        self._buttons.rejected.connect(self.reject)
        self._lay_out()

    def show_plan(self, plan: ImportPlan, added: int) -> None:
        """Show what an import would do.

        Args:
            plan: of it.
            added: photos that are not in the list yet.
        """
        self._plan = plan
        self._filling = True
        read = plan.read
        name = readable(plan.source.name)
        self._title.setText(tr("{name}, read as {form}", name=name, form=plan.form.title))
        self._fill(self._files, read.file_columns, read.file_column)
        chosen = "" if self._must_choose else read.label_column
        self._fill(self._labels, read.label_columns, chosen)
        decoded = plan.decoded
        offered: list[str] = []
        if decoded is not None:
            offered = list(dict.fromkeys((decoded.encoding, *decoded.others, *_ENCODINGS)))
        self._fill(
            self._encodings,
            offered,
            decoded.encoding if decoded is not None and not self._must_spell else "",
            self._letters(),
        )
        self._form.setRowVisible(self._files, len(read.file_columns) > 1)
        self._form.setRowVisible(self._labels, len(read.label_columns) > 1)
        is_told = decoded is not None and decoded.encoding == "utf-8"
        is_table = plan.form.name in _OF_TEXT
        self._form.setRowVisible(self._encodings, bool(offered) and (is_table or not is_told))
        self._boxes.setText(
            tr("Give photos the classes of the boxes on them ({n} photos)", n=plan.boxed)
        )
        self._form.setRowVisible(self._boxes, bool(plan.boxed))
        self._boxes.setChecked(plan.options.takes_boxes)
        self._filling = False
        self._show_rows(plan)
        self._counts.setWidget(self._bars(plan))
        self._say(plan, added)
        self.setEnabled(True)

    def show_refusal(self, sentence: str) -> None:
        """Say why what was chosen cannot be read; what was shown before stays."""
        self.setEnabled(True)
        self._tell(sentence, warns=True)
        self._go.setEnabled(False)

    # Making

    def _make_choices(self) -> None:
        self._files, self._labels, self._encodings = QComboBox(), QComboBox(), QComboBox()
        self._boxes = QCheckBox()
        for combo in (self._files, self._labels, self._encodings):
            combo.currentIndexChanged.connect(self._follow)
            combo.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self._boxes.toggled.connect(self._follow)

    def _make_rows(self) -> QTableWidget:
        table = QTableWidget(0, 2)
        table.setTabKeyNavigation(False)
        table.setHorizontalHeaderLabels([tr("Photo"), tr("Class")])
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        table.setAccessibleName(tr("The first rows"))
        return table

    def _lay_out(self) -> None:
        self._form = QFormLayout()
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._form.setHorizontalSpacing(16)
        self._form.setVerticalSpacing(8)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow(tr("Photos are named in"), self._files)
        self._form.addRow(tr("Classes stand in"), self._labels)
        self._form.addRow(tr("Letters"), self._encodings)
        self._form.addRow("", self._boxes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        layout.addWidget(self._title)
        layout.addLayout(self._form)
        layout.addWidget(_muted(tr("The first rows")))
        layout.addWidget(self._rows)
        layout.addWidget(_muted(tr("Classes, and how many photos each has")))
        layout.addWidget(self._counts, 1)
        layout.addWidget(self._note_area)
        layout.addWidget(self._status)
        layout.addWidget(self._buttons)

    # Showing

    @property
    def _must_choose(self) -> bool:
        assert self._plan is not None
        return self._plan.read.must_choose and not self._plan.options.label_column

    @property
    def _must_spell(self) -> bool:
        """Return whether only a person can tell in which letters the text is."""
        assert self._plan is not None
        decoded = self._plan.decoded
        return decoded is not None and not decoded.is_sure

    def _letters(self) -> dict[str, str]:
        """Return what each encoding is called, with words as it has them."""
        assert self._plan is not None
        decoded = self._plan.decoded
        called = {
            "utf-8": tr("Unicode (UTF-8)"),
            "utf-16": tr("Unicode (UTF-16)"),
            "cp1252": tr("Western European (Windows)"),
            "iso8859-15": tr("Western European (ISO 8859-15)"),
            "mac_roman": tr("Western European (old Macs)"),
            "cp1250": tr("Central European (Windows)"),
            "cp1251": tr("Cyrillic (Windows)"),
            "cp1253": tr("Greek (Windows)"),
            "cp1254": tr("Turkish (Windows)"),
            "cp1255": tr("Hebrew (Windows)"),
            "cp1256": tr("Arabic (Windows)"),
            "gb18030": tr("Chinese, simplified (GB 18030)"),
            "cp950": tr("Chinese, traditional (Big5)"),
            "cp932": tr("Japanese (Shift JIS)"),
            "euc_jp": tr("Japanese (EUC)"),
            "cp949": tr("Korean (Windows)"),
        }
        words = decoded.words if decoded is not None else {}
        return called | {
            name: f"{called.get(name, name)}: {told}" for name, told in words.items() if told
        }

    def _fill(
        self,
        combo: QComboBox,
        names: Iterable[str],
        chosen: str,
        called: Mapping[str, str] | None = None,
    ) -> None:
        combo.clear()
        for name in names:
            combo.addItem(readable((called or {}).get(name, name)), name)
        combo.setCurrentIndex(combo.findData(chosen) if chosen else -1)
        combo.setPlaceholderText(tr("Choose…"))

    def _show_rows(self, plan: ImportPlan) -> None:
        self._rows.setRowCount(len(plan.samples))
        for row, (file, classes) in enumerate(plan.samples):
            shown = ", ".join(classes) or tr("no class")
            for column, text in enumerate((file, shown)):
                self._rows.setItem(row, column, QTableWidgetItem(readable(text)))
        self._rows.resizeRowsToContents()
        height = self._rows.horizontalHeader().sizeHint().height() + 4
        height += sum(self._rows.rowHeight(row) for row in range(self._rows.rowCount()))
        self._rows.setFixedHeight(height)

    def _bars(self, plan: ImportPlan) -> QWidget:
        """Return the classes with a bar each, or words where there are none."""
        frame = QWidget()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(10, 6, 8, 6)
        if plan.counts:
            layout.addWidget(CountBars(plan.counts, {}))
        else:
            layout.addWidget(_muted(tr("No class yet.")))
        layout.addStretch(1)
        return frame

    def _say(self, plan: ImportPlan, added: int) -> None:
        if self._must_spell:
            self._tell(
                tr(
                    "The file does not say in which letters it is. Choose those in which its "
                    "words are spelt rightly."
                ),
                warns=True,
            )
        elif self._must_choose:
            self._tell(tr("Choose where the classes stand."), warns=True)
        else:
            self._tell(self._sentence(plan, added))
        notes = [*plan.notes]
        self._notes.setText("\n".join(notes))
        self._note_area.setVisible(bool(notes))
        self._go.setText(tr("Label {n} photos", n=len(plan.labels)))
        is_asked = self._must_choose or self._must_spell
        self._go.setEnabled(bool(plan.labels) and not is_asked)

    def _sentence(self, plan: ImportPlan, added: int) -> str:
        if not plan.labels and plan.boxed:
            return tr("Only boxes have classes here. Tick above to give them to the photos.")
        if not plan.labels:
            return tr("None of the photos that were found has a class here.")
        said = [tr("{n} new classes.", n=len(plan.new_classes))]
        if added:
            said.append(tr("{n} photos are not in the list yet and join it.", n=added))
        if plan.differing:
            said.append(
                tr("{n} photos have another label now, which is replaced.", n=plan.differing)
            )
        said.append(tr("It can be undone."))
        return " ".join(said)

    def _tell(self, text: str, *, warns: bool = False) -> None:
        used = theme.colours()
        self._status.setStyleSheet(f"color: {used.warning if warns else used.muted}")
        self._status.setText(text)

    # Choosing

    @Slot()
    def _follow(self) -> None:
        """Ask for a plan as it is chosen now."""
        if self._filling or self._plan is None:
            return
        options: ReadOptions = replace(
            self._plan.options,
            takes_boxes=self._boxes.isChecked(),
            label_column=self._chosen(self._labels, self._plan.options.label_column),
            file_column=self._changed(self._files, self._plan.read.file_column),
            encoding=self._changed_encoding(),
        )
        self.setEnabled(False)
        self.options_changed.emit(options)

    def _chosen(self, combo: QComboBox, before: str) -> str:
        assert self._plan is not None
        data = combo.currentData()
        if not data or (data == self._plan.read.label_column and not self._must_choose):
            return before
        return str(data)

    def _changed(self, combo: QComboBox, before: str) -> str:
        """Return what a person has chosen; "" while it is what was found out."""
        assert self._plan is not None
        data = combo.currentData()
        return self._plan.options.file_column if not data or data == before else str(data)

    def _changed_encoding(self) -> str:
        assert self._plan is not None
        data, decoded = self._encodings.currentData(), self._plan.decoded
        if not data or decoded is None or (data == decoded.encoding and decoded.is_sure):
            return self._plan.options.encoding
        return str(data)

    @Slot()
    def _agree(self) -> None:
        if self._plan is not None:
            self.agreed.emit(self._plan)
            self.accept()


def _muted(text: str) -> PlainLabel:
    label = PlainLabel(text)
    label.setProperty("muted", True)
    return label
