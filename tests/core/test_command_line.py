from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import resources
from core.cli.main import main
from tests.networks import trained

SAMPLES = resources.path("samples")


def classified(capsysbinary: Any, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    status = main(["classify", *arguments, "--json", "-"])
    out, err = capsysbinary.readouterr()
    return status, json.loads(out) if out else [], err.decode()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "mine.pth"
    state_dict = trained("resnet18", 2).state_dict()
    torch.save({"epoch": 4, "model_state_dict": state_dict, "classes": ["ant", "bee"]}, path)
    return path


def test_classify_as_json(capsysbinary: Any) -> None:
    status, found, err = classified(capsysbinary, str(SAMPLES), "--top-k", "3")
    assert (status, err) == (0, "")
    assert [Path(one["image"]).name for one in found] == [
        "chelsea.png",
        "china.jpg",
        "coffee.png",
        "flower.jpg",
        "rocket.jpg",
    ]
    keys = ["image", "predictions", "unsure", "error", "model"]
    assert [list(one) for one in found] == [keys] * 5
    assert found[2]["predictions"][0]["class_name"] == "espresso"
    assert found[2]["predictions"][0]["class_index"] == 967
    assert [len(one["predictions"]) for one in found] == [3] * 5


def test_fast_decoding_names_the_same_classes(capsysbinary: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with Image.open(SAMPLES / "coffee.png") as image:
        image.convert("RGB").resize((4000, 2666), Image.Resampling.BICUBIC).save(large)
    _, exact, _ = classified(capsysbinary, str(large))
    status, fast, err = classified(
        capsysbinary, str(large), "--decoding", "fast", "--precision", "mixed"
    )
    assert (status, err) == (0, "")
    first, second = exact[0]["predictions"][0], fast[0]["predictions"][0]
    assert first["class_name"] == second["class_name"] == "espresso"
    assert first["probability"] != second["probability"]


def test_some_photos_fail_and_the_rest_is_written(
    capsysbinary: Any, tmp_path: Path, make_photo: Callable[..., Path]
) -> None:
    table = tmp_path / "out.csv"
    gone = tmp_path / "gone.jpg"
    paths = [str(gone), str(make_photo("Jörg 张伟/猫 é.jpg"))]
    status, found, err = classified(capsysbinary, *paths, "--csv", str(table))
    assert status == 1
    assert found[0]["predictions"] == []
    assert found[0]["error"] == f"{gone} could not be read: it is not there."
    assert found[1]["error"] is None
    assert found[1]["image"].endswith("猫 é.jpg")
    assert err.strip() == found[0]["error"]
    rows = list(csv.reader(table.read_text("utf-8-sig").splitlines()))
    assert len(rows) == 3


def test_own_checkpoint_names_and_preprocessing(
    capsysbinary: Any, checkpoint: Path, tmp_path: Path
) -> None:
    names, own = tmp_path / "names.txt", tmp_path / "own.json"
    names.write_text("Ameise\nBiene\n")
    own.write_text('{"resize": 64, "crop": 64}')
    arguments = ["--checkpoint", str(checkpoint), "--architecture", "resnet18"]
    arguments += ["--class-names", str(names), "--preprocessing", str(own), "--device", "cpu"]
    status, found, _ = classified(capsysbinary, str(SAMPLES / "coffee.png"), *arguments)
    assert status == 0
    (photo,) = found
    assert {one["class_name"] for one in photo["predictions"]} == {"Ameise", "Biene"}
    assert sum(one["probability"] for one in photo["predictions"]) == pytest.approx(1)


def test_a_class_below_the_limit_is_called_unsure(
    capsysbinary: Any, checkpoint: Path, tmp_path: Path
) -> None:
    photo, table = str(SAMPLES / "coffee.png"), tmp_path / "out.csv"
    arguments = ["--checkpoint", str(checkpoint), "--device", "cpu"]
    _, (sure,), _ = classified(capsysbinary, photo, *arguments, "--unsure-below", "0.1")
    _, (unsure,), _ = classified(
        capsysbinary, photo, *arguments, "--unsure-below", "1", "--csv", str(table)
    )
    assert (sure["unsure"], unsure["unsure"]) == (False, True)
    (row,) = csv.DictReader(table.read_text("utf-8-sig").splitlines())
    assert row["unsure"] == "1"
    assert main(["classify", photo, *arguments, "--unsure-below", "1"]) == 0
    assert f"{photo}: unsure: " in capsysbinary.readouterr().out.decode()
    with pytest.raises(SystemExit):
        main(["classify", photo, "--unsure-below", "60"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["classify", "{samples}", "--device", "tpu"], "cannot be used"),
        (["classify", "{samples}", "--checkpoint", "{samples}/coffee.png"], "is a picture"),
        (["classify", "{samples}", "--checkpoint", "gone.pth"], "not there"),
        (
            ["classify", "{samples}", "--architecture", "resnet50"],
            "The built-in checkpoint is of another architecture (EfficientNet-Lite0)",
        ),
        (["classify", "{samples}", "--class-names", "{empty}/x.txt"], "could not be read"),
        (["classify", "{empty}"], "No photos were found"),
        (["classify", "{samples}", "--csv", "{empty}/no/folder.csv"], "could not be written"),
        (["classify", "{samples}", "--top-k", "0"], "not a whole number above 0"),
        (["classify"], "required: PATH"),
        (["dance"], "invalid choice"),
        (["feature-maps", "{samples}/coffee.png", "--layer", "nope"], "no layer 'nope'"),
        (
            ["feature-maps", "{samples}/coffee.png", "--layer", "conv_stem", "--call", "2"],
            "no call 2",
        ),
        (["feature-maps", "{empty}/gone.png", "--layer", "conv_stem"], "not there"),
    ],
)
def test_what_cannot_be_carried_out_is_one_sentence(
    arguments: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    filled = [one.format(samples=SAMPLES, empty=tmp_path) for one in arguments]
    try:
        status = main(filled)
    except SystemExit as left:
        status = left.code
    assert status == 2
    out, err = capfd.readouterr()
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err + out


def test_inspect(capsysbinary: Any, checkpoint: Path) -> None:
    assert main(["inspect", str(checkpoint), "--json"]) == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert list(found) == [
        "usable",
        "summary",
        "problems",
        "architecture",
        "num_classes",
        "class_names",
        "class_names_source",
        "wrapper",
        "key_prefix",
        "head",
        "matched",
        "preprocessing",
        "sha256",
        "outputs",
        "unsure_below",
        "missing",
        "unexpected",
        "questions",
        "source",
    ]
    assert found["source"] == "checkpoint"
    assert found["summary"] == (
        "ResNet-18 with 2 classes (ant, bee), from the 'model_state_dict' of a training "
        "checkpoint of epoch 4; every parameter found."
    )
    assert found["class_names"] == ["ant", "bee"]
    assert found["matched"] == 1.0
    assert len(found["sha256"]) == 64


def test_inspect_a_file_that_is_none(capsysbinary: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.pth"
    path.write_text("<html>")
    assert main(["inspect", str(path), "--json"]) == 2
    out, err = capsysbinary.readouterr()
    found = json.loads(out)
    assert found["usable"] is False
    assert "web page" in found["summary"]
    assert err.decode().strip() == found["summary"]


def test_feature_maps(capsysbinary: Any, checkpoint: Path, tmp_path: Path) -> None:
    arguments = ["feature-maps", str(SAMPLES / "coffee.png"), "--layer", "layer1.0.relu"]
    arguments += ["--call", "2", "--checkpoint", str(checkpoint)]
    arguments += ["--npy", str(tmp_path / "maps.npy"), "--png", str(tmp_path / "maps.png")]
    assert main(arguments) == 0
    values = np.load(tmp_path / "maps.npy")
    assert (values.dtype, values.shape) == (np.float32, (64, 56, 56))
    assert values.min() >= 0
    with Image.open(tmp_path / "maps.png") as picture:
        assert picture.size == (8 * 58 + 2, 8 * 58 + 2)
    assert b"64 maps of 56" in capsysbinary.readouterr().out


def test_the_real_command_in_another_folder(tmp_path: Path) -> None:
    photo = SAMPLES / "coffee.png"
    command = [sys.executable, "-m", "core", "classify", str(photo)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{photo}: espresso 9")


def test_an_input_too_small_for_the_network_is_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "small.json"
    own.write_text('{"resize": 8, "crop": 8}')
    model = ["--architecture", "squeezenet1_1", "--preprocessing", str(own)]
    assert main(["classify", str(SAMPLES), *model]) == 2
    assert "cannot take photos of 8×8 pixels" in capfd.readouterr().err


def test_a_model_of_nans_fails_each_photo(capsysbinary: Any, tmp_path: Path) -> None:
    state_dict = trained("resnet18", 2).state_dict()
    state_dict["fc.weight"].fill_(float("nan"))
    torch.save(state_dict, tmp_path / "nan.pth")
    status, found, _ = classified(
        capsysbinary, str(SAMPLES / "coffee.png"), "--checkpoint", str(tmp_path / "nan.pth")
    )
    assert status == 1
    assert "no numbers" in found[0]["error"]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@pytest.mark.parametrize("target", ["> /dev/full", "| true"])
def test_output_that_goes_nowhere(target: str) -> None:
    command = f"{sys.executable} -m core classify {SAMPLES / 'coffee.png'} {target}"
    done = subprocess.run(
        command, shell=True, cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    if "full" in target:
        assert done.returncode == 2
        assert done.stderr.strip() == "The output could not be written: the disk is full."


def test_layers(capsysbinary: Any, checkpoint: Path, make_photo: Callable[..., Path]) -> None:
    assert main(["layers", "--checkpoint", str(checkpoint), "--json"]) == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert set(found[0]) >= {"layer", "kind", "call", "input_shapes", "output_shape", "parameters"}
    assert [one["layer"] for one in found][-1] == "fc"
    options = ["layers", "--checkpoint", str(checkpoint), "--image", str(make_photo())]
    assert main(options) == 0
    told = capsysbinary.readouterr().out.decode()
    assert told.startswith("3×224×224 → conv1 64×112×112 → maxpool 64×56×56")
    assert "layer1.0.relu, call 2  ReLU  1×64×56×56" in told
    assert main(["layers", "--image", "gone.jpg"]) == 2


def test_residual_blocks(
    capsysbinary: Any, checkpoint: Path, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    photo, arrays, picture = make_photo(), tmp_path / "block.npz", tmp_path / "block.png"
    options = ["residual-blocks", str(photo), "--checkpoint", str(checkpoint)]
    outputs = ["--npz", str(arrays), "--png", str(picture)]
    assert main([*options, "--block", "layer2.0", *outputs]) == 0
    assert b"projection shortcut (stride 2, 64" in capsysbinary.readouterr().out
    with np.load(arrays) as found:
        assert set(found.files) == {"input", "residual", "shortcut", "sum", "output"}
        assert found["input"].shape == (64, 56, 56)
        assert np.array_equal(found["residual"] + found["shortcut"], found["sum"])
        assert np.array_equal(np.maximum(found["sum"], 0), found["output"])
    assert picture.stat().st_size > 100
    assert main([*options, "--block", "conv1"]) == 2
    assert b"no residual block" in capsysbinary.readouterr().err


def test_a_vector_has_no_maps(
    capsysbinary: Any, checkpoint: Path, make_photo: Callable[..., Path]
) -> None:
    photo = str(make_photo())
    assert main(["feature-maps", photo, "--layer", "fc", "--checkpoint", str(checkpoint)]) == 2
    assert b"has no height and width" in capsysbinary.readouterr().err


def test_a_body_without_a_head_classifies_nothing(
    capsysbinary: Any, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    content = trained("resnet18", 2).state_dict()
    del content["fc.weight"], content["fc.bias"]
    path = tmp_path / "body.pth"
    torch.save(content, path)
    assert main(["classify", str(make_photo()), "--checkpoint", str(path)]) == 2
    assert b"predicts nothing" in capsysbinary.readouterr().err


def test_outputs_and_dilation_as_the_user_says(
    capsysbinary: Any, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    path, photo = tmp_path / "one.pth", str(make_photo())
    torch.save(trained("resnet18", 1).state_dict(), path)
    classify = ["classify", photo, "--checkpoint", str(path), "--json", "-"]
    assert main(classify) == 0
    (one,) = json.loads(capsysbinary.readouterr().out)[0]["predictions"]
    assert main([*classify, "--outputs", "value"]) == 0
    (plain,) = json.loads(capsysbinary.readouterr().out)[0]["predictions"]
    assert plain["probability"] == plain["value"] == one["value"]
    assert one["probability"] == pytest.approx(1 / (1 + np.exp(-one["value"])), abs=1e-6)
    with pytest.raises(SystemExit) as left:
        main([*classify, "--dilation", "2"])
    assert left.value.code == 2
