"""The history accumulates, and a damaged one begins anew."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.model import Agreement, BuildRecord
from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.store.history import History, Mark
from pytest_ftc.store.layout import Layout

DAY = 86400.0
KEY = bytes(32)
RECORD = BuildRecord(
    action="a", artifact="ftc.toml::ftc::app", project="/p", role="control", machine="m", user="u", session="s",
    started=DAY, seconds=2.0, digest="d", verdict="reproducible",
)  # fmt: skip


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "store")
    layout.make()
    return layout


@pytest.fixture
def history(layout):
    history = History(layout, KEY)
    yield history
    history.close()


def test_agreement_counts_builds_machines_and_days(history):
    history.add([RECORD, replace(RECORD, machine="n"), replace(RECORD, started=2 * DAY), replace(RECORD, digest="x")])
    history.add([replace(RECORD, action="other")])
    assert history.agreement("a", "d") == Agreement(builds=3, machines=2, days=2)
    assert history.agreement("a", "nothing") == Agreement(builds=0, machines=0, days=0)


def test_the_builds_of_an_artifact_are_found_by_its_name_the_newest_first(history):
    old, new = RECORD, replace(RECORD, started=9 * DAY)
    history.add([old, new, replace(RECORD, artifact="ftc.toml::ftc::xapp"), replace(RECORD, project="/q")])
    assert history.of_artifact("app", "/p") == [new, old]
    assert history.of_artifact("ftc.toml::ftc::app", "/p") == [new, old]
    assert history.of_artifact("%", "/p") == []
    assert history.artifacts("/p") == ["ftc.toml::ftc::app", "ftc.toml::ftc::xapp"]
    assert history.last_seconds("/p")["ftc.toml::ftc::app"] == 2.0


def test_what_all_builds_of_a_session_took_is_told_for_the_last_ones(history):
    for session, seconds in (("1", 9.0), ("2", 1.0), ("3", 2.0)):
        history.add([replace(RECORD, session=session, seconds=seconds, role=role) for role in ("control", "repeat")])
    history.add([replace(RECORD, project="/q"), replace(RECORD, artifact="ftc.toml::ftc::b")])
    found = history.session_seconds("/p", 2)
    assert found == {"ftc.toml::ftc::app": [2.0, 4.0], "ftc.toml::ftc::b": [2.0]}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y", "z"])), min_size=1, max_size=12), st.integers(1, 4))  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_what_contradicts_a_build_contradicts_it_in_every_part_of_the_history(tmp_path_factory, builds, most):
    layout = Layout(tmp_path_factory.mktemp("history"))
    layout.make()
    with contextlib.closing(History(layout, KEY)) as whole:
        whole.add([replace(RECORD, action=action, digest=digest) for action, digest in builds])
        for row, (action, digest) in enumerate(builds, 1):
            chosen = whole.select([action], [], "/p", needed=[row], most=most)
            numbers = [number for number, _ in chosen]
            assert numbers == sorted(set(numbers))
            assert row in numbers
            assert {one.action for _, one in chosen} == {action}
            later = [one for number, one in chosen if number > row]
            contradicted = any(one.digest not in ("", digest) for one in later)
            assert contradicted == whole.contradicts(action, digest, row)
            ever = any(one.digest not in ("", digest) for _, one in chosen)
            assert ever == whole.contradicts(action, digest, 0)


def test_the_last_action_of_each_artifact_is_told(history):
    for action in ("old", "new"):
        history.add([replace(RECORD, action=action), replace(RECORD, action=f"{action} b", artifact="b")])
    assert history.last_actions("/p") == {"ftc.toml::ftc::app": "new", "b": "new b"}


@given(st.lists(st.builds(replace, st.just(RECORD), user=st.text(), started=st.floats(0, 1e10)), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_any_text_is_kept(history, records):
    before = history.count()
    history.add(records)
    assert history.count() == before + len(records)


def test_names_that_are_no_unicode_are_asked_for_as_they_are_kept(history):
    project, artifact = "/caf\udce9", "ftc.toml::ftc::na\udcefve"
    history.add([replace(RECORD, project=project, artifact=artifact, role="control", seconds=3.0)])
    assert len(history.of_artifact(artifact, project)) == 1
    assert len(history.artifacts(project)) == 1
    assert list(history.last_seconds(project).values()) == [3.0]


def test_artifacts_of_folders_below_have_names_of_their_own(history):
    ids = ("ftc.toml::ftc::app", "libs/core/ftc.toml::ftc::app", "tests/test_x.py::app", "a/b.toml::ftc::c::app")
    history.add([replace(RECORD, project="/p", artifact=one, started=float(at)) for at, one in enumerate(ids)])
    for asked, found in (
        ("app", [ids[2], ids[0]]),
        ("libs/core:app", [ids[1]]),
        ("core:app", []),
        *((one, [one]) for one in ids),
    ):
        assert [record.artifact for record in history.of_artifact(asked, "/p")] == found, asked
    assert len(history.of_artifact("app", "/p", most=1)) == 1


def test_all_of_a_verification_is_noted_or_none(history):
    with pytest.raises(StoreUnavailableError):
        history.add([RECORD, replace(RECORD, started=object())])  # type: ignore[arg-type]
    assert history.count() == 0


def test_old_builds_are_forgotten(history):
    history.add([RECORD, replace(RECORD, started=9 * DAY)])
    assert history.forget(5 * DAY) == 1
    assert history.count() == 1


@pytest.mark.parametrize("how", ["truncated", "garbage", "a page overwritten", "empty"])
def test_a_damaged_history_is_put_aside_and_begins_anew(layout, how):
    first = History(layout, KEY)
    first.add([RECORD] * 2000)
    first.close()
    data = bytearray(layout.history.read_bytes())
    assert len(data) > 50_000
    if how == "truncated":
        data = data[: len(data) // 2]
    elif how == "garbage":
        data = bytearray(b"garbage" * 10_000)
    elif how == "a page overwritten":
        data[:100] = b"\0" * 100
    else:
        data = bytearray()
    layout.history.write_bytes(data)
    history = History(layout, KEY)
    for _ in range(3):  # damage may show when it is written to only
        with contextlib.suppress(StoreUnavailableError):
            history.add([RECORD])
            history.count()
    assert history.count() >= 1
    assert history.check() == []
    assert history.lost == "was damaged"
    history.close()


def test_a_history_that_cannot_be_opened_is_one_clear_error(layout):
    layout.history.mkdir()
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        History(layout).count()


def test_eight_processes_write_at_once(layout):
    code = f"""
    from pathlib import Path
    from pytest_ftc.model import BuildRecord
    from pytest_ftc.store.history import History, Mark
    from pytest_ftc.store.layout import Layout
    history = History(Layout(Path({str(layout.root)!r})), {KEY!r})
    record = {RECORD!r}
    for _ in range(50):
        history.add([record, record])
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    errors = [writer.communicate()[1] for writer in writers]
    assert errors == [""] * 8
    history = History(layout)
    assert history.count() == 8 * 100
    history.close()


def test_a_clock_that_was_set_back_changes_the_order_and_nothing_else(history):
    history.add([replace(RECORD, started=9 * DAY)])
    history.add([RECORD])
    assert [record.started for record in history.of_artifact("app", "/p")] == [9 * DAY, DAY]
    assert history.agreement("a", "d").builds == 2


def reopened(layout):
    return contextlib.closing(History(layout, KEY))


def test_what_was_recorded_is_found_by_its_place(layout, history):
    mark = history.add([RECORD, replace(RECORD, digest="x")])
    assert mark.number == 2
    assert history.find(mark) == 2
    assert history.find(Mark(generation="another", number=2)) is None
    assert history.find(replace(mark, number=3)) is None
    with reopened(layout) as again:
        assert again.find(mark) == 2
        assert again.add([RECORD]) == replace(mark, number=3)
        assert again.lost == ""


def test_what_contradicts_is_what_was_recorded_later_whatever_the_clock_said(history):
    mark = history.add([replace(RECORD, started=9 * DAY)])
    assert not history.contradicts("a", "d", mark.number)
    history.add([replace(RECORD, started=DAY, digest="")])
    assert not history.contradicts("a", "d", mark.number)
    history.add([replace(RECORD, started=DAY, digest="other")])
    assert history.contradicts("a", "d", mark.number)


@pytest.mark.parametrize(
    "change",
    [
        "update builds set action = 'b' where number = 2",
        "update builds set started = started - 100000",
        "delete from builds where number = 1",
        "delete from builds where number = 2",
        "delete from builds where number >= 2",
        "delete from builds",
        "update builds set code = null",
        "update builds set number = number + 1 where number = 3",
        "update builds set number = 4 where number = 1",
    ],
)
def test_a_history_that_somebody_else_has_changed_is_not_trusted(layout, change):
    with reopened(layout) as first:
        mark = first.add([RECORD, replace(RECORD, digest="x"), RECORD])
    with contextlib.closing(sqlite3.connect(layout.history)) as connection, connection:
        connection.execute(change)
    with reopened(layout) as again:
        assert again.find(mark) is None
        assert again.lost == "was damaged"
        assert again.count() == 0
    with reopened(layout) as third:
        assert (third.count(), third.lost) == (0, "")
    assert any(layout.quarantine.iterdir())


@pytest.mark.parametrize("how", ["removed", "without its seal", "both removed", "an older copy", "another key"])
def test_a_history_that_was_lost_supports_nothing(layout, tmp_path, how):
    with reopened(layout) as first:
        first.add([RECORD])
    shutil.copy(layout.history, tmp_path / "older")
    with reopened(layout) as first:
        mark = first.add([RECORD])
    if how in ("removed", "both removed"):
        layout.history.unlink()
    if how in ("without its seal", "both removed"):
        layout.history_seal.unlink()
    if how == "an older copy":
        shutil.copy(tmp_path / "older", layout.history)
    with contextlib.closing(History(layout, b"1" * 32 if how == "another key" else KEY)) as again:
        assert again.find(mark) is None
        told = {
            "without its seal": "has lost its seal",
            "both removed": "",
            "another key": "was written under another key",
        }
        assert again.lost == told.get(how, "was damaged")


def test_a_log_of_the_database_that_is_gone_is_noticed(layout):
    with reopened(layout) as first:
        first.add([RECORD])
    killed = f"""
    import os
    from pathlib import Path
    from pytest_ftc.model import BuildRecord
    from pytest_ftc.store.history import History
    from pytest_ftc.store.layout import Layout
    History(Layout(Path({str(layout.root)!r})), {KEY!r}).add([{RECORD!r}])
    os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(killed)], check=True)
    log = layout.history.with_name("history.sqlite-wal")
    assert log.stat().st_size > 0
    log.unlink()
    with reopened(layout) as again:
        assert (again.count(), again.lost) == (0, "was damaged")


def test_the_rows_of_an_earlier_version_are_taken_as_they_are_once(layout):
    with reopened(layout) as first:
        first.add([RECORD, replace(RECORD, role="experiment")])
    layout.history_seal.unlink()
    with contextlib.closing(sqlite3.connect(layout.history)) as connection, connection:
        connection.execute("alter table builds drop column code")
    History(layout).count()  # of a command that has no key
    with reopened(layout) as again:
        assert (again.count(), again.lost) == (2, "")
        assert again.find_control("a", "d", DAY) == 1
        assert again.find_control("a", "other", DAY) is None
        again.add([replace(RECORD, started=2 * DAY)])
        assert again.find_control("a", "d", 2 * DAY) is None
    with reopened(layout) as third:
        assert (third.count(), third.lost) == (3, "")


def test_only_the_latest_builds_are_kept_and_the_last_one_always(layout, history):
    mark = history.add([replace(RECORD, started=day * DAY) for day in range(10)])
    assert history.forget(0, most=4) == 6
    assert history.forget(7 * DAY) == 1
    assert history.forget(99 * DAY) == 2
    assert history.count() == 1
    assert history.find(mark) == mark.number
    assert history.find(replace(mark, number=5)) is None
    history.add([RECORD])
    with reopened(layout) as again:
        assert (again.count(), again.lost) == (2, "")


def test_nobody_adds_without_a_key(layout):
    with pytest.raises(StoreUnavailableError, match="read-only"):
        History(layout).add([RECORD])
