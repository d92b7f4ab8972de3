import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.comparison.hexdump import HexComparator, first_difference
from pytest_ftc.comparison.members.limits import Budget, Limits, OutOfTimeError
from pytest_ftc.model import Difference, DifferenceKind

DIFFERENCE = Difference(output="x", kind=DifferenceKind.CONTENT, control=None, experiment=None)


def compare(tmp_path: Path, one: bytes, other: bytes):
    (tmp_path / "one").write_bytes(one)
    (tmp_path / "other").write_bytes(other)
    return first_difference(tmp_path / "one", tmp_path / "other")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=64))
def test_the_offset_is_that_of_the_first_unequal_byte(tmp_path, start, one, other):
    one, other = start + one, start + other
    found = compare(tmp_path, one, other)
    if one == other:
        assert found is None
        return
    naive = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    assert found.offset == naive
    assert found.evidence.control != found.evidence.experiment or b"\n" in one + other


@pytest.mark.parametrize("size", [0, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_a_difference_at_the_end_of_a_large_file_is_found(tmp_path, size):
    found = compare(tmp_path, bytes(size) + b"a", bytes(size) + b"b")
    assert found.offset == size


def test_lines_are_shown_of_texts_and_bytes_of_the_rest(tmp_path):
    text = compare(tmp_path, "eins\nzwö\n".encode(), b"eins\nzwei\n")
    assert (text.location, text.evidence.control, text.evidence.experiment) == ("line 2", "zwö", "zwei")
    binary = compare(tmp_path, b"\0" * 44 + b"A", b"\0" * 44 + b"B")
    assert binary.location == "byte 0x2c"
    assert binary.evidence.control.endswith(" 00 41  ................A")


def test_a_file_that_is_the_beginning_of_the_other_ends_there(tmp_path):
    assert compare(tmp_path, b"\0a", b"\0ab").evidence.control == "(end of file)"
    assert compare(tmp_path, b"a\n", b"a\nb\n").evidence.experiment == "b"
    assert compare(tmp_path, b"", b"b\n").evidence.control == "(end of file)"


def test_a_missing_newline_at_the_end_is_seen(tmp_path):
    evidence = compare(tmp_path, b"a\n", b"a").evidence
    assert (evidence.control, evidence.experiment) == (r"a\n", "a")


def test_long_lines_are_cut_to_where_they_differ(tmp_path):
    found = compare(tmp_path, b"x" * 2000 + b"one" + b"y" * 2000, b"x" * 2000 + b"two" + b"y" * 2000)
    assert "xone" in found.evidence.control
    assert "xtwo" in found.evidence.experiment
    assert len(found.evidence.control) <= 300


def test_a_character_across_chunks_is_text_still(tmp_path):
    start = b"\n" + b"a" * ((1 << 17) - 2) + "ö".encode()
    assert compare(tmp_path, start + b"1", start + b"2").location == "line 2"


@given(st.binary(min_size=1, max_size=200), st.lists(st.tuples(st.integers(0, 199), st.integers(1, 255)), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_places_at_least_sixteen_bytes_apart_are_counted(tmp_path, content, changes):
    one, other = bytearray(b"\0" + content), bytearray(b"\0" + content)
    for index, change in changes:
        other[1 + index % len(content)] = one[1 + index % len(content)] ^ change
    unequal = [index for index, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    naive = sum(index - before > 17 - 1 for before, index in zip([-99, *unequal], unequal, strict=False))
    found = compare(tmp_path, bytes(one), bytes(other))
    assert (found.more + 1 if found else 0) == naive


def test_further_places_are_told_up_to_a_hundred(tmp_path):
    for count in (3, 1000):
        (tmp_path / "one").write_bytes(bytes(64 * count))
        (tmp_path / "other").write_bytes((b"x" + bytes(63)) * count)
        (found,) = HexComparator().examine(DIFFERENCE, tmp_path / "one", tmp_path / "other")
        assert found.location == f"byte 0x0 and {min(count - 1, 100)} more places"


def test_terminal_escapes_in_lines_are_shown_and_not_sent(tmp_path):
    found = compare(tmp_path, b"\x1b[31mred", b"\x1b]0;title\x07")
    assert found.evidence.control == r"\x1b[31mred"
    assert found.evidence.experiment == r"\x1b]0;title\x07"


def test_a_sparse_file_of_two_gigabytes_needs_little_memory(tmp_path):
    import resource

    for name in ("one", "other"):
        with open(tmp_path / name, "wb") as file:
            file.truncate(2 << 30)
    with open(tmp_path / "other", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert first_difference(tmp_path / "one", tmp_path / "other").offset == (2 << 30) - 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_holes_take_no_time_and_what_takes_too_long_is_noted(tmp_path):
    for name, last in (("one", b"a"), ("other", b"b")):
        with open(tmp_path / name, "wb") as file:
            file.seek(1 << 40)
            file.write(last)
    began = time.monotonic()
    assert first_difference(tmp_path / "one", tmp_path / "other").offset == 1 << 40
    assert time.monotonic() - began < 20
    with pytest.raises(OutOfTimeError):
        first_difference(tmp_path / "one", tmp_path / "other", Budget(Limits(seconds=-1)))
