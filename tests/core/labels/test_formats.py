from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import LabelsError
from core.labels import exporting, importing
from core.labels.changes import Labelling
from core.labels.classes import REJECT, UNSURE
from core.labels.formats.table import FORMATS, guess_format
from core.labels.photos import content_of
from core.labels.plans import ExportOptions, folders_of
from core.labels.store import LabelStore
from core.values.predictions import ClassProbability, Prediction
from tests.specs import make_spec

NAMES = (
    "plain.jpg",
    "with blanks  and (brackets).jpg",
    "quote \" and ' apostrophe.jpg",
    "comma, semicolon; tab\tand | bar.jpg",
    "emoji 🐈‍⬛.png",
    "猫 é Ёж ظبي.jpg",
    "=HYPERLINK(1).jpg",
    "'=twice.jpg",
    "-2+3.jpg",
    "x" * 196 + ".jpg",
    "two/same.jpg",
    "folders/same.jpg",
    "two/same.png",
    "percent %20 and + plus.jpg",
    "no ending",
    "two.dots.jpg",
    "CON.jpg",
    "line\nbreak.jpg",
    "back\\slash.jpg",
    "0 1 2.jpg",
    "#hash.jpg",
    "a::b.jpg",
    " leading and trailing .jpg",
    "no ending but blanks",
    "blank in.the ending",
    "subfolder with blanks/validation/test.jpg",
)
CLASSES = (
    "cat",
    "../x",
    "CON",
    "a/b",
    "Cat",
    "猫 é",
    "=1+1",
    'quote " comma , bar | back \\ slash',
    "..",
    "con.txt",
    "trailing dot.",
    "0",
    "<b>&amp;</b>",
    "x" * 200,
    "😀" * 100,
)
WRITTEN = [one for one in FORMATS.values() if one.write is not None]
SEVERAL = [one for one in WRITTEN if one.name not in ("class-folders", "yolo")]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    made = []
    for number, name in enumerate(NAMES):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        form = "PNG" if path.suffix == ".png" else "JPEG"
        Image.new("RGB", (8, 8), (number * 10 % 256, number, 99)).save(path, form)
        made.append(path)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore(tmp_path / "p.droplens") as made:
        made.edit_classes("add", made.classes.add(CLASSES))
        yield made


def export(
    store: LabelStore,
    name: str,
    target: Path,
    options: ExportOptions = ExportOptions(),  # noqa: B008 - frozen
    **chosen: str,
) -> exporting.Report:
    form = FORMATS[name]
    photos = exporting.choose(store, **chosen)  # type: ignore[arg-type]
    plan = exporting.plan_export(store, photos, form, target, options)
    return exporting.carry_out(plan, form, target, options, store.note_moves)


def target_of(name: str, folder: Path) -> Path:
    ending = FORMATS[name].ending
    return folder / f"out {name}" / f"labels{ending}" if ending else folder / f"out {name}"


def by_content(store: LabelStore) -> dict[bytes, list[tuple[tuple[str, ...], str]]]:
    """Return labels and marks of photos by their content, as photos may have come elsewhere."""
    found: dict[bytes, list[tuple[tuple[str, ...], str]]] = {}
    for one in exporting.choose(store, "all"):
        if one.classes or one.mark:
            held = found.setdefault(content_of(one.path).sha256, [])
            held.append((tuple(sorted(one.classes)), one.mark))
    return {content: sorted(labels) for content, labels in found.items()}


def brought_back(tmp_path: Path, name: str, target: Path) -> dict[bytes, object]:
    with LabelStore(tmp_path / f"back {name}.droplens") as back:
        folders = [tmp_path / "photos"] if FORMATS[name].ending else []
        source = target if target.exists() else target.parent
        plan = importing.plan_import(back, FORMATS[name], source, folders)
        assert plan.missing == []
        importing.carry_out(plan, back)
        return by_content(back)


@pytest.mark.parametrize("name", [one.name for one in WRITTEN])
def test_round_trip_with_one_class(
    store: LabelStore, photos: list[Path], tmp_path: Path, name: str
) -> None:
    count = len(CLASSES)
    store.label([Labelling(path, (1 + n % count,)) for n, path in enumerate(photos)])
    target = target_of(name, tmp_path)
    report = export(store, name, target)
    assert report.failed == []
    expected = by_content(store)
    assert len(expected) == len(photos)
    assert brought_back(tmp_path, name, target) == expected


@pytest.mark.parametrize("name", [one.name for one in SEVERAL])
def test_round_trip_with_several_classes(
    store: LabelStore, photos: list[Path], tmp_path: Path, name: str
) -> None:
    store.edit_classes("multiple", store.classes.set_multiple(True))
    count = len(CLASSES)
    store.label(
        [Labelling(path, (1 + n % count, 1 + (n + 3) % count)) for n, path in enumerate(photos)]
    )
    target = target_of(name, tmp_path)
    export(store, name, target)
    assert brought_back(tmp_path, name, target) == by_content(store)


@pytest.mark.parametrize("name", ["csv", "json-lines"])
def test_round_trip_with_marks(
    store: LabelStore, photos: list[Path], tmp_path: Path, name: str
) -> None:
    store.label([Labelling(photos[0], (UNSURE,)), Labelling(photos[1], (REJECT,))])
    store.label([Labelling(photos[2], (3,))])
    target = target_of(name, tmp_path)
    export(store, name, target, which="all")
    assert brought_back(tmp_path, name, target) == by_content(store)


@pytest.mark.parametrize("name", [one.name for one in WRITTEN if one.splits or one.keeps_folders])
def test_round_trip_with_split_and_folders(
    store: LabelStore, photos: list[Path], tmp_path: Path, name: str
) -> None:
    form = FORMATS[name]
    store.label([Labelling(path, (1 + n % 3,)) for n, path in enumerate(photos)])
    target = target_of(name, tmp_path)
    split = (0.6, 0.2, 0.2) if form.splits else None
    options = ExportOptions(split=split, keep_folders=form.keeps_folders, seed=7)
    export(store, name, target, options)
    assert brought_back(tmp_path, name, target) == by_content(store)
    if form.splits and name != "imagenet-text":
        assert {one.name for one in target.iterdir() if one.is_dir()} == {"train", "val", "test"}


def test_originals_are_never_touched(store: LabelStore, photos: list[Path], tmp_path: Path) -> None:
    before = {path: (content_of(path), path.stat().st_ctime_ns) for path in photos}
    store.label([Labelling(path, (1,)) for path in photos])
    for form in WRITTEN:
        export(store, form.name, target_of(form.name, tmp_path))
    assert {path: (content_of(path), path.stat().st_ctime_ns) for path in photos} == before


def test_class_names_cannot_leave_the_folder(
    store: LabelStore, photos: list[Path], tmp_path: Path
) -> None:
    count = len(CLASSES)
    store.label([Labelling(path, (1 + n % count,)) for n, path in enumerate(photos)])
    outer = tmp_path / "outer"
    for name in ("class-folders", "yolo"):
        export(store, name, outer / name)
    assert sorted(one.name for one in outer.iterdir()) == ["class-folders", "yolo"]
    for folder in (outer / "class-folders").iterdir():
        assert len(os.fsencode(folder.name)) <= 255
    folders = folders_of(CLASSES)
    assert len({one.casefold() for one in folders.values()}) == len(CLASSES)
    for folder in folders.values():
        assert not set(folder) & set('<>:"/\\|?*')
        assert folder not in (".", "..")
        assert folder.split(".")[0].upper() != "CON"
        assert folder[-1] not in ". "


# Never overwritten, never skipped, goes on


def test_what_is_there_already_is_not_overwritten(
    store: LabelStore, photos: list[Path], tmp_path: Path
) -> None:
    store.label([Labelling(photos[0], (1,))])
    target = tmp_path / "out"
    other = target / "cat" / "plain.jpg"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"something else")
    (target / "classes.txt").write_text("mine")
    export(store, "class-folders", target)
    assert other.read_bytes() == b"something else"
    assert (target / "cat" / "plain-2.jpg").read_bytes() == photos[0].read_bytes()
    assert (target / "classes.txt.before-1").read_text() == "mine"


def test_an_interrupted_export_goes_on(
    store: LabelStore, photos: list[Path], tmp_path: Path
) -> None:
    store.label([Labelling(path, (1,)) for path in photos])
    form, target = FORMATS["fiftyone"], tmp_path / "out"
    chosen, options = exporting.choose(store), ExportOptions()
    plan = exporting.plan_export(store, chosen, form, target, options)
    done: list[int] = []
    first = exporting.carry_out(
        plan,
        form,
        target,
        options,
        store.note_moves,
        lambda n, _: done.append(n),
        lambda: len(done) == 7,
    )
    assert (first.is_stopped, first.written) == (True, 7)
    assert not (target / "labels.json").exists()
    second = export(store, "fiftyone", target)
    assert (second.present, second.written) == (7, len(photos) - 7 + 1)
    third = export(store, "fiftyone", target)
    assert (third.present, third.written) == (len(photos), 1)
    assert len(list((target / "data").iterdir())) == len(photos)


def test_moving_is_the_only_way_to_lose_the_old_place(
    store: LabelStore, photos: list[Path], tmp_path: Path
) -> None:
    store.register(photos)
    store.label([Labelling(path, (2,)) for path in photos])
    store.note_content({name: content_of(Path(name)) for name in store.without_content()})
    contents = by_content(store)
    target = tmp_path / "out"
    options = ExportOptions(transfer="move")
    export(store, "class-folders", target, options)
    assert not any(path.exists() for path in photos)
    assert by_content(store) == contents
    assert all(Path(file).is_relative_to(target) for file in store.listed())
    again = export(store, "class-folders", target, options)
    assert again.present == len(photos)
    assert by_content(store) == contents


def test_an_interrupted_move_goes_on(
    store: LabelStore, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.label([Labelling(path, (2,)) for path in photos])
    store.note_content({name: content_of(Path(name)) for name in store.without_content()})
    contents = by_content(store)
    options, target = ExportOptions(transfer="move"), tmp_path / "out"
    monkeypatch.setattr(LabelStore, "note_moves", lambda *_: None)  # killed before it was noted
    plan = exporting.plan_export(
        store, exporting.choose(store), FORMATS["class-folders"], target, options
    )
    count = iter(range(100))
    exporting.carry_out(
        plan,
        FORMATS["class-folders"],
        target,
        options,
        store.note_moves,
        is_stopped=lambda: next(count) == 9,
    )
    monkeypatch.undo()
    report = export(store, "class-folders", target, options)
    assert report.failed == []
    assert report.present == 9
    assert by_content(store) == contents


def test_hard_links(store: LabelStore, photos: list[Path], tmp_path: Path) -> None:
    store.label([Labelling(photos[0], (1,))])
    export(store, "class-folders", tmp_path / "out", ExportOptions(transfer="link"))
    assert (tmp_path / "out" / "cat" / "plain.jpg").samefile(photos[0])


def test_a_photo_that_is_away_fails_alone(
    store: LabelStore, photos: list[Path], tmp_path: Path
) -> None:
    store.label([Labelling(path, (1,)) for path in photos])
    photos[3].unlink()
    report = export(store, "class-folders", tmp_path / "out")
    assert len(report.failed) == 1
    assert "it is not there" in report.failed[0]
    assert report.written == len(photos)  # and classes.txt


def test_moving_a_photo_of_several_classes(
    store: LabelStore, photos: list[Path], tmp_path: Path
) -> None:
    store.label([Labelling(photos[0], (1, 3))])
    export(store, "class-folders", tmp_path / "out", ExportOptions(transfer="move"))
    assert len(list((tmp_path / "out").rglob("plain.jpg"))) == 2
    assert not photos[0].exists()


# What is chosen


def test_only_some(store: LabelStore, photos: list[Path]) -> None:
    spec = make_spec(names=("cat", "../x"))

    def said(path: Path, index: int) -> Prediction:
        top = (ClassProbability(index, spec.class_names[index], 0.9),)
        return Prediction(path, top, None, spec)

    store.register(photos)
    store.label([Labelling(photos[0], (1,), said(photos[0], 0))], "proposal")
    store.label([Labelling(photos[1], (1,), said(photos[1], 1))])
    store.label([Labelling(photos[2], (2,), said(photos[2], 1))])
    store.note_predictions([said(photos[0], 1), said(photos[1], 1), said(photos[2], 1)])

    def chosen(*wanted: str) -> list[Path]:
        return [one.path for one in exporting.choose(store, *wanted)]  # type: ignore[arg-type]

    assert len(chosen("all")) == len(photos)
    assert chosen("labelled") == photos[:3]
    assert chosen("corrected") == [photos[1]]
    assert chosen("disagreeing") == photos[:2]
    assert chosen("labelled", "../x") == [photos[2]]
    with pytest.raises(LabelsError, match="no class “owl”"):
        exporting.choose(store, "labelled", "owl")


def test_predictions_go_along(store: LabelStore, photos: list[Path], tmp_path: Path) -> None:
    spec = make_spec(names=("cat", "../x"))
    top = (ClassProbability(0, "cat", 0.9), ClassProbability(1, "../x", 0.1))
    store.label([Labelling(photos[0], (1,), Prediction(photos[0], top, None, spec))])
    options = ExportOptions(with_predictions=True)
    for form in WRITTEN:
        if form.says_predictions:
            target = target_of(form.name, tmp_path)
            export(store, form.name, target, options)
            root = target if target.is_dir() else target.parent
            texts = [one.read_bytes() for one in root.rglob("*.[cj]s*")]
            assert any(b"0.9" in text for text in texts) or form.name == "kaggle", form.name
    (task,) = json.loads((tmp_path / "out label-studio" / "labels.json").read_text())
    (said,) = task["predictions"]
    assert said["model_version"] == "resnet18@00000000"
    assert said["score"] == 0.9
    assert "score" not in said["result"][0]


def test_a_split_is_stratified_and_the_same_again(
    store: LabelStore, tmp_path: Path, make_photo: Callable[..., Path]
) -> None:
    paths = [make_photo(f"many/{number}.png", (4, 4)) for number in range(50)]
    store.label([Labelling(path, (1 if n < 40 else 2,)) for n, path in enumerate(paths)])
    options = ExportOptions(split=(0.8, 0.1, 0.1), seed=3)

    def sets(target: Path) -> dict[str, str]:
        export(store, "yolo", target, options)
        return {one.name: one.parts[-3] for one in target.rglob("*.png")}

    first = sets(tmp_path / "a")
    assert first == sets(tmp_path / "b")
    cats = [first[f"{number}.png"] for number in range(40)]
    others = [first[f"{number}.png"] for number in range(40, 50)]
    assert [cats.count(name) for name in ("train", "val", "test")] == [32, 4, 4]
    assert [others.count(name) for name in ("train", "val", "test")] == [8, 1, 1]


# Real readers and others' files


def test_torchvision_reads_the_folders(
    store: LabelStore, photos: list[Path], tmp_path: Path
) -> None:
    from core.models.torchvision_import import torchvision_models

    torchvision_models()
    from torchvision.datasets import ImageFolder

    pictures = [path for path in photos if path.suffix in (".jpg", ".png")]
    count = len(CLASSES)
    store.label([Labelling(path, (1 + n % count,)) for n, path in enumerate(pictures)])
    target = tmp_path / "out"
    export(store, "class-folders", target)
    found = ImageFolder(str(target))
    names = (target / "classes.txt").read_text().splitlines()
    assert len(found) == len(pictures)
    label_of = {content_of(path).sha256: store.label_of(path) for path in pictures}
    for file, index in found.samples:
        assert store.classes.id_of(names[index]) == label_of[content_of(Path(file)).sha256][0]


def test_csv_opens_in_spreadsheets(store: LabelStore, photos: list[Path], tmp_path: Path) -> None:
    store.label([Labelling(path, (7,)) for path in photos])
    export(store, "csv", tmp_path / "out.csv")
    content = (tmp_path / "out.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert "'=1+1" in content.decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("filename,label\na.png,cat\nb.png,dog\n", ["cat", "dog"]),
        ("image;species\na.png;cat\nb.png;dog\n", ["cat", "dog"]),
        ("id\tcategory\textra\na\tcat\t1\nb\tdog\t2\n", ["cat", "dog"]),
        ("image_id,label\na,cat\nb,dog\n", ["cat", "dog"]),
        ("path,class\nC:\\photos\\a.png,cat\n/elsewhere/b.png,dog\n", ["cat", "dog"]),
        ("File,Label\na.png,3\nb.png,\n", ["3", ""]),
    ],
)
def test_tables_of_others(
    store: LabelStore,
    make_photo: Callable[..., Path],
    tmp_path: Path,
    text: str,
    expected: list[str],
) -> None:
    paths = [make_photo("a.png", (4, 4)), make_photo("b.png", (4, 4))]
    (tmp_path / "labels.csv").write_bytes(text.encode("utf-8-sig"))
    plan = importing.plan_import(store, FORMATS["csv"], tmp_path / "labels.csv")
    importing.carry_out(plan, store)
    said = [store.classes.said(store.label_of(path)) for path in paths]
    assert said == expected


def test_labelme_flags(store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path) -> None:
    paths = [make_photo(f"set/{name}.png", (4, 4)) for name in "ab"]
    for path, flags in zip(paths, ({"cat": True, "hen": False}, {"hen": True}), strict=True):
        content = {"version": "5.5.0", "flags": flags, "shapes": [], "imagePath": path.name}
        path.with_suffix(".json").write_text(json.dumps(content))
    plan = importing.plan_import(store, FORMATS["labelme"], tmp_path / "set")
    importing.carry_out(plan, store)
    assert [store.classes.said(store.label_of(path)) for path in paths] == ["cat", "hen"]
    assert plan.new_classes == ["hen"]


def test_label_studio_of_others(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    paths = [make_photo(f"{name}.png", (4, 4)) for name in "abcd"]
    choice = {"type": "choices", "from_name": "animal", "to_name": "img"}
    cancelled = {"was_cancelled": True, "result": [{**choice, "value": {"choices": ["dog"]}}]}
    valid = {"result": [{**choice, "value": {"choices": ["cat"]}}]}
    tasks = [
        {"data": {"img": "/data/upload/3/0a1b2c3d-a.png"}, "annotations": [cancelled, valid]},
        {"data": {"image": "https://example.org/x/b.png?y=1"}, "annotations": [valid]},
        {"data": {"image": "/data/local-files/?d=c.png"}, "annotations": [cancelled]},
        {"image": "d.png", "animal": "hen", "id": 4},
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    plan = importing.plan_import(store, FORMATS["label-studio"], tmp_path / "tasks.json")
    importing.carry_out(plan, store)
    said = [store.classes.said(store.label_of(path)) for path in paths]
    assert said == ["cat", "cat", "", "hen"]


def test_kaggle_template_gives_header_and_order(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    paths = [make_photo(f"{name}.png", (4, 4)) for name in "abc"]
    store.label([Labelling(path, (1 + n % 2,)) for n, path in enumerate(paths)])
    template = tmp_path / "sample_submission.csv"
    template.write_text("id,../x,cat\nc,0.5,0.5\na,0.5,0.5\nb,0.5,0.5\n")
    options = ExportOptions(template=template)
    export(store, "kaggle", tmp_path / "out.csv", options)
    written = (tmp_path / "out.csv").read_text()
    assert written == "id,../x,cat\nc,0,1\na,0,1\nb,1,0\n"
    template.write_text("id,../x,cat\nz,0.5,0.5\n")
    with pytest.raises(LabelsError, match="“z”"):
        export(store, "kaggle", tmp_path / "out.csv", options)
    template.write_text("id,zebra,cat\na,0.5,0.5\n")
    with pytest.raises(LabelsError, match="zebra"):
        export(store, "kaggle", tmp_path / "out.csv", options)


def test_an_import_is_one_step_and_says_what_it_replaces(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_photo("a.png", (4, 4))
    store.label([Labelling(path, (3,))])
    (tmp_path / "l.csv").write_text("file,label\na.png,cat\ngone.png,cat\n")
    plan = importing.plan_import(store, FORMATS["csv"], tmp_path / "l.csv")
    assert (plan.differing, plan.missing) == (1, ["gone.png"])
    assert "“gone.png”" in plan.notes[0]
    assert store.label_of(path) == (3,)
    importing.carry_out(plan, store)
    assert store.label_of(path) == (1,)
    store.undo()
    assert store.label_of(path) == (3,)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("csv", b""),
        ("csv", b"a,b\n1,2\n"),
        ("json-lines", b"{\n"),
        ("json-lines", b'{"label": "cat"}\n'),
        ("label-studio", b"{}"),
        ("label-studio", b"[1]"),
        ("label-studio", b'[{"data": {}}]'),
        ("fiftyone", b"[]"),
        ("fiftyone", b"nonsense"),
        ("kaggle", b""),
        ("labelme", b"{}"),
        ("imagenet-text", b"a.jpg 0"),
        ("csv", b"\xff\xfe\x00"),
        ("csv", b"file,label\nnowhere.jpg,cat\n"),
    ],
)
def test_bad_files_are_a_sentence(
    store: LabelStore, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / "bad" / "labels.txt"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LabelsError) as refused:
        importing.plan_import(store, FORMATS[name], path)
    assert "bad" in str(refused.value)
    assert str(refused.value).endswith((".", ")"))


def test_formats_are_guessed(store: LabelStore, photos: list[Path], tmp_path: Path) -> None:
    store.label([Labelling(path, (1,)) for path in photos])
    for form in WRITTEN:
        target = target_of(form.name, tmp_path)
        export(store, form.name, target)
        expected = {"yolo": "class-folders", "kaggle": "csv", "csv-plain": "csv"}.get(
            form.name, form.name
        )
        assert guess_format(target).name == expected, form.name


def test_nothing_to_export_is_a_sentence(store: LabelStore, tmp_path: Path) -> None:
    for form in WRITTEN:
        with pytest.raises(LabelsError, match="label some first"):
            export(store, form.name, target_of(form.name, tmp_path))
    with pytest.raises(LabelsError, match="only read"):
        export(store, "labelme", tmp_path / "out")


# What could go wrong around an export or import


def test_an_export_replaces_neither_photos_nor_projects(
    store: LabelStore, photos: list[Path]
) -> None:
    store.label([Labelling(photos[0], (1,))])
    for target in (photos[0], store.path):
        before = target.read_bytes()
        with pytest.raises(LabelsError, match=r"ends in \.csv"):
            export(store, "csv", target)
        assert target.read_bytes() == before


def test_an_earlier_table_is_kept(store: LabelStore, photos: list[Path], tmp_path: Path) -> None:
    store.label([Labelling(photos[0], (1,))])
    (tmp_path / "l.csv").write_text("mine")
    export(store, "csv", tmp_path / "l.csv")
    assert (tmp_path / "l.csv.before-1").read_text() == "mine"


def test_folders_do_not_depend_on_what_is_exported(
    store: LabelStore, photos: list[Path], tmp_path: Path
) -> None:
    store.edit_classes("add", store.classes.add(["A:B", "A?B"]))
    first, second = store.classes.id_of("A:B"), store.classes.id_of("A?B")
    store.label([Labelling(photos[0], (first or 0,)), Labelling(photos[1], (second or 0,))])
    export(store, "class-folders", tmp_path / "out")
    export(store, "class-folders", tmp_path / "out", only_class="A?B")
    assert brought_back(tmp_path, "class-folders", tmp_path / "out") == by_content(store)


def test_a_list_of_classes_that_is_not_ours_is_not_believed(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    make_photo("set/cat/a.png", (4, 4))
    make_photo("set/dog/b.png", (4, 4))
    (tmp_path / "set" / "classes.txt").write_text("dog\ncat\n")
    plan = importing.plan_import(store, FORMATS["class-folders"], tmp_path / "set")
    assert {path.name: names for path, (names, _) in plan.labels.items()} == {
        "a.png": ("cat",),
        "b.png": ("dog",),
    }


def test_moving_beside_another_photo_of_the_same_content_loses_neither(
    store: LabelStore, tmp_path: Path
) -> None:
    one, two = tmp_path / "in" / "x.jpg", tmp_path / "out" / "cat" / "x.jpg"
    for path in (one, two):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"the same")
    store.label([Labelling(one, (1,)), Labelling(two, (6,))])
    export(store, "class-folders", tmp_path / "out", ExportOptions(transfer="move"))
    found = {one.path.relative_to(tmp_path / "out"): one.classes for one in exporting.choose(store)}
    assert sorted(found.values()) == [("cat",), (CLASSES[5],)]
    assert all((tmp_path / "out" / path).read_bytes() == b"the same" for path in found)


@pytest.mark.parametrize("transfer", ["copy", "link", "move"])
def test_links_to_photos(
    store: LabelStore, photos: list[Path], tmp_path: Path, transfer: str
) -> None:
    link = tmp_path / "links" / "l.jpg"
    link.parent.mkdir()
    link.symlink_to(os.path.relpath(photos[0], link.parent))
    store.label([Labelling(link, (1,))])
    options = ExportOptions(transfer=transfer)  # type: ignore[arg-type]
    assert export(store, "class-folders", tmp_path / "out", options).failed == []
    made = tmp_path / "out" / "cat" / "l.jpg"
    assert not made.is_symlink()
    assert made.read_bytes() == photos[0].read_bytes()
    assert link.is_symlink() == (transfer != "move")


def test_a_photo_edited_since_is_not_exported_twice(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_photo("a.png", (4, 4))
    store.label([Labelling(path, (1,))])
    make_photo("a.png", (9, 9))
    for _ in range(3):
        export(store, "class-folders", tmp_path / "out")
    assert len(list((tmp_path / "out" / "cat").iterdir())) == 1


def test_two_names_that_only_resemble_one_photo_do_not_both_label_it(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    make_photo("ph/1.png", (4, 4))
    other = make_photo("ph/2.png", (4, 4))
    table = tmp_path / "l.csv"
    table.write_text("file,label\na/1.png,cat\nb/1.png,dog\nc/2.png,cat\n")
    plan = importing.plan_import(store, FORMATS["csv"], table, [tmp_path / "ph"])
    assert plan.labels == {other: (("cat",), "")}
    assert plan.missing == ["a/1.png", "b/1.png"]
    assert plan.rivals == {"a/1.png", "b/1.png"}
    table.write_text("file,label\na/1.png,cat\nb/1.png,dog\n")
    with pytest.raises(LabelsError, match="guessed"):
        importing.plan_import(store, FORMATS["csv"], table, [tmp_path / "ph"])


def test_an_import_takes_the_classes_as_they_are_when_it_is_carried_out(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_photo("a.png", (4, 4))
    (tmp_path / "l.csv").write_text("file,label\na.png,owl\n")
    plan = importing.plan_import(store, FORMATS["csv"], tmp_path / "l.csv")
    store.edit_classes("add", store.classes.add(["hen"]))  # takes the number meanwhile
    importing.carry_out(plan, store)
    assert store.classes.said(store.label_of(path)) == "owl"
    with (
        LabelStore(tmp_path / "other.droplens") as other,
        pytest.raises(LabelsError, match="Another project"),
    ):
        importing.carry_out(plan, other)


def test_a_class_named_like_a_mark_stays_a_class(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_photo("a.png", (4, 4))
    (tmp_path / "l.csv").write_text("file,label\na.png,reject\n")
    importing.carry_out(importing.plan_import(store, FORMATS["csv"], tmp_path / "l.csv"), store)
    assert store.label_of(path) == (store.classes.id_of("reject"),)


def test_paths_with_dots_are_the_photos_they_lead_to(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_photo("images/a.png", (4, 4))
    content = {"flags": {"cat": True}, "shapes": [], "imagePath": "..\\images\\a.png"}
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "a.json").write_text(json.dumps(content))
    plan = importing.plan_import(store, FORMATS["labelme"], tmp_path / "ann")
    assert list(plan.labels) == [path]


def test_a_split_is_the_same_when_contents_become_known(
    store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    paths = [make_photo(f"{number}.png", (4, 4 + number)) for number in range(20)]
    store.label([Labelling(path, (1,)) for path in paths])
    options = ExportOptions(split=(0.5, 0.25, 0.25))
    export(store, "yolo", tmp_path / "out", options)
    store.note_content({name: content_of(Path(name)) for name in store.without_content()})
    export(store, "yolo", tmp_path / "out", options)
    assert len(list((tmp_path / "out").rglob("*.png"))) == 20


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["http://[bad", "x" * 5000, "\udc80", "/data/local-files/?d=\udc80"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            "data image annotations result value choices labels classes label file file_name "
            "flags imagePath choice mark 0".split()
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=ODD, lines=st.booleans())
def test_whatever_a_file_holds_it_is_read_or_refused(
    store: LabelStore, tmp_path: Path, value: object, lines: bool
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir(exist_ok=True)
    content = json.dumps(value)
    for name in ("labels.json", "synsets.txt", "train.txt", "metadata.jsonl", "t.csv"):
        (folder / name).write_text(content + "\n" if lines else content)
    for form in FORMATS.values():
        for source in (folder, folder / "labels.json"):
            with contextlib.suppress(LabelsError):
                importing.plan_import(store, form, source)
