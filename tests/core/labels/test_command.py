from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.main import main
from core.labels.changes import Labelling
from core.labels.store import LabelStore


@pytest.fixture
def project(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    path = tmp_path / "p.droplens"
    with LabelStore(path) as store:
        store.edit_classes("add", store.classes.add(["cat", "dog"]))
        photos = [make_photo(f"photos/{name}.png", (4, 4)) for name in "abc"]
        store.register(photos)
        store.label([Labelling(photos[0], (1,)), Labelling(photos[1], (2,))])
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["labels", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_stats(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "stats", "--project", project, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["photos"], found["labelled"], found["unlabelled"]) == (3, 2, 1)
    assert found["by_class"] == {"cat": 1, "dog": 1}
    _, out, _ = run(capsys, "stats", "--project", project)
    assert out.startswith("2 of 3 photos are labelled, 2 today.")


def test_a_dry_run_writes_nothing(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", "--project", project, "--format", "class-folders", "--to", tmp_path / "x"]
    status, out, _ = run(capsys, *command, "--dry-run")
    assert status == 0
    assert "cat/a.png" in out
    assert not (tmp_path / "x").exists()
    status, out, _ = run(capsys, *command)
    assert (status, (tmp_path / "x/dog/b.png").is_file()) == (0, True)
    assert out.startswith("3 files written")
    _, out, _ = run(capsys, *command)
    assert "2 were there already" in out


def test_out_and_in_again(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, other = tmp_path / "l.csv", tmp_path / "other.droplens"
    assert run(capsys, "export", "--project", project, "--format", "csv", "--to", table)[0] == 0
    status, out, _ = run(capsys, "import", "--project", other, table, "--dry-run")
    assert (status, "would be labelled" in out) == (0, True)
    status, out, _ = run(capsys, "import", "--project", other, "--format", "csv", table)
    assert status == 0
    assert out.startswith("2 photos labelled")
    with LabelStore(other) as store:
        assert store.classes.names == ("cat", "dog")
        assert len(store.state().labels) == 2


def test_photos_that_are_not_found_are_said(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "l.csv"
    table.write_text("file,label\na.png,dog\nz.png,dog\n")
    command = ["import", "--project", project, table, "--images", tmp_path / "photos"]
    status, _, err = run(capsys, *command)
    assert status == 1
    assert "“z.png”" in err
    with LabelStore(project) as store:
        assert store.label_of(tmp_path / "photos/a.png") == (2,)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stats", "--project", "gone.droplens"], "There is no project"),
        (["export", "--format", "csv", "--to", "x.csv", "--class", "owl"], "no class “owl”"),
        (["export", "--format", "csv", "--to", "x.csv", "--split", "8,1,1"], "--split means"),
        (["export", "--format", "yolo", "--to", "x", "--predictions"], "--predictions means"),
        (["export", "--format", "csv", "--to", "."], "is a folder"),
        (["import", "gone.csv"], "it is not there"),
        (["import", "--format", "fiftyone", "."], "could not be read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(project.parent)
    if "--project" not in arguments:
        arguments = [arguments[0], "--project", str(project), *arguments[1:]]
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("split", ["1,2", "a,b,c", "0,1,1", "1,-1,1", "inf,0,0", "nan,0,0"])
def test_bad_splits_are_refused(split: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "labels",
                "export",
                "--project",
                "p",
                "--format",
                "yolo",
                "--to",
                "x",
                f"--split={split}",
            ]
        )
    assert ended.value.code == 2
    assert "--split" in capsys.readouterr().err


def test_shares_need_not_add_up_to_one(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", "--project", project, "--format", "yolo", "--to", tmp_path / "y"]
    assert run(capsys, *command, "--split", "8,1,1")[0] == 0
    assert (tmp_path / "y/train/cat/a.png").is_file()
