"""Pages of which one is shown, and only that one needs room."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QWidget


class PageStack(QStackedWidget):
    """As Qt's, which is as large as its largest page though that is hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: dict[QWidget, QSizePolicy] = {}
        self.currentChanged.connect(self._fit)

    def addWidget(self, page: QWidget) -> int:
        self._pages[page] = page.sizePolicy()
        at = super().addWidget(page)
        self._fit()
        return at

    def sizeHint(self) -> QSize:
        page = self.currentWidget()
        return super().sizeHint() if page is None else page.sizeHint()

    def minimumSizeHint(self) -> QSize:
        page = self.currentWidget()
        return super().minimumSizeHint() if page is None else page.minimumSizeHint()

    def _fit(self) -> None:
        """Let the layout ask the page that is shown alone."""
        ignored = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        for page in self._pages:
            page.setSizePolicy(self._pages[page] if page is self.currentWidget() else ignored)
        self.updateGeometry()
