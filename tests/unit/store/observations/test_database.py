"""The database of observations: what is damaged costs only itself."""

import sqlite3
import threading

import pytest
from observed import DAY, NOW, ended, record, verified

from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.observations.database import Observations


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "store")
    layout.make()
    return layout


def count(layout, table="verified"):
    with Observations(layout).opened() as connection:
        return connection.execute(f"select count(*) from {table}").fetchone()[0]


def test_a_session_is_recorded_whole_or_not_at_all(layout):
    Observations(layout).add(ended(), [verified(), verified()])
    assert (count(layout), count(layout, "sessions")) == (2, 1)
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        Observations(layout).add(ended(), [verified(), verified(verdict=object())])
    assert (count(layout), count(layout, "sessions")) == (2, 1)


def test_only_this_user_can_read_it_and_any_name_can_be_stored(layout):
    record(Observations(layout), verified(artifact="a\udcff'\"", project="/p\udcff"))
    assert count(layout) == 1
    assert layout.observations.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("again", range(12))
def test_sessions_that_end_at_once_are_all_recorded(layout, again):
    threads = [threading.Thread(target=lambda: Observations(layout).add(ended(), [verified()])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (count(layout), count(layout, "sessions")) == (8, 8)


def test_a_damaged_database_is_quarantined_and_a_new_one_started(layout):
    record(Observations(layout), verified())
    layout.observations.write_bytes(b"x" * 5000)
    with pytest.raises(StoreUnavailableError, match="not a database") as caught:
        count(layout)
    assert "The next session starts new ones" in str(caught.value)
    record(Observations(layout), verified(), verified())
    assert count(layout) == 2
    assert [one.name.partition("-")[0] for one in layout.quarantine.iterdir()] == ["observations.sqlite"]


@pytest.mark.parametrize("table", ["verified", "sessions"])
def test_the_database_of_another_version_is_put_aside(layout, table):
    with sqlite3.connect(layout.observations) as connection:
        connection.execute(f"create table {table} (project, ended)")
    record(Observations(layout), verified())
    assert (count(layout), count(layout, "sessions")) == (1, 1)
    assert len(list(layout.quarantine.iterdir())) == 1


def test_a_database_that_is_in_use_is_not_damaged(layout, monkeypatch):
    record(Observations(layout), verified())
    monkeypatch.setattr("pytest_ftc.store.history_database._PATIENCE", 0.05)
    other = sqlite3.connect(layout.observations, isolation_level=None)
    other.execute("begin exclusive")
    with pytest.raises(StoreUnavailableError, match="locked"):
        record(Observations(layout), verified())
    other.close()
    assert count(layout) == 1
    assert list(layout.quarantine.iterdir()) == []


def test_what_is_old_or_too_much_is_forgotten(layout):
    observations = Observations(layout)
    record(observations, *(verified(ago=day * DAY) for day in range(10)), sessions=[ended(ago=9 * DAY)])
    observations.forget(NOW - 5.5 * DAY)
    assert (count(layout), count(layout, "sessions")) == (6, 1)
    observations.forget(0, most=2)
    assert count(layout) == 2


def test_nothing_is_made_to_forget(layout):
    Observations(layout).forget(NOW)
    assert not layout.observations.exists()
