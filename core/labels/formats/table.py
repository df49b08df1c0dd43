"""The table of all formats: name, title, what they take, who writes and who reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import LabelsError, os_reason
from core.labels.formats import (
    class_folders,
    coco,
    cvat,
    datumaro_json,
    fiftyone,
    hugging_face,
    imagenet_text,
    kaggle,
    label_studio,
    labelme,
    layouts,
    megadetector,
    path_lists,
    records,
    roboflow,
    tables,
    via,
    voc,
    vott,
)
from core.labels.formats.guessing import guess
from core.labels.plans import Writer
from core.labels.reading import ReadLabels, ReadOptions
from core.language import lazy


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: on the command line.
        title: for people.
        read: reads a file or folder.
        write: plans an export; None where it is only read.
        ending: of the one file that is written; "" where a folder with photos is.
        splits: whether photos can be shared out among train, val and test.
        keeps_folders: whether subfolders can be kept.
        says_predictions: whether it has room for what the model says.
        takes_template: whether a sample of the form can be given.
    """

    name: str
    title: str
    read: Callable[[Path, ReadOptions], ReadLabels]
    write: Writer | None = None
    ending: str = ""
    splits: bool = False
    keeps_folders: bool = False
    says_predictions: bool = False
    takes_template: bool = False

    @property
    def takes_photos(self) -> bool:
        """Return whether photos go along."""
        return not self.ending


FORMATS = {
    one.name: one
    for one in (
        Format("class-folders", lazy("Class folders (torchvision, timm, Keras)"),
            class_folders.read, class_folders.write, splits=True, keeps_folders=True),
        Format("csv", lazy("Table for spreadsheets (CSV)"), layouts.read_csv, tables.write_csv,
            ".csv", says_predictions=True),
        Format("csv-plain", lazy("Table for programs (CSV)"), layouts.read_csv,
            tables.write_plain_csv, ".csv", says_predictions=True),
        Format("json-lines", "JSON Lines", records.read_json_lines, tables.write_json_lines,
            ".jsonl", says_predictions=True),
        Format("yolo", lazy("YOLO classification"), class_folders.read, class_folders.write_yolo,
            splits=True),
        Format("hugging-face", "Hugging Face imagefolder", hugging_face.read, hugging_face.write,
            splits=True, says_predictions=True),
        Format("fiftyone", "FiftyOne", fiftyone.read, fiftyone.write, keeps_folders=True,
            says_predictions=True),
        Format("imagenet-text", "ImageNet text (Datumaro, CVAT)", imagenet_text.read,
            imagenet_text.write, splits=True, keeps_folders=True),
        Format("label-studio", "Label Studio", label_studio.read, label_studio.write, ".json",
            says_predictions=True),
        Format("kaggle", lazy("Kaggle submission"), layouts.read_csv, kaggle.write, ".csv",
            says_predictions=True, takes_template=True),
        Format("labelme", "labelme", labelme.read),
        Format("coco", "COCO JSON", coco.read),
        Format("voc", "Pascal VOC", voc.read),
        Format("cvat", "CVAT for images", cvat.read),
        Format("datumaro", "Datumaro JSON", datumaro_json.read),
        Format("via", "VGG Image Annotator", via.read),
        Format("vott", "VoTT", vott.read),
        Format("megadetector", "MegaDetector, SpeciesNet", megadetector.read),
        Format("roboflow", "Roboflow", roboflow.read),
        Format("records", lazy("JSON records"), records.read_json_records),
        Format("path-list", lazy("list of photos"), path_lists.read),
    )
}  # fmt: skip
"""By name, in the order in which people are offered them."""


def find_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        LabelsError: there is none of this name.
    """
    if name not in FORMATS:
        raise LabelsError(
            "There is no format “{name}”; there are {names}.", name=name, names=", ".join(FORMATS)
        )
    return FORMATS[name]


def guess_format(path: Path) -> Format:
    """Return the format that a file or folder seems to have, by its names and beginnings.

    Raises:
        LabelsError: it cannot be read.
    """
    try:
        return FORMATS[guess(path)]
    except OSError as error:
        raise LabelsError(
            "The labels in {path} could not be read: {reason}.", path=path, reason=os_reason(error)
        ) from error
