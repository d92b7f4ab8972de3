"""The history accumulates, and a damaged one begins anew."""

import contextlib
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.model import Agreement, BuildRecord
from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.store.history import History
from pytest_ftc.store.layout import Layout

DAY = 86400.0
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
    history = History(layout)
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
    first = History(layout)
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
    history = History(layout)
    for _ in range(3):  # damage may show when it is written to only
        with contextlib.suppress(StoreUnavailableError):
            history.add([RECORD])
            history.count()
    assert history.count() >= 1
    assert history.check() == []
    assert history.began_anew == (how != "empty")
    history.close()


def test_a_history_that_cannot_be_opened_is_one_clear_error(layout):
    layout.history.mkdir()
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        History(layout).count()


def test_eight_processes_write_at_once(layout):
    code = f"""
    from pathlib import Path
    from pytest_ftc.model import BuildRecord
    from pytest_ftc.store.history import History
    from pytest_ftc.store.layout import Layout
    history = History(Layout(Path({str(layout.root)!r})))
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
