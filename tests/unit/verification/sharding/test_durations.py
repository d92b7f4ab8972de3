"""The file of durations: what is written is read, and anything else is one clear error."""

import json

import pytest

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.verification.sharding.durations import read_durations, write_durations


def test_what_counts_is_the_median_of_the_sessions_and_all_builds_of_a_test(tmp_path):
    sessions = {
        "ftc.toml::ftc::app": [1.0, 90.0, 2.04],
        "ftc.toml::ftc::app (2)": [7.0],
        "test_a.py::test_b": [1.0],
        "test_a.py::test_b (2)": [2.0],
        "test_a.py::test_b (3)": [3.0],
    }
    file = tmp_path / "ftc-durations.json"
    file.write_text(write_durations(sessions))
    assert read_durations(file) == {"ftc.toml::ftc::app": 2.0, "ftc.toml::ftc::app (2)": 7.0, "test_a.py::test_b": 6.0}
    assert write_durations(dict(reversed(sessions.items()))) == file.read_text()


def test_without_a_history_there_are_none(tmp_path):
    file = tmp_path / "ftc-durations.json"
    file.write_text(write_durations({}))
    assert read_durations(file) == {}


@pytest.mark.parametrize(
    "document",
    [
        "", "[]", "{", "{}", '{"version": 2, "seconds": {}}', '{"version": 1, "seconds": []}',
        '{"version": 1, "seconds": {"a": -1}}', '{"version": 1, "seconds": {"a": NaN}}',
        '{"version": 1, "seconds": {"a": 1e999}}', '{"version": 1, "seconds": {"a": "1"}}',
        '{"version": 1, "seconds": {"a": true}}', "[" * 100_000, "\udcff",
    ],
)  # fmt: skip
def test_anything_else_is_an_error_that_names_the_file_and_what_writes_one(tmp_path, document):
    file = tmp_path / "durations.json"
    file.write_bytes(document.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match="durations.json: ") as caught:
        read_durations(file)
    assert caught.value.advice == "ftc history --durations prints such a file."


def test_a_file_that_is_not_there_is_an_error_too(tmp_path):
    with pytest.raises(ConfigurationError, match="No such file"):
        read_durations(tmp_path / "none.json")


def test_it_is_json_that_people_can_compare(tmp_path):
    text = write_durations({"b::ftc::b": [1.25], "a::ftc::a": [3]})
    assert json.loads(text) == {"version": 1, "seconds": {"a::ftc::a": 3, "b::ftc::b": 1.2}}
    assert text.index("a::ftc::a") < text.index("b::ftc::b")
