"""Tables as other tools lay them out; most need no more than to know the columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from core.labels.classes import MARKS
from core.labels.formats.cells import chosen, classes_in, names_in
from core.labels.formats.columns import Columns, is_number, tell_columns, with_header
from core.labels.formats.label_studio import Answers, chosen_answers, file_of
from core.labels.formats.numbered import name_numbers
from core.labels.formats.tables import MARK, separated
from core.labels.locating import looks_like_file
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, unreadable
from core.labels.sheets import TABLES, Sheet, read_sheet
from core.language import tr

_SETS = ("train", "training", "validation", "valid", "val", "test", "unassigned")
_BUCKETS = ("gs://", "s3://")
_STUDIOS_OWN = frozenset(
    "annotationid annotator createdat updatedat id leadtime agreement label_studio".split()
)


def read_csv(path: Path, options: ReadOptions) -> ReadLabels:
    """Read a table: CSV with commas, semicolons or tabs, or a workbook.

    Raises:
        LabelsError: it cannot be read, or its columns cannot be told apart.
    """
    if path.is_dir():
        path = _only_table(path)
    return read_rows(path, read_sheet(path, options), options)


def _only_table(folder: Path) -> Path:
    """Return the one table of a folder.

    Raises:
        LabelsError: there is none, or several.
    """
    tables = [one for one in sorted(folder.iterdir()) if one.suffix.lower() in TABLES]
    if len(tables) == 1:
        return tables[0]
    names = ", ".join(one.name for one in tables[:8])
    told = (
        tr("it holds several tables ({names}); choose one of them", names=names)
        if tables
        else tr("it has no table")
    )
    raise unreadable(folder, told)


def read_rows(
    path: Path, sheet: Sheet, options: ReadOptions, *, divides: bool = True
) -> ReadLabels:
    """Read a table by the layout that it has.

    Args:
        path: where it is from.
        sheet: the table.
        options: as a person wants it.
        divides: whether one cell may hold several classes as text.

    Raises:
        LabelsError: its columns cannot be told apart.
    """
    found = with_header(sheet, options)
    layout = next((read for fits, read in _LAYOUTS if fits(found)), None)
    if layout is not None:
        labels = layout(path, found, options)
    else:
        labels = _usual(path, tell_columns(path, found, options), options, divides=divides)
    labels.folders = labels.folders or [
        path.parent / path.stem,  # Kaggle's train.csv lies beside train/
        path.parent / f"{path.stem}_images",
        path.parent,
    ]
    return labels


def _usual(path: Path, found: Columns, options: ReadOptions, *, divides: bool = True) -> ReadLabels:
    """Read a column of photos and one of classes, or one for each class."""
    files = found.cells(found.file)
    labels = ReadLabels(
        by_stem=not any(map(looks_like_file, files)),
        file_columns=[found.names[number] for number in found.files],
        file_column=found.names[found.file],
        label_columns=[found.names[number] for number in found.choices],
        must_choose=found.must_choose,
    )
    if found.is_one_hot:
        names = [found.names[number] for number in found.labels]
        labels.classes = names
        cells = [found.cells(number) for number in found.labels]
        classes = [chosen(names, row) for row in zip(*cells, strict=True)]
    else:
        column = found.labels[0]
        labels.label_column = found.names[column]
        known = options.known if divides else frozenset()
        if divides:
            classes, divided = classes_in(found.titles[column], found.cells(column), known)
            if divided:
                labels.notes.append(
                    tr(
                        "Cells such as “{divided}” are taken for several classes.",
                        divided=divided[:60],
                    )
                )
        else:
            classes = [_listed(cell) for cell in found.cells(column)]
        if found.titles[column] == "predictionstring":  # a class and four numbers a box
            classes = [tuple(dict.fromkeys(cell.split()[::5])) for cell in found.cells(column)]
    is_boxes = found.has_boxes and found.column("humanverified") is None
    labels.labels = [
        ReadLabel(file, () if is_boxes else names, "", names if is_boxes else ())
        for file, names in zip(files, classes, strict=True)
    ]
    others = [found.names[number] for number in found.rivals]
    if others:
        labels.notes.append(
            tr(
                "The classes are those of the column “{label_column}”; others that may be "
                "meant are {names}.",
                label_column=labels.label_column,
                names=", ".join(f"“{name}”" for name in others[:8]),
            )
        )
    name_numbers(labels, path.parent, options)
    return labels


def _own(path: Path, found: Columns, options: ReadOptions) -> ReadLabels:
    """Read what Droplens has written, for spreadsheets or for programs."""
    file, label, mark = (found.titles.index(title) for title in ("file", "label", MARK))
    is_plain = "setby" in found.titles and "set_by" in found.names
    labels = ReadLabels()
    for row in found.rows:
        cells = [*row, *[""] * (len(found.titles) - len(row))]
        classes = ((cells[label],) if cells[label] else ()) if is_plain else separated(cells[label])
        marked = cells[mark] if cells[mark] in MARKS.values() else ""
        labels.labels.append(ReadLabel(cells[file], classes, marked))
    return labels


def _timelapse(path: Path, found: Columns, options: ReadOptions) -> ReadLabels:
    """Read Timelapse's table, whose photos are named by a folder and a file."""
    folder, file = found.titles.index("relativepath"), found.titles.index("file")
    found.rows = [
        [
            *row[:file],
            "\\".join(part for part in (row[folder], row[file]) if part),
            *row[file + 1 :],
        ]
        if max(folder, file) < len(row)
        else row
        for row in found.rows
    ]
    found.names[folder] = found.titles[folder] = ""
    tell_columns(path, found, options)
    found.file = file
    labels = _usual(path, found, options)
    labels.file_columns, labels.file_column = [found.names[file]], found.names[file]
    return labels


def _via(path: Path, found: Columns, options: ReadOptions) -> ReadLabels:
    """Read the VGG Image Annotator's table, a row a region, with JSON in its cells."""
    file, whole, region = (
        found.titles.index(title) for title in ("filename", "fileattributes", "regionattributes")
    )
    labels = ReadLabels()
    rows = [
        (row[file], _json(row[whole]), _json(row[region]))
        for row in found.rows
        if max(file, whole, region) < len(row)
    ]
    questions = dict.fromkeys(
        name for _, of_file, _ in rows for name, value in of_file.items() if names_in(value)
    )
    question = options.label_column or next(iter(questions), "")
    labels.label_columns, labels.label_column = list(questions), question
    labels.must_choose = len(questions) > 1
    for name, of_file, of_region in rows:
        boxes = tuple(one for value in of_region.values() for one in names_in(value))
        labels.labels.append(ReadLabel(name, names_in(of_file.get(question)), "", boxes))
    return labels


def _label_studio(path: Path, found: Columns, options: ReadOptions) -> ReadLabels:
    """Read Label Studio's CSV or TSV: a row an annotation, a column a question."""
    others = [
        number for number, title in enumerate(found.titles) if title not in _STUDIOS_OWN and title
    ]

    def share_of_files(column: int) -> float:
        cells = [cell for cell in found.cells(column)[:50] if cell.strip()]
        return sum(map(looks_like_file, cells)) / max(1, len(cells))

    if not others or not max(map(share_of_files, others)):
        return _usual(path, tell_columns(path, found, options), options)
    file = max(others, key=share_of_files)
    questions: list[int] = []
    boxes: list[int] = []
    for number in others:
        if number == file:
            continue
        cells = [cell for cell in found.cells(number) if cell.strip()]
        (boxes if any(_is_boxes(cell) for cell in cells) else questions).append(number)
    answers: dict[str, list[Answers]] = {}
    for row in found.rows:
        cells = [*row, *[""] * (len(found.names) - len(row))]
        given = {found.names[number]: names_in(_loose_json(cells[number])) for number in questions}
        given[""] = tuple(one for number in boxes for one in _boxes_in(cells[number]))
        answers.setdefault(file_of({"image": cells[file]}), []).append(given)
    return chosen_answers(path, answers, options, is_flat=True)


def _open_images(path: Path, found: Columns, options: ReadOptions) -> ReadLabels:
    """Read Open Images' labels, of which those with confidence 0 say what is not there."""
    file, label, sure = (
        found.titles.index(title) for title in ("imageid", "labelname", "confidence")
    )
    names: dict[str, str] = {}
    for place in sorted(path.parent.glob("*class-descriptions*.csv"))[:1]:
        names = {row[0]: row[1] for row in read_sheet(place, options).rows if len(row) > 1}
    labels = ReadLabels(by_stem=True)
    for row in found.rows:
        if max(file, label, sure) < len(row):
            is_there = row[sure].strip() not in ("0", "0.0", "")
            classes = (names.get(row[label], row[label]),) if is_there else ()
            boxes = classes if found.has_boxes else ()
            labels.labels.append(ReadLabel(row[file], () if boxes else classes, "", boxes))
    return labels


def _cloud(path: Path, found: Columns, options: ReadOptions) -> ReadLabels:
    """Read Google's import files: the set, if given, a photo in a bucket, and its classes."""
    labels = ReadLabels()
    for row in found.rows:
        cells = row[1:] if row and row[0].strip().casefold() in (*_SETS, "") else row
        if not cells or not cells[0].strip():
            continue
        file, *rest = cells
        is_boxes = len(rest) > 4 and any(is_number(cell) for cell in rest[1:])
        classes = tuple(cell.strip() for cell in (rest[:1] if is_boxes else rest) if cell.strip())
        labels.labels.append(
            ReadLabel(file, () if is_boxes else classes, "", classes if is_boxes else ())
        )
    return labels


def _drawn(path: Path, found: Columns, options: ReadOptions) -> ReadLabels:
    """Read MakeSense's boxes as they were once written: no header, the class before the photo."""
    label, file = (
        0,
        next(number for number, cell in enumerate(found.rows[0]) if looks_like_file(cell)),
    )
    return ReadLabels(
        [ReadLabel(row[file], (), "", (row[label],)) for row in found.rows if file < len(row)]
    )


def _is_cloud(found: Columns) -> bool:
    if found.titles[0] != "column1":
        return False
    starts = [row[0].strip().casefold() for row in found.rows[:20] if row]
    buckets = [start.startswith(_BUCKETS) for start in starts]
    has_sets = any(cell.strip().startswith(_BUCKETS) for row in found.rows[:20] for cell in row[:2])
    return has_sets and all(
        is_bucket or start in (*_SETS, "") for is_bucket, start in zip(buckets, starts, strict=True)
    )


def _is_drawn(found: Columns) -> bool:
    """Return whether each row is a class, some numbers, a photo and its size."""
    first = found.rows[0] if found.rows else []
    return (
        found.titles[0] == "column1"
        and len(first) >= 6
        and not looks_like_file(first[0])
        and any(map(looks_like_file, first))
        and sum(is_number(cell) or cell.strip().isdigit() for cell in first) >= len(first) - 2
    )


def _has(*titles: str) -> Callable[[Columns], bool]:
    return lambda found: set(titles) <= set(found.titles)


def _listed(cell: str) -> tuple[str, ...]:
    """Return the classes of a cell that was a JSON value."""
    return names_in(_loose_json(cell)) if cell[:1] in ("[", "{") else names_in(cell)


def _json(cell: str) -> dict[str, object]:
    found = _loose_json(cell)
    return found if isinstance(found, dict) else {}


def _loose_json(cell: str) -> object:
    """Return the JSON in a cell, else its text."""
    if cell[:1] not in ("[", "{"):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def _is_boxes(cell: str) -> bool:
    found = _loose_json(cell)
    return isinstance(found, list) and any(isinstance(one, dict) and "x" in one for one in found)


def _boxes_in(cell: str) -> Sequence[str]:
    found = _loose_json(cell)
    names: list[str] = []
    for one in found if isinstance(found, list) else []:
        for key, value in one.items() if isinstance(one, dict) else ():
            if key.endswith("labels"):
                names += names_in(value)
    return names


_LAYOUTS: tuple[
    tuple[Callable[[Columns], bool], Callable[[Path, Columns, ReadOptions], ReadLabels]], ...
] = (
    (_has("file", "relativepath", "label", "mark"), _own),
    (_has("file", "relativepath"), _timelapse),
    (_has("filename", "fileattributes", "regionattributes"), _via),
    (_has("annotationid", "leadtime"), _label_studio),
    (_has("imageid", "labelname", "confidence"), _open_images),
    (_is_cloud, _cloud),
    (_is_drawn, _drawn),
)
"""Layouts by what tells them, the more special first."""
