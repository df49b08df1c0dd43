"""Which columns of a table name the photos and which hold their classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.csv_cells import unguarded
from core.errors import LabelsError
from core.labels.formats.cells import share
from core.labels.formats.tables import PLAIN_RELATIVE
from core.labels.locating import looks_like_file
from core.labels.reading import ReadOptions, unreadable
from core.labels.sheets import Sheet
from core.language import tr

FILES = tuple(
    "filename file filepath filepaths relativepath absolutepath imagepath imgpath path pathname "
    "imagefilename imagefile image imagename imagenames imgname imgfile img fname photo photoname "
    "photofile picture imageindex imageid imgid idcode isicid photoid mediafile sourcefile "
    "sourceref externalid originalfilename name id nr nummer number bild foto datei dateiname "
    "archivo imagen fichier plik nombre 图片 文件名 图像 画像 ファイル файл фото "
    "uuid imageurl imguri imageuri imgurl url uri location".split()
)
"""Columns of photos, as people and data sets call them; the likelier first."""

LABELS = tuple(
    "label labels classlabel classname class classes category categoryname categories labelname "
    "labelnames labeltext commonname vernacularname speciesname species scientificname "
    "speciesguess taxon taxonname organism animal "
    "breed breedname tag tags tagname diagnosis dx findinglabels finding disease diseasetype "
    "target targets classid categoryid labelid levelname level grade emotion sport style variety "
    "product articletype choice choices klasse klasa kategoria kategorie art etikett clase "
    "categoria especie etiqueta classe espece etiquette 类别 标签 分类 "
    "種類 クラス ラベル класс метка".split()
)
"""Columns of classes; the likelier first."""

_NEVER = frozenset(
    "confidence score probability prob conf split set subset fold isvalid usage partition mluse "
    "date time datetime timestamp createdat updatedat width height size filesize xmin ymin xmax "
    "ymax bboxx bboxy bboxwidth bboxheight bboxleft bboxtop bboxright bboxbottom imagewidth "
    "imageheight fileheight filewidth scoreweight validationweight sha256 md5 hash lesionid "
    "patientid deleteflag imagequality utcoffset markfordeletion folder rootfolder datatype "
    "humanverified maxconfidence ndetections setby".split()
)
"""Columns that hold no classes."""

_RARELY = frozenset(
    "source dxtype sex gender age comment comments notes note annotator when mark year month day "
    "dataset x y w h photographer user username observer analyst site station location count "
    "license copyright uwagi bemerkung bemerkungen ort fotograf".split()
)
"""Columns that seldom hold them; they are taken only if a person says so."""

_BOX_COLUMNS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("bboxx", "bboxy", "bboxwidth", "bboxheight"),
    ("bboxleft", "bboxtop", "bboxright", "bboxbottom"),
    ("x1", "y1", "x2", "y2"),
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("bbox",),
    ("box",),
    ("boundingbox",),
    ("segmentation",),
    ("polygon",),
    ("predictionstring",),
)
_SURELY = frozenset(
    "label labels class classname classlabel target targets classid labelid".split()
)
"""Columns that hold the classes, whatever stands beside them."""

_SETS = frozenset("split set subset fold usage partition istest istrain isval validation".split())
_FLAGS = frozenset("isvalid humanverified deleteflag isblank flipped augmented confidence".split())
"""Columns of yes or no that are no classes."""

_RANKS = ("order", "family", "genus")
_FOLDERS = ("directory", "relativepath", "deploymentid", "folder", "station")
_SAMPLED = 50
_MOSTLY = 0.5
_FEW_ROWS = 12
_UNNAMED = re.compile(r"|unnamed\d*|index")


@dataclass
class Columns:
    """A table with its columns told apart.

    Attributes:
        names: of the columns, as they are shown.
        titles: the same, bare of blanks, capitals and signs.
        rows: without the header.
        file: number of the column that names the photos.
        labels: numbers of the columns of the classes: one, or one a class.
        files: columns that may name the photos.
        choices: columns that may hold the classes.
        rivals: columns other than those chosen whose names say that they hold classes.
        must_choose: whether there was no reason to prefer one of them.
        is_one_hot: whether each class has a column.
    """

    names: list[str]
    titles: list[str]
    rows: list[list[str]]
    file: int = 0
    labels: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    choices: list[int] = field(default_factory=list)
    rivals: list[int] = field(default_factory=list)
    must_choose: bool = False
    is_one_hot: bool = False

    def column(self, title: str) -> int | None:
        """Return the number of a column by its bare name."""
        return self.titles.index(title) if title in self.titles else None

    def cells(self, column: int) -> list[str]:
        """Return all cells of a column; "" where a row is short."""
        return [row[column] if column < len(row) else "" for row in self.rows]

    @property
    def has_boxes(self) -> bool:
        """Return whether each row is a box drawn on a photo."""
        return any(set(corners) <= set(self.titles) for corners in _BOX_COLUMNS)


def tell_columns(path: Path, found: Columns, options: ReadOptions) -> Columns:
    """Tell the columns of a table apart, and return it with what they are.

    Raises:
        LabelsError: none names photos, or none holds classes; the sentence says which there are.
    """
    _find_files(path, found, options)
    _find_labels(path, found, options)
    return found


def with_header(sheet: Sheet, options: ReadOptions) -> Columns:
    """Return a table with its header apart, made where it has none."""
    rows = list(sheet.rows)
    if PLAIN_RELATIVE not in rows[0]:  # what is written for spreadsheets is guarded
        rows = [[unguarded(cell) for cell in row] for row in rows]
    width = max(map(len, rows))
    if _has_header(rows, options):
        names = [name.strip().lstrip("#") for name in rows[0]]
        names += [""] * (width - len(names))
        rows = rows[1:]
    else:
        names = [f"column {number}" for number in range(1, width + 1)]
    return Columns(names, [bare(name) for name in names], rows)


def bare(title: str) -> str:
    """Return a column's name without blanks, capitals and signs."""
    return re.sub(r"[\s_\-.:#?()]+", "", title.casefold()) or title.casefold()


def _has_header(rows: Sequence[Sequence[str]], options: ReadOptions) -> bool:
    first = rows[0]
    if any(looks_like_file(cell) for cell in first):
        return False
    if {bare(cell) for cell in first} & {*FILES}:
        return True
    return not any(cell.strip() and options.is_there(cell) for cell in first)


def _find_files(path: Path, found: Columns, options: ReadOptions) -> None:
    sampled = found.rows[:_SAMPLED]

    def worth(column: int) -> tuple[float, float, int]:
        cells = [row[column] for row in sampled if column < len(row) and row[column].strip()]
        there = sum(map(options.is_there, cells)) / max(1, len(cells))
        named = sum(map(looks_like_file, cells)) / max(1, len(cells))
        title = found.titles[column]
        rank = -FILES.index(title) if title in FILES else -len(FILES)
        if title in LABELS and not named:
            there = 0.0
        if title in FILES and title not in LABELS and there:
            there = 1.0
        return round(there, 1), round(named, 1), rank

    worths = {
        number: worth(number)
        for number in range(len(found.names))
        if not _UNNAMED.fullmatch(found.titles[number])
    }
    found.files = [
        number
        for number, (there, named, rank) in worths.items()
        if there >= _MOSTLY or named >= _MOSTLY or rank > -len(FILES)
    ]
    if options.file_column:
        found.file = _asked(path, found, options.file_column)
        found.files = list(dict.fromkeys([*found.files, found.file]))
        return
    if not found.files:
        raise unreadable(
            path,
            tr(
                "none of its columns seems to name photos ({listed}); say which one does",
                listed=_listed(found.names),
            ),
        )
    found.file = max(found.files, key=lambda number: worths[number])
    _add_folders(found)


def _add_folders(found: Columns) -> None:
    """Put the folders that stand in another column before the names of photos.

    So that photos of one name in several folders are kept apart.
    """
    cells = found.cells(found.file)
    if any("/" in cell or "\\" in cell for cell in cells):
        return
    for title in _FOLDERS:
        column = found.column(title)
        if column is None or column == found.file:
            continue
        folders = found.cells(column)
        pairs = set(zip(folders, cells, strict=True))
        if title in ("directory", "relativepath") or len(pairs) > len(set(cells)):
            found.rows = [list(row) for row in found.rows]
            for row, folder, cell in zip(found.rows, folders, cells, strict=True):
                if folder.strip() and found.file < len(row):
                    row[found.file] = f"{folder.rstrip('/')}/{cell}"
            return


def _find_labels(path: Path, found: Columns, options: ReadOptions) -> None:
    candidates = [
        number
        for number, title in enumerate(found.titles)
        if number != found.file and not _UNNAMED.fullmatch(title)
    ]
    others = [
        number
        for number in candidates
        if found.titles[number] not in (_NEVER | _FLAGS | _SETS)
        and not found.titles[number].endswith(("path", "url", "uri"))
    ]
    named = [number for number in others if found.titles[number] in LABELS]
    if all(rank in found.titles for rank in _RANKS):  # there "class" is Mammalia
        named = [number for number in named if found.titles[number] != "class"]
    named.sort(key=lambda number: LABELS.index(found.titles[number]))
    texts = [number for number in named if not _are_numbers(found.cells(number))]
    possible = [number for number in others if _may_be_classes(found, number)]
    likely = [number for number in possible if found.titles[number] not in _RARELY]
    found.choices = list(dict.fromkeys([*named, *likely, *possible]))
    if options.label_column:
        found.labels = [_asked(path, found, options.label_column)]
        found.choices = list(dict.fromkeys([*found.choices, *found.labels]))
        return
    hot = [
        number
        for number in candidates
        if found.titles[number] not in (_FLAGS | _SETS) and _is_hot(found.cells(number))
    ]
    rest = [number for number in others if number not in hot and number not in found.files]
    is_label = any(found.titles[number] in _SURELY for number in named)
    is_hot = len(hot) > 1 and not rest and not is_label
    if is_hot:
        found.labels, found.is_one_hot = hot, True
    elif named:
        found.labels = [(texts or named)[0]]
        found.rivals = [number for number in named if number not in found.labels]
    elif possible:
        found.labels = (likely or possible)[:1]
        found.must_choose = len(possible) > 1 or not likely
        found.rivals = [number for number in possible if number not in found.labels]
    else:
        raise unreadable(
            path,
            tr(
                "none of its columns seems to hold classes ({listed}); say which one does",
                listed=_listed(found.names),
            ),
        )


def _may_be_classes(found: Columns, column: int) -> bool:
    """Return whether a column nobody named like one may hold classes: some of them again."""
    cells = [cell.strip() for cell in found.cells(column) if cell.strip()]
    is_few = len(cells) <= _FEW_ROWS
    if not cells or (column in found.files and not is_few and len(set(cells)) == len(cells)):
        return False
    if any(map(looks_like_file, cells[:_SAMPLED])):
        return False
    if any("." in cell and share(cell) is None and is_number(cell) for cell in cells[:_SAMPLED]):
        return False
    return is_few or len(set(cells)) < len(cells)


def _is_hot(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells) and all(share(cell) is not None for cell in cells)


def _are_numbers(cells: Sequence[str]) -> bool:
    return all(is_number(cell) for cell in cells if cell.strip())


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number, whole or not, of any sign and size."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _asked(path: Path, found: Columns, wanted: str) -> int:
    """Return the column that a person asks for, by its name or number.

    Raises:
        LabelsError: there is no such column.
    """
    for number, name in enumerate(found.names):
        if name == wanted:
            return number
    if bare(wanted) in found.titles:
        return found.titles.index(bare(wanted))
    if wanted.isdigit() and 1 <= int(wanted) <= len(found.names):
        return int(wanted) - 1
    raise LabelsError(
        "{path} has no column “{wanted}”; it has {listed}.",
        path=path,
        wanted=wanted,
        listed=_listed(found.names),
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name[:40]}”" for name in names[:20])
    return shown + (", …" if len(names) > 20 else "")
