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

from core.__main__ import main
from core.errors import LabelsError
from core.labels import importing
from core.labels.encodings import decode
from core.labels.formats.table import FORMATS
from core.labels.plans import ExportOptions
from core.labels.reading import ReadOptions
from core.labels.store import Labelling, LabelStore
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
    assert plan.read.decoded is not None
    if plan.read.decoded.is_sure:
        assert tuple(said(plan)[f"{number}.png"][0] for number in range(4)) == names
        return
    with pytest.raises(LabelsError, match="--encoding"):
        importing.refuse_useless(plan)
    offered = (plan.read.decoded.encoding, *plan.read.decoded.others)
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
        (["images/cat", "images/dog", "annotations"], {"cat", "dog"}),  # Datumaro's
        (["images/train/cat", "images/val/dog"], {"cat", "dog"}),
        (["cat/2023/spring", "dog/2023"], {"cat", "dog"}),
        (["train/cat", "valid/cat", "test/dog", ".git"], {"cat", "dog"}),
    ],
)
def test_sets_and_folders_of_data_are_no_classes(
    store: LabelStore,
    make_photo: MakePhoto,
    tmp_path: Path,
    folders: list[str],
    expected: set[str],
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
    tasks = [
        task("a.jpg", "cat", "dog", "cat"),
        task("b.jpg", "cat", "dog"),
        task("c.jpg", "dog"),
    ]
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
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["id", "Klasse", "count"], [1, "Bär", 5], [2, "猫", 7.5], [3, None, None]):
        sheet.append(row)
    book.save(tmp_path / "labels.xlsx")
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
        ("l.csv", "file,note\na.png,x\n", "“file”, “note”"),
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
