"""``labels export|import|stats``: labels of a project, in and out."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from core.cli.terminal import (
    ALL_DONE,
    SOME_FAILED,
    STANDARD_OUTPUT,
    Parser,
    ProgressLine,
    path_option,
    say,
    say_result,
    write_json,
)
from core.errors import DroplensError, LabelsError
from core.labels import exporting, importing
from core.labels.formats.table import FORMATS, find_format, guess_format
from core.labels.importing import ImportPlan
from core.labels.plans import TRANSFERS, USUAL_SPLIT, ExportOptions, Plan, Split
from core.labels.reading import ReadOptions
from core.labels.records import count
from core.labels.store import LabelStore
from core.language import lazy, tr

_SHOWN_TARGETS = 10


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add ``labels`` and what it can do."""
    labels = commands.add_parser("labels", help=tr("labels of a project: export, import, stats"))
    inner = labels.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    _add_export(inner)
    _add_import(inner)
    stats = inner.add_parser("stats", help=tr("count labels"))
    stats.set_defaults(command=_stats)
    _add_project(stats)
    stats.add_argument("--json", action="store_true", help=tr("print JSON"))


def _add_export(inner: argparse._SubParsersAction[Parser]) -> None:
    export = inner.add_parser("export", help=tr("write labels for the next tool"))
    export.set_defaults(command=_export)
    _add_project(export)
    writable = [one.name for one in FORMATS.values() if one.write is not None]
    export.add_argument("--format", required=True, choices=writable)
    export.add_argument(
        "--to", required=True, type=path_option, metavar="PATH", help=tr("folder, or file to write")
    )
    export.add_argument("--only", choices=exporting.WHICH, default="labelled")
    export.add_argument("--class", dest="only_class", metavar="NAME", help=tr("only this class"))
    export.add_argument(
        "--predictions", action="store_true", help=tr("write what the model says, too")
    )
    export.add_argument("--transfer", choices=TRANSFERS, default="copy", help=tr("of the photos"))
    export.add_argument("--keep-folders", action="store_true", help=tr("keep subfolders of photos"))
    usual = ",".join(map(str, USUAL_SPLIT))
    export.add_argument(
        "--split",
        type=_split,
        metavar=usual,
        help=tr("shares of train, val and test, class by class"),
    )
    export.add_argument("--seed", type=int, default=0, help=tr("of the split"))
    export.add_argument(
        "--template", type=path_option, metavar="FILE", help=tr("Kaggle's sample_submission.csv")
    )
    export.add_argument("--dry-run", action="store_true", help=tr("say what would be written"))


def _add_import(inner: argparse._SubParsersAction[Parser]) -> None:
    take = inner.add_parser("import", help=tr("read labels of other tools"))
    take.set_defaults(command=_import)
    _add_project(take)
    take.add_argument("--format", choices=list(FORMATS), help=tr("found out where it is not given"))
    take.add_argument(
        "source", type=path_option, metavar="PATH", help=tr("file or folder of labels")
    )
    take.add_argument(
        "--images", action="append", type=path_option, default=[], metavar="FOLDER",
        help=tr("where the photos lie"),
    )  # fmt: skip
    take.add_argument(
        "--column", default="", metavar="NAME", help=tr("column, question or field of the classes")
    )
    take.add_argument("--file-column", default="", metavar="NAME", help=tr("column of the photos"))
    take.add_argument(
        "--encoding", default="", metavar="NAME", help=tr("of the letters, e.g. cp1252")
    )
    take.add_argument(
        "--boxes", action="store_true", help=tr("take the classes of boxes on a photo")
    )
    take.add_argument("--dry-run", action="store_true", help=tr("say what would be labelled"))


def _add_project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--project", required=True, type=path_option, metavar="FILE", help="FILE.droplens"
    )


def _export(options: argparse.Namespace) -> int:
    chosen = ExportOptions(
        options.transfer,
        options.keep_folders,
        options.split,
        options.seed,
        options.predictions,
        options.template,
    )
    form, target = find_format(options.format), options.to.absolute()
    _refuse_useless(options)
    with _opened(options.project) as store:
        met, _ = store.register(map(Path, store.files()), listed=False)
        if met.changed:
            say(
                tr(
                    "{n} photos were changed since they were labelled, for instance {changed}.",
                    n=len(met.changed),
                    changed=met.changed[0],
                )
            )
        photos = exporting.choose(store, options.only, options.only_class)
        plan = exporting.plan_export(store, photos, form, target, chosen)
        for note in plan.notes:
            say(note)
        if options.dry_run:
            _say_plan(plan, target if form.takes_photos else target.parent)
            return ALL_DONE
        progress = ProgressLine()
        try:
            report = exporting.carry_out(
                plan, form, target, chosen, store.note_moves, lambda done, _: progress.show(done)
            )
        finally:
            progress.end()
    for sentence in report.failed:
        say(sentence)
    sentence = lazy("{written} files written to {target}.")
    if report.present:
        sentence = lazy("{written} files written to {target}, {present} were there already.")
    say_result(tr(sentence, written=report.written, target=target, present=report.present))
    return SOME_FAILED if report.failed else ALL_DONE


def _refuse_useless(options: argparse.Namespace) -> None:
    """Say so where an option means nothing for the format; it would be passed over silently."""
    form = FORMATS[options.format]
    useless = {
        "--split": options.split is not None and not form.splits,
        "--keep-folders": options.keep_folders and not form.keeps_folders,
        "--predictions": options.predictions and not form.says_predictions,
        "--template": options.template is not None and not form.takes_template,
        "--transfer": options.transfer != "copy" and not form.takes_photos,
    }
    for option, is_useless in useless.items():
        if is_useless:
            raise DroplensError(
                "{option} means nothing for the format {name}; leave it out.",
                option=option,
                name=form.name,
            )


def _import(options: argparse.Namespace) -> int:
    source = options.source.absolute()
    if not source.exists():
        raise LabelsError(
            "The labels in {source} could not be read: it is not there.", source=source
        )
    form = find_format(options.format) if options.format else guess_format(source)
    chosen = ReadOptions(options.encoding, options.file_column, options.column, options.boxes)
    with _opened(options.project, may_make=True) as store:
        plan = importing.plan_import(store, form, source, options.images, options=chosen)
        importing.refuse_useless(plan)
        for note in plan.notes:
            say(note)
        if options.dry_run:
            _say_preview(plan)
        else:
            importing.carry_out(plan, store)
    sentence = lazy("{n} photos labelled from {title}; {new} new classes.")
    if options.dry_run:
        sentence = lazy("{n} photos would be labelled from {title}; {new} new classes.")
    new = len(plan.new_classes)
    said = tr(sentence, n=len(plan.labels), title=form.title, new=new)
    if plan.differing:
        said += " " + tr("{n} of them had another label.", n=plan.differing)
    say_result(said)
    return SOME_FAILED if plan.missing else ALL_DONE


def _say_preview(plan: ImportPlan) -> None:
    """Say how a file was read, with its first rows and the classes that come of it."""
    read = plan.read
    if plan.decoded is not None:
        say_result(f"Encoding: {plan.decoded.encoding}")
    if read.file_column:
        say_result(tr("Photos: column “{file_column}”", file_column=read.file_column))
    if read.label_column:
        say_result(tr("Classes: column “{label_column}”", label_column=read.label_column))
    for file, classes in plan.samples:
        say_result(f"  {file}: {', '.join(classes) or 'no class'}")
    for name, photos in plan.counts.items():
        say_result(f"{photos:>8,}  {name}")


def _stats(options: argparse.Namespace) -> int:
    with _opened(options.project) as store:
        found = count(store)
    if options.json:
        write_json(found.to_json(), STANDARD_OUTPUT)
        return ALL_DONE
    say_result(
        tr(
            "{labelled} of {photos} photos are labelled, {today} today.",
            labelled=found.labelled,
            photos=found.photos,
            today=found.today,
        )
    )
    for name, photos in (*found.by_class.items(), *found.by_mark.items()):
        say_result(f"{photos:>8,}  {name}")
    if found.agreed or found.corrected:
        say_result(
            tr(
                "The model had proposed {agreed} of these labels; {corrected} are other ones.",
                agreed=found.agreed,
                corrected=found.corrected,
            )
        )
    return ALL_DONE


def _opened(path: Path, *, may_make: bool = False) -> LabelStore:
    path = path.absolute()
    if not may_make and not path.is_file():
        raise LabelsError(
            "There is no project {path}; give the file that holds the labels.", path=path
        )
    store = LabelStore(path)
    if store.notice:
        say(store.notice)
    return store


def _say_plan(plan: Plan, root: Path) -> None:
    say_result(
        tr(
            "{n} photos and {n_2} files would be written to {root}:",
            n=len(plan.files),
            n_2=len(plan.texts),
            root=root,
        )
    )
    for one in plan.files[:_SHOWN_TARGETS]:
        say_result(f"  {one.target}")
    if len(plan.files) > _SHOWN_TARGETS:
        say_result("  …")
    for name in plan.texts:
        say_result(f"  {name}")


def _split(text: str) -> Split:
    parse: Callable[[str], float] = float
    try:
        train, val, test = map(parse, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            tr("{text!r} is not three numbers, such as 0.8,0.1,0.1", text=text)
        ) from None
    if train <= 0 or min(val, test) < 0 or not all(map(math.isfinite, (train, val, test))):
        raise argparse.ArgumentTypeError(tr("train needs a share above 0, and none is below 0"))
    return train, val, test
