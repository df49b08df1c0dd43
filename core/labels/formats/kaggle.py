"""Kaggle's submissions: the user's sample_submission.csv gives header and order of the rows."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from core.csv_cells import Writer
from core.errors import LabelsError
from core.labels.plans import ExportOptions, Plan, common_folder, relative_to
from core.labels.reading import ReadOptions
from core.labels.records import LabelledPhoto
from core.labels.sheets import read_sheet
from core.language import tr

_ID, _LABEL = "image_id", "label"


def write(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], target: Path, options: ExportOptions
) -> Plan:
    """Plan a table in the form of the template, else ``image_id,label``.

    Raises:
        LabelsError: the template cannot be read, or photos of it are missing.
    """
    plan = Plan()
    by_id = _by_id(photos, plan)
    if options.template is None:
        several = any(len(one.classes) > 1 for one in photos)
        header = [_ID, *classes] if several else [_ID, _LABEL]
        ids = list(by_id)
    else:
        header, *rows = read_sheet(options.template, ReadOptions()).rows
        ids = [row[0] for row in rows]
        _refuse_unlike(header, classes, options.template)
    text = io.StringIO(newline="")
    writer = Writer(text, quotes=False)
    is_own = options.template is None  # else Kaggle compares header and ids with its own
    writer.write(header if is_own else [], as_given=[] if is_own else header)
    missing = [one for one in ids if _of(one, by_id) is None]
    if missing:
        raise LabelsError(
            "{n} of {n_2} photos of the template have no label here, the first is "
            "“{missing}”; label them, or leave the template out.",
            n=len(missing),
            n_2=len(ids),
            missing=missing[0],
        )
    for one in ids:
        photo = _of(one, by_id)
        assert photo is not None
        cells = _cells(photo, header[1:], options)
        writer.write([one, *cells] if is_own else cells, as_given=[] if is_own else [one])
    plan.texts[target.name] = text.getvalue().encode("utf-8", "surrogateescape")
    return plan


def _by_id(photos: Sequence[LabelledPhoto], plan: Plan) -> dict[str, LabelledPhoto]:
    """Return photos by name without ending; those of one name by their path, whole if need be."""
    kept = [one for one in photos if one.classes]
    if len(kept) < len(photos):
        plan.notes.append(
            tr("{n} photos have no class and are left out.", n=len(photos) - len(kept))
        )
    common = common_folder(kept)
    stems = [one.path.stem for one in kept]
    paths = [_without_ending(relative_to(one, common), one) for one in kept]
    wholes = [relative_to(one, common) for one in kept]
    same_stem, same_path = Counter(stems), Counter(paths)
    return {
        stem if same_stem[stem] == 1 else path if same_path[path] == 1 else whole: one
        for stem, path, whole, one in zip(stems, paths, wholes, kept, strict=True)
    }


def _without_ending(path: str, one: LabelledPhoto) -> str:
    return path[: len(path) - len(one.path.suffix)]


def _of(one: str, by_id: dict[str, LabelledPhoto]) -> LabelledPhoto | None:
    is_bare = "/" not in one and "\\" not in one
    return by_id.get(one) or (by_id.get(Path(one).stem) if is_bare else None)


def _refuse_unlike(header: Sequence[str], classes: Sequence[str], template: Path) -> None:
    unknown = [name for name in header[1:] if name not in classes]
    if len(header) > 2 and unknown:
        raise LabelsError(
            "The template {template} has columns that are no classes here: {names}; name "
            "the classes as the template does.",
            template=template,
            names=", ".join(unknown[:5]),
        )


def _cells(one: LabelledPhoto, names: Sequence[str], options: ExportOptions) -> list[str]:
    if len(names) == 1:
        return [" ".join(one.classes)]
    said = one.prediction or one.seen
    if options.with_predictions and said is not None:
        shares = dict(said.top)
        return [f"{shares.get(name, 0.0):.6f}" for name in names]
    return ["1" if name in one.classes else "0" for name in names]
