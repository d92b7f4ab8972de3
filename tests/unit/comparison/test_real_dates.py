"""Today's date in an output that does not differ."""

import calendar
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.comparison.real_dates import RealDate, find_real_date

MOMENT = calendar.timegm((2026, 11, 23, 12, 0, 0))


@pytest.fixture
def find(tmp_path: Path):
    (tmp_path / "source").mkdir()

    def find(content: bytes, explained: dict[str, str] | None = None) -> str:
        (tmp_path / "out").write_bytes(content)
        return find_real_date({"out": tmp_path / "out"}, [MOMENT], explained or {}, tmp_path / "source").text

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


def test_it_is_found_however_it_is_packed(find, packed):
    pack, _ = packed
    data = pack(b" ".join(b"%d" % (number * number) for number in range(20_000)) + b"built on 2026-11-23")
    assert b"2026-11-23" not in data
    assert find(data) == "2026-11-23"


def test_a_date_in_an_archive_of_the_source_is_none(find, tmp_path, packed):
    pack, _ = packed
    (tmp_path / "source" / "archive").write_bytes(pack(b"1.0 (2026-11-23)" * 9))
    assert find(b"1.0 (2026-11-23)") == ""


def test_what_cannot_be_opened_is_said(tmp_path):
    (tmp_path / "out").write_bytes(b"Rar!\x1a\x07" + bytes(100))
    found = find_real_date({"out": tmp_path / "out"}, [MOMENT], {}, tmp_path)
    assert found == RealDate("", ("out: no reader for RAR archives",))


@settings(max_examples=50)
@given(before=st.binary(max_size=100), after=st.binary(max_size=100))
def test_surroundings_do_not_matter(tmp_path_factory, before, after):
    folder = tmp_path_factory.mktemp("dates")
    (folder / "out").write_bytes(before + b"20261123" + after)
    (folder / "source").mkdir()
    assert find_real_date({"out": folder / "out"}, [MOMENT], {}, folder / "source").text == "20261123"
