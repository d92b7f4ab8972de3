"""Totals grow over sessions, also of several processes, and a damaged file is a reset."""

import subprocess
import sys

import pytest

from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.metrics.totals import Totals
from pytest_ftc.model.errors import StoreUnavailableError

_ADD = """
import sys
from pathlib import Path
from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.metrics.totals import Totals

for _ in range(25):
    session = Measured("p")
    session.count(table.SESSIONS, "passed")
    Totals("p", Path(sys.argv[1]), Path(sys.argv[2])).add(session)
"""


@pytest.fixture
def totals(tmp_path):
    return Totals("p", tmp_path, tmp_path / "store")


def test_concurrent_sessions_lose_nothing(totals, tmp_path):
    processes = [subprocess.Popen([sys.executable, "-c", _ADD, tmp_path, tmp_path / "store"]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert totals.read().value(table.SESSIONS, "passed") == 75


def test_projects_have_their_own(totals, tmp_path):
    session = Measured("p")
    session.count(table.SESSIONS, "passed")
    totals.add(session)
    assert Totals("p", tmp_path / "other", tmp_path / "store").read().value(table.SESSIONS, "passed") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"form": 1}', '{"form": 2, "series": [], "seen": {}}', "[" * 9000])
def test_a_damaged_file_is_a_reset(totals, tmp_path, content):
    session = Measured("p")
    session.count(table.SESSIONS, "passed")
    totals.add(session)
    (file,) = (tmp_path / "store/metrics").glob("*.json")
    file.write_text(content)
    totals.add(session)
    assert totals.read().value(table.SESSIONS, "passed") == 1


def test_a_folder_that_cannot_be_used_is_an_error(totals, tmp_path):
    (tmp_path / "store").write_text("no folder")
    with pytest.raises(StoreUnavailableError):
        totals.add(Measured("p"))


@pytest.mark.parametrize(
    "series",
    [
        [table.SESSIONS.name, ["passed"], 10**400],
        [table.QUEUE_SECONDS.name, [], {"counts": [10**400, *[0] * len(table.QUEUE_SECONDS.buckets)], "sum": 1.0}],
    ],
)
def test_a_number_too_large_for_a_float_is_left_out(series):
    measured = Measured("p")
    measured.take({"form": 1, "seen": {}, "series": [series]})
    assert not list(measured.samples())
