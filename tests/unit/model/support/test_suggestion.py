"""The nearest valid name to a misspelt one."""

from pathlib import Path

import pytest_ftc
from pytest_ftc.model.support.suggestion import did_you_mean, suggest


def test_the_nearest_name_is_suggested():
    assert suggest("umsk", ["time", "umask"]) == "umask"
    assert suggest("xyzzy", ["time", "umask"]) is None
    assert suggest("time", iter(["time"])) == "time"


def test_the_cutoff_decides_what_is_near():
    assert suggest("tim", ["time"], cutoff=0.95) is None


def test_a_message_asks_or_goes_on():
    assert did_you_mean("umsk", ["umask"]) == "; did you mean 'umask'?"
    assert did_you_mean("xyzzy", ["umask"]) == "."


def test_it_is_written_once():
    package = Path(pytest_ftc.__file__).parent
    users = [path.name for path in package.rglob("*.py") if "get_close_matches" in path.read_text()]
    assert users == ["suggestion.py"]
