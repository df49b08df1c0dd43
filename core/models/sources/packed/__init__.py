"""A model in a zip archive, as Teachable Machine, Custom Vision and TorchServe hand them out.

It is unpacked into a folder that lasts as long as the opening, with the small files beside it that
name its classes, and opened there as if it had never been packed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import DroplensError

if TYPE_CHECKING:
    from core.models.overrides import SavedOverrides
    from core.models.sources.base import ModelSource, OpenedModel
    from core.values.spec import Inspection, ModelChoice


class PackedSource:
    """Opens archives that hold one model.

    Args:
        others: the sources of what may be packed, the last of which takes whatever is left.
    """

    name = "archive"
    endings = (".zip", ".mar")

    def __init__(self, others: Sequence[ModelSource]) -> None:
        self._others = others

    def recognises(self, path: Path) -> bool:
        """Return whether a file is an archive with a model that ``torch.save`` did not write."""
        if path.suffix.lower() not in self.endings:
            return False
        from core.models.sources.packed.unpacking import holds_model  # costs start-up time

        return holds_model(path)

    def inspect(self, path: Path) -> Inspection:
        """Say what a file is."""
        from core.models.sources.packed.unpacking import as_packed, unpacked
        from core.values.spec import Inspection

        try:
            with unpacked(path, lambda: False) as inner:
                found = self._source_of(inner).inspect(inner)
                said = [as_packed(one, inner, path) for one in (found.summary, *found.problems)]
                return replace(found, summary=said[0], problems=tuple(said[1:]))
        except DroplensError as error:
            return Inspection(usable=False, summary=str(error), problems=(str(error),))

    def open(
        self,
        choice: ModelChoice,
        saved_overrides: SavedOverrides | None,
        is_stopped: Callable[[], bool],
    ) -> OpenedModel:
        """Open what the user picked."""
        from core.models.sources.packed.unpacking import as_packed, unpacked

        path = choice.checkpoint
        assert path is not None
        with unpacked(path, is_stopped) as inner:
            try:
                opened = self._source_of(inner).open(
                    replace(choice, checkpoint=inner), saved_overrides, is_stopped
                )
            except DroplensError as error:
                error.args = (as_packed(str(error), inner, path),)
                raise
            said = tuple(as_packed(one, inner, path) for one in opened.spec.inspection.problems)
            inspection = replace(opened.spec.inspection, problems=said)
            return replace(
                opened, spec=replace(opened.spec, checkpoint=path, inspection=inspection)
            )

    def _source_of(self, path: Path) -> ModelSource:
        known = (source for source in self._others if source.recognises(path))
        return next(known, self._others[-1])
