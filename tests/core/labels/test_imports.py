"""Imports as people come with them: odd letters, odd folders, odd names, nothing to take."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image

from core.cli.main import main
from core.errors import LabelsError
from core.labels import importing
from core.labels.changes import Labelling
from core.labels.encodings import decode
from core.labels.formats.table import FORMATS
from core.labels.plans import ExportOptions
from core.labels.reading import ReadOptions
from core.labels.store import LabelStore
from tests.core.labels.test_formats import export

MakePhoto = Callable[..., Path]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore(tmp_path / "p.droplens") as made:
        yield made


def plan_of(
    store: LabelStore, source: Path, *folders: Path, **options: Any
) -> importing.ImportPlan:
    return importing.plan_import(store, None, source, folders, options=ReadOptions(**options))


def said(plan: importing.ImportPlan) -> dict[str, tuple[str, ...]]:
    return {path.name: classes for path, (classes, _) in plan.labels.items()}


# Letters

TABLES = {
    "cp1252": ("Bär", "Bör", "Äpfel", "Straße"),
    "cp1250": ("żółw", "gęś", "łoś", "pies"),
    "cp1251": ("кошка", "собака", "лошадь", "мышь"),
    "gbk": ("苹果", "香蕉", "橘子", "建筑物"),
    "cp932": ("りんご", "バナナ", "みかん", "トラック"),
    "big5": ("貓科", "蘋果", "香蕉", "建築物"),
    "cp949": ("고양이", "사과", "바나나", "건물"),
    "utf-8": ("Bär", "猫", "кошка", "고양이"),
    "utf-8-sig": ("Bär", "猫", "кошка", "고양이"),
    "utf-16": ("Bär", "猫", "кошка", "고양이"),
    "utf-16-le": ("Bär", "Bör", "Katze", "Hund"),
}


@pytest.mark.parametrize("encoding", TABLES)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_in_the_letters_of_every_country(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, encoding: str, separator: str
) -> None:
    names = TABLES[encoding]
    lines = [separator.join(("Datei", "label"))]
    for number, name in enumerate(names):
        make_photo(f"{number}.png", (4, 4))
        lines.append(separator.join((f"{number}.png", name)))
    (tmp_path / "l.csv").write_bytes("\r\n".join(lines).encode(encoding))
    plan = plan_of(store, tmp_path / "l.csv")
    assert plan.decoded is not None
    if plan.decoded.is_sure:
        assert tuple(said(plan)[f"{number}.png"][0] for number in range(4)) == names
        return
    with pytest.raises(LabelsError, match="--encoding"):
        importing.refuse_useless(plan)
    offered = (plan.decoded.encoding, *plan.decoded.others)
    content = (tmp_path / "l.csv").read_bytes()
    assert any(names[0] in content.decode(one) for one in offered)
    chosen = plan_of(store, tmp_path / "l.csv", encoding=encoding)
    assert tuple(said(chosen)[f"{number}.png"][0] for number in range(4)) == names
    importing.refuse_useless(chosen)


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "cp932", "big5", "cp1251", "mac_roman"])
def test_no_letter_is_lost_in_any_encoding(encoding: str) -> None:
    texts = {"cp1252": "Bär,Bör", "gbk": "猫,狗", "cp932": "猫,犬", "big5": "貓,狗"}
    text = texts.get(encoding, "Bär,Bör" if encoding == "mac_roman" else "кот,пёс")
    found = decode(text.encode(encoding))
    assert "\ufffd" not in found.text
    first, second = found.text.split(",")
    assert first != second


def test_an_encoding_that_does_not_fit_is_a_sentence(store: LabelStore, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes("file,label\na.png,Bär\n".encode("cp1252"))
    for encoding, word in (("utf-8", "is not in the encoding"), ("klingon", "no encoding")):
        with pytest.raises(LabelsError, match=word):
            plan_of(store, tmp_path / "l.csv", encoding=encoding)


# Folders


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["train/cat", "train/dog", "val/cat", "runs/predict"], {"cat", "dog"}),
        (["Training/cat", "Training/dog", "Testing/cat"], {"cat", "dog"}),
        (["set/cat", "set/dog"], {"cat", "dog"}),  # one folder too high
        (["archive/set/train/cat", "archive/set/test/dog"], {"cat", "dog"}),
        (["set/cat", "set/dog", "__MACOSX/set"], {"cat", "dog"}),
        (["cat", "dog", "__MACOSX/cat"], {"cat", "dog"}),
        (["data/cat", "data/dog"], {"cat", "dog"}),  # FiftyOne's
        (["images/cat", "images/dog"], {"cat", "dog"}),  # Datumaro's
        (["images/train/cat", "images/val/dog"], {"cat", "dog"}),
        (["cat/2023/spring", "dog/2023"], {"cat", "dog"}),
        (["train/cat", "valid/cat", "test/dog", ".git"], {"cat", "dog"}),
    ],
)
def test_sets_and_folders_of_data_are_no_classes(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, folders: list[str], expected: set[str]
) -> None:
    for folder in folders:
        make_photo(f"top/{folder}/a.png", (4, 4))
    plan = plan_of(store, tmp_path / "top")
    assert set(plan.classes) == expected
    assert all("__MACOSX" not in str(path) for path in plan.labels)


@pytest.mark.parametrize("name", ["train", "images", "nan", "None", "data"])
def test_names_that_are_hardly_classes_are_told(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, name: str
) -> None:
    for folder in (name, "cat"):
        make_photo(f"top/{folder}/a.png", (4, 4))
    plan = plan_of(store, tmp_path / "top")
    assert f"“{name}”" in plan.notes[0]


def test_labelme_in_subfolders(store: LabelStore, make_photo: MakePhoto, tmp_path: Path) -> None:
    for name in ("one/a", "two/b", "two/deep/c"):
        path = make_photo(f"top/{name}.png", (4, 4))
        content = {"flags": {"cat": True}, "imagePath": path.name, "shapes": []}
        path.with_suffix(".json").write_text(json.dumps(content))
    plan = plan_of(store, tmp_path / "top")
    assert plan.form.name == "labelme"
    assert said(plan) == {f"{name}.png": ("cat",) for name in "abc"}


def test_a_table_beside_a_folder_of_photos(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("top/train_images/a.png", (4, 4))
    (tmp_path / "top" / "train.csv").write_text("id,breed\na,pug\n")
    assert said(plan_of(store, tmp_path / "top")) == {"a.png": ("pug",)}


# Label Studio


def task(named: str, *answers: str, question: str = "q") -> dict[str, Any]:
    given = [
        {"result": [{"from_name": question, "type": "choices", "value": {"choices": [answer]}}]}
        for answer in answers
    ]
    return {"data": {"image": named}, "annotations": given}


def test_digits_before_a_name_are_taken_off_uploads_alone(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    for name in ("cam.jpg", "20231105-cam.jpg", "a.jpg", "deadbeef-b.jpg", "b.jpg"):
        make_photo(name, (4, 4))
    tasks = [
        task("s3://bucket/20231105-cam.jpg", "night"),
        task("/data/upload/3/0a1b2c3d-a.jpg", "day"),
        task("https://example.org/photos/deadbeef-b.jpg?x=1", "dusk"),
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    assert said(plan_of(store, tmp_path / "tasks.json")) == {
        "20231105-cam.jpg": ("night",),
        "a.jpg": ("day",),
        "deadbeef-b.jpg": ("dusk",),
    }


def test_several_annotators_vote(store: LabelStore, make_photo: MakePhoto, tmp_path: Path) -> None:
    for name in "abc":
        make_photo(f"{name}.jpg", (4, 4))
    tasks = [task("a.jpg", "cat", "dog", "cat"), task("b.jpg", "cat", "dog"), task("c.jpg", "dog")]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    plan = plan_of(store, tmp_path / "tasks.json")
    assert said(plan) == {"a.jpg": ("cat",), "c.jpg": ("dog",)}
    (note,) = (note for note in plan.notes if "votes" in note)
    assert note.startswith("2 photos")
    assert "Of these, 1 " in note


def test_two_questions_are_kept_apart(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("a.jpg", (4, 4))
    one = task("a.jpg", "cat", question="animal")
    one["annotations"][0]["result"] += task("a.jpg", "good", question="quality")["annotations"][0][
        "result"
    ]
    (tmp_path / "tasks.json").write_text(json.dumps([one]))
    plan = plan_of(store, tmp_path / "tasks.json")
    with pytest.raises(LabelsError, match="“animal”, “quality”"):
        importing.refuse_useless(plan)
    for question, answer in (("animal", "cat"), ("quality", "good")):
        chosen = plan_of(store, tmp_path / "tasks.json", label_column=question)
        assert said(chosen) == {"a.jpg": (answer,)}
        importing.refuse_useless(chosen)


# Tables


def test_workbooks(store: LabelStore, make_photo: MakePhoto, tmp_path: Path) -> None:
    for name in ("1", "2", "3"):
        make_photo(f"{name}.png", (4, 4))
    label_index = openpyxl.Workbook()
    sheet = label_index.active
    assert sheet is not None
    for row in (["id", "Klasse", "count"], [1, "Bär", 5], [2, "猫", 7.5], [3, None, None]):
        sheet.append(row)
    label_index.save(tmp_path / "labels.xlsx")
    plan = plan_of(store, tmp_path / "labels.xlsx")
    assert said(plan) == {"1.png": ("Bär",), "2.png": ("猫",)}
    assert [path.name for path in plan.unlabelled] == ["3.png"]
    for content in (b"PK\x03\x04nothing", b"\xd0\xcf\x11\xe0", b""):
        (tmp_path / "odd.xlsx").write_bytes(content)
        with pytest.raises(LabelsError, match=r"odd\.xlsx"):
            plan_of(store, tmp_path / "odd.xlsx")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'[{"image": "a.jpg", "label": "cat"}, {"image": "b.jpg", "label": "dog"}]', None),
        (b'{"a.jpg": "cat", "b.jpg": "dog"}', None),
        (b'{"cat": ["a.jpg"], "dog": ["b.jpg"]}', None),
        (b'{"data": [{"path": "x/a.jpg", "class": "cat"}, {"path": "b.jpg", "class": "dog"}]}',
            None),
        (b'[["a.jpg", "cat"], ["b.jpg", "dog"]]', None),
        (b'{"a.jpg": ["cat", "dog"], "b.jpg": {"label": "dog"}}',
            {"a.jpg": ("cat", "dog"), "b.jpg": ("dog",)}),
        (b'{"image": "a.jpg", "label": "cat"}\n{"image": "b.jpg", "label": "dog"}\n', None),
    ],
)  # fmt: skip
def test_json_of_ones_own(
    store: LabelStore,
    make_photo: MakePhoto,
    tmp_path: Path,
    content: bytes,
    expected: dict[str, tuple[str, ...]] | None,
) -> None:
    for name in "ab":
        make_photo(f"{name}.jpg", (4, 4))
    (tmp_path / "labels.json").write_bytes(content)
    found = said(plan_of(store, tmp_path / "labels.json"))
    assert found == (expected or {"a.jpg": ("cat",), "b.jpg": ("dog",)})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("breed,image_path\npug,a.png\ncollie,b.png\n", ["pug", "collie"]),
        ("image_name,tags\na,clear water\nb,water\n", ["clear", "water"]),
        ("id_code,diagnosis\na,mild\nb,severe\n", ["mild", "severe"]),
        ("dx,image_id\nnv,a\nmel,b\n", ["nv", "mel"]),
        ("Image Index,Finding Labels\na.png,Mass|Edema\nb.png,Mass\n", ["Mass", "Mass"]),
        (",image,class_name\n0,a.png,cat\n1,b.png,dog\n", ["cat", "dog"]),
        ("Image,Id\na.png,w_1\nb.png,w_2\n", ["w_1", "w_2"]),
        ("label,label_name,file_name\n0,cat,a.png\n1,dog,b.png\n", ["cat", "dog"]),
        ("order,family,genus,class,common_name,filename\nX,Y,Z,Mammalia,fox,a.png\n"
            "X,Y,Z,Aves,owl,b.png\n", ["fox", "owl"]),
        ("name,anything\na.png,cat\nb.png,dog\n", ["cat", "dog"]),
        ("a.png,cat\nb.png,dog\n", ["cat", "dog"]),
        ("a cat\nb dog\n", ["cat", "dog"]),
        ("Datei;Klasse\na.png;Hund\nb.png;Katze\n", ["Hund", "Katze"]),
    ],
)  # fmt: skip
def test_columns_by_the_names_that_people_give_them(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, text: str, names: list[str]
) -> None:
    for name in "ab":
        make_photo(f"{name}.png", (4, 4))
    place = tmp_path / ("l.txt" if text.startswith("a cat") else "l.csv")
    place.write_text(text)
    plan = plan_of(store, place)
    assert [said(plan)[f"{name}.png"][0] for name in "ab"] == names
    importing.refuse_useless(plan)


def test_numbers_before_photos_are_no_names(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    for name in ("0", "1", "cat-a", "dog-b"):
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "l.csv").write_text(",file,label\n0,cat-a.png,cat\n1,dog-b.png,dog\n")
    assert said(plan_of(store, tmp_path / "l.csv")) == {
        "cat-a.png": ("cat",),
        "dog-b.png": ("dog",),
    }


def test_columns_that_a_person_chooses(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("a.png", (4, 4))
    make_photo("b.png", (4, 4))
    (tmp_path / "l.csv").write_text("first,second,photo,other\nx,u,a.png,b.png\ny,v,b.png,a.png\n")
    with pytest.raises(LabelsError, match="“first”, “second”"):
        importing.refuse_useless(plan_of(store, tmp_path / "l.csv"))
    plan = plan_of(store, tmp_path / "l.csv", label_column="second")
    assert said(plan) == {"a.png": ("u",), "b.png": ("v",)}
    turned = plan_of(store, tmp_path / "l.csv", label_column="second", file_column="other")
    assert said(turned) == {"a.png": ("v",), "b.png": ("u",)}
    for wrong in ({"label_column": "third"}, {"file_column": "third"}):
        with pytest.raises(LabelsError, match="no column “third”"):
            plan_of(store, tmp_path / "l.csv", **wrong)


@pytest.mark.parametrize("names", [("cat", "dog"), ("red fox", "arctic fox"), ("a", "b c")])
def test_our_own_submission_with_two_columns_reads_back(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, names: tuple[str, str]
) -> None:
    store.edit_classes("add", store.classes.add(names).set_multiple(True))
    ids = {one.name: one.id for one in store.classes.classes}
    paths = [make_photo(f"{number}.png", (4, 4)) for number in range(4)]
    given = [(names[0],), (names[1],), names, (names[0],)]
    store.label(
        [
            Labelling(path, tuple(ids[name] for name in classes))
            for path, classes in zip(paths, given, strict=True)
        ]
    )
    template = tmp_path / "sample_submission.csv"
    template.write_text("image_id,label\n" + "".join(f"{number},x\n" for number in range(4)))
    export(store, "kaggle", tmp_path / "out.csv", ExportOptions(template=template))
    plan = plan_of(store, tmp_path / "out.csv")
    assert [said(plan)[path.name] for path in paths] == given


def test_the_plain_table_has_no_signs_of_its_own_and_reads_back(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    names = ("=1+1", "-x", "'quoted", "a|b", "back\\slash", "+y")
    store.edit_classes("add", store.classes.add(names).set_multiple(True))
    ids = {one.name: one.id for one in store.classes.classes}
    paths = [make_photo(f"{number}.png", (4, 4)) for number in range(3)]
    given = [names[:3], names[3:], ("=1+1",)]
    store.label(
        [
            Labelling(path, tuple(ids[name] for name in classes))
            for path, classes in zip(paths, given, strict=True)
        ]
    )
    export(store, "csv-plain", tmp_path / "out.csv")
    text = (tmp_path / "out.csv").read_text("utf-8")
    assert not text.startswith("\ufeff")
    for name in names:
        assert f",{name}," in text
    plan = plan_of(store, tmp_path / "out.csv")
    assert [set(said(plan)[path.name]) for path in paths] == [set(one) for one in given]


# Names of photos


@pytest.mark.parametrize(
    "named",
    [
        "Bär.png",
        unicodedata.normalize("NFD", "Bär.png"),
        " Bär.png  ",
        "BÄR.PNG",
        "Bär",
        "file:///somewhere/B%C3%A4r.png",
        "https://example.org/x/B%C3%A4r.png?token=1",
        "gs://bucket/folder/Bär.png",
        "C:\\photos\\Bär.png",
    ],
)
def test_a_photo_is_found_however_it_is_named(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, named: str
) -> None:
    make_photo("Bär.png", (4, 4))
    (tmp_path / "l.csv").write_text(f'file,label\n"{named}",cat\n', "utf-8")
    assert said(plan_of(store, tmp_path / "l.csv")) == {"Bär.png": ("cat",)}


def test_ids_with_dots(store: LabelStore, make_photo: MakePhoto, tmp_path: Path) -> None:
    for name in ("1.2.840.1", "1.2.840.2", "v1.0"):
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "l.csv").write_text("id,label\n1.2.840.1,cat\n1.2.840.2,dog\nv1.0,hen\n")
    assert said(plan_of(store, tmp_path / "l.csv")) == {
        "1.2.840.1.png": ("cat",),
        "1.2.840.2.png": ("dog",),
        "v1.0.png": ("hen",),
    }


@pytest.mark.parametrize("named", ["a.png", "x/a.png", "a"])
def test_the_folder_that_is_named_wins_over_copies(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, named: str
) -> None:
    make_photo("labels/a.png", (4, 4))
    make_photo("labels/x/a.png", (4, 4))
    wanted = make_photo("photos/deep/a.png", (4, 4))
    (tmp_path / "labels" / "l.csv").write_text(f"file,label\n{named},cat\n")
    plan = plan_of(store, tmp_path / "labels" / "l.csv", tmp_path / "photos")
    assert list(plan.labels) == [wanted]


def test_the_folder_that_is_named_wins_over_a_whole_path(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    copy = make_photo("labels/a.png", (4, 4))
    wanted = make_photo("photos/a.png", (4, 4))
    (tmp_path / "l.csv").write_text(f"file,label\n{copy},cat\n")
    assert list(plan_of(store, tmp_path / "l.csv", tmp_path / "photos").labels) == [wanted]
    assert list(plan_of(store, tmp_path / "l.csv").labels) == [copy]


# Nothing to take


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("l.csv", "file,label\na.png,\n", "“label”"),
        ("l.csv", "file,note\na.png,x\n", "“note”"),
        ("l.csv", "one,two\nx,y\n", "“one”, “two”"),
        ("l.json", '{"x": 1}', "“x”"),
        ("l.json", '{"a.png": null}', "“a.png”"),
        ("l.jsonl", '{"file": "a.png", "label": null}\n', "“label”"),
        ("l.json", '[{"image": "a.png"}]', "“image”"),
        ("l.zip", "PK\x03\x04\x00secret", "an archive"),
        ("l.csv", "%PDF-1.4 secret", "a PDF"),
        ("l.csv", "\x89PNG\r\n\x1a\nsecret", "a picture"),
        ("l.xml", "<!DOCTYPE x [<!ENTITY e 'secret'>]><annotations>&e;</annotations>", "document"),
        ("l.xml", "<nothing/>", "annotations"),
    ],
)
def test_no_import_ends_well_without_labels(
    make_photo: MakePhoto,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: str,
    word: str,
) -> None:
    make_photo("a.png", (4, 4))
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    command = ["labels", "import", "--project", str(tmp_path / "p.droplens"), str(tmp_path / name)]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert word in told
    assert name in told
    assert "secret" not in told
    assert "Traceback" not in told


def test_the_preview_of_the_command_line(
    make_photo: MakePhoto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "l.csv").write_bytes("file,label\na.png,Bär\nb.png,Bör\n".encode("cp1252"))
    command = ["labels", "import", "--project", str(tmp_path / "p.droplens"), "--dry-run"]
    assert main([*command, "--encoding", "cp1252", str(tmp_path / "l.csv")]) == 0
    told = capsys.readouterr().out
    for part in ("cp1252", "“file”", "“label”", "a.png: Bär", "1  Bör"):
        assert part in told


def test_all_forms_refuse_a_photo(store: LabelStore, tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "photo.png")
    for form in FORMATS.values():
        if form.name in ("class-folders", "yolo", "hugging-face", "imagenet-text"):
            continue
        with pytest.raises(LabelsError, match=r"photo\.png"):
            importing.plan_import(store, form, tmp_path / "photo.png")


# What others have come with


@pytest.mark.parametrize(
    ("photos", "expected"),
    [
        (["train/cats/a", "train/dogs/b", "test/c"], {"cats", "dogs"}),
        (["training_set/cats/a", "training_set/dogs/b", "test_set/cats/c"], {"cats", "dogs"}),
        (["training_set/training_set/cats/a", "test_set/test_set/dogs/b"], {"cats", "dogs"}),
        (["seg_train/seg_train/forest/a", "seg_test/seg_test/sea/b"], {"forest", "sea"}),
        (["train2017/cat/a", "val2017/dog/b"], {"cat", "dog"}),
        (["fold1/cat/a", "fold2/dog/b"], {"cat", "dog"}),
        (["train/n01/images/a", "train/n02/images/b", "val/images/c"], {"n01", "n02"}),
        (["logs/a", "branches/b", "leaves/c"], {"logs", "branches", "leaves"}),
        (["weights/a", "barbells/b"], {"weights", "barbells"}),
        (["train/labels/a", "train/bottles/b", "train/runs/c"], {"labels", "bottles", "runs"}),
        (["cats/@eaDir/a.jpg/thumb", "cats/a", "dogs/b"], {"cats", "dogs"}),
        (["cat/a", "dog/b", "test/c"], {"cat", "dog", "test"}),
    ],
)
def test_folders_of_well_known_data_sets(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, photos: list[str], expected: set[str]
) -> None:
    for name in photos:
        make_photo(f"top/{name}.png", (4, 4))
    (tmp_path / "top" / "scripts").mkdir()
    plan = plan_of(store, tmp_path / "top")
    assert set(plan.classes) == expected
    assert not any("@eaDir" in str(path) for path in plan.labels)


@pytest.mark.parametrize("folders", [["images", "masks"], ["train", "val"], ["data"]])
def test_folders_that_are_for_all_photos_are_refused(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, folders: list[str]
) -> None:
    for folder in folders:
        make_photo(f"top/{folder}/a.png", (4, 4))
    with pytest.raises(LabelsError, match="no folders of classes"):
        importing.plan_import(store, FORMATS["class-folders"], tmp_path / "top")


@pytest.mark.parametrize(
    ("cells", "title", "expected"),
    [
        (["fresh apple", "rotten apple", "fresh fig", "rotten fig"], "label", None),
        (["Tomato, healthy", "Tomato, blight", "Potato, healthy"], "label", None),
        (["red fox", "red deer", "grey fox", "fox"], "label", None),
        (["Panda, giant", "Owl, barn", "cat"], "label", None),
        (["red fox, snow", "snow", "barn owl"], "tags", [("red fox", "snow"), ("snow",),
            ("barn owl",)]),
        (["['cat' 'dog']", "['cat']"], "label", [("cat", "dog"), ("cat",)]),
        (["{'cat', 'dog'}", "{'cat'}"], "label", [("cat", "dog"), ("cat",)]),
        (["('cat', 'dog')", "('cat',)"], "label", [("cat", "dog"), ("cat",)]),
        (["5 0 7", "5", "0"], "label", [("5", "0", "7"), ("5",), ("0",)]),
        (["cat", "cat|dog", "dog"], "label", [("cat",), ("cat", "dog"), ("dog",)]),
    ],
)  # fmt: skip
def test_cells_are_divided_only_where_their_parts_are_classes(
    store: LabelStore,
    make_photo: MakePhoto,
    tmp_path: Path,
    cells: list[str],
    title: str,
    expected: list[tuple[str, ...]] | None,
) -> None:
    store.edit_classes("add", store.classes.add(["cat", "dog"]))
    lines = [f"file,{title}"]
    for number, cell in enumerate(cells):
        make_photo(f"{number}.png", (4, 4))
        lines.append(f'{number}.png,"{cell}"')
    (tmp_path / "l.csv").write_text("\n".join(lines))
    found = said(plan_of(store, tmp_path / "l.csv"))
    wanted = expected or [(cell,) for cell in cells]
    assert [tuple(sorted(found[f"{n}.png"])) for n in range(len(cells))] == [
        tuple(sorted(one)) for one in wanted
    ]


@pytest.mark.parametrize(
    "header",
    ["filename,sort,site", "filename,sort,count", "filename,age,gender,race", "filename,note"],
)
def test_columns_with_foreign_names_are_asked_for(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, header: str
) -> None:
    lines = [header]
    for number in range(20):
        make_photo(f"{number}.png", (4, 4))
        cells = [f"s{number % 12}", f"t{number % 3}", f"u{number % 2}"]
        lines.append(",".join([f"{number}.png", *cells[: header.count(",")]]))
    (tmp_path / "l.csv").write_text("\n".join(lines))
    plan = plan_of(store, tmp_path / "l.csv")
    with pytest.raises(LabelsError, match="--column"):
        importing.refuse_useless(plan)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("filename,label,flipped\na.png,0,0\nb.png,1,1\n", {"a": ("0",), "b": ("1",)}),
        ("filename,day,night\na.png,1,0\nb.png,0,1\n", {"a": ("day",), "b": ("night",)}),
        ("filename,label\na.png,1.0\nb.png,\n", {"a": ("1",)}),
        ("sep=;\nfile;label\na.png;cat\nb.png;dog\n", {"a": ("cat",), "b": ("dog",)}),
        ("My labels,\nfile,label\na.png,cat\nb.png,dog\n", {"a": ("cat",), "b": ("dog",)}),
        ("a,sport\nb,music\n", {"a": ("sport",), "b": ("music",)}),
    ],
)
def test_tables_as_programs_and_people_leave_them(
    store: LabelStore,
    make_photo: MakePhoto,
    tmp_path: Path,
    text: str,
    expected: dict[str, tuple[str, ...]],
) -> None:
    for name in "ab":
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "l.csv").write_text(text)
    found = said(plan_of(store, tmp_path / "l.csv"))
    assert found == {f"{name}.png": classes for name, classes in expected.items()}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.csv", "file,label\na.png,{}\nb.png,{}\n"),
        ("l.json", '[{{"file": "a.png", "label": "{}"}}, {{"file": "b.png", "label": "{}"}}]'),
        ("l.jsonl", '{{"file": "a.png", "label": "{}"}}\n{{"file": "b.png", "label": "{}"}}\n'),
        ("set/metadata.csv", "file_name,label\na.png,{}\nb.png,{}\n"),
        ("set/_classes.csv", "filename, {}, {}\na.png, 1, 0\nb.png, 0, 1\n"),
        ("l.txt", "a.png {}\nb.png {}\n"),
    ],
)
def test_letters_are_asked_for_wherever_they_stand(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, name: str, content: str
) -> None:
    for photo in ("a", "b", "set/a", "set/b"):
        make_photo(f"{photo}.png", (4, 4))
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.format("苗", "狗").encode("gbk"))
    source = path.parent if path.parent != tmp_path else path
    plan = plan_of(store, source)
    assert plan.decoded is not None
    if not plan.decoded.is_sure:
        with pytest.raises(LabelsError, match="--encoding"):
            importing.refuse_useless(plan)
    found = said(plan_of(store, source, encoding="gbk"))
    assert set(found.values()) == {("苗",), ("狗",)}


@pytest.mark.parametrize("text", ["25 °C", "m²", "½ voll", "“rot”"])
def test_signs_alone_tell_no_encoding(text: str) -> None:
    found = decode(f"file,label\na.png,{text}\n".encode("cp1252"))
    assert not found.is_sure


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1253", "γάτα,σκύλος"),
        ("cp1255", "חתול,כלב"),
        ("koi8_r", "кошка,собака"),
        ("cp866", "лиса,собака"),
        ("cp1254", "kızıl tilki,ağaç"),
    ],
)
def test_other_alphabets_are_told_or_asked_for(encoding: str, text: str) -> None:
    found = decode(text.encode(encoding))
    assert found.text == text or not found.is_sure
    assert text in (found.text, *(text.encode(encoding).decode(one) for one in found.others))


@pytest.mark.parametrize(
    "content",
    [
        '{"1": {"image": "b.png", "label": "dog"}, "2": {"image": "a.png", "label": "cat"}}',
        '{"a.png": {"name": "a.png", "class": "cat"}, "b.png": {"name": "b.png", "class": "dog"}}',
    ],
)
def test_objects_of_objects(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, content: str
) -> None:
    for name in ("a", "b", "1", "2"):
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "l.json").write_text(content)
    assert said(plan_of(store, tmp_path / "l.json")) == {"a.png": ("cat",), "b.png": ("dog",)}


@pytest.mark.parametrize(
    "text",
    [
        "filename,deployment_id,common_name\nI.png,A,Fox\nI.png,B,Badger\n",
        "Station,Species,Directory,FileName\nA,Fox,A,I.png\nB,Badger,B,I.png\n",
    ],
)
def test_photos_of_one_name_in_several_folders_are_kept_apart(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, text: str
) -> None:
    (tmp_path / "l.csv").write_text(text)
    one = make_photo("photos/A/I.png", (4, 4))
    plan = plan_of(store, tmp_path / "l.csv", tmp_path / "photos")
    assert plan.labels == {one: (("Fox",), "")}
    other = make_photo("photos/B/I.png", (4, 4))
    both = plan_of(store, tmp_path / "l.csv", tmp_path / "photos")
    assert {path: names for path, (names, _) in both.labels.items()} == {
        one: ("Fox",),
        other: ("Badger",),
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.csv", "filename,class,x,y,width,height\na.png,cat,1,2,3,4\n"),
        ("l.csv", 'image,label,bbox\na.png,cat,"[1,2,3,4]"\n'),
        ("l.csv", "ImageId,PredictionString\na,cat 1 2 3 4 cat 5 6 7 8\n"),
        ("l.json", '[{"image": "a.png", "label": "cat", "bbox": [1, 2, 3, 4]}]'),
    ],
)
def test_boxes_of_every_kind_are_boxes(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, name: str, content: str
) -> None:
    make_photo("a.png", (4, 4))
    (tmp_path / name).write_text(content)
    plan = plan_of(store, tmp_path / name)
    assert (plan.labels, plan.boxed) == ({}, 1)
    assert said(plan_of(store, tmp_path / name, takes_boxes=True)) == {"a.png": ("cat",)}


def test_answers_about_regions_are_no_classes_of_the_photo(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("a.png", (4, 4))
    one = task("a.png", "cat")
    for shape in ({"rle": [1]}, {"points": [[1, 2]]}, {"x": 1}):
        value = {**shape, "choices": ["rotten"]}
        one["annotations"][0]["result"].append(
            {"id": "r", "from_name": "q", "type": "choices", "value": value}
        )
    (tmp_path / "l.json").write_text(json.dumps([one]))
    assert said(plan_of(store, tmp_path / "l.json")) == {"a.png": ("cat",)}


def test_facts_beside_answers_are_not_taken_for_them(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("a.png", (4, 4))
    flat = [{"id": 1, "image": "a.png", "camera": "north", "annotator": 1, "lead_time": 3}]
    (tmp_path / "l.json").write_text(json.dumps(flat))
    plan = importing.plan_import(store, FORMATS["label-studio"], tmp_path / "l.json")
    with pytest.raises(LabelsError, match="“camera”"):
        importing.refuse_useless(plan)


def test_uploads_of_one_name_are_two_photos(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("1.jpg", (4, 4))
    tasks = [
        task("/data/upload/1/3fa85f64-1.jpg", "cat"),
        task("/data/upload/1/aaaaaaaa-1.jpg", "dog"),
    ]
    (tmp_path / "l.json").write_text(json.dumps(tasks))
    with pytest.raises(LabelsError, match="3fa85f64"):
        plan_of(store, tmp_path / "l.json")


def test_coco_whose_numbers_are_texts(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("a.png", (4, 4))
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": "1", "category_id": "7"}],
        "categories": [{"id": 7, "name": "cat"}],
    }
    (tmp_path / "l.json").write_text(json.dumps(content))
    assert said(plan_of(store, tmp_path / "l.json")) == {"a.png": ("cat",)}


def test_numbers_from_one_and_names_of_another_column(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    for name in "ab":
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "l.csv").write_text("file,class_id\na.png,1\nb.png,2\n")
    assert said(plan_of(store, tmp_path / "l.csv")) == {"a.png": ("cat",), "b.png": ("dog",)}
    (tmp_path / "classes.txt").unlink()
    card = (
        "---\ndataset_info:\n  features:\n  - name: split\n    dtype:\n      class_label:\n"
        "        names:\n          '0': train\n          '1': test\n  - name: label\n    dtype:\n"
        "      class_label:\n        names:\n          '0': cat\n          '1': dog\n---\n"
    )
    (tmp_path / "README.md").write_text(card)
    (tmp_path / "l.csv").write_text("file,label\na.png,0\nb.png,1\n")
    assert said(plan_of(store, tmp_path / "l.csv")) == {"a.png": ("cat",), "b.png": ("dog",)}


@pytest.mark.parametrize("content", [b"\x7fELF\x02\x01\x01\x00\x80\xff", bytes(range(256)) * 4])
@pytest.mark.parametrize("name", ["l.csv", "l.txt", "l"])
def test_what_is_no_text_is_refused_without_its_bytes(
    store: LabelStore, tmp_path: Path, content: bytes, name: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelsError) as refused:
        plan_of(store, tmp_path / name)
    assert "ELF" not in str(refused.value)
    assert str(refused.value).isprintable()


def test_records_under_the_keys_of_fiftyone(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("a.png", (4, 4))
    content = {"classes": ["cat"], "labels": [{"file": "a.png", "label": "cat"}]}
    (tmp_path / "l.json").write_text(json.dumps(content))
    assert said(plan_of(store, tmp_path / "l.json")) == {"a.png": ("cat",)}


# What a second person came with


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("filename,animal,person\na.png,1,0\nb.png,0,1\n", {"a": ("animal",), "b": ("person",)}),
        ("image,cat,dog,fold\na.png,1,0,0\nb.png,0,1,1\n", {"a": ("cat",), "b": ("dog",)}),
        ("image,cat,dog,is_test\na.png,1,0,0\nb.png,0,1,1\n", {"a": ("cat",), "b": ("dog",)}),
        ("image,code\na.png,0001\nb.png,0002\n", {"a": ("0001",), "b": ("0002",)}),
        ("Datei;Hund;Katze\na.png;WAHR;FALSCH\nb.png;FALSCH;WAHR\n", {"a": ("Hund",),
            "b": ("Katze",)}),
        ("Datei;Hund;Katze\na.png;0,9;0,1\nb.png;0,2;0,8\n", {"a": ("Hund",), "b": ("Katze",)}),
        ("Meine Labels\nDatei;Klasse\na.png;Hund\nb.png;Katze\n", {"a": ("Hund",),
            "b": ("Katze",)}),
        ("Plik;Klasa;Uwagi\na.png;pies;x\nb.png;kot;y\n", {"a": ("pies",), "b": ("kot",)}),
    ],
)  # fmt: skip
def test_tables_that_a_second_person_came_with(
    store: LabelStore,
    make_photo: MakePhoto,
    tmp_path: Path,
    text: str,
    expected: dict[str, tuple[str, ...]],
) -> None:
    for name in "ab":
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "l.csv").write_text(text)
    plan = plan_of(store, tmp_path / "l.csv")
    assert said(plan) == {f"{name}.png": classes for name, classes in expected.items()}
    importing.refuse_useless(plan)


@pytest.mark.parametrize("header", ["id,label", "Klasse;Nr", "id,label,category"])
def test_the_column_of_classes_never_names_the_photos(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, header: str
) -> None:
    for number in range(7):
        make_photo(f"{number}.png", (4, 4))
    between = ";" if ";" in header else ","
    lines = [header]
    for number in range(20):
        cells = {"id": number, "Nr": number, "label": number % 5, "Klasse": number % 5}
        cells["category"] = "abcde"[number % 5]
        lines.append(between.join(str(cells[title]) for title in header.split(between)))
    (tmp_path / "l.csv").write_text("\n".join(lines))
    plan = plan_of(store, tmp_path / "l.csv")
    expected = [("abcde"[n % 5] if "category" in header else str(n % 5),) for n in range(7)]
    assert [said(plan)[f"{number}.png"] for number in range(7)] == expected


def test_names_that_are_counted_from_one_in_their_file(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    for name in "ab":
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "id2label.json").write_text('{"1": "cat", "2": "dog", "3": "hen"}')
    (tmp_path / "l.csv").write_text("image,label\na.png,2\nb.png,3\n")
    assert said(plan_of(store, tmp_path / "l.csv")) == {"a.png": ("dog",), "b.png": ("hen",)}


@pytest.mark.parametrize(
    ("photos", "expected"),
    [
        (
            ["asl_train/asl_train/A/a", "asl_train/asl_train/B/b", "asl_test/asl_test/A_test"],
            {"A", "B"},
        ),
        (["Train Data/cat/a", "Train Data/dog/b", "Test Data/cat/c"], {"cat", "dog"}),
        (["steam train/a", "night train/b"], {"steam train", "night train"}),
    ],
)
def test_sets_with_the_name_of_the_data_set(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, photos: list[str], expected: set[str]
) -> None:
    for name in photos:
        make_photo(f"top/{name}.png", (4, 4))
    assert set(plan_of(store, tmp_path / "top").classes) == expected


def test_folders_that_hold_the_same_folders_are_asked_about(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    for site in ("siteA", "siteB"):
        for name in ("fox", "deer"):
            make_photo(f"top/{site}/{name}/a.png", (4, 4))
    with pytest.raises(LabelsError, match="deer, fox"):
        plan_of(store, tmp_path / "top")


def test_a_table_of_photos_of_which_there_are_two(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    for folder in ("train", "test"):
        make_photo(f"{folder}/1.jpg", (4, 4))
    (tmp_path / "train.csv").write_text("image,label\n1.jpg,cat\n")
    assert list(plan_of(store, tmp_path / "train.csv").labels) == [tmp_path / "train" / "1.jpg"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            '{"train": [{"image": "a.png", "label": "cat"}], '
            '"val": [{"image": "b.png", "label": "dog"}]}',
            {"a.png": ("cat",), "b.png": ("dog",)},
        ),
        ('{"cat": ["a"], "dog": ["b"]}', {"a.png": ("cat",), "b.png": ("dog",)}),
        ('{"a.png": 1.0, "b.png": 0}', {"a.png": ("1",), "b.png": ("0",)}),
        ('{"images": ["a.png", "b.png"], "labels": ["cat", "dog"]}', None),
    ],
)
def test_json_that_a_second_person_came_with(
    store: LabelStore,
    make_photo: MakePhoto,
    tmp_path: Path,
    content: str,
    expected: dict[str, tuple[str, ...]] | None,
) -> None:
    for name in "ab":
        make_photo(f"{name}.png", (4, 4))
    (tmp_path / "l.json").write_text(content)
    if expected is None:
        with pytest.raises(LabelsError, match="side by side"):
            plan_of(store, tmp_path / "l.json")
    else:
        assert said(plan_of(store, tmp_path / "l.json")) == expected


def test_captions_and_tables_of_others_beside_photos(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("set/a.png", (4, 4))
    table = tmp_path / "set" / "metadata.csv"
    table.write_text("file_name,text\na.png,a cat on a mat\n")
    with pytest.raises(LabelsError, match="“text”"):
        importing.refuse_useless(plan_of(store, tmp_path / "set"))
    table.write_text("isic_id,diagnosis\na,nevus\n")
    assert said(plan_of(store, tmp_path / "set")) == {"a.png": ("nevus",)}


@pytest.mark.parametrize("name", ["arrow1.jpg", "par1.jpg", "rar!.jpg"])
def test_names_are_not_taken_for_kinds_of_files(
    store: LabelStore, make_photo: MakePhoto, tmp_path: Path, name: str
) -> None:
    make_photo(name, (4, 4))
    (tmp_path / "l.csv").write_text(f"{name},cat\n")
    assert said(plan_of(store, tmp_path / "l.csv")) == {name: ("cat",)}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("RootFolder,File,RelativePath,DateTime,DeleteFlag,Species", "r,a.jpg,,x,false,{}"),
        ("id,image,choice,annotator,annotation_id,lead_time", "1,a,{},1,5,2.5"),
    ],
)
def test_a_class_of_an_apostrophe_and_a_sign_keeps_its_letters(
    tmp_path: Path, header: str, row: str
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(f"{header}\n{row.format(chr(39) * 2 + '=x')}\n")
    read = FORMATS["csv"].read(table, ReadOptions())
    assert [label.classes for label in read.labels] == [("'=x",)]
