"""How parts of a network are addressed, beside the dotted names of their layers."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import UnknownLayerError
from core.models.families.blocks import Part

ATTENTION = 0
"""Stands among the calls of a layer, which count from 1, for its attention."""


@dataclass(frozen=True)
class BlockName:
    """A residual block, or one of the two additions of a transformer's block.

    Attributes:
        layer: dotted name.
        part: the whole, or one addition.
    """

    layer: str
    part: Part = Part.WHOLE

    def __str__(self) -> str:
        """Return it as the command line takes it."""
        return self.layer if self.part is Part.WHOLE else f"{self.layer}:{self.part.value}"

    @classmethod
    def read(cls, text: str) -> BlockName:
        """Read "NAME", "NAME:attention" or "NAME:mlp".

        Raises:
            UnknownLayerError: there is no such part.
        """
        layer, _, part = text.partition(":")
        try:
            return cls(layer, Part(part))
        except ValueError:
            raise UnknownLayerError(
                "{layer!r} has no part {part!r}.", layer=layer, part=part
            ) from None
