"""From a layer of Keras to a module of torch: one function a kind, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from core.errors import UnusableCheckpointError
from core.models.class_names.lists import clean
from core.models.sources.keras.configs import LayerConfig
from core.models.sources.keras.learnt import LEARNT
from core.models.sources.keras.making import Making, Translated, misfit
from core.models.sources.keras.plain import PLAIN

_TABLE: Mapping[str, Callable[[Making], Translated]] = {**LEARNT, **PLAIN}


class Translator:
    """Makes modules of one file's layers.

    Args:
        path: of the file.
        is_keras_3: whether Keras 3 wrote it.
    """

    def __init__(self, path: Path, *, is_keras_3: bool) -> None:
        self.path, self.is_keras_3 = path, is_keras_3

    def translate(self, layer: LayerConfig, arrays: Mapping[str, Tensor]) -> Translated:
        """Return a layer as a module.

        Args:
            layer: of no model.
            arrays: its parameters without values, by Keras's names.

        Raises:
            UnusableCheckpointError: Droplens does not know it, or its options make no sense.
        """
        make = _TABLE.get(kind_of(layer))
        if make is None:
            raise self.unknown(layer)
        if layer.options.get("data_format") == "channels_first":
            raise UnusableCheckpointError(
                "{path} cannot be used: its layer {layer!r} takes channels first, which Keras "
                "computes on GPUs alone; Droplens opens models with channels last.",
                path=self.path,
                layer=clean(layer.name),
            )
        try:
            with torch.device("meta"):
                return make(Making(self.path, self.is_keras_3, layer, arrays))
        except (ValueError, TypeError, KeyError, RuntimeError, OverflowError, IndexError) as error:
            raise misfit(self.path, layer.name, layer.kind) from error

    def unknown(self, layer: LayerConfig) -> UnusableCheckpointError:
        """Return what to say of a layer that is not opened."""
        kind = (
            str(layer.options.get("function") or layer.kind) if layer.is_operation else layer.kind
        )
        if layer.kind == "Lambda":
            return UnusableCheckpointError(
                "{path} cannot be used: its layer {layer!r} is a Lambda, which is Python code; "
                "Droplens runs no code of a file.",
                path=self.path,
                layer=clean(layer.name),
            )
        return UnusableCheckpointError(
            "{path} cannot be used: its layer {layer!r} is of the kind {kind!r}, which Droplens "
            "does not know.",
            path=self.path,
            layer=clean(layer.name),
            kind=clean(kind),
        )


def kind_of(layer: LayerConfig) -> str:
    """Return what a layer is in the table: its class, or the function that it stands for."""
    if layer.is_operation:
        return f"op {layer.options.get('function') or layer.kind}"
    return layer.kind
