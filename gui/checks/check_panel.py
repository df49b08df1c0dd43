"""Where a person sees how right the model is, what it takes for what, and the photos of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.checks.requests import Checked, CheckedSeveral, FindConfidence, Joined, WriteReport
from core.language import number, percent, tr, tr_n
from gui import theme
from gui.checks.comparison_tab import ComparisonTab
from gui.checks.confidence_tab import ConfidenceTab
from gui.checks.duplicates_tab import DuplicatesTab
from gui.checks.groups_tab import GroupsTab
from gui.checks.matrix_tab import MatrixTab
from gui.checks.rows import Row, make_rows
from gui.checks.suspects_tab import SuspectsTab
from gui.widgets.drawings import to_png
from gui.widgets.plain_text import PlainLabel
from gui.widgets.saving import ask_where_to_save

if TYPE_CHECKING:
    from core.checks.confidence import Confidence
    from core.checks.figures import ClassFigures
    from gui.checks.reviewing import Reviewing
    from gui.tasks import Tasks

_MOST_ROWS = 500


class CheckPanel(QWidget):
    """Shows the figures of a check, beside the photos whose labels are corrected.

    Attributes:
        comparison: where two models are compared.
        match_button: lets a person say which class means which.
        doctor_button: finds out whether the model is set up right.
    """

    def __init__(
        self,
        tasks: Tasks,
        folder: Path,
        show_photos: Callable[[list[str], str], object],
        look_at: Callable[[Path], object],
        name_from: Callable[[float], object],
        trust_from: Callable[[float], object],
        reviewing: Reviewing,
    ) -> None:
        """Make the panel.

        Args:
            tasks: writes the page.
            folder: where a page is offered to be written.
            show_photos: called with the files of photos that are to be shown, and what they are.
            look_at: called with a photo that is to be shown while the panel keeps the keys.
            name_from: called with the probability from which on the list is to name classes.
            trust_from: called with the probability below which the model is to say unsure.
            reviewing: finds what takes longer.
        """
        super().__init__()
        self._tasks, self._folder = tasks, folder
        self._show_files, self._look_at = show_photos, look_at
        self._reviewing = reviewing
        self._name_from, self._trust_from = name_from, trust_from
        self._checked: Checked | None = None
        self._several: CheckedSeveral | None = None
        self._notes: tuple[str, ...] = ()
        self._make()
        self._lay_out()

    def _make(self) -> None:
        self._figure = PlainLabel()
        self._figure.setProperty("heading", True)
        self._about = PlainLabel(wordWrap=True)
        self._about.setProperty("muted", True)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setAccessibleName(tr("Progress"))
        self._mistakes = make_rows(tr("Mistakes"), [tr("Label"), tr("Prediction"), tr("Photos")], 2)
        self._classes = make_rows(
            tr("Classes"),
            [tr("Class"), tr("Photos"), tr("Found"), tr("Right if named"), tr("F1")],
            1,
        )
        heading = self._classes.headerItem()
        heading.setToolTip(2, tr("Share of its photos that are predicted so"))
        heading.setToolTip(3, tr("Share of the photos predicted so that are labelled so"))
        self._matrix = MatrixTab(self._show_photos)
        self._tabs = QTabWidget()
        self._tabs.addTab(self._mistakes, tr("Mistakes"))
        self._tabs.addTab(self._classes, tr("Classes"))
        self._tabs.addTab(self._matrix, tr("Matrix"))
        reviewing = self._reviewing
        self._confidence = ConfidenceTab(self._show_unsure, self._name_from, self._trust_from)
        self._tabs.addTab(self._confidence, tr("Confidence"))
        self._groups = GroupsTab(reviewing.compare_groups, self._show_files)
        self._suspects = SuspectsTab(
            reviewing.review, self._look_at, reviewing.take, reviewing.leave
        )
        self._duplicates = DuplicatesTab(reviewing.review, self._show_files)
        reviewing.show_in(self._groups, self._suspects, self._duplicates)
        self._tabs.addTab(self._groups, tr("Groups"))
        self._tabs.addTab(self._suspects, tr("Wrong labels"))
        self._tabs.addTab(self._duplicates, tr("Duplicates"))
        self.comparison = ComparisonTab(self._show_files)
        self._tabs.addTab(self.comparison, tr("Two models"))
        self._hint = PlainLabel(wordWrap=True)
        self._show_hint()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        self._save = QPushButton(tr("Save a report…"))
        self._save.setEnabled(False)
        buttons.addWidget(self._save)
        self.match_button = QPushButton(tr("Match classes…"))
        self.match_button.setToolTip(
            tr("Say which of the model’s classes mean which of the labels’")
        )
        buttons.addWidget(self.match_button)
        self.doctor_button = QPushButton(tr("Is it set up right?…"))
        buttons.addWidget(self.doctor_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(10)
        buttons.addStretch()
        for widget in (self._figure, self._about, self._bar):
            layout.addWidget(widget)
        layout.addWidget(self._tabs, 1)
        layout.addWidget(self._hint)
        layout.addLayout(buttons)
        self._save.clicked.connect(self._ask_where_to_save)
        self._mistakes.itemClicked.connect(self._show_mistake)
        self._mistakes.itemActivated.connect(self._show_mistake)
        self._classes.itemClicked.connect(self._show_class)
        self._classes.itemActivated.connect(self._show_class)

    def show_progress(self, done: int, total: int) -> None:
        """Show how many photos have been looked at."""
        self._bar.show()
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        if self._checked is None:
            self._figure.setText(tr("Looking at photo {done} of {total}", done=done, total=total))
            self._about.setText("")

    def show_refusal(self, said: str) -> None:
        """Say why there are no figures."""
        self.forget()
        self._bar.hide()
        self._figure.setText(tr("Nothing to check yet"))
        self._about.setText(said)

    def forget(self) -> None:
        """Show no figures: they were of another model."""
        self._checked = self._several = None
        self._about.setText("")
        self._save.setEnabled(False)
        self._mistakes.clear()
        self._classes.clear()
        self._matrix.clear()
        self._confidence.forget()
        self._reviewing.forget_figures()
        self._name_from(0.0)

    def show_checked(self, checked: Checked, notes: Sequence[str] = ()) -> None:
        """Show other figures.

        Args:
            checked: what came of the check.
            notes: sentences about what the figures rest on.
        """
        self._bar.hide()
        self._show_tabs()
        self._checked, self._several = checked, None
        self._save.setEnabled(True)
        self._show_hint()
        report = checked.report
        self._figure.setText(
            tr_n(
                "{share} right on {n} photo",
                "{share} right on {n} photos",
                len(report.answers),
                share=percent(report.accuracy.value),
            )
        )
        self._notes = tuple(notes)
        self._about.setText(" ".join([*_said_of(checked), *notes]))
        self._fill_mistakes(checked)
        self._fill_classes(report.classes)
        self._matrix.show_report(report)
        self._reviewing.follow(checked)
        self._tasks.ask(FindConfidence(checked), partial(self._show_confidence, checked))

    def _show_confidence(self, checked: Checked, found: Confidence) -> None:
        if checked is self._checked:  # another model may have been opened meanwhile
            self._confidence.show_confidence(found)

    def show_several(self, checked: CheckedSeveral, notes: Sequence[str] = ()) -> None:
        """Show figures of photos that may have several classes; arguments as above."""
        self.forget()
        self._bar.hide()
        self._show_tabs(self._classes)
        self._several = checked
        report = checked.report
        self._figure.setText(
            tr_n(
                "All classes right on {share} of {n} photo",
                "All classes right on {share} of {n} photos",
                len(report.shown),
                share=percent(report.exact_match.value),
            )
        )
        said = [
            _between(*report.exact_match.interval),
            tr(
                "F1 of all pairs {micro}, mean of the classes {macro}; mean average precision "
                "{precision}.",
                micro=number(report.others["micro_f1"].value, 2),
                macro=number(report.others["macro_f1"].value, 2),
                precision=number(report.others["mean_average_precision"].value, 2),
            ),
        ]
        self._about.setText(" ".join([*said, *_said_of_classes(checked), *notes]))
        self._fill_classes(report.per_class)

    def _show_tabs(self, *shown: QWidget) -> None:
        """Show these tabs alone; all where none is given."""
        for at in range(self._tabs.count()):
            self._tabs.setTabVisible(at, not shown or self._tabs.widget(at) in shown)

    def _fill_mistakes(self, checked: Checked) -> None:
        self._mistakes.clear()
        report = checked.report
        if len(report.answers) and report.accuracy.value == 1:
            none = Row([tr("No mistakes"), "", ""], {})
            none.setFlags(Qt.ItemFlag.NoItemFlags)
            self._mistakes.addTopLevelItem(none)
        counts = report.confusion.copy()
        counts[range(len(counts)), range(len(counts))] = 0
        order = (-counts).argsort(axis=None, kind="stable")[:_MOST_ROWS].tolist()
        names = report.names
        for at in order:
            label, predicted = divmod(at, len(names))
            count = int(counts[label, predicted])
            if count:
                self._mistakes.addTopLevelItem(
                    Row([names[label], names[predicted], number(count)], {2: count})
                )

    def _fill_classes(self, classes: Sequence[ClassFigures]) -> None:
        self._classes.clear()
        for one in classes:
            recall = None if one.recall is None else one.recall.value
            precision = None if one.precision is None else one.precision.value
            texts = [
                one.name,
                number(one.support),
                "" if recall is None else percent(recall),
                "" if precision is None else percent(precision),
                number(one.f1, 2),
            ]
            keys = {1: one.support, 2: recall or 0.0, 3: precision or 0.0, 4: one.f1}
            self._classes.addTopLevelItem(Row(texts, keys))

    @Slot(QTreeWidgetItem)
    def _show_mistake(self, item: QTreeWidgetItem) -> None:
        self._show_photos(item.text(0), item.text(1))

    @Slot(QTreeWidgetItem)
    def _show_class(self, item: QTreeWidgetItem) -> None:
        """Show the photos of a class that are predicted otherwise; where all are right, all."""
        if self._several is not None:
            self._show_class_of_several(self._several, item.text(0))
            return
        assert self._checked is not None
        name = item.text(0)
        answers = self._checked.report.answers
        at = answers.classes.index(name)
        wrong = (answers.labels == at) & (answers.predicted != at)
        chosen = wrong if wrong.any() else answers.labels == at
        self._want(chosen.nonzero()[0].tolist(), name)

    def _show_class_of_several(self, checked: CheckedSeveral, name: str) -> None:
        report = checked.report
        at = report.classes.index(name)
        wrong = report.named[:, at] != report.shown[:, at]
        chosen = wrong if wrong.any() else report.shown[:, at]
        files = [str(checked.photos[one]) for one in chosen.nonzero()[0].tolist()]
        if files:
            self._show_files(files, name)

    def _show_photos(self, label: str, predicted: str) -> None:
        assert self._checked is not None
        answers = self._checked.report.answers
        row, column = (answers.classes.index(name) for name in (label, predicted))
        chosen = (answers.labels == row) & (answers.predicted == column)
        self._want(chosen.nonzero()[0].tolist(), f"{label} → {predicted}")

    def _show_unsure(self, probability: float) -> None:
        assert self._checked is not None
        answers = self._checked.report.answers
        top = answers.shares.max(axis=1)
        order = top.argsort(kind="stable")
        below = [at for at in order.tolist() if top[at] < probability]
        self._want(below, tr("below {probability}", probability=percent(probability, 1)))

    def _want(self, positions: list[int], said: str) -> None:
        assert self._checked is not None
        if positions:
            self._show_files([str(self._checked.photos[at]) for at in positions], said)

    @Slot()
    def _ask_where_to_save(self) -> None:
        if self._checked is None:
            return
        checked, notes = self._checked, (*_said_of_classes(self._checked), *self._notes)
        path = ask_where_to_save(
            self,
            tr("Save a report"),
            self._folder / "check.html",
            tr("Pages (*.html)"),
            tr("Tables (*.csv)"),
            tr("Pictures (*.png)"),
            tr("Drawings (*.svg)"),
        )
        if path is not None:
            self._tasks.ask(WriteReport(checked, path, notes, to_png), self._tell_saved)

    def _show_hint(self) -> None:
        self._hint.setText(
            tr(
                "Click a row or a cell to see its photos. Where a label is wrong, press the key of "
                "the right class."
            )
        )
        self._hint.setStyleSheet(f"color: {theme.colours().muted}")

    def _tell_saved(self, path: Path) -> None:
        self._hint.setText(tr("Saved as {path}.", path=path))
        self._hint.setStyleSheet(f"color: {theme.colours().text}")


def _said_of(checked: Checked) -> list[str]:
    """Return how sure the figure is, and what it rests on."""
    return [_between(*checked.report.accuracy.interval), *_said_of_classes(checked)]


def _between(low: float, high: float) -> str:
    return tr("The true share lies between {low} and {high}.", low=percent(low), high=percent(high))


def _said_of_classes(checked: Joined) -> list[str]:
    """Return which classes were taken for the same, and which the model lacks."""
    said = []
    if checked.renamed:
        said.append(tr("Taken for the same: {names}.", names=", ".join(checked.renamed[:5])))
    if checked.without:
        said.append(
            tr(
                "The model has no class for {names}: their photos count as wrong.",
                names=", ".join(checked.without[:5]),
            )
        )
    return said
