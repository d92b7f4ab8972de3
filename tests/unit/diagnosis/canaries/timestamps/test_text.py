"""Notations of times."""

import calendar
import time
from datetime import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from planted import NOW, date

from pytest_ftc.diagnosis.canaries.timestamps.month_names import month_names
from pytest_ftc.diagnosis.canaries.timestamps.text import DAY, find_stamps


@pytest.mark.parametrize(
    "text",
    [b"2026-02-30", b"2026-13-01", b"25:00:00", b"Feb 30, 2026", b"13:00 PM", b"126060", b"2026-366", b"2026-W60"],
)
def test_what_is_no_time_is_not_read_as_a_whole(text):
    assert all((stamp.start, stamp.end) != (0, len(text)) for stamp in find_stamps(text))


@pytest.mark.parametrize(
    ("text", "zone"),
    [(b"2026-11-23T22:40:00+02:00", 7200), (b"2026-11-23T22:40:00-0330", -12600), (b"2026-11-23T22:40:00Z", 0)],
)
def test_a_zone_is_subtracted(text, zone):
    stamp = next(stamp for stamp in find_stamps(text) if stamp.end == len(text) and stamp.start == 0)
    assert (stamp.zone, stamp.seconds) == (zone, NOW - zone)


@given(st.integers(0, 2_000_000_000))
def test_every_second_is_read_back(seconds):
    assume(time.gmtime(seconds).tm_year >= 1970)
    text = date("%Y-%m-%d %H:%M:%S", seconds)
    assert any((one.seconds, one.precision) == (seconds, 1.0) for one in find_stamps(text))


def test_seconds_before_other_digits_are_read():
    text = f"7.0.15host-x-{NOW}0ce6913bd".encode()
    assert any((one.seconds, one.precision) == (NOW, 1.0) for one in find_stamps(text))


@given(st.integers(0, 2_000_000_000))
def test_every_second_is_read_back_from_a_list_of_numbers(seconds):
    for shown in (str(time.gmtime(seconds)[:6]), str(list(time.gmtime(seconds)[:6])).replace(" ", "")):
        assert any((one.seconds, one.precision) == (seconds, 1.0) for one in find_stamps(f"x{shown}y".encode()))


@given(st.binary(max_size=200))
def test_stamps_lie_within_the_text(text):
    assert all(0 <= stamp.start < stamp.end <= len(text) for stamp in find_stamps(text))


def test_the_time_of_a_dvi_file_is_read_to_the_minute():
    found = next(find_stamps(b"TeX output 2026.11.23:2240\n"))
    assert (found.seconds, found.precision, found.zone) == (NOW - NOW % 60, 60.0, None)


@pytest.mark.parametrize("text", ["Nov2026", "Nov 2026", "November, 2026", "Nov-2026", "november 2026"])
def test_a_month_and_a_year_are_read_together(text):
    found = next(find_stamps(f'.TH snake 6 "{text}"'.encode()))
    assert time.gmtime(found.seconds)[:2] == (2026, 11)
    assert found.precision > 27 * 86400


def test_every_name_of_a_month_is_read_as_a_whole():
    for name, meanings in month_names().items():
        (found,) = (one for one in find_stamps(name + b" 23 2026\n") if one.month and one.precision == DAY)
        assert (found.start, found.month) == (0, name)
        assert time.gmtime(found.seconds).tm_mon == meanings[0][1]


_NOTATIONS = (
    *("%y%j.%H%M", "%y%j", "%Y%j", "%Y-%j", "%y%m%d", "%y%m%d%H%M", "%y%m%d.%H%M", "%y%m%d-%H%M%S", "%y%m%d%H%M%S"),
    *("%d%m%Y", "%m%d%Y", "%d%m%y", "%d%b%Y", "%d%b%y", "%d %b %y", "%d-%b-%y", "%Y-%b-%d", "%Y%b%d", "%b-%d-%Y"),
    *("%G-W%V", "%G-W%V-%u", "%GW%V", "%y.%m.%d", "%y.%m", "%Y.%m", "%Y%m", "%H%M%S", "%Hh%M", "%H.%M.%S", "%H-%M-%S"),
    *("%Y-%m-%d_%H-%M-%S", "%Y-%m-%d-%H%M", "%Y-%m-%d-%H.%M.%S", "%Y_%m_%d", "%Y_%m_%d_%H_%M_%S", "%b_%d_%Y"),
)


@pytest.mark.parametrize("notation", _NOTATIONS)
@given(moment=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2049, 1, 1)))
def test_notations_of_versions_and_file_names_are_read(notation, moment):
    text = moment.strftime(notation).encode()
    seconds = calendar.timegm(moment.timetuple())
    read = [one for one in find_stamps(text) if (one.start, one.end) == (0, len(text))]
    known = [seconds % one.cycle if one.cycle else seconds for one in read]
    assert any(one.seconds <= at < one.seconds + one.precision for one, at in zip(read, known, strict=True))
