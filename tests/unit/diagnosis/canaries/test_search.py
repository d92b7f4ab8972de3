"""What two differing values point to, given what the two builds planted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import look

from pytest_ftc.model import Field, Strength


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


def test_a_unique_token_is_certain_and_a_digest_only_a_guess():
    assert look(b"host-lflfdc", b"host-cgpvls")[0].strength is Strength.CERTAIN
    digests = look(b"9b74c9897bac770ffc029102a200c5de", b"0cc175b9c0f1b6a831c399e269772661")
    assert [found.strength for found in digests if found.cause == "random"] == [Strength.GUESS]


@pytest.mark.parametrize(
    ("version", "strength"), [("4", Strength.STRONG), ("1", Strength.WEAK), ("7", Strength.WEAK), ("5", Strength.GUESS)]
)
def test_only_random_identifiers_are_certainly_random(version, strength):
    one, other = (f"{head}-bbfd-{version}b2d-9b5d-ab8dfbbd4bed".encode() for head in ("1b9d6bcd", "7c9e6679"))
    assert [found.strength for found in look(one, other) if found.cause == "random"] == [strength]


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
