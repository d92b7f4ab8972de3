"""Counts of time, whatever they count from and in which digits."""

import uuid
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import CONTROL, EXPERIMENT, LATER, NOW, look

from pytest_ftc.diagnosis.canaries.planted import Window
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.model import Field, Place, Strength


def digits(number, alphabet):
    text = b""
    while number:
        number, digit = divmod(number, len(alphabet))
        text = alphabet[digit : digit + 1] + text
    return text


BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"
CROCKFORD = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KSUID = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
COUNTS = {
    "milliseconds in base 36": lambda seconds, drawn: digits(int(seconds * 1000), BASE36),
    "hexadecimal of C": lambda seconds, drawn: b"0x%08XUL" % int(seconds),
    "days since 1899": lambda seconds, drawn: b"%.6f" % (25569 + seconds / 86400),
    "seconds since 2001": lambda seconds, drawn: b"%.3f" % (seconds - 978_307_200),
    "snowflake": lambda seconds, drawn: b"%d" % (int(seconds * 1000 - 1_288_834_974_657) << 22 | 5 << 12),
    "ticks since the year 1": lambda seconds, drawn: b"%d" % int((seconds + 62_135_596_800) * 10**7),
}
SORTED_BY_TIME = {
    "ULID": lambda seconds, drawn: digits(int(seconds * 1000) << 80 | drawn >> 48, CROCKFORD),
    "KSUID": lambda seconds, drawn: digits(int(seconds - 1_400_000_000) << 128 | drawn, KSUID),
    "ObjectId": lambda seconds, drawn: b"%08x%016x" % (int(seconds), drawn >> 64),
    "UUID version 7": lambda seconds, drawn: str(
        uuid.UUID(int=int(seconds * 1000) << 80 | 7 << 76 | drawn >> 116 << 64 | 1 << 63 | drawn >> 66)
    ).encode(),
    "UUID version 1": lambda seconds, drawn: str(
        uuid.UUID(fields=(
            (ticks := int((seconds + 12_219_292_800) * 10**7)) & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0xFFF | 1 << 12,
            0x80 | drawn >> 122, drawn >> 114 & 0xFF, drawn >> 80,
        ))
    ).encode(),
}  # fmt: skip
DRAWN = 0x8F14E45FCEEA167A5A36DEDD4BEA2543, 0xC9F0F895FB98AB9159F51FD0297E236D


@pytest.mark.parametrize("name", [*COUNTS, *SORTED_BY_TIME])
def test_a_count_of_time_is_known_whatever_it_counts_from_and_in_which_digits(name):
    write = {**COUNTS, **SORTED_BY_TIME}[name]
    found = look(b"id: %s\n" % write(NOW + 5.25, DRAWN[0]), b"id: %s\n" % write(LATER + 4.5, DRAWN[1]))
    strong = [one.cause for one in found if one.strength >= Strength.STRONG]
    assert set(strong) == ({"time", "random"} if name in SORTED_BY_TIME else {"time"})


def test_a_count_that_follows_the_sources_is_told_from_the_clock():
    control, experiment = NOW - 100, NOW - 100 - 34_665_000
    (first, *_) = look(b'ETag: "%x-2a"' % control, b'ETag: "%x-2a"' % experiment)
    assert (first.cause, first.strength) == ("source_mtime", Strength.STRONG)


def _days(seconds):
    return b"%.9f" % (2440587.5 + seconds / 86400)


def _strong(control, experiment):
    return {one.cause for one in look(control, experiment) if one.strength >= Strength.STRONG}


@pytest.mark.parametrize(
    ("ahead", "causes"),
    [
        (0, {"time"}),
        (14 * 3600, {"time", "timezone"}),
        (-14 * 3600, {"time", "timezone"}),
        (3 * 3600, set()),
        (60, set()),
        (-13 * 3600, set()),
    ],
)
def test_what_is_left_of_a_difference_is_that_of_the_zones_or_it_is_no_count(ahead, causes):
    assert _strong(_days(NOW + 5), _days(LATER + 5 + ahead)) == causes
    assert _strong(b"%d" % (NOW + 5), b"%d" % (LATER + 5 + ahead)) >= causes
    (zone,) = [one.why for one in look(_days(NOW), _days(LATER + ahead)) if one.cause == "timezone"] or [""]
    assert ("time zones, counted in days" in zone) == ("timezone" in causes)


def test_the_zone_alone_is_told_where_only_it_is_varied():
    control, experiment = (
        replace(CONTROL, clock=Window(NOW, NOW + 2)),
        replace(EXPERIMENT, clock=Window(NOW + 4, NOW + 6)),
    )
    for ahead, causes in ((14 * 3600 + 4, {"timezone"}), (4, set()), (13 * 3600, set()), (14 * 3600 + 60, set())):
        values = (_days(NOW + 1), _days(NOW + 1 + ahead))
        place = Place(field=Field.CONTENT, location="line 1", control=values[0], experiment=values[1])
        found = suspect(place, control, experiment)
        assert {one.cause for one in found if one.strength >= Strength.STRONG} == causes


def test_local_times_of_the_sources_are_told_with_the_zone():
    control, experiment = NOW - 100, NOW - 100 - 34_665_000 + 14 * 3600
    assert _strong(_days(control), _days(experiment)) == {"source_mtime", "timezone"}


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 1 << 128), st.integers(0, 1 << 128))
def test_numbers_drawn_at_random_are_no_counts_of_time(one, other):
    for form in (b"%032x", b"%d"):
        found = look(b"id: " + form % one, b"id: " + form % other)
        assert not [sighting for sighting in found if sighting.cause == "time" and sighting.strength >= Strength.STRONG]
