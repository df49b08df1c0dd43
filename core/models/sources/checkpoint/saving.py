"""Write a model as a file of our own: safetensors that says all that opening it needs."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save
from torch import nn

from core.files import write_result
from core.models.building import Blueprint
from core.values.spec import ModelSpec


def save_model(
    network: nn.Module, spec: ModelSpec, plan: Blueprint, path: Path, *, training: object = None
) -> None:
    """Write a model whole or not at all.

    Args:
        network: in evaluation mode; its tensors are written as they are.
        spec: names, preprocessing and origin, which go into the metadata as JSON texts.
        plan: what the network was built from, of which shapes do not tell all.
        path: where to.
        training: how it was taught, as JSON values; None where it was not here.

    Raises:
        DroplensError: it cannot be written; what stood there before still stands.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()
    }
    origin = {"file": spec.checkpoint.name, "sha256": spec.sha256, "summary": spec.summary}
    metadata = {
        "format": "pt",
        "written_by": "Droplens",
        "architecture": spec.architecture,
        "outputs": spec.outputs,
        "preprocessing": json.dumps(spec.preprocessing.to_json()),
        "options": json.dumps(plan.options),
        "origin": json.dumps(origin),
    }
    if spec.predicts:
        metadata["class_names"] = json.dumps(spec.class_names)
        metadata["class_names_source"] = str(spec.class_names_source)
    if spec.unsure_below:
        metadata["unsure_below"] = repr(spec.unsure_below)
    if plan.head is not None:
        metadata["head"] = json.dumps(plan.head.to_json())
    if training is not None:
        metadata["training"] = json.dumps(training)
    write_result(path, save(tensors, metadata))
