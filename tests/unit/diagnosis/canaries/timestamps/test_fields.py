"""Times in texts and header fields point to clocks, locales and sources."""

import struct
from dataclasses import replace

import pytest
from planted import CONTROL, EXPERIMENT, LATER, NOW, date, look

from pytest_ftc.diagnosis.canaries.planted import Window
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.diagnosis.canaries.timestamps.fields import find_mtime
from pytest_ftc.model import Field, Place, Strength

TIMES = [
    pytest.param(date(form, NOW + 5), date(form, LATER + 4), id=form)
    for form in (
        "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%Y%m%d", "%Y%m%d%H%M%S", "%a, %d %b %Y %H:%M:%S +0000", "%b %d %Y", "%H:%M:%S",
        "%b %d %Y%H:%M:%S", "%a %b %d %H:%M:%S UTC %Y", "%B %d, %Y", "%d/%b/%Y:%H:%M:%S +0000", "%Y", "%d.%m.%Y", "%m/%d/%Y",
    )
]  # fmt: skip


def in_base_36(number):
    return (in_base_36(number // 36) if number >= 36 else b"") + b"%c" % b"0123456789abcdefghijklmnopqrstuvwxyz"[
        number % 36
    ]


NUMBERS = [
    pytest.param(form(NOW + 5), form(LATER + 4), id=name)
    for name, form in {
        "decimal": lambda seconds: b"built=%d" % seconds,
        "milliseconds": lambda seconds: b"built=%d" % (seconds * 1000),
        "nanoseconds": lambda seconds: b"built=%d" % (seconds * 1_000_000_000),
        "32 bits, little-endian": lambda seconds: b"\0\1\2\3" + struct.pack("<I", seconds) + b"\3\2\1\0",
        "32 bits, big-endian": lambda seconds: b"\0\1\2\3" + struct.pack(">I", seconds) + b"\3\2\1\0",
        "64 bits": lambda seconds: b"\0\1\2\3" + struct.pack("<Q", seconds) + b"\3\2\1\0",
        "FILETIME": lambda seconds: b"\0\1" + struct.pack("<Q", (seconds + 11_644_473_600) * 10**7) + b"\3\2",
        "hexadecimal": lambda seconds: b"0x%08x" % seconds,
        "base 36, before a random number": lambda seconds: (
            b"c" + in_base_36(seconds * 1000 + 5) + b"%07d" % (seconds % 9973)
        ),
    }.items()
]


@pytest.mark.parametrize(("control", "experiment"), [*TIMES, *NUMBERS])
def test_a_time_of_each_build_points_to_the_clock(control, experiment):
    assert look(b"made " + control + b" here\n", b"made " + experiment + b" here\n")[0].cause == "time"


@pytest.mark.parametrize(
    ("locale", "experiment"),
    [
        ("et_EE.utf8", "E 27 dets  2027 19:53:05 UTC"),
        ("de_DE.utf8", "Mo 27. Dez 19:53:05 UTC 2027"),
        ("en_GB.utf8", "Mon 27 Dec 19:53:05 UTC 2027"),
        ("en_US.utf8", "Mon Dec 27 07:53:05 PM UTC 2027"),
        ("ja_JP.utf8", "2027年 12月 27日 月曜日 19:53:05 UTC"),
        ("ko_KR.utf8", "2027. 12. 27. (월) 19:53:05 UTC"),
        ("hu_HU.utf8", "2027. dec. 27., hétfő, 19:53:05 UTC"),
        ("pl_PL.utf8", "pon, 27 gru 2027, 19:53:05 UTC"),
        ("ru_RU.utf8", "Пн 27 дек 2027 19:53:05 UTC"),
    ],
)
def test_a_time_in_the_language_of_its_build_points_to_the_clock_and_to_the_locale(locale, experiment):
    varied = replace(EXPERIMENT, variables={**EXPERIMENT.variables, "LC_ALL": locale}, utc_offset=0)
    leaf = Place(
        field=Field.CONTENT,
        location="line 1",
        control=b"Mon Nov 23 22:40:05 UTC 2026\n",
        experiment=f"{experiment}\n".encode(),
    )
    found = [one.cause for one in suspect(leaf, CONTROL, varied) if one.strength >= Strength.STRONG]
    assert found == ["time"] if locale.startswith("en_US") else found == ["time", "locales"]


def test_a_date_that_was_made_a_time_points_to_the_clock_and_to_the_zone():
    local = replace(EXPERIMENT, clock=Window(LATER - LATER % 86400 + 43200, LATER - LATER % 86400 + 43210))
    leaf = Place(
        field=Field.CONTENT,
        location="line 1",
        control=b"date: 2026-11-23 00:00:00.000000000 Z",
        experiment=b"date: 2027-12-28 00:00:00.000000000 Z",
    )
    found = {one.cause: one for one in suspect(leaf, CONTROL, local) if one.strength >= Strength.STRONG}
    assert found.keys() == {"time", "timezone"}
    assert found["time"].control == "2026-11-23 00:00:00.000000000 Z"


def test_a_time_in_one_notation_does_not_point_to_the_locale():
    varied = replace(EXPERIMENT, variables={**EXPERIMENT.variables, "LC_ALL": "et_EE.utf8"})
    leaf = Place(
        field=Field.CONTENT,
        location="line 1",
        control=b"built on 2026-11-23 22:40:05",
        experiment=b"built on 2027-12-27 19:53:05",
    )
    assert [one.cause for one in suspect(leaf, CONTROL, varied)] == ["time"]


def test_a_stored_time_of_a_source_points_to_the_sources():
    control, experiment = NOW - 100, NOW - 100 - 34_665_000
    assert look(b"%d" % control, b"%d" % experiment, Field.MTIME)[0].cause == "source_mtime"


def test_a_header_that_is_no_number_or_too_large_points_to_nothing():
    assert not list(find_mtime(b"soon", b"1", CONTROL, EXPERIMENT))
    assert not list(find_mtime(b"1", b"9" * 13, CONTROL, EXPERIMENT))


@pytest.mark.parametrize(("form", "causes"), [("%B %Y", ["time", "timezone"]), ("%d %B %Y %H:%M:%S", ["time"])])
def test_a_date_without_its_zone_may_be_that_of_the_zone_of_its_build(form, causes):
    texts = (date(form, moment) for moment in (NOW, LATER))
    found = look(*texts)
    assert [one.cause for one in found] == causes
    assert [one.strength for one in found] == [Strength.STRONG, Strength.GUESS][: len(causes)]
