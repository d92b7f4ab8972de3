"""What two differing values point to, given what the two builds planted."""

import calendar
import struct
import time
import uuid
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.diagnosis.canaries.planted import Planted, Window
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.model import Field, FileOrder, FileSystem, Place, Strength

NOW = calendar.timegm((2026, 11, 23, 22, 40, 0))
LATER = calendar.timegm((2027, 12, 27, 19, 53, 0))
CONTROL = Planted(
    build_path="/ftc-build-lflfdc/demo",
    home="/ftc-home-lflfdc",
    temp_dir="/ftc-tmp-lflfdc",
    variables={"TZ": "UTC", "LC_ALL": "C.UTF-8", "COLUMNS": "80", "LINES": "24", "TERM": "dumb", "PATH": "/usr/bin"},
    umask=0o022,
    uid=0,
    gid=0,
    user="root",
    group="root",
    host="host-lflfdc",
    machine_id="6" * 32,
    release="6.18.5",
    cpus=4,
    pids=(1, 6001),
    clock=Window(NOW, NOW + 20),
    real=Window(NOW, NOW + 20),
    source_times=Window(NOW - 900, NOW - 60),
)
EXPERIMENT = Planted(
    build_path="/ftc-build-cgpvls/elsewhere/demo-cgpvls",
    home="/ftc-home-cgpvls",
    temp_dir="/ftc-tmp-cgpvls",
    variables={
        "TZ": "FTC-14", "LC_ALL": "C.UTF-8", "COLUMNS": "133", "LINES": "43", "TERM": "vt100", "PATH": "/usr/bin:/x",
        "FTC_CANARY_EXTRA": "ftc-extra-cgpvls",
    },
    umask=0o077,
    uid=52741,
    gid=52742,
    user="user-cgpvls",
    group="group-cgpvls",
    host="host-cgpvls",
    machine_id="7" * 32,
    release="2.6.78",
    cpus=1,
    randomised_addresses=True,
    pids=(30000, 36000),
    clock=Window(LATER, LATER + 20),
    real=Window(NOW + 3, NOW + 23),
    source_times=Window(NOW - 900 - 34_665_000, NOW - 60 - 34_665_000),
    source_mtime_shift=-34_665_000,
    utc_offset=14 * 3600,
    file_order=FileOrder.REVERSED,
    filesystem=FileSystem.TMPFS,
)  # fmt: skip


def look(control, experiment, field=Field.CONTENT, **more):
    return suspect(
        Place(field=field, location="line 1", control=control, experiment=experiment, **more), CONTROL, EXPERIMENT
    )


def date(form, seconds):
    return time.strftime(form, time.gmtime(seconds)).encode()


TIMES = [
    pytest.param(date(form, NOW + 5), date(form, LATER + 4), id=form)
    for form in (
        "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%Y%m%d", "%Y%m%d%H%M%S", "%a, %d %b %Y %H:%M:%S +0000", "%b %d %Y", "%H:%M:%S",
        "%b %d %Y%H:%M:%S", "%a %b %d %H:%M:%S UTC %Y", "%B %d, %Y", "%d/%b/%Y:%H:%M:%S +0000", "%Y", "%d.%m.%Y", "%m/%d/%Y",
    )
]  # fmt: skip
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
    }.items()
]


@pytest.mark.parametrize(("control", "experiment"), [*TIMES, *NUMBERS])
def test_a_time_of_each_build_points_to_the_clock(control, experiment):
    assert look(b"made " + control + b" here\n", b"made " + experiment + b" here\n")[0].cause == "time"


@pytest.mark.parametrize(
    ("cause", "control", "experiment"),
    [
        ("build_path", b"/ftc-build-lflfdc/demo/a.c", b"/ftc-build-cgpvls/elsewhere/demo-cgpvls/a.c"),
        ("build_path", b"file%3A%2Fftc-build-lflfdc%2Fdemo", b"file%3A%2Fftc-build-cgpvls%2Felsewhere%2Fdemo-cgpvls"),
        ("home", b"cache in /ftc-home-lflfdc/.cache", b"cache in /ftc-home-cgpvls/.cache"),
        ("temp_dir", b"/ftc-tmp-lflfdc/x", b"/ftc-tmp-cgpvls/x"),
        ("user_group", b"by root@", b"by user-cgpvls@"),
        ("domain_host", b"on host-lflfdc", b"on host-cgpvls"),
        ("domain_host", b"6" * 32, b"7" * 32),
        ("kernel", b"Linux 6.18.5", b"Linux 2.6.78"),
        ("timezone", b"X-Zone: UTC+0000", b"X-Zone: +14+1400"),
        ("environment", b"A PATH", b"A FTC_CANARY_EXTRA PATH"),
        ("num_cpus", b"workers: 4 cpus", b"workers: 1 cpus"),
        ("terminal", b"columns=80", b"columns=133"),
        ("terminal", b"-" * 78, b"-" * 131),
        ("aslr", b"at 0x7ffff7dd1000", b"at 0x7f3a16dd1000"),
        ("fileordering", b"a.txt\nb.txt\nc.txt\nd.txt\n", b"d.txt\nc.txt\nb.txt\na.txt\n"),
        ("random", b"id 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", b"id 7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    ],
)
def test_a_value_that_is_each_builds_own_points_to_its_variation(cause, control, experiment):
    first = look(b"x " + control + b"\n", b"x " + experiment + b"\n")[0]
    assert first.cause == cause
    assert first.why


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


def test_a_time_in_one_notation_does_not_point_to_the_locale():
    varied = replace(EXPERIMENT, variables={**EXPERIMENT.variables, "LC_ALL": "et_EE.utf8"})
    leaf = Place(
        field=Field.CONTENT,
        location="line 1",
        control=b"built on 2026-11-23 22:40:05",
        experiment=b"built on 2027-12-27 19:53:05",
    )
    assert [one.cause for one in suspect(leaf, CONTROL, varied)] == ["time"]


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


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 1 << 128), st.integers(0, 1 << 128))
def test_numbers_drawn_at_random_are_no_counts_of_time(one, other):
    for form in (b"%032x", b"%d"):
        found = look(b"id: " + form % one, b"id: " + form % other)
        assert not [sighting for sighting in found if sighting.cause == "time" and sighting.strength >= Strength.STRONG]


def test_an_address_stored_in_binary_is_certain_enough_where_only_one_build_randomises_them():
    one, other = (b"ent\0" + struct.pack("<Q", address) + b"ok\0\0" for address in (0x555555559480, 0x558EE16D6610))
    assert [(found.cause, found.strength) for found in look(one, other)] == [("aslr", Strength.STRONG)]


@pytest.mark.parametrize("form", [b'<html lang="%s">', b'"locale": "%s"', b"LANGUAGE=%s"])
def test_a_code_of_a_language_that_says_so_points_to_the_locale(form):
    estonian = replace(EXPERIMENT, variables={**EXPERIMENT.variables, "LC_ALL": "et_EE.UTF-8"})
    leaf = Place(field=Field.CONTENT, location="line 1", control=form % b"en", experiment=form % b"et")
    assert [found.cause for found in suspect(leaf, CONTROL, estonian)] == ["locales"]
    assert not suspect(leaf, CONTROL, EXPERIMENT)


def test_a_path_that_only_one_side_has_points_to_it_as_what_is_sorted_may_have_moved():
    path = b"/ftc-build-cgpvls/elsewhere/demo-cgpvls\0"
    (first, *_) = look(b"", path)
    assert (first.cause, first.strength, first.control) == ("build_path", Strength.STRONG, "")
    (first, *_) = look(b"a.c\0lib\0", b"a.c\0" + path + b"lib\0")
    assert (first.cause, first.strength) == ("build_path", Strength.STRONG)


def test_bytes_of_a_program_are_not_as_wide_as_a_terminal():
    assert "terminal" not in {found.cause for found in look(b"\1" * 70 + b"\0\n", b"\2" * 120 + b"\0\n")}


def test_modes_that_differ_by_the_umasks_point_to_it():
    assert look(b"0644", b"0600", Field.MODE)[0].cause == "umask"


def test_owners_point_to_the_user():
    assert look(b"0", b"52741", Field.OWNER)[0].cause == "user_group"


def test_a_stored_time_of_a_source_points_to_the_sources():
    control, experiment = NOW - 100, NOW - 100 - 34_665_000
    assert look(b"%d" % control, b"%d" % experiment, Field.MTIME)[0].cause == "source_mtime"


def test_a_unique_token_is_certain_and_a_digest_only_a_guess():
    assert look(b"host-lflfdc", b"host-cgpvls")[0].strength is Strength.CERTAIN
    digests = look(b"9b74c9897bac770ffc029102a200c5de", b"0cc175b9c0f1b6a831c399e269772661")
    assert [found.strength for found in digests if found.cause == "random"] == [Strength.GUESS]


def test_equal_lines_of_which_one_is_longer_point_to_nothing():
    assert look(b"one\n", b"one two\n") == ()


def test_every_cause_is_told_once_the_strongest_first():
    found = look(b"root in /ftc-home-lflfdc on host-lflfdc", b"user-cgpvls in /ftc-home-cgpvls on host-cgpvls")
    assert {one.cause for one in found} >= {"user_group", "home", "domain_host"}
    assert len({one.cause for one in found}) == len(found)
    assert [one.strength for one in found] == sorted((one.strength for one in found), reverse=True)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(Field), st.binary(max_size=300), st.binary(max_size=300), st.text(max_size=10))
def test_no_bytes_make_the_search_fail(field, control, experiment, kind):
    for found in look(control, experiment, field, format=kind):
        assert found.cause
        found.control.encode()
        found.experiment.encode()


PIECES = st.sampled_from([
    b"/ftc-build-lflfdc/demo", b"/ftc-build-cgpvls/elsewhere/demo-cgpvls", b"root", b"user-cgpvls", b"2026-11-23", b"99:99:99",
    b"\xff\xfe", b"\0", b"\x1b[31m", b"9" * 400, b"(" * 50, b"%2F" * 30, b"Nov", b"0x7f", b"\n", b" ", b"-1", b"00" * 20,
])  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(Field), st.lists(PIECES, max_size=40), st.lists(PIECES, max_size=40))
def test_no_mixture_of_what_is_searched_for_makes_it_fail(field, control, experiment):
    look(b"".join(control), b"".join(experiment), field)


@pytest.mark.parametrize(
    "piece", [b"9", b"(", b"2026-11-23 ", b"/ftc-build-lflfdc/demo", b"a\n", b"\0\1", b"%2F", b"ab-12 "]
)
def test_a_megabyte_of_anything_is_searched_to_the_end(piece):
    look(piece * (1_000_000 // len(piece)), b"x" + piece * (900_000 // len(piece)) + b"y")
