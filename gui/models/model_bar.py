"""The bar at the top: architecture, checkpoint, class names, device."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QMenu, QToolBar

from core.files import readable
from core.language import tr, tr_n
from gui.models.pick_button import PickButton
from gui.models.preprocessing_words import in_words
from gui.widgets.plain_text import literal

if TYPE_CHECKING:
    from core.inference.devices import Device
    from core.inference.engine import ReadyModel
    from core.training.live import Lesson
    from core.values.spec import ModelChoice
    from gui.models.architecture_picker import ArchitecturePicker
    from gui.widgets.fold_button import FoldButton


_SAVING = "save_model"


class ModelBar(QToolBar):
    """Shows the model in use and takes wishes; who owns the choice decides."""

    architecture_picked = Signal(str)
    """torchvision's name, or "" to recognise it."""
    model_picked = Signal(object)
    """A ``ModelChoice`` of a checkpoint, shipped or not."""
    device_picked = Signal(str)
    action_chosen = Signal(str)
    """Name of an action of the menu."""

    def __init__(self, summary: FoldButton) -> None:
        """Make the bar, which is folded at first.

        Args:
            summary: unfolds it, and says in one line what it shows.
        """
        super().__init__()
        self._summary, self._line = summary, ""
        summary.when_unfolded(self.setVisible)
        self.hide()
        self.setObjectName("modelBar")
        self.setWindowTitle(tr("Model"))
        self.setMovable(False)
        self.toggleViewAction().setVisible(False)  # the line above unfolds it
        self._recent: list[str] = []
        self._choice: ModelChoice | None = None
        self._device = "auto"
        self._can_save = False
        self._devices: tuple[tuple[str, str], ...] = (("cpu", tr("Processor")),)
        self.architecture = PickButton(tr("Architecture"), 220)
        self.checkpoint = PickButton(tr("Checkpoint"), 280)
        self.class_names = PickButton(tr("Class names"), 200)
        self.preprocessing = PickButton(tr("Preprocessing"), 220)
        self.device = PickButton(tr("Device"), 180)
        self._buttons = (
            self.architecture,
            self.checkpoint,
            self.class_names,
            self.preprocessing,
            self.device,
        )
        for button in self._buttons:
            button.set_value(tr("Loading…"))
            self.addWidget(button)
        self._picker: ArchitecturePicker | None = None
        self.architecture.clicked.connect(self.open_architectures)
        self.checkpoint.clicked.connect(self.open_checkpoints)
        self.class_names.clicked.connect(partial(self.action_chosen.emit, "name_classes"))
        self.preprocessing.clicked.connect(partial(self.action_chosen.emit, "edit_preprocessing"))
        self.device.clicked.connect(self.open_devices)

    def draw_icons(self) -> None:
        """Draw the icons, which at the first paint would take a tenth of the time to it."""
        icons = ("layers", "box", "tags", "sliders-horizontal", "cpu")
        for button, icon in zip(self._buttons, icons, strict=True):
            button.draw_icon(icon)

    def show_choice(self, choice: ModelChoice, device: str, recent: list[str]) -> None:
        """Show what was asked for, while it is being opened."""
        self._choice, self._device, self._recent = choice, device, recent
        loading = tr("Loading…")
        for button in self._buttons:
            button.set_value(loading)
        path = choice.checkpoint
        name = _title_of_built_in(choice) if path is None else path.name
        self.checkpoint.set_value(name, str(path or name))
        self._summary.say(tr("{name}: loading…", name=name))

    def show_nothing(self) -> None:
        """Show that not even the shipped model could be opened."""
        for button in self._buttons:
            button.set_value(tr("None"))
        self._summary.say(tr("No model"))

    def show_model(self, ready: ReadyModel, recent: list[str]) -> None:
        """Show the model in use."""
        from core.models.sources.base import Capability  # costs start-up time

        choice, spec = ready.choice, ready.spec
        self._can_save = ready.can(Capability.SAVE)
        self.show_choice(choice, ready.wanted_device, recent)
        self.architecture.set_value(spec.title, spec.summary)
        names = tr_n("{n} class", "{n} classes", len(spec.class_names))
        if not spec.predicts:
            names = tr("No head")
        elif not spec.is_named:
            names = tr("{names}, unnamed", names=names)
        self.class_names.set_value(
            names, tr("{names}, {source}", names=names, source=spec.class_names_source)
        )
        self.preprocessing.set_value(*in_words(spec.preprocessing))
        self._devices = tuple((one.name, one.title) for one in ready.others)
        self.show_device(ready.device)
        parts = [spec.title, names]
        if choice.checkpoint is not None:
            parts.insert(1, readable(choice.checkpoint.name))
        self._line = " · ".join(parts)
        self._summary.say(self._line)

    def show_lesson(self, lesson: Lesson | None, title: str) -> None:
        """Show that the proposals come from labels; None where they are the model's own again."""
        if lesson is None:
            self._summary.say(self._line)
            return
        count = len(lesson.spec.class_names)
        names = tr_n("{n} class", "{n} classes", count)
        said = tr("Learnt from your labels: {names} (on {title})", names=names, title=title)
        self._summary.say(said)

    @Slot(object)
    def show_device(self, device: Device) -> None:
        """Show where the model runs, and why there."""
        self.device.set_value(device.title, f"{device.title}: {device.reason}")

    @Slot()
    def open_architectures(self) -> None:
        """Open the list of architectures."""
        self._unfold()
        from gui.models.architecture_picker import ArchitecturePicker  # 80 rows, when first needed

        if self._picker is None:
            self._picker = ArchitecturePicker(self)
            self._picker.picked.connect(self.architecture_picked)
        current = self._choice.architecture if self._choice is not None else None
        self._picker.open_at(self.architecture.below(), current or "")

    @Slot()
    def open_checkpoints(self) -> None:
        """Open the menu of checkpoints: those that are shipped, recent ones, a file."""
        self._unfold()
        from core.values.spec import ModelChoice  # costs start-up time

        menu = self._menu()
        current = self._choice.checkpoint if self._choice is not None else None
        self._add_built_in(menu)
        if self._recent:
            menu.addSection(tr("Recent"))
        for text in self._recent:
            path = Path(text)
            entry = menu.addAction(readable(path.name).replace("&", "&&"))
            entry.setToolTip(literal(readable(text)))
            entry.setCheckable(True)
            entry.setChecked(path == current)
            entry.triggered.connect(partial(self.model_picked.emit, ModelChoice(path)))
        menu.addSeparator()
        for text, action in (
            (tr("Open a checkpoint…"), "open_checkpoint"),
            (tr("torchvision's weights…"), "open_weights"),
            ("", ""),
            (tr("Details of this model…"), "show_details"),
            (tr("Save this model as…"), _SAVING),
        ):
            if action:
                chosen = partial(self.action_chosen.emit, action)
                entry = menu.addAction(text)
                entry.setEnabled(action != _SAVING or self._can_save)
                entry.triggered.connect(chosen)
            else:
                menu.addSeparator()
        menu.popup(self.checkpoint.below())

    @Slot()
    def open_devices(self) -> None:
        """Open the menu of devices that work here."""
        self._unfold()
        menu = self._menu()
        for name, title in (("auto", tr("Automatic")), *self._devices):
            entry = menu.addAction(title)
            entry.setCheckable(True)
            entry.setChecked(name == self._device)
            entry.triggered.connect(lambda _=False, name=name: self.device_picked.emit(name))
        menu.popup(self.device.below())

    def _add_built_in(self, menu: QMenu) -> None:
        from core.models.families import BY_NAME, SHIPPED, built_in  # costs start-up time
        from core.values.spec import ModelChoice

        choice = self._choice
        in_use = choice is not None and choice.checkpoint is None and built_in(choice.architecture)
        for name, shipped in SHIPPED.items():
            title = BY_NAME[name].title
            text = tr("{title} (built in, {remark})", title=title, remark=shipped.remark)
            entry = menu.addAction(text)
            entry.setCheckable(True)
            entry.setChecked(in_use == BY_NAME[name])
            picked = ModelChoice(architecture=name)
            entry.triggered.connect(partial(self.model_picked.emit, picked))

    def _unfold(self) -> None:
        """Be seen where a menu is to open below a button."""
        self._summary.unfold(True)
        layout = self.window().layout()
        if layout is not None:
            layout.activate()

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu


def _title_of_built_in(choice: ModelChoice) -> str:
    from core.models.families import built_in  # costs start-up time

    return tr("{title} (built in)", title=built_in(choice.architecture).title)
