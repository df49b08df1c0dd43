"""Where a person lets a model learn: from which labels, into which file, and how right it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.language import number, percent, tr, tr_n
from core.settings import cache_path
from core.training.fine_tuning import FineTune
from core.training.progress import Progress
from core.training.recipe import recipe_for
from core.training.teaching import LEAST_CLASSES, Labelled, Looked, Taught, TeachHead
from gui import theme
from gui.training.curve import Curve
from gui.training.teach_panel import FEW
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.fields import choices, row
from gui.widgets.plain_text import PlainLabel, literal

if TYPE_CHECKING:
    from core.work.handles import Handle
    from gui.tasks import Tasks

ENDING = ".safetensors"


class TeachDialog(QDialog):
    """Shows what a model would learn from, lets it learn, and says what came of it."""

    def __init__(
        self,
        tasks: Tasks,
        labelled: Sequence[tuple[Path, tuple[str, ...]]],
        title: str,
        target: Path,
        use: Callable[[Path], object],
        remember: Callable[[Path], object],
        parent: QWidget | None = None,
        *,
        is_several: bool = False,
    ) -> None:
        """Make the dialog.

        Args:
            tasks: asks the model in use.
            labelled: photos with the names of their classes.
            title: of the model in use, which a copy is made of.
            target: the file to write, if nothing else is chosen.
            use: called with the model that was taught, when it is to be opened.
            remember: called with it as soon as it is written.
            parent: the window.
            is_several: whether a photo may have several classes.
        """
        super().__init__(parent)
        self._tasks, self._use, self._remember = tasks, use, remember
        self._is_several = is_several
        self._photos = [one for one in labelled if is_several or len(one[1]) == 1]
        self._left_out = len(labelled) - len(self._photos)
        counts = Counter(name for _, names in self._photos for name in names)
        self._classes = tuple(
            dict.fromkeys(name for _, names in labelled for name in names if name in counts)
        )
        self._running: Handle[None] | None = None
        self._taught: Taught | None = None
        self.setWindowTitle(tr("Teach a model"))
        resize_within_screen(self, 560, 520)
        self._make(title, target, counts)
        self._lay_out()
        self._join()
        self._begin_anew()

    def _make(self, title: str, target: Path, counts: Counter[str]) -> None:
        self._about = PlainLabel(
            tr(
                "A copy of {title} learns your classes from the labelled photos of the list. "
                "The model in use stays as it is until you choose the new one.",
                title=title,
            ),
            wordWrap=True,
        )
        self._counts = QTreeWidget()
        self._counts.setAccessibleName(tr("Classes and their photos"))
        self._counts.setHeaderLabels([tr("Class"), tr("Photos"), ""])
        self._counts.setRootIsDecorated(False)
        self._counts.setUniformRowHeights(True)
        self._counts.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for name in self._classes:
            few = tr("few; more make it surer") if counts[name] < FEW else ""
            item = QTreeWidgetItem([name, number(counts[name]), few])
            item.setToolTip(0, literal(name))
            item.setTextAlignment(1, right)
            self._counts.addTopLevelItem(item)
        self._counts.setStyleSheet("QTreeWidget::item { padding: 4px 2px }")
        self._counts.headerItem().setTextAlignment(1, right)
        header = self._counts.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, 240)
        header.resizeSection(1, 90)
        self._how = _ways()
        self._curve = Curve()
        self._curve.hide()
        self._target = QLineEdit(str(target))
        self._target.setAccessibleName(tr("Where to"))
        self._browse = QPushButton(tr("Choose…"))
        self._browse.setAutoDefault(False)
        self._message = PlainLabel(wordWrap=True)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setAccessibleName(tr("Progress"))
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._finish = QPushButton(tr("Use the best so far"))
        self._finish.setAutoDefault(False)
        self._finish.hide()
        self._buttons.addButton(self._finish, QDialogButtonBox.ButtonRole.ActionRole)
        self._go = QPushButton()
        self._go.setProperty("primary", True)
        self._go.setDefault(True)
        self._buttons.addButton(self._go, QDialogButtonBox.ButtonRole.ActionRole)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(16)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("How"), self._how)
        form.addRow(tr("Where to"), row(self._target, self._browse, first_grows=True))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        layout.addWidget(self._about)
        layout.addWidget(self._counts, 1)
        layout.addLayout(form)
        layout.addWidget(self._curve)
        layout.addWidget(self._message)
        layout.addWidget(self._bar)
        layout.addWidget(self._buttons)

    def _join(self) -> None:
        self._browse.clicked.connect(self._ask_target)
        self._target.textChanged.connect(self._begin_anew)
        self._how.currentIndexChanged.connect(self._begin_anew)
        self._go.clicked.connect(self._act)
        self._finish.clicked.connect(self._finish_now)
        self._buttons.rejected.connect(self.reject)

    @property
    def target(self) -> Path | None:
        """Return the file to write, None where none is named."""
        text = self._target.text().strip()
        if not text:
            return None
        path = Path(text).expanduser().absolute()
        return path if path.suffix == ENDING else path.with_name(path.name + ENDING)

    @Slot()
    def _ask_target(self) -> None:
        file, _ = QFileDialog.getSaveFileName(
            self, tr("Save the taught model"), self._target.text(), tr("Models (*.safetensors)")
        )
        if file:
            self._target.setText(file)

    @Slot()
    def _begin_anew(self) -> None:
        """Offer to teach, or say what is missing for it."""
        self._taught = None
        self._bar.hide()
        self._curve.hide()
        self._finish.hide()
        self._go.setText(tr("Teach"))
        enough = len(self._classes) >= LEAST_CLASSES
        self._go.setEnabled(enough and self.target is not None)
        if not enough:
            self._say(tr("Label some photos of two classes or more first."), warns=True)
        elif self.target is not None and self.target.exists():
            self._say(
                tr("{name} is there already and will be replaced.", name=self.target.name),
                warns=True,
            )
        elif self._left_out:
            self._say(
                tr_n(
                    "{n} photo has several classes and is left out.",
                    "{n} photos have several classes and are left out.",
                    self._left_out,
                )
            )
        else:
            self._say("")

    @Slot()
    def _act(self) -> None:
        """Teach, stop, or use what was taught, as the button says."""
        if self._running is not None:
            self._running.stop()
        elif self._taught is not None:
            self._use(self._taught.model)
            self.accept()
        elif self.target is not None:
            self._teach(self.target)

    @Slot()
    def _finish_now(self) -> None:
        if self.target is not None:
            self._teach(self.target, ends_now=True)

    @property
    def _minutes(self) -> int:
        """Return how long all layers may learn; 0 where the last does alone."""
        return int(self._how.currentData())

    def _teach(self, target: Path, *, ends_now: bool = False) -> None:
        numbers = {name: at for at, name in enumerate(self._classes)}
        photos = tuple(
            Labelled(path, tuple(numbers[name] for name in names)) for path, names in self._photos
        )
        self._set_running(is_running=True)
        self._bar.setRange(0, len(photos))
        self._bar.setValue(0)
        answers = (self._follow, self._show_end, self._show_failure)
        if not self._minutes:
            request = TeachHead(photos, self._classes, target, is_several=self._is_several)
            self._running = self._tasks.stream(request, *answers)
            return
        thorough = FineTune(
            photos,
            self._classes,
            target,
            cache_path() / "trainings",
            recipe=recipe_for(self._minutes),
            ends_now=ends_now,
            is_several=self._is_several,
        )
        self._running = self._tasks.stream(thorough, *answers)

    def _follow(self, news: Sequence[Looked | Progress | Taught]) -> None:
        last = news[-1]
        if isinstance(last, Taught):
            self._taught = last
            self._remember(last.model)
        elif isinstance(last, Progress):
            self._show_progress(last)
        elif last.done < last.total:
            self._bar.setValue(last.done)
            self._say(tr("Looking at photo {done} of {total}", done=last.done, total=last.total))
        else:
            self._bar.setRange(0, 0)
            self._say(tr("Learning…"))

    def _show_progress(self, progress: Progress) -> None:
        self._curve.show()
        self._curve.show_history(progress.history, progress.epochs)
        if not progress.epochs:
            self._say(tr("Seeing how long a step takes…"))
            return
        self._bar.setRange(0, progress.epochs * progress.steps)
        self._bar.setValue((len(progress.history) - 1) * progress.steps + progress.step)
        self._say(
            tr(
                "Epoch {epoch} of {epochs}, {time} min left. The best so far: {share} right.",
                epoch=min(len(progress.history), progress.epochs),
                epochs=progress.epochs,
                time=number(progress.seconds_left / 60, 1),
                share=percent(max(one.accuracy for one in progress.history)),
            )
        )

    def _show_end(self) -> None:
        self._set_running(is_running=False)
        if self._taught is None and not self._curve.isHidden():
            self._go.setText(tr("Go on"))
            self._finish.show()
            self._say(tr("Paused. What was learnt is kept, also when Droplens is closed."))
            return
        if self._taught is None:
            self._begin_anew()
            self._say(tr("Stopped; nothing was written."))
            return
        self._go.setText(tr("Use this model"))
        self._say(result_of(self._taught), warns=bool(self._taught.failed), is_result=True)

    def _show_failure(self, error: BaseException) -> None:
        self._set_running(is_running=False)
        self._begin_anew()
        self._say(str(error), warns=True)

    def _set_running(self, *, is_running: bool) -> None:
        if not is_running:
            self._running = None
        self._bar.setVisible(is_running)
        for widget in (self._how, self._target, self._browse):
            widget.setEnabled(not is_running)
        if is_running:
            self._finish.hide()
            self._go.setText(tr("Pause") if self._minutes else tr("Stop"))

    def _say(self, text: str, *, warns: bool = False, is_result: bool = False) -> None:
        used = theme.colours()
        usual = used.text if is_result else used.muted
        self._message.setStyleSheet(f"color: {used.warning if warns else usual}")
        self._message.setText(text)

    def reject(self) -> None:
        if self._running is not None:
            self._running.stop()
        super().reject()


def _ways() -> QComboBox:
    """Return a box that offers how to teach, with the minutes that it takes behind it."""
    box = choices(
        (tr("Quick: the last layer, within a minute"), 0),
        (tr("Thorough: most layers, about 10 minutes"), 10),
        (tr("Thorough: all layers, about an hour"), 60),
        (tr("Thorough: all layers, over night"), 8 * 60),
    )
    box.setAccessibleName(tr("How"))
    return box


def result_of(taught: Taught) -> str:
    """Return what came of teaching, in sentences."""
    said = [
        tr_n(
            "Learnt from {n} photo of {classes} classes.",
            "Learnt from {n} photos of {classes} classes.",
            taught.figures.trained,
            classes=len(taught.classes),
        )
    ]
    said.append(taught.figures.said)
    if taught.figures.is_selected:
        said.append(
            tr("The best epoch was chosen by these photos, so the figure is a little too good.")
        )
    if taught.failed:
        first = taught.failed[0]
        said.append(
            tr_n(
                "{n} photo was left out: {photo}, {reason}.",
                "{n} photos were left out, the first {photo}: {reason}.",
                len(taught.failed),
                photo=first.photo.name,
                reason=first.reason,
            )
        )
    return " ".join(said)
