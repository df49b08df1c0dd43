from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.cli.main import main
from core.errors import UnusableCheckpointError
from core.images.preprocessing import Preprocessing
from core.models.sources.checkpoint.for_pytorch import save_for_pytorch
from core.models.sources.checkpoint.source import open_model
from core.values.spec import ModelChoice, Overrides
from tests.networks import trained

PROGRAM = """
import runpy, sys
from core.models.torchvision_import import torchvision_models
torchvision_models()  # a CUDA build of torchvision beside a torch for processors needs help
import core
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

ARCHITECTURES = (
    "resnet18",
    "vgg11",
    "squeezenet1_1",
    "googlenet",
    "inception_v3",
    "mobilenet_v3_small",
    "vit_b_32",
    "swin_t",
)


def said_by_script(folder: Path, photo: Path) -> tuple[str, float]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, folder / "classify.py", photo],
        capture_output=True,
        text=True,
        check=True,
    )
    name, probability = done.stdout.strip().removeprefix(f"{photo}: ").rsplit(" ", 1)
    return name, float(probability)


def said_by_droplens(choice: list[str], photo: Path, out: Path) -> tuple[str, float]:
    assert main(["classify", str(photo), *choice, "--json", str(out)]) == 0
    best = json.loads(out.read_text())[0]["predictions"][0]
    return best["class_name"], best["probability"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_script_says_the_same_without_droplens(
    name: str, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    torch.manual_seed(1)
    file = tmp_path / "mine.pth"
    torch.save(trained(name, 4).state_dict(), file)
    photo = make_photo("photo.jpg", size=(400, 300))
    choice = ["--checkpoint", str(file)]
    expected = said_by_droplens(choice, photo, tmp_path / "out.json")
    opened = open_model(ModelChoice(file))
    assert opened.plan is not None
    folder = save_for_pytorch(opened.network, opened.spec, opened.plan, tmp_path / "written")
    assert "droplens" not in (folder / "classify.py").read_text().lower()
    found = said_by_script(folder, photo)
    assert found[0] == expected[0]
    assert found[1] == pytest.approx(expected[1], abs=1e-5)
    again = open_model(ModelChoice(folder / "model.pth"))
    assert again.spec.architecture == opened.spec.architecture


def test_the_built_in_model_is_written_with_timm(
    make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    opened = open_model(ModelChoice())
    assert opened.plan is not None
    photo = make_photo("photo.jpg", size=(400, 300))
    folder = save_for_pytorch(opened.network, opened.spec, opened.plan, tmp_path / "written")
    expected = said_by_droplens([], photo, tmp_path / "out.json")
    found = said_by_script(folder, photo)
    assert found[0] == expected[0]
    assert found[1] == pytest.approx(expected[1], abs=1e-5)
    assert "timm" in (folder / "README.txt").read_text()


def test_an_own_preprocessing_is_in_the_script(
    make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    own = Preprocessing(
        resize=(160, 192),
        crop=None,
        interpolation="bicubic",
        scale=255.0,
        mean=(100.0, 110.0, 120.0),
        std=(50.0, 60.0, 70.0),
        apply_orientation=False,
    )
    torch.manual_seed(1)
    file, preprocessing = tmp_path / "mine.pth", tmp_path / "own.json"
    names = ["Tüpfel-\nfalter", 'he said "{a}"', "\\", "木"]
    torch.save({"state_dict": trained("resnet18", 4).state_dict(), "classes": names}, file)
    preprocessing.write_text(json.dumps(own.to_json()))
    photo = make_photo("photo.jpg", size=(400, 300))
    choice = ["--checkpoint", str(file), "--preprocessing", str(preprocessing)]
    expected = said_by_droplens(choice, photo, tmp_path / "out.json")
    opened = open_model(ModelChoice(file, overrides=Overrides(preprocessing=own)))
    assert opened.plan is not None
    folder = save_for_pytorch(opened.network, opened.spec, opened.plan, tmp_path / "written")
    found = said_by_script(folder, photo)
    assert found[0] == expected[0]
    assert found[1] == pytest.approx(expected[1], abs=1e-5)


def test_what_no_library_builds_by_a_name_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = tmp_path / "dilated.pth"
    torch.save(trained("resnet50", 4).state_dict(), file)
    opened = open_model(ModelChoice(file, overrides=Overrides(dilation=(False, True, True))))
    assert opened.plan is not None
    with pytest.raises(UnusableCheckpointError, match="cannot be written for PyTorch"):
        save_for_pytorch(opened.network, opened.spec, opened.plan, tmp_path / "written")
    assert not (tmp_path / "written").exists()
