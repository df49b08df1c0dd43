"""Files of labels of other tools, in their own layouts: see layouts/README.md."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from core.errors import LabelsError
from core.labels import importing
from core.labels.formats.table import FORMATS, guess_format
from core.labels.reading import ReadOptions
from core.labels.store import LabelStore

LAYOUTS = Path(__file__).parent / "layouts"
ONE, TWO, POND, FOUR = "IMG_0001.jpg", "IMG_0002.JPG", "sub/duck pond.png", "IMG_0004.jpeg"
FOX, BADGER, BOTH, NONE = ("fox",), ("badger",), ("badger", "fox"), ()
ROBOFLOW = [
    f"train/IMG_000{number}_{ending}.rf.{digest}.jpg"
    for number, ending, digest in (
        (1, "jpg", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"),
        (2, "JPG", "1a1b2c3d4e5f60718293a4b5c6d7e8f9"),
    )
]

Expected = dict[str, tuple[str, ...]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore(tmp_path / "p.droplens") as made:
        yield made


def add_photos(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path, "PNG" if name.endswith("png") else "JPEG")


def planned(
    store: LabelStore, source: str, photos: Sequence[str], options: ReadOptions
) -> importing.ImportPlan:
    folder = store.path.parent
    add_photos(folder / "photos", photos)
    labels = folder / "labels"
    tool = source.partition("/")[0]
    shutil.copytree(LAYOUTS / tool, labels / tool)
    return importing.plan_import(store, None, labels / source, [folder / "photos"], options=options)


def found_in(plan: importing.ImportPlan) -> Expected:
    root = plan.project.parent / "photos"
    held = {path: classes for path, (classes, _) in plan.labels.items()}
    held |= dict.fromkeys(plan.unlabelled, ())
    return {
        path.relative_to(root).as_posix(): tuple(sorted(classes)) for path, classes in held.items()
    }


ALL = (ONE, TWO, POND, FOUR)
WHOLE: list[tuple[str, str, str, Expected]] = [
    # source, format, column, labels
    ("datumaro-coco", "coco", "", {ONE: FOX, TWO: BOTH, POND: NONE, FOUR: NONE}),
    ("cvat/train.xml", "cvat", "", {ONE: FOX, TWO: BOTH}),
    ("datumaro", "datumaro", "", {ONE: FOX, TWO: BOTH, POND: NONE, FOUR: NONE}),
    ("voc-lists", "voc", "", {ONE: FOX, TWO: BOTH}),
    ("imagenet-txt", "imagenet-text", "", {ONE: FOX, TWO: BOTH, POND: NONE, FOUR: NONE}),
    ("open-images/train-annotations-human-imagelabels.csv", "csv", "", {ONE: FOX, TWO: BOTH}),
    ("via/via_project_1May2024_10h0m.json", "via", "species", {ONE: FOX, TWO: BADGER}),
    ("via/via_export_json.json", "via", "species", {ONE: FOX, TWO: BADGER}),
    ("via/via_export_csv.csv", "csv", "species", {ONE: FOX, TWO: BADGER}),
    ("label-studio/project-1-at-2024-05-01-10-00-abcdef01.json", "label-studio", "species",
        {TWO: FOX, FOUR: ("empty",), ONE: NONE}),
    ("label-studio/min.json", "label-studio", "species", {TWO: FOX, FOUR: ("empty",), ONE: NONE}),
    ("label-studio/result.csv", "csv", "species", {TWO: FOX, FOUR: ("empty",), ONE: NONE}),
    ("label-studio/result.tsv", "csv", "quality", {ONE: ("blurred",), TWO: ("blurred", "night")}),
    ("timelapse/old-2.2-ImageData.csv", "csv", "", {ONE: FOX, TWO: NONE}),
    ("timelapse/with-folder-levels.csv", "csv", "", {TWO: BADGER}),
    ("addaxai/results_detections.csv", "csv", "", {ONE: FOX, TWO: BOTH}),
    ("megadetector/image_recognition_file.json", "megadetector", "",
        {ONE: FOX, TWO: ("person",), FOUR: NONE}),
    ("megadetector/speciesnet_predictions.json", "megadetector", "", {ONE: ("red fox",)}),
    ("wildlifeinsights/images_2004252.csv", "csv", "",
        {ONE: ("Meles Species", "Red Fox"), TWO: ("Blank",)}),
    ("fiftyone-samples", "fiftyone", "", {ONE: FOX, TWO: BOTH, POND: NONE, FOUR: NONE}),
    ("FiftyOneImageClassificationDataset", "fiftyone", "", {ONE: FOX, POND: BOTH, FOUR: NONE}),
    ("FiftyOneImageClassificationDataset-conf", "fiftyone", "",
        {ONE: FOX, POND: BOTH, FOUR: NONE}),
    ("FiftyOneImageClassificationDataset-classes", "fiftyone", "", {ONE: FOX, FOUR: NONE}),
    ("vertex/automl.csv", "csv", "", {ONE: FOX, TWO: BOTH, FOUR: NONE}),
    ("vertex/import.csv", "csv", "", {ONE: FOX, TWO: BOTH, POND: BADGER, FOUR: NONE}),
    ("vertex/single.jsonl", "json-lines", "", {ONE: FOX, FOUR: NONE}),
    ("vertex/multi.jsonl", "json-lines", "", {TWO: BOTH}),
    ("sagemaker/output.manifest", "json-lines", "", {ONE: FOX, TWO: BADGER}),
    ("sagemaker/output-multilabel.manifest", "json-lines", "", {TWO: BOTH}),
    ("sagemaker/rekognition-custom-labels.manifest", "json-lines", "", {TWO: BOTH}),
    ("azure/azureml-multiclass.jsonl", "json-lines", "", {ONE: FOX, TWO: BADGER}),
    ("azure/azureml-multilabel.jsonl", "json-lines", "", {TWO: BOTH}),
    ("makesense/labels_my-project-name_2024-05-01-10-00-00.csv", "csv", "",
        {ONE: FOX, TWO: BOTH, POND: BADGER}),
    ("makesense/labels_my-project-name_2024-05-01-10-00-00.json", "records", "",
        {ONE: FOX, TWO: BOTH}),
    ("hugging-face-csv", "hugging-face", "", {ONE: FOX, TWO: BADGER}),
    ("hugging-face-jsonl", "hugging-face", "", {ONE: FOX, TWO: NONE}),
    ("hugging-face-numbers/to_csv.csv", "csv", "", {ONE: FOX, TWO: BADGER, POND: ("empty",)}),
    ("hugging-face-numbers/to_json.jsonl", "json-lines", "",
        {ONE: FOX, TWO: BADGER, POND: ("empty",)}),
    ("lists/mmcls_train.txt", "path-list", "", {ONE: FOX, TWO: BADGER, POND: ("empty",)}),
    ("labelme", "labelme", "", {ONE: FOX, TWO: BOTH}),
    ("labelbox/export.ndjson", "json-lines", "Species", {ONE: ("Fox",)}),
    ("prodigy/choice.jsonl", "json-lines", "", {ONE: FOX, TWO: BOTH}),
    ("prodigy/classification.jsonl", "json-lines", "", {ONE: FOX, TWO: NONE}),
    ("kaggle/headerless.csv", "csv", "", {ONE: FOX, TWO: BADGER, FOUR: ("empty",)}),
    ("kaggle/id_label.csv", "csv", "", {ONE: FOX, TWO: BADGER, FOUR: ("empty",)}),
    ("kaggle/onehot_truefalse.csv", "csv", "", {ONE: FOX, TWO: BOTH, FOUR: ("empty",)}),
    ("kaggle/probabilities.csv", "csv", "", {ONE: FOX, TWO: BADGER}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "form", "column", "expected"), WHOLE, ids=[one[0] for one in WHOLE]
)
def test_classes_of_photos(
    store: LabelStore, source: str, form: str, column: str, expected: Expected
) -> None:
    plan = planned(store, source, ALL, ReadOptions(label_column=column))
    assert plan.form.name == form
    found = found_in(plan)
    assert {name: found.get(name) for name in expected} == expected
    assert all(not classes for name, classes in found.items() if name not in expected)
    importing.refuse_useless(plan)
    importing.carry_out(plan, store)


BOXES: list[tuple[str, str, Expected]] = [
    ("coco-boxes", "coco", {TWO: BADGER}),
    ("voc", "voc", {TWO: BADGER, POND: BOTH}),
    ("via/via_region_data_v1.json", "via", {TWO: BOTH}),
    ("vott/foxes.vott", "vott", {ONE: FOX, TWO: BOTH}),
    ("vott", "vott", {ONE: FOX, TWO: BOTH}),
    ("vott-export/foxes-export.json", "vott", {ONE: FOX, TWO: BOTH}),
    ("vott/vott-csv-export/foxes-export.csv", "csv", {ONE: FOX, TWO: BOTH}),
    ("FiftyOneImageDetectionDataset", "fiftyone", {TWO: BADGER}),
    ("vertex/automl-boxes.csv", "csv", {ONE: FOX, TWO: BADGER}),
    ("vertex/boxes.jsonl", "json-lines", {ONE: FOX}),
    ("sagemaker/output-boxes.manifest", "json-lines", {TWO: FOX}),
    ("azure/azureml-boxes.jsonl", "json-lines", {TWO: FOX}),
    ("makesense/boxes_new.csv", "csv", {ONE: FOX, TWO: BADGER}),
    ("makesense/boxes_old_headerless.csv", "csv", {ONE: FOX, TWO: BADGER}),
]


@pytest.mark.parametrize(("source", "form", "expected"), BOXES, ids=[one[0] for one in BOXES])
def test_classes_of_boxes_only_if_a_person_says_so(
    store: LabelStore, source: str, form: str, expected: Expected
) -> None:
    plan = planned(store, source, ALL, ReadOptions())
    assert plan.form.name == form
    assert not plan.labels
    assert plan.boxed > 0
    with pytest.raises(LabelsError, match="--boxes"):
        importing.refuse_useless(plan)
    boxed = importing.plan_import(
        store,
        None,
        plan.source,
        [store.path.parent / "photos"],
        options=ReadOptions(takes_boxes=True),
    )
    found = found_in(boxed)
    assert {name: found.get(name) for name in expected} == expected


def test_roboflow_is_found_by_itself(store: LabelStore) -> None:
    folder = store.path.parent / "set"
    shutil.copytree(LAYOUTS / "roboflow", folder)
    add_photos(folder, ROBOFLOW)
    assert guess_format(folder).name == "roboflow"
    plan = importing.plan_import(store, None, folder)
    assert {path.name[:8]: names for path, (names, _) in plan.labels.items()} == {
        "IMG_0001": FOX,
        "IMG_0002": BOTH,
    }
    one = importing.plan_import(store, None, folder / "train" / "_classes.csv")
    assert one.labels == plan.labels
    drawn = folder / "train" / "_annotations.coco.json"
    boxes = importing.plan_import(store, None, drawn, options=ReadOptions(takes_boxes=True))
    assert {names for names, _ in boxes.labels.values()} <= {FOX, BADGER, BOTH}
    assert boxes.labels


@pytest.mark.parametrize(
    ("source", "photos", "expected"),
    [
        ("cub", ["images/001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg"],
            ["001.Black_footed_Albatross"]),
        ("lists-food/food101_train.txt", ["apple_pie/1005649.jpg"], ["apple_pie"]),
        ("kaggle/aptos2019_train.csv", ["000c1434d8d7.png"], ["2"]),
        ("kaggle/dogbreed_labels.csv", ["000bec180eb18c7604dcecc8fe0dba07.jpg"], ["boston_bull"]),
        ("kaggle/ham10000_metadata.csv", ["ISIC_0027419.jpg"], ["bkl"]),
        ("kaggle/isic2018_GroundTruth.csv", ["ISIC_0024306.jpg"], ["NV"]),
        ("kaggle/isic2020_train.csv", ["ISIC_0015719.jpg"], ["melanoma"]),
        ("kaggle/nih_Data_Entry_2017.csv", ["00000001_001.png"], ["Cardiomegaly", "Emphysema"]),
        ("kaggle/onehot_01.csv", ["Train_0.jpg"], ["scab"]),
        ("kaggle/planet_train_v2.csv", ["train_0.jpg"], ["haze", "primary"]),
        ("kaggle/celeba_list_attr.csv", ["000001.jpg"], ["Arched_Eyebrows", "Smiling"]),
        ("kaggle/three_columns.csv", ["IMG_0001.jpg"], ["3"]),
        ("inaturalist/observations-12345.csv", ["101.jpg"], ["Red Fox"]),
        ("inaturalist/observations-12345.csv", ["55001.jpg"], ["Red Fox"]),
        ("inaturalist/train2021-like.json",
            ["train/04615_Animalia_Chordata_Mammalia_Carnivora_Canidae_Vulpes_vulpes/a1b2.jpg"],
            ["Vulpes vulpes"]),
    ],
)  # fmt: skip
def test_data_sets_as_they_are_published(
    store: LabelStore, source: str, photos: list[str], expected: list[str]
) -> None:
    plan = planned(store, source, photos, ReadOptions())
    (classes,) = (names for names, _ in plan.labels.values())
    assert sorted(classes) == expected
    importing.refuse_useless(plan)


def test_numbers_get_the_names_of_a_file_beside_them(store: LabelStore) -> None:
    plan = planned(store, "cassava/cassava_train.csv", ["1000015157.jpg"], ReadOptions())
    ((names, _),) = plan.labels.values()
    assert names == ("Cassava Bacterial Blight (CBB)",)
    assert any("cassava_label_num_to_disease_map.json" in note for note in plan.notes)


def test_every_reader_has_a_file_here() -> None:
    elsewhere = {"class-folders", "yolo", "csv-plain", "kaggle", "roboflow"}
    covered = {one[1] for one in WHOLE} | {one[1] for one in BOXES} | elsewhere
    assert covered == set(FORMATS)
