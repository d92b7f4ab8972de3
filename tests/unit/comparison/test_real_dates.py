"""Today's date in an output that does not differ."""

import calendar
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.comparison.real_dates import find_real_date

MOMENT = calendar.timegm((2026, 11, 23, 12, 0, 0))


@pytest.fixture
def find(tmp_path: Path):
    (tmp_path / "source").mkdir()

    def find(content: bytes, explained: dict[str, str] | None = None) -> str:
        (tmp_path / "out").write_bytes(content)
        return find_real_date([tmp_path / "out"], [MOMENT], explained or {}, tmp_path / "source")

    return find


@pytest.mark.parametrize(
    "text", ["2026-11-23", "20261123", "2026/11/23", "Nov 23 2026", "23 Nov 2026", "November 23, 2026", "23.11.2026"]
)
def test_it_is_found_in_every_form(find, text):
    assert find(b"built on " + text.encode() + b"\n") == text


def test_other_days_are_none(find):
    assert find(b"2026-11-22 20261124 Nov 23 2027") == ""


def test_it_is_found_where_two_chunks_meet(find):
    assert find(b"x" * ((1 << 20) - 5) + b"2026-11-23") == "2026-11-23"


def test_a_date_from_the_source_is_none(find, tmp_path):
    (tmp_path / "source" / "CHANGELOG").write_text("1.0 (2026-11-23)")
    assert find(b"1.0 (2026-11-23)") == ""
    assert find(b"1.0 (2026-11-23), Nov 23 2026") == "Nov 23 2026"


@pytest.mark.parametrize("value", [str(MOMENT), "release 2026-11-23"])
def test_a_date_from_a_variable_is_none(find, value):
    assert find(b"2026-11-23", {"SOURCE_DATE_EPOCH": value}) == ""


@settings(max_examples=50)
@given(before=st.binary(max_size=100), after=st.binary(max_size=100))
def test_surroundings_do_not_matter(tmp_path_factory, before, after):
    folder = tmp_path_factory.mktemp("dates")
    (folder / "out").write_bytes(before + b"20261123" + after)
    (folder / "source").mkdir()
    assert find_real_date([folder / "out"], [MOMENT], {}, folder / "source") == "20261123"
