"""Export networks to ONNX, open the files, and compare with what the networks themselves say.

torchvision's 80 architectures take about half an hour and up to 4 GB of memory:
    .venv/bin/python build_scripts/check_onnx.py
    .venv/bin/python build_scripts/check_onnx.py resnet18 swin_t

What other libraries write needs an environment that has them and Droplens' own dependencies:
    python build_scripts/check_onnx.py scikit-learn       scikit-learn and skl2onnx
    python build_scripts/check_onnx.py keras              tensorflow and tf2onnx
    python build_scripts/check_onnx.py paddle             paddlepaddle and paddle2onnx
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.models.families import ARCHITECTURES  # noqa: E402
from core.models.sources import source_of  # noqa: E402
from core.models.sources.base import OpenedModel  # noqa: E402
from core.values.spec import ModelChoice  # noqa: E402
from tests.networks import trained  # noqa: E402

LARGEST_DIFFERENCE = 1e-4
OPSET = 17
CLASSES = 5
_TOO_LARGE = "its 2.5 GB do not fit in one file of ONNX"
LEFT_OUT = {"vit_h_14": _TOO_LARGE, "regnet_y_128gf": _TOO_LARGE}
SPREAD = 3.0
"""Heads with random weights favour no class; their outputs are spread before they are compared."""

Checked = tuple[str, float]
"""What was compared, and the largest difference of the probabilities."""


def torchvision_networks(names: list[str]) -> Iterator[Checked]:
    """Export networks with random weights by torch's tracing exporter."""
    torch.backends.mha.set_fastpath_enabled(False)  # it has no counterpart outside torch
    for architecture in ARCHITECTURES:
        name = architecture.name
        if (names and name not in names) or name in LEFT_OUT:
            continue
        torch.manual_seed(0)
        network = spread_out(trained(name, CLASSES))
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = Path(folder) / "network.onnx"
            torch.onnx.export(
                network,
                (torch.randn(1, 3, 224, 224),),
                str(path),
                dynamo=False,
                input_names=["input"],
                output_names=["logits"],
                dynamic_axes={"input": {0: "photos"}, "logits": {0: "photos"}},
                opset_version=OPSET,
            )
            batch = torch.randn(2, 3, 224, 224)
            with torch.no_grad():
                expected = network(batch).softmax(1)
            yield name, difference(opened(path), batch, expected.numpy())


def spread_out(network: torch.nn.Module) -> torch.nn.Module:
    """Let the outputs of a random network lie as far apart as a trained one's."""
    with torch.no_grad():
        outputs = network(torch.randn(2, 3, 224, 224))
        factor = SPREAD / float(outputs.std().clamp(min=1e-6))
        last = [one for one in network.modules() if isinstance(one, torch.nn.Linear)]
        last += [one for one in network.modules() if isinstance(one, torch.nn.Conv2d)]
        head = next(one for one in last[::-1] if one.weight.shape[0] == CLASSES)
        head.weight.mul_(factor)
        if head.bias is not None:
            head.bias.mul_(factor)
    return network


def scikit_learn(_: list[str]) -> Iterator[Checked]:
    """Put classifiers of scikit-learn behind a step that flattens photos."""
    import onnx
    from onnx import helper
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    random = np.random.default_rng(0)
    rows = random.random((200, 3 * 8 * 8), np.float32)
    labels = np.array(["ant", "bee", "cat"])[(rows[:, :60].sum(1) * 7).astype(int) % 3]
    flatten = helper.make_graph(
        [helper.make_node("Flatten", ["photos"], ["rows"])],
        "flatten",
        [helper.make_tensor_value_info("photos", onnx.TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, ["n", 192])],
    )
    for made in (
        LogisticRegression(max_iter=500),
        RandomForestClassifier(20, random_state=0),
        MLPClassifier((16,), max_iter=300, random_state=0),
        SVC(probability=True, random_state=0),
    ):
        fitted = made.fit(rows, labels)
        for zipped in (True, False):
            model = to_onnx(
                fitted, rows[:1], options={id(fitted): {"zipmap": zipped}}, target_opset=OPSET
            )
            before = helper.make_model(
                flatten, opset_imports=model.opset_import, ir_version=model.ir_version
            )
            whole = onnx.compose.merge_models(
                before, model, io_map=[("rows", model.graph.input[0].name)]
            )
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "network.onnx"
                onnx.save(whole, str(path))
                found = opened(path)
                names = ("ant", "bee", "cat") if zipped else ("class 0", "class 1", "class 2")
                assert found.spec.class_names == names, found.spec.class_names
                batch = torch.from_numpy(rows[:20].reshape(-1, 3, 8, 8))
                expected = fitted.predict_proba(rows[:20])
                title = f"{type(made).__name__}{', zipmap' if zipped else ''}"
                yield title, difference(found, batch, expected)


KERAS_SCALES = {"MobileNetV2": 1.0, "EfficientNetB0": 255.0, "ResNet50": 1.0}
"""Networks, and the value of a full channel that is to be found out or assumed."""


def keras(names: list[str]) -> Iterator[Checked]:
    """Write Keras' own networks by tf2onnx; their channels stand last."""
    import tensorflow as tf

    for name, scale in KERAS_SCALES.items():
        if names and name not in names:
            continue
        tf.keras.utils.set_random_seed(0)
        network = getattr(tf.keras.applications, name)(weights=None, classes=CLASSES)
        photos = np.random.default_rng(0).random((2, 224, 224, 3), np.float32) * scale
        for layer in network.layers:
            if isinstance(layer, tf.keras.layers.BatchNormalization):
                layer.momentum = 0.0  # so that one pass brings its statistics
        network(photos, training=True)
        outputs = np.log(network(photos, training=False).numpy())
        factor = SPREAD / max(float(outputs.std(axis=1).mean()), 1e-2)
        network.layers[-1].set_weights([one * factor for one in network.layers[-1].get_weights()])
        with tempfile.TemporaryDirectory() as folder:
            path, saved = Path(folder) / "network.onnx", Path(folder) / "saved"
            network.export(str(saved), verbose=False)
            command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(saved)]
            command += ["--output", str(path), "--opset", str(OPSET)]
            subprocess.run(command, check=True, capture_output=True)
            found = opened(path)
            assert found.spec.preprocessing.scale == scale, found.spec.preprocessing
            expected = network(photos, training=False).numpy()
            batch = torch.from_numpy(photos).permute(0, 3, 1, 2)
            yield name, difference(found, batch, expected)


PADDLE_NETWORKS = ("resnet18", "mobilenet_v2")


def paddle(names: list[str]) -> Iterator[Checked]:
    """Write PaddlePaddle's own networks by paddle2onnx."""
    import paddle as library

    spec = library.static.InputSpec([None, 3, 224, 224], "float32", "photos")
    for name in names or PADDLE_NETWORKS:
        library.seed(0)
        network = getattr(library.vision.models, name)(num_classes=CLASSES)
        for _ in range(5):  # for the statistics of batch norm
            network(library.randn([4, 3, 224, 224]))
        network.eval()
        photos = np.random.default_rng(0).standard_normal((2, 3, 224, 224), np.float32)
        expected = library.nn.functional.softmax(network(library.to_tensor(photos))).numpy()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network"  # the exporter adds the ending
            library.onnx.export(network, str(path), input_spec=[spec], opset_version=OPSET)
            found = opened(path.with_suffix(".onnx"))
            yield name, difference(found, torch.from_numpy(photos), expected)


def opened(path: Path) -> OpenedModel:
    """Open a file as the program does."""
    return source_of(path).open(ModelChoice(checkpoint=path), None, lambda: False)


def difference(found: OpenedModel, batch: torch.Tensor, expected: Any) -> float:
    """Return the largest difference between probabilities."""
    outputs = found.network(batch)
    shares = outputs.sigmoid() if found.spec.outputs == "sigmoid" else outputs.softmax(1)
    return float(np.abs(shares.numpy() - expected).max())


LIBRARIES: dict[str, Callable[[list[str]], Iterator[Checked]]] = {
    "scikit-learn": scikit_learn,
    "keras": keras,
    "paddle": paddle,
}


def main() -> int:
    """Check what is named, or torchvision's; 1 if one differs."""
    names = sys.argv[1:]
    check = torchvision_networks
    if names and names[0] in LIBRARIES:
        check = LIBRARIES[names.pop(0)]
    wrong, count, begun = [], 0, time.monotonic()
    for name, found in check(names):
        seconds, begun = time.monotonic() - begun, time.monotonic()
        print(f"{name}: largest difference {found:.2g}, {seconds:.0f} s", flush=True)
        count += 1
        if not found <= LARGEST_DIFFERENCE:
            wrong.append(name)
    if check is torchvision_networks and not names:
        for name, reason in LEFT_OUT.items():
            print(f"{name}: left out, {reason}")
    print(f"{count - len(wrong)} of {count} say what they said before the export")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
