"""The times of earlier sessions."""

import json
import os

import pytest

from pytest_ftc.integrations.reapi.past_times import PastTimes


def test_sessions_add_to_them(tmp_path):
    file = tmp_path / "new" / "times.json"
    assert PastTimes(file).of("a") == ()
    PastTimes(file).add({"a": [1.5, 2.0], "b": [3.0], "none": []})
    one, other = PastTimes(file), PastTimes(file)
    one.add({"a": [4.0]})
    other.add({"a": [5.0]})
    assert PastTimes(file).of("a") == [1.5, 2.0, 4.0, 5.0]
    assert PastTimes(file).of("b") == [3.0]
    assert PastTimes(file).of("none") == ()


def test_they_are_bounded(tmp_path):
    file = tmp_path / "times.json"
    PastTimes(file).add({"a": [float(number) for number in range(500)]})
    assert PastTimes(file).of("a") == [float(number) for number in range(400, 500)]
    PastTimes(file).add({f"other {number}": [1.0] for number in range(999)})
    assert PastTimes(file).of("a")
    PastTimes(file).add({"one more": [1.0]})
    assert not PastTimes(file).of("a")
    assert PastTimes(file).of("one more") == [1.0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        '{"a": 1}',
        '{"a": ["1"]}',
        '{"a": [NaN]}',
        '{"a": [-1]}',
        '{"a": [Infinity]}',
        '{"a": [true]}',
        "[" * 100_000,
        '{"a": [' + "1," * (3 << 20) + "1]}",
    ],
    ids=lambda text: text[:20],
)
def test_a_damaged_file_costs_only_what_it_says(tmp_path, text):
    file = tmp_path / "times.json"
    file.write_text(text)
    assert PastTimes(file).of("a") == ()
    PastTimes(file).add({"a": [2.0]})
    assert json.loads(file.read_text()) == {"a": [2.0]}


def test_a_file_that_cannot_be_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    PastTimes(tmp_path / "file" / "times.json").add({"a": [1.0]})
    os.mkfifo(tmp_path / "pipe")
    assert PastTimes(tmp_path / "pipe").of("a") == ()
