"""Write ONNX graphs without parameters for the architectures that people have most, and try each.

Run it in the program's environment, again after a change of torch, torchvision, timm or of how
networks are built; it takes some half an hour:
    .venv/bin/python build_scripts/make_onnx_templates.py [--only NAME…]
"""

from __future__ import annotations

import argparse
import io
import math
import sys
import tempfile
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import onnx  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from core.images.preprocessing import Preprocessing  # noqa: E402
from core.inference.backends import EagerBackend, probe_batch  # noqa: E402
from core.inference.converting import export  # noqa: E402
from core.inference.templates import LARGEST_BYTES, RESOURCE, backend_from_template, template_name  # noqa: E402
from core.models.families import ARCHITECTURES, Architecture  # noqa: E402
from core.models.recognition.fingerprints import fingerprint_of  # noqa: E402
from core.models.recognition.presets import preset_for  # noqa: E402
from core.models.sources.checkpoint.source import open_model, set_transform_input  # noqa: E402
from core.values.spec import ModelChoice, Overrides  # noqa: E402

_TOLERANCE = 1e-4
_CLASSES = 7


def network_of(architecture: Architecture, classes: int) -> nn.Module:
    """Return a network all of whose parameters differ: the exporter joins those that are equal."""
    torch.manual_seed(0)
    family = architecture.family
    network = family.build(architecture.name, **family.options, num_classes=classes).eval()
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and (tensor.ndim < 2 or bool((tensor == tensor[0]).all())):
            spread = torch.rand_like(tensor) / 2
            tensor.copy_(spread + 0.75 if name.endswith(("weight", "var")) else spread / 5)
    return network.requires_grad_(False)


def preprocessings(architecture: Architecture) -> list[Preprocessing]:
    """Return what makes the inputs that people give an architecture."""
    fingerprint = fingerprint_of(architecture.name)
    usual = preset_for(fingerprint, {**fingerprint.cuts[0].body, **fingerprint.cuts[0].head})
    if not architecture.family.transforms_input:
        return [usual]
    return [replace(usual, transform_input=on) for on in (False, True)]


def graph_of(network: nn.Module, preprocessing: Preprocessing) -> bytes:
    """Return an exported network without what its state dict holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export(network, preprocessing, path, keeps_parameters=True)
        model = onnx.load(path)
    state = network.state_dict()
    held = {f"network.{name}" for name, one in state.items() if one.is_floating_point()}
    kept = [one for one in model.graph.initializer if one.name not in held]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    for node in model.graph.node:  # where in the program a node comes from
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    written: bytes = model.SerializeToString()
    return written


def difference(architecture: Architecture, preprocessing: Preprocessing) -> float:
    """Return how far a model that is opened from a file is from PyTorch, by its template."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pth"
        torch.save({"state_dict": network_of(architecture, _CLASSES).state_dict()}, path)
        overrides = Overrides(preprocessing=preprocessing)
        choice = ModelChoice(checkpoint=path, architecture=architecture.name, overrides=overrides)
        opened = open_model(choice)
    set_transform_input(opened.network, opened.spec)
    faster = backend_from_template(opened.network, opened.plan, preprocessing)
    assert faster is not None
    photos = probe_batch(preprocessing)
    plain = EagerBackend(opened.network, preprocessing, "cpu")
    with torch.inference_mode():
        expected, found = (one.begin(photos, lambda x: x.clone())() for one in (plain, faster))
    faster.close()
    return float((expected - found).abs().max() / expected.abs().max())


def main() -> None:
    """Export, write and try each; what differs ends the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.backends.mha.set_fastpath_enabled(False)
    target = ROOT / "resources" / RESOURCE
    graphs: dict[str, bytes] = {}
    if options.only and target.exists():
        with zipfile.ZipFile(target) as archive:
            graphs = {name: archive.read(name) for name in archive.namelist()}
    chosen = [one for one in ARCHITECTURES if not options.only or one.name in options.only]
    for architecture in chosen:
        network = network_of(architecture, 1000)
        if sum(one.nbytes for one in network.state_dict().values()) > LARGEST_BYTES:
            print(f"{architecture.name}: too large, stays with PyTorch", flush=True)
            continue
        for preprocessing in preprocessings(architecture):
            if hasattr(network, "transform_input"):
                network.transform_input = preprocessing.transform_input
            name = template_name(architecture.name, preprocessing)
            graphs[name] = graph_of(network, preprocessing)
            before = target.read_bytes() if target.exists() else packed({})
            target.write_bytes(packed(graphs))
            found = math.inf
            try:
                found = difference(architecture, preprocessing)
            finally:
                if not found <= _TOLERANCE:  # what does not compute the same is not shipped
                    target.write_bytes(before)
            print(f"{name}: {len(graphs[name])} bytes, difference {found:.1e}", flush=True)
            if not found <= _TOLERANCE:
                raise SystemExit(f"{name} computes something else")
    print(f"{len(graphs)} graphs, {target.stat().st_size} bytes")


def packed(graphs: dict[str, bytes]) -> bytes:
    """Return an archive that is the same whenever it is made."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(graphs):
            archive.writestr(zipfile.ZipInfo(name), graphs[name], zipfile.ZIP_DEFLATED, 9)
    return written.getvalue()


if __name__ == "__main__":
    main()
