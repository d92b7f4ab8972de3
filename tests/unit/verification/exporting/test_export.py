"""What is exported, what is not, and that what contradicts a verdict is never lost on the way."""

from contextlib import closing
from dataclasses import replace

import pytest

from pytest_ftc.cli.store import verify
from pytest_ftc.comparison.manifests import digest_manifest
from pytest_ftc.model import (
    BuildRecord,
    BuildResult,
    BuildStatus,
    Metadata,
    Output,
    OutputType,
    Role,
    Verdict,
    Verification,
)
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.store.action_cache import Entry, open_entry, seal_entry
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History, Mark
from pytest_ftc.verification.exporting.export import Exporter
from pytest_ftc.verification.warming.actions import Wanted

KEY = bytes(32)
PROJECT = "/p"
RECORD = BuildRecord(
    action="", artifact="", project=PROJECT, role="control", machine="m", user="u", session="s",
    started=1e9, seconds=1.0, digest="", verdict="reproducible",
)  # fmt: skip


class Case:
    """A store with verdicts, and exports of it."""

    def __init__(self, folder):
        self.folder = folder
        self.store = LocalStore(folder / "store")
        self.store.layout.make()
        self.history = History(self.store.layout, KEY)

    def close(self):
        self.history.close()
        self.store.close()

    def add(self, name, data=b"x", *, project=PROJECT, verdict=Verdict.REPRODUCIBLE, key=KEY, **changes):
        """Store a verdict on the artifact `name`, whose output is `data`; return what asks for it."""
        action, digest = Digest.of(name.encode()).hash, self.store.put(data)
        output = Output(path="out", type=OutputType.FILE, mode="0644", size=digest.size, sha256=digest.hash)
        builds = tuple(
            BuildResult(id=role.value, role=role, environment={}, status=BuildStatus.OK, outputs=(output,), started=1e9)
            for role in (Role.CONTROL, Role.EXPERIMENT)
        )
        known = Verification(id=name, name=name, verdict=verdict, builds=builds)
        mark = self.record(name, data, 2, project=project)
        entry = Entry(
            action=action, asked={}, facilities="", environment="", builds=2, machine="m", made=1e9, traced=False,
            diagnose="off", verification=to_json(known), blobs=(str(digest),), history=mark.generation, row=mark.number,
        )  # fmt: skip
        self.store.put_entry(action, seal_entry(replace(entry, **changes), key))
        return Wanted(artifact=name, id=name, action=action)

    def record(self, name, data, times=1, *, project=PROJECT):
        output = Output(path="out", type=OutputType.FILE, mode="0644", size=len(data), sha256=Digest.of(data).hash)
        digest = digest_manifest([output], Metadata.CONTENT)
        record = replace(RECORD, action=Digest.of(name.encode()).hash, artifact=name, project=project, digest=digest)
        return self.history.add([record] * times)

    def export(self, *wanted, room=1 << 20, name="exported", shared=False):
        exporter = Exporter(self.store, self.history, KEY, PROJECT, shared=shared)
        return exporter.export(wanted, self.folder / name, room)

    def entry(self, wanted, name="exported"):
        with closing(LocalStore(self.folder / name)) as store:
            data = store.get_entry(wanted.action)
        return open_entry(data, wanted.action, KEY) if data else None

    def exported(self, name="exported"):
        return closing(History(LocalStore(self.folder / name).layout, KEY))


@pytest.fixture
def case(tmp_path, monkeypatch):
    monkeypatch.setenv("FTC_STORE_KEY", "")
    monkeypatch.setattr("pytest_ftc.cli.store.load_key", lambda *_: KEY)
    case = Case(tmp_path)
    yield case
    case.close()


def test_a_verdict_is_exported_with_its_builds_and_its_outputs(case):
    other = case.add("other", project="/elsewhere")
    app = case.add("app", b"output")
    case.history.note_inputs(PROJECT, "app", "inputs")
    case.history.note_inputs("/elsewhere", "other", "foreign")
    found = case.export(app)
    assert (found.verdicts, found.blobs, found.builds, found.unknown, found.left_out) == (1, 1, 2, (), 0)
    files = [file for file in (case.folder / "exported").rglob("*") if file.is_file()]
    assert found.bytes == sum(file.stat().st_size for file in files)
    assert not any(b"elsewhere" in file.read_bytes() for file in files)
    assert case.entry(other) is None
    entry = case.entry(app)
    with case.exported() as history:
        assert history.find(Mark(generation=entry.history, number=entry.row)) == 2
        assert history.lost == ""
        assert history.inputs_of(PROJECT, "app") == "inputs"
    sound = verify(case.folder / "exported")
    assert (sound.blobs, sound.entries) == (1, 1)
    assert sound.corrupt == sound.refused == sound.lacking == sound.history == ()


def test_what_has_no_verdict_is_told(case):
    app = case.add("app")
    never = Wanted(artifact="never", id="never", why="it downloads or has secrets, and is always built")
    new = Wanted(artifact="new", id="new", action="f" * 64)
    forged = case.add("forged", key=b"\1" * 32)
    lost = case.add("lost", history="another", row=3)
    found = case.export(app, never, new, forged, lost)
    assert found.verdicts == 1
    assert [(one.artifact, one.why) for one in found.unknown] == [
        ("never", "it downloads or has secrets, and is always built"),
        ("new", "these sources have no cached verdict; it will be built"),
        ("forged", "its verdict cannot be trusted or read; it will be built"),
        ("lost", "the history does not have its builds; it will be built again"),
    ]
    assert case.entry(forged) is None
    assert case.entry(lost) is None
    # Their builds are there, so that no lucky session makes them reproducible.
    assert found.builds == 6


def test_what_was_disputed_stays_disputed(case):
    app = case.add("app", disputed=True)
    found = case.export(app)
    assert (found.verdicts, found.unknown[0].why) == (0, "later builds had other outputs; it will be built again")
    assert case.entry(app).disputed


@pytest.mark.parametrize("more", [0, 100])
def test_what_contradicts_a_verdict_is_exported_too(case, more):
    app = case.add("app")
    case.record("app", b"other")
    if more:
        case.record("app", b"x", more)
    found = case.export(app)
    assert (found.verdicts, found.unknown[0].why) == (0, "later builds had other outputs; it will be built again")
    entry = case.entry(app)
    with case.exported() as history:
        row = history.find(Mark(generation=entry.history, number=entry.row))
        [digest] = {one.digest for one in history.of_artifact("app", PROJECT) if one.digest} - {digest_of(b"other")}
        assert history.contradicts(app.action, digest, row)


def digest_of(data):
    output = Output(path="out", type=OutputType.FILE, mode="0644", size=len(data), sha256=Digest.of(data).hash)
    return digest_manifest([output], Metadata.CONTENT)


def test_builds_that_differ_from_each_other_contradict_nothing(case):
    app = case.add("app", verdict=Verdict.UNREPRODUCIBLE)
    case.record("app", b"other")
    found = case.export(app)
    assert (found.verdicts, found.unknown) == (1, ())


def test_the_history_of_the_export_is_bounded(case):
    app = case.add("app")
    case.record("app", b"x", 200)
    assert case.export(app).builds <= 32
    entry = case.entry(app)
    with case.exported() as history:
        assert history.find(Mark(generation=entry.history, number=entry.row))


def test_verdicts_of_other_machines_are_exported_where_machines_share_a_store(case):
    app = case.add("app", history="of another machine", machine="elsewhere")
    assert case.export(app, name="alone").verdicts == 0
    assert case.export(app, name="shared", shared=True).verdicts == 1
    assert case.entry(app, "shared").history == "of another machine"


def test_outputs_without_room_and_corrupt_ones_are_left_out_and_told(case):
    small, large, corrupt = case.add("small", b"s"), case.add("large", b"l" * 1000), case.add("corrupt", b"c" * 10)
    path = case.store.layout.blob(Digest.of(b"c" * 10).hash)
    (case.folder / "changed").write_bytes(b"d" * 10)
    (case.folder / "changed").replace(path)
    found = case.export(small, large, corrupt, room=500)
    assert (found.verdicts, found.blobs, found.left_out, found.left_out_bytes) == (3, 1, 2, 1010)
    sound = verify(case.folder / "exported")
    assert (sound.corrupt, len(sound.lacking)) == ((), 2)


def test_the_same_content_is_exported_once(case):
    assert case.export(case.add("one", b"same"), case.add("two", b"same")).blobs == 1


def test_nothing_at_all_is_a_store_too(case):
    found = case.export()
    assert (found.verdicts, found.blobs, found.builds) == (0, 0, 0)
    assert verify(case.folder / "exported").history == ()


def test_a_store_that_was_exported_can_be_used_and_exported_again(case):
    app = case.add("app")
    case.export(app)
    with closing(LocalStore(case.folder / "exported")) as store, case.exported() as history:
        history.add([replace(RECORD, action="other", artifact="new")])
        found = Exporter(store, history, KEY, PROJECT, shared=False).export([app], case.folder / "again", 1000)
    assert (found.verdicts, found.builds) == (1, 2)
