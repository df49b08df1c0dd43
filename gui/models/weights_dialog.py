"""torchvision's own weights: what there is, what lies on the disk, downloads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.errors import DownloadError
from core.images.kinds import CHECKPOINTS
from core.language import number, percent, tr
from core.models.families import EXAMPLE
from core.models.weights.files import delete_file, sizes_on_disk
from gui import theme
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.message_box import ask
from gui.widgets.plain_text import PlainLabel, literal
from gui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from core.models.weights.downloads import Progress
    from core.models.weights.named import Weights
    from gui.models.downloading import Downloading

_ROLE = Qt.ItemDataRole.UserRole
_NAME, _ACCURACY, _SIZE, _LICENCE, _STATE = range(5)


class WeightsDialog(QDialog):
    """A table of all weights; stays made while it is closed, so that downloads go on."""

    picked = Signal(object)
    """Weights whose file lies on the disk."""
    own_file_wanted = Signal(str)
    """The user has a checkpoint of an architecture; torchvision's name, or ""."""
    mirror_changed = Signal(str)

    def __init__(
        self, mirror: str, folder: Callable[[], str], downloads: Downloading, parent: QWidget
    ) -> None:
        """Make the dialog, empty until ``show_weights``.

        Args:
            mirror: address of a folder with torchvision's files; "" is torchvision's own.
            folder: where file dialogs begin.
            downloads: those that are going on.
            parent: the window.
        """
        super().__init__(parent)
        self._folder, self._downloads = folder, downloads
        self._architecture = ""
        self._progress: dict[str, Progress] = {}
        self._wanted_when_done: set[str] = set()
        self.setWindowTitle(tr("torchvision's weights"))
        resize_within_screen(self, 900, 600)
        self.search = SearchField(
            tr("Search, e.g. {example}", example=EXAMPLE), tr("Search weights")
        )
        self.tree = self._make_tree()
        self._why = PlainLabel(wordWrap=True)
        self.status = PlainLabel(tr("Loading the list…"), wordWrap=True)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setRange(0, 1000)
        self.bar.hide()
        self.mirror = QLineEdit(mirror)
        self.mirror.setPlaceholderText("https://download.pytorch.org/models")
        self.mirror.setAccessibleName(tr("Address of another folder"))
        self.mirror.setToolTip(
            tr("Address of a folder with the same files; empty is torchvision's own")
        )
        self._make_buttons()
        self._lay_out()
        self.search.textChanged.connect(self._narrow)
        self.tree.currentItemChanged.connect(self._follow)
        self.tree.itemActivated.connect(self._use)
        self.mirror.editingFinished.connect(
            lambda: self.mirror_changed.emit(self.mirror.text().strip())
        )
        self._follow()

    def show_weights(self, found: tuple[Weights, ...]) -> None:
        """Fill the table."""
        self.tree.clear()
        for one in sorted(found, key=lambda one: -(one.accuracy or 0)):  # the best first
            accuracy = "–" if one.accuracy is None else percent(one.accuracy / 100, 1)
            name = one.name.replace("_Weights.", " · ")
            item = _Row([name, accuracy, _megabytes(one.size_bytes)])
            item.setText(_LICENCE, one.licence.split(",", 1)[0])
            item.setToolTip(_LICENCE, literal(one.licence))
            item.setToolTip(
                _NAME,
                literal(
                    tr(
                        "{name}\n{title}, {n} million parameters\n{url}",
                        name=one.name,
                        title=one.title,
                        n=number(one.parameters / 1e6, 1),
                        url=one.url,
                    )
                ),
            )
            for column in (_ACCURACY, _SIZE):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
            item.setData(0, _ROLE, one)
            self.tree.addTopLevelItem(item)
        self.status.setText("")
        self.refresh()
        self._narrow(self.search.text())

    def open_for(self, architecture: str, title: str, why: str = "") -> None:
        """Show the weights of an architecture, "" for all, and a sentence that says why."""
        self._architecture = architecture
        self._why.setText(why)
        self._why.setVisible(bool(why))
        self._own.setVisible(True)
        self.search.setText(architecture)
        self.setWindowTitle(
            tr("torchvision's weights for {title}", title=title)
            if title
            else tr("torchvision's weights")
        )
        self.refresh()
        self.show()
        self.raise_()
        self.search.setFocus()

    @Slot(object)
    def show_progress(self, progress: Progress) -> None:
        """Follow a download."""
        name = progress.weights.name
        self._progress[name] = progress
        if progress.state == "done":
            del self._progress[name]
        if progress.state == "failed":
            self._wanted_when_done.discard(name)
        self.refresh()
        if progress.state == "done" and name in self._wanted_when_done:
            self._wanted_when_done.discard(name)
            self.picked.emit(progress.weights)

    @Slot()
    def refresh(self) -> None:
        """Look what lies on the disk."""
        rows = [(item, item.data(0, _ROLE)) for item in self._items()]
        lying = sizes_on_disk(tuple(weights for _, weights in rows))
        for item, weights in rows:
            size, whole = lying.get(weights.name, (0, False))
            item.setText(_STATE, self._state_text(weights, size, whole=whole))
            accent = theme.colours().accent
            item.setIcon(_STATE, theme.icon("check", accent) if whole else QIcon())
        self._follow()

    @property
    def current(self) -> Weights | None:
        """Return the weights that are chosen."""
        item = self.tree.currentItem()
        found: Weights | None = item.data(0, _ROLE) if item and not item.isHidden() else None
        return found

    # Making

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setRootIsDecorated(False)
        tree.setAllColumnsShowFocus(True)
        tree.setUniformRowHeights(True)
        tree.setHeaderLabels(
            [tr("Weights"), tr("Top-1"), tr("Size"), tr("Licence"), tr("On this computer")]
        )
        tree.headerItem().setToolTip(
            _ACCURACY, tr("Share of ImageNet's validation photos that they name right")
        )
        header = tree.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Interactive)
        for column, width in ((_NAME, 330), (_ACCURACY, 80), (_SIZE, 90), (_LICENCE, 130)):
            tree.setColumnWidth(column, width)
        tree.setSortingEnabled(True)
        tree.header().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        tree.setAccessibleName(tr("torchvision's weights"))
        return tree

    def _make_buttons(self) -> None:
        self.use_button = QPushButton()
        self.use_button.setProperty("primary", True)
        self.use_button.setDefault(True)
        self.pause_button = QPushButton(tr("Pause"))
        self.cancel_button = QPushButton(tr("Cancel download"))
        self.delete_button = QPushButton(tr("Delete from the disk"))
        self.have_button = QPushButton(tr("I already have this file…"))
        self._own = QPushButton(tr("Open a checkpoint of my own…"))
        self.use_button.clicked.connect(self._use)
        self.pause_button.clicked.connect(self._pause)
        self.cancel_button.clicked.connect(self._cancel)
        self.delete_button.clicked.connect(self._ask_to_delete)
        self.have_button.clicked.connect(self._ask_for_file)
        self._own.clicked.connect(self._want_own_file)

    def _lay_out(self) -> None:
        mirror = QHBoxLayout()
        caption = PlainLabel(tr("Download from"))
        caption.setProperty("muted", True)
        mirror.addWidget(caption)
        mirror.addWidget(self.mirror, 1)
        close = QPushButton(tr("Close"))
        close.setAutoDefault(False)
        close.clicked.connect(self.hide)
        row = QHBoxLayout()
        for button in (self._own, self.have_button, self.delete_button):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch()
        for button in (self.cancel_button, self.pause_button, close, self.use_button):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.addWidget(self._why)
        layout.setSpacing(10)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        layout.addLayout(mirror)
        layout.addLayout(row)

    # Following

    def _items(self) -> list[QTreeWidgetItem]:
        found = [self.tree.topLevelItem(at) for at in range(self.tree.topLevelItemCount())]
        return [item for item in found if item is not None]

    def _state_text(self, weights: Weights, size: int, *, whole: bool) -> str:
        progress = self._progress.get(weights.name)
        if whole:
            return _megabytes(size)
        if progress is not None and progress.state in ("downloading", "waiting"):
            share = progress.done_bytes / max(1, progress.total_bytes)
            return tr("downloading, {share}", share=percent(share))
        if size:
            return tr("paused at {size}", size=_megabytes(size))
        return ""

    @Slot(str)
    def _narrow(self, text: str) -> None:
        words = text.casefold().split()
        first: QTreeWidgetItem | None = None
        for item in self._items():
            weights: Weights = item.data(0, _ROLE)
            if text == self._architecture and text:
                shown = weights.architecture == text
            else:
                said = f"{weights.name} {weights.architecture} {weights.title}".casefold()
                shown = all(word in said for word in words)
            item.setHidden(not shown)
            first = item if first is None and shown else first
        if self.current is None and first is not None:
            self.tree.setCurrentItem(first)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        """Offer what can be done with the chosen weights."""
        weights = self.current
        progress = self._progress.get(weights.name) if weights is not None else None
        running = progress is not None and progress.state in ("downloading", "waiting")
        whole = weights is not None and weights.path.is_file()
        part = weights is not None and weights.part_path.is_file()
        self.use_button.setEnabled(weights is not None and not running)
        self.use_button.setText(self._use_text(whole=whole, part=part))
        self.pause_button.setVisible(running)
        self.cancel_button.setVisible(running or part)
        self.delete_button.setVisible(whole)
        self.have_button.setEnabled(weights is not None and not whole and not running)
        self.bar.setVisible(running)
        if progress is None:
            self.status.setText(self._description(weights))
            return
        done, total = progress.done_bytes, max(1, progress.total_bytes)
        self.bar.setValue(round(1000 * done / total))
        text = tr("{done} of {total}", done=_megabytes(done), total=_megabytes(total))
        self.status.setText("  ·  ".join(filter(None, (text, progress.problem))))

    def _use_text(self, *, whole: bool, part: bool) -> str:
        if whole:
            return tr("Use")
        return tr("Resume and use") if part else tr("Download and use")

    def _description(self, weights: Weights | None) -> str:
        if weights is None:
            return "" if self._items() else tr("Loading the list…")
        text = tr(
            "{title}, {n} million parameters. Licence: {licence}.",
            title=weights.title,
            n=number(weights.parameters / 1e6, 1),
            licence=weights.licence,
        )
        if weights.accuracy is None:
            text += " " + tr("A body without a trained head: feature maps only.")
        return text

    @Slot()
    def _pause(self) -> None:
        if self.current is not None:
            self._downloads.pause(self.current)

    @Slot()
    def _cancel(self) -> None:
        if self.current is not None:
            self._wanted_when_done.discard(self.current.name)
            self._progress.pop(self.current.name, None)
            self._downloads.cancel(self.current)
            self.refresh()

    @Slot()
    def _use(self) -> None:
        weights = self.current
        if weights is None or not self.use_button.isEnabled():
            return
        if weights.path.is_file():
            self.hide()
            self.picked.emit(weights)
            return
        self._wanted_when_done.add(weights.name)
        self._downloads.start(weights, self.mirror.text().strip())

    @Slot()
    def _want_own_file(self) -> None:
        self.hide()
        self.own_file_wanted.emit(self._architecture)

    @Slot()
    def _ask_for_file(self) -> None:
        weights = self.current
        if weights is None:
            return
        file, _ = QFileDialog.getOpenFileName(
            self,
            tr("Choose {file}", file=weights.file_name),
            self._folder(),
            tr("Checkpoints ({endings});;All files (*)", endings=CHECKPOINTS.pattern),
        )
        if file:
            self.status.setText(tr("Checking the file…"))
            self._downloads.take_file(weights, Path(file), self.picked.emit)

    @Slot()
    def _ask_to_delete(self) -> None:
        weights = self.current
        if weights is None:
            return
        question = tr("Delete {file}? It can be downloaded again.", file=weights.path)
        if ask(self, tr("Delete from the disk"), question):
            try:
                delete_file(weights)
            except DownloadError as error:
                self.status.setText(str(error))
                return
            self.refresh()


class _Row(QTreeWidgetItem):
    """A row that sorts by its numbers, not by their digits."""

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        column = self.treeWidget().sortColumn()
        mine, others = self.data(0, _ROLE), other.data(0, _ROLE)
        if column == _ACCURACY:
            return bool((mine.accuracy or 0) < (others.accuracy or 0))
        if column == _SIZE:
            return bool(mine.size_bytes < others.size_bytes)
        return self.text(column).casefold() < other.text(column).casefold()


def _megabytes(size: float) -> str:
    return f"{number(size / 1e9, 2)} GB" if size >= 1e9 else f"{number(size / 1e6, 1)} MB"
