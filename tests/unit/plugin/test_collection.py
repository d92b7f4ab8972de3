"""Whether an artifact of the baseline still exists."""

import pytest

from pytest_ftc.plugin.collection import Collected


@pytest.fixture
def collected(tmp_path):
    for name in ("ftc.toml", "test_a.py", "test_b.py"):
        (tmp_path / name).touch()
    found = Collected(tmp_path, ["ftc.toml::ftc::app"])
    found.note(["test_a.py::test_one", "test_a.py::test_two[x (1)]"], whole=True)
    return found


@pytest.mark.parametrize(
    ("artifact", "there"),
    [
        ("ftc.toml::ftc::app", True),
        ("ftc.toml::ftc::gone", False),
        ("pyproject.toml::ftc::app", False),
        ("setup.py::ftc::sdist", False),
        ("test_a.py::test_one", True),
        ("test_a.py::test_one (wheel)", True),
        ("test_a.py::test_two[x (1)]", True),
        ("test_a.py::test_gone", False),
        ("test_a.py::test_gone (wheel)", False),
        ("test_b.py::test_any", True),
        ("test_gone.py::test_one", False),
    ],
)
def test_what_is_gone_is_told_from_what_was_not_asked_for(collected, artifact, there):
    assert collected.has(artifact) is there


def test_where_tests_were_asked_for_by_name_others_of_their_file_may_be_there(collected):
    collected.note(["test_a.py::test_one"], whole=False)
    assert collected.has("test_a.py::test_gone")
    collected.note(["test_a.py::test_one"], whole=True)
    assert collected.has("test_a.py::test_gone"), "once not whole, a session does not become whole again"
