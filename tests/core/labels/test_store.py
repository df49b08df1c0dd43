from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.errors import LabelsError
from core.labels import backups, database, schema
from core.labels.changes import Labelling
from core.labels.classes import REJECT, UNSURE, Labels
from core.labels.photos import content_of
from core.labels.records import count, read_records
from core.labels.store import LabelStore
from core.values.predictions import ClassProbability, Prediction
from tests.specs import make_spec

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "My labels.droplens"


@pytest.fixture
def store(project: Path) -> Iterator[LabelStore]:
    with LabelStore(project) as made:
        made.edit_classes("add", made.classes.add(["cat", "dog", "owl"]))
        yield made


def photo(folder: Path, name: str, content: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content or name)
    return path


def label(store: LabelStore, path: Path, *classes: int) -> None:
    store.label([Labelling(path, classes)])


def prediction(path: Path, first: str = "bee") -> Prediction:
    spec = make_spec(names=("ant", "bee"))
    index = spec.class_names.index(first)
    top = (ClassProbability(index, first, 0.75), ClassProbability(1 - index, "x", 0.25))
    return Prediction(path, top, None, spec)


def test_a_label_is_there_after_opening_again(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "Jörg 张伟/猫 é.jpg")
    label(store, path, 2)
    store.close()
    with LabelStore(store.path) as again:
        assert again.label_of(path) == (2,)
        assert again.state().labels == {str(path): (2,)}
        assert again.classes.names == ("cat", "dog", "owl")


def test_an_event_says_what_it_was_seen_beside(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    store.label([Labelling(path, (1,), prediction(path))], "proposal")
    store.note_content({str(path): content_of(path)})
    store.note_predictions([prediction(path, "ant")])
    (record,) = read_records(store)
    assert (record.path, record.classes, record.who) == (path, ("cat",), "proposal")
    assert record.size == path.stat().st_size
    assert record.sha256 == content_of(path).sha256.hex()
    assert record.seen is not None
    assert record.seen.top == (("bee", 0.75), ("ant", 0.25))
    assert record.seen.version == "resnet18@00000000"
    assert record.seen.model["preprocessing"]["crop"] == [224, 224]
    assert record.prediction is not None
    assert record.prediction.name == "ant"
    assert record.is_corrected
    assert record.is_disagreeing


def test_undo_and_redo_reach_over_restarts(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    label(store, path, 1)
    label(store, path, 2)
    store.undo()
    store.close()
    with LabelStore(store.path) as again:
        assert again.label_of(path) == (1,)
        assert (again.state().undo, again.state().redo) == ("label", "label")
        assert again.redo().labels == {str(path): (2,)}
        again.undo()
        again.undo()
        assert again.label_of(path) == ()
        assert again.undo().classes.names == ()
        assert again.undo().undo == ""


def test_a_new_step_ends_what_could_be_done_again(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    label(store, path, 1)
    store.undo()
    label(store, path, 3)
    assert store.redo().redo == ""
    assert store.label_of(path) == (3,)


def test_hundreds_are_one_step(store: LabelStore, tmp_path: Path) -> None:
    paths = [photo(tmp_path, f"{number}.jpg") for number in range(300)]
    changed = store.label([Labelling(path, (1,)) for path in paths])
    assert len(changed.labels) == 300
    assert not any(store.undo().labels.values())


def test_a_class_that_comes_with_labels_goes_with_them(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    classes = store.classes.add(["hen"])
    store.label([Labelling(path, (4,))], "proposal", classes)
    assert store.undo().classes.names == ("cat", "dog", "owl")


def test_a_moved_photo_keeps_its_label(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg", "the very photo")
    label(store, path, 2)
    store.note_content({name: content_of(Path(name)) for name in store.without_content()})
    moved = path.rename(tmp_path / "elsewhere.jpg")
    met, change = store.register([moved])
    assert met.moved == {str(path): str(moved)}
    assert change.labels == {str(moved): (2,)}


def test_a_copy_is_a_photo_of_its_own(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg", "twice")
    label(store, path, 2)
    store.note_content({str(path): content_of(path)})
    met, change = store.register([photo(tmp_path, "b.jpg", "twice")])
    assert not met.moved
    assert not change.labels
    assert store.label_of(path) == (2,)


def test_two_photos_that_change_places_keep_their_labels(store: LabelStore, tmp_path: Path) -> None:
    one, two = photo(tmp_path, "a.jpg", "first one"), photo(tmp_path, "b.jpg", "second")
    label(store, one, 1)
    label(store, two, 2)
    store.note_content({name: content_of(Path(name)) for name in store.without_content()})
    aside = one.rename(tmp_path / "c.jpg")
    two.rename(one)
    aside.rename(two)
    store.register([one, two])
    assert (store.label_of(one), store.label_of(two)) == ((2,), (1,))


def test_a_photo_that_was_edited_keeps_its_label_and_is_told_of(
    store: LabelStore, tmp_path: Path
) -> None:
    path = photo(tmp_path, "a.jpg", "before")
    label(store, path, 2)
    store.note_content({str(path): content_of(path)})
    path.write_text("after, and longer")
    met, change = store.register([path])
    assert met.changed == [str(path)]
    assert change.labels == {str(path): (2,)}


def test_a_photo_that_is_away_keeps_its_label(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "drive/a.jpg")
    store.register([path])
    label(store, path, 2)
    path.unlink()
    met, change = store.register([path])
    assert met.away == [str(path)]
    assert change.labels == {str(path): (2,)}
    label(store, path, 3)
    assert store.label_of(path) == (3,)
    assert store.listed() == [str(path)]


def test_a_name_that_is_no_text(store: LabelStore, tmp_path: Path) -> None:
    path = Path(os.fsdecode(bytes(tmp_path) + b"/odd \xff.jpg"))
    path.write_text("odd")
    label(store, path, 1)
    assert store.state().labels == {str(path): (1,)}


def test_the_list_keeps_its_order(store: LabelStore, tmp_path: Path) -> None:
    paths = [photo(tmp_path, name) for name in ("c.jpg", "a.jpg", "b.jpg")]
    store.register(paths)
    store.register(paths[:1])
    assert store.listed() == [str(path) for path in paths]
    store.put_in_order([str(path) for path in sorted(paths)])
    store.take_off([str(paths[2])])
    assert store.listed() == [str(paths[1]), str(paths[0])]
    store.register(paths)
    assert store.listed() == [str(paths[1]), str(paths[0]), str(paths[2])]


def test_statistics(store: LabelStore, tmp_path: Path) -> None:
    paths = [photo(tmp_path, f"{number}.jpg") for number in range(5)]
    store.register(paths)
    store.label([Labelling(paths[0], (1,), prediction(paths[0]))], "proposal")
    label(store, paths[1], 1)
    label(store, paths[2], UNSURE)
    label(store, paths[3], REJECT)
    found = count(store).to_json()
    assert found["by_class"] == {"cat": 2, "dog": 0, "owl": 0}
    assert (found["photos"], found["labelled"], found["unlabelled"]) == (5, 2, 1)
    assert (found["unsure"], found["reject"], found["today"]) == (1, 1, 4)
    assert (found["accepted"], found["corrected"]) == (1, 1)


# The file


def test_one_window_at_a_time(store: LabelStore) -> None:
    script = "import sys; from pathlib import Path; from core.labels.store import LabelStore\n"
    script += "LabelStore(Path(sys.argv[1]))"
    found = subprocess.run(
        [sys.executable, "-c", script, store.path], cwd=ROOT, capture_output=True, check=False
    )
    assert b"another Droplens has it open" in found.stderr
    with pytest.raises(LabelsError, match="another Droplens has it open"):
        LabelStore(store.path)
    store.close()
    LabelStore(store.path).close()


def test_a_copy_is_kept_of_each_day(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    label(store, path, 1)
    store.close()
    LabelStore(store.path).close()
    (copy,) = backups.backups_of(store.path)
    with LabelStore(copy) as of_today:
        assert of_today.label_of(path) == (1,)
    folder = copy.parent
    for day in range(1, 20):
        (folder / f"2001-01-{day:02} {store.path.name}").write_bytes(b"")
    copy.unlink()
    LabelStore(store.path).close()
    kept = [one.name[:10] for one in backups.backups_of(store.path)]
    assert len(kept) == backups.KEPT_BACKUPS
    assert kept[0] > "2026"
    assert "2001-01-01" not in kept


@pytest.mark.parametrize("damage", ["middle", "cut", "nonsense"])
def test_a_damaged_file_is_set_aside_and_the_copy_comes_back(
    store: LabelStore, tmp_path: Path, damage: str
) -> None:
    paths = [photo(tmp_path, f"{number}.jpg") for number in range(500)]
    store.label([Labelling(path, (1,)) for path in paths])
    store.close()
    LabelStore(store.path).close()
    content = bytearray(store.path.read_bytes())
    if damage == "middle":
        content[4096:40960] = b"\xaa" * (40960 - 4096)
    elif damage == "cut":
        del content[len(content) // 2 :]
    else:
        content = bytearray(b"nonsense " * 1000)
    store.path.write_bytes(content)
    with LabelStore(store.path) as again:
        assert "was damaged" in again.notice
        assert again.label_of(paths[0]) == (1,)
    (aside,) = tmp_path.glob("*damaged*")
    assert aside.read_bytes() == content
    assert aside.name in again.notice


def test_a_damaged_file_without_a_copy_gives_an_empty_project(project: Path) -> None:
    project.write_bytes(b"nonsense " * 1000)
    with LabelStore(project) as store:
        assert "there was no copy" in store.notice
        assert store.state().labels == {}


def test_other_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "notes.sqlite"
    with sqlite3.connect(other) as made:
        made.execute("CREATE TABLE notes (text)")
    made.close()
    before = other.read_bytes()
    with pytest.raises(LabelsError, match="not a project of Droplens"):
        LabelStore(other)
    assert other.read_bytes() == before


def test_a_project_of_a_newer_program_is_refused(
    store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = (*schema.MIGRATIONS, "ALTER TABLE photos ADD COLUMN stars INTEGER;")
    store.close()
    with monkeypatch.context() as patch:
        for module in (schema, database, backups):
            patch.setattr(module, "MIGRATIONS", newer)
        with LabelStore(store.path) as migrated:
            assert migrated.classes.names == ("cat", "dog", "owl")
            assert migrated.database.execute("SELECT stars FROM photos").fetchall() == []
    with pytest.raises(LabelsError, match="newer Droplens"):
        LabelStore(store.path)


def test_durability_settings(store: LabelStore) -> None:
    read = store.database.execute
    assert read("PRAGMA journal_mode").fetchone() == ("wal",)
    assert read("PRAGMA synchronous").fetchone() == (2,)


def test_killed_at_any_moment_no_acknowledged_label_is_lost(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.core.labels.killing", tmp_path, "200"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("200 rounds")


def _small_disk(folder: Path, options: str) -> bool:
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not _small_disk(folder, "size=1m"):
            pytest.skip("only root may mount a small disk")
        yield folder
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    kept: dict[Path, Labels] = {}
    path = photo(tmp_path, "a.jpg")
    refusal = ""
    with LabelStore(small_disk / "p.droplens") as store:
        store.edit_classes("add", store.classes.add(["cat", "dog"]))
        (small_disk / "filler").write_bytes(b"x" * 500_000)
        for number in range(20_000):
            path = tmp_path / f"{number}.jpg"
            try:
                label(store, path, 1 + number % 2)
            except LabelsError as error:
                refusal = str(error)
                break
            kept[path] = (1 + number % 2,)
        assert "the disk is full" in refusal
        assert store.label_of(path) == ()
        assert all(store.label_of(one) == labels for one, labels in kept.items())
        (small_disk / "filler").unlink()
        label(store, path, 2)  # there is room again, and the same window goes on
        kept[path] = (2,)
    with LabelStore(small_disk / "p.droplens") as again:
        assert again.notice == ""
        assert again.state().labels == {str(one): labels for one, labels in kept.items()}


def test_a_write_protected_disk_is_a_message(small_disk: Path, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    project = small_disk / "p.droplens"
    with LabelStore(project) as store:
        store.edit_classes("add", store.classes.add(["cat"]))
        label(store, path, 1)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(LabelsError, match=r"write-protected|cannot be written"):
        LabelStore(project)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    with LabelStore(project) as again:
        assert again.label_of(path) == (1,)


def test_a_file_that_becomes_read_only_is_a_message(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    label(store, path, 1)
    store.database.execute("PRAGMA query_only = 1")  # what SQLite does on such a file
    with pytest.raises(LabelsError, match="write-protected"):
        label(store, path, 2)
    assert store.label_of(path) == (1,)
    store.database.execute("PRAGMA query_only = 0")
    label(store, path, 2)


# Any sequence of steps


class AgainstDictionary(RuleBasedStateMachine):
    """The store says what a plain dictionary with a list of its past states says."""

    paths = st.integers(0, 3).map(lambda number: Path(f"/nowhere/{number}.jpg"))

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.project = Path(self.folder.name) / "p.droplens"
        self.store = LabelStore(self.project)
        # labels by name; names in order; what was before, and what was undone
        self.labels: dict[Path, tuple[str, ...]] = {}
        self.names: tuple[str, ...] = ()
        self.past: list[tuple[dict[Path, tuple[str, ...]], tuple[str, ...]]] = []
        self.future: list[tuple[dict[Path, tuple[str, ...]], tuple[str, ...]]] = []

    def step(self) -> None:
        self.past.append((dict(self.labels), self.names))
        self.future.clear()

    @rule(name=st.sampled_from("abcdef"))
    def add(self, name: str) -> None:
        self.step()
        self.store.edit_classes("add", self.store.classes.add([name]))
        if name not in self.names:
            self.names += (name,)

    @precondition(lambda self: self.names)
    @rule(path=paths, data=st.data(), others=st.lists(paths, max_size=2))
    def label(self, path: Path, data: st.DataObject, others: list[Path]) -> None:
        self.step()
        names = tuple(data.draw(st.lists(st.sampled_from(self.names), max_size=2, unique=True)))
        ids = tuple(self.store.classes.id_of(name) or 0 for name in names)
        chosen = dict.fromkeys([path, *others])
        self.store.label([Labelling(one, ids) for one in chosen])
        self.labels.update(dict.fromkeys(chosen, names))

    @precondition(lambda self: self.names)
    @rule(data=st.data(), new=st.sampled_from("uvwxyz"))
    def rename(self, data: st.DataObject, new: str) -> None:
        old = data.draw(st.sampled_from(self.names))
        if new in self.names:
            return
        self.step()
        number = self.store.classes.id_of(old)
        assert number is not None
        self.store.edit_classes("rename", self.store.classes.rename(number, new))
        self._replace(old, new)
        self.names = tuple(new if name == old else name for name in self.names)

    @precondition(lambda self: len(self.names) > 1)
    @rule(data=st.data(), drops=st.booleans())
    def merge_or_remove(self, data: st.DataObject, drops: bool) -> None:
        old, into = data.draw(st.permutations(self.names).map(lambda found: found[:2]))
        numbers = self.store.classes.id_of(old), self.store.classes.id_of(into)
        assert numbers[0] is not None
        assert numbers[1] is not None
        self.step()
        if drops:
            self.store.edit_classes("remove", self.store.classes.remove(numbers[0]))
        else:
            self.store.edit_classes("merge", self.store.classes.merge(numbers[0], numbers[1]))
        self._replace(old, None if drops else into)
        self.names = tuple(name for name in self.names if name != old)

    def _replace(self, old: str, new: str | None) -> None:
        for path, names in self.labels.items():
            changed = [new if name == old else name for name in names]
            self.labels[path] = tuple(dict.fromkeys(name for name in changed if name))

    @rule()
    def undo(self) -> None:
        self.store.undo()
        if self.past:
            self.future.append((dict(self.labels), self.names))
            self.labels, self.names = self.past.pop()

    @rule()
    def redo(self) -> None:
        self.store.redo()
        if self.future:
            self.past.append((dict(self.labels), self.names))
            self.labels, self.names = self.future.pop()

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = LabelStore(self.project)

    @invariant()
    def says_the_same(self) -> None:
        if not hasattr(self, "store"):
            return
        classes = self.store.classes
        assert classes.names == self.names
        present = self.store.state().labels
        said = {Path(file): classes.resolve(labels) for file, labels in present.items()}
        found = {
            path: tuple(classes[one].name for one in labels)
            for path, labels in said.items()
            if labels
        }
        assert found == {path: names for path, names in self.labels.items() if names}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


TestAgainstDictionary = AgainstDictionary.TestCase
TestAgainstDictionary.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


# What could go wrong around a project


def test_reading_the_file_frees_no_lock(store: LabelStore) -> None:
    store.path.read_bytes()  # closing it ends the database's own locks in this process
    script = "import sys; from pathlib import Path; from core.labels.store import LabelStore\n"
    script += "LabelStore(Path(sys.argv[1]))"
    found = subprocess.run(
        [sys.executable, "-c", script, store.path], cwd=ROOT, capture_output=True, check=False
    )
    assert b"another Droplens has it open" in found.stderr


def test_a_link_to_a_project_is_the_same_project(store: LabelStore, tmp_path: Path) -> None:
    alias = tmp_path / "alias.droplens"
    alias.symlink_to(store.path)
    with pytest.raises(LabelsError, match="another Droplens"):
        LabelStore(alias)


@pytest.mark.parametrize("loss", ["emptied", "gone"])
def test_a_file_that_was_lost_comes_back_from_its_copy(
    store: LabelStore, tmp_path: Path, loss: str
) -> None:
    path = photo(tmp_path, "a.jpg")
    label(store, path, 1)
    store.close()
    LabelStore(store.path).close()
    if loss == "gone":
        store.path.unlink()
    else:
        store.path.write_bytes(b"")
    with LabelStore(store.path) as again:
        assert "the copy of" in again.notice
        assert again.label_of(path) == (1,)


def test_copies_of_odd_names_are_found_and_other_files_left_alone(tmp_path: Path) -> None:
    project = tmp_path / "birds [2024] *.droplens"
    with LabelStore(project) as store:
        store.edit_classes("add", store.classes.add(["cat"]))
    LabelStore(project).close()
    assert len(backups.backups_of(project)) == 1
    folder = backups.backups_of(project)[0].parent
    own = folder / f"before merging {project.name}"
    own.write_text("mine")
    for day in range(1, 20):
        (folder / f"2001-01-{day:02} {project.name}").write_bytes(b"")
    backups.backups_of(project)[0].unlink()
    LabelStore(project).close()
    assert own.read_text() == "mine"


def test_a_project_moved_away_while_open_takes_no_more_labels(
    store: LabelStore, tmp_path: Path
) -> None:
    path = photo(tmp_path, "a.jpg")
    store.path.rename(tmp_path / "moved.droplens")
    with pytest.raises(LabelsError, match="moved or deleted while it was open"):
        label(store, path, 1)


def test_a_project_needs_its_ending(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"ends in \.droplens"):
        LabelStore(tmp_path / "labels.db")


def test_a_class_that_is_not_there_cannot_be_given(store: LabelStore, tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="no longer there"):
        label(store, photo(tmp_path, "a.jpg"), 9)


def test_a_number_is_not_given_again_after_undo(store: LabelStore) -> None:
    store.edit_classes("add", store.classes.add(["hen"]))
    assert store.classes.id_of("hen") == 4
    store.undo()
    store.close()
    with LabelStore(store.path) as again:
        again.edit_classes("add", again.classes.add(["fox"]))
        assert again.classes.id_of("fox") == 5


def test_copies_that_are_only_touched_keep_their_own_labels(
    store: LabelStore, tmp_path: Path
) -> None:
    one, two = photo(tmp_path, "a.jpg", "same"), photo(tmp_path, "b.jpg", "same")
    label(store, two, 2)
    label(store, one, 1)
    store.note_content({name: content_of(Path(name)) for name in store.without_content()})
    for path in (one, two):
        os.utime(path, (1, 1))
    met, _ = store.register([one, two])
    assert not met.moved
    assert (store.label_of(one), store.label_of(two)) == ((1,), (2,))
    os.utime(one, (2, 2))
    met, _ = store.register([photo(tmp_path, "c.jpg", "same")])
    assert not met.moved
    assert store.label_of(one) == (1,)


def test_a_photo_replaced_before_its_content_was_known_is_told_of(
    store: LabelStore, tmp_path: Path
) -> None:
    path = photo(tmp_path, "a.jpg", "before")
    label(store, path, 1)
    path.write_text("quite another")
    assert store.register([path])[0].changed == [str(path)]


def test_photos_that_take_each_others_place(store: LabelStore, tmp_path: Path) -> None:
    one, two = photo(tmp_path, "a.jpg"), photo(tmp_path, "b.jpg", "longer content")
    label(store, one, 1)
    label(store, two, 2)
    store.note_moves({str(one): str(two), str(two): str(tmp_path / "c.jpg")})
    assert store.label_of(two) == (1,)
    assert store.label_of(tmp_path / "c.jpg") == (2,)


def test_a_time_beyond_the_calendar(store: LabelStore, tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    try:
        os.utime(path, (2**34, 2**34))
    except (OSError, OverflowError):
        pytest.skip("this disk has no such times")
    met, _ = store.register([path])
    assert str(path) in met.photos
