from __future__ import annotations

import subprocess
import sys

CHECK = """
import torch
from core.models.torchvision_import import torchvision_models
models = torchvision_models()
assert torchvision_models() is models
assert len(models.list_models(module=models)) == 80
assert models.resnet18(num_classes=2).eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
assert torch.ops.torchvision.nms is not None
"""


def test_torchvision_imports_in_a_fresh_interpreter() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHECK], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


COMPILER = """
import sys
from core.models.torchvision_import import torchvision_models
torchvision_models()
assert not [name for name in sys.modules if name.startswith("torch._dynamo")]
import torch
from torchvision.ops.roi_align import is_compile_supported
assert is_compile_supported("cpu") in (True, False)
assert sys.modules["torch._dynamo.utils"].is_compile_supported is not is_compile_supported
"""


def test_the_compiler_is_imported_only_by_who_asks_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", COMPILER], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


EVERYTHING = """
import sys
from pathlib import Path
from core.inference.classifying import Classify
from core.inference.engine import Engine
from core.inside.requests import Evidence, FeatureMaps, Layers
from core.values.spec import ModelChoice
engine = Engine()
engine.open(ModelChoice(), "cpu")
photo = Path("resources/samples/coffee.png").absolute()
list(Classify((photo,)).run(engine))
assert Layers(photo).run(engine).multiply_adds[""] > 1e8
FeatureMaps(photo, "blocks.1.0.conv_pw", 1, 5).run(engine)
list(Evidence(photo, (1, 2)).run(engine))
engine.close()
assert not [name for name in sys.modules if name.startswith("torch._dynamo")]
"""


def test_nothing_that_droplens_does_needs_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
