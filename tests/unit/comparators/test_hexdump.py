from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.comparators.hexdump import first_difference


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
    assert binary.evidence.control.endswith("41  ........A")


def test_a_file_that_is_the_beginning_of_the_other_ends_there(tmp_path):
    assert compare(tmp_path, b"\0a", b"\0ab").evidence.control == "(end of file)"
    assert compare(tmp_path, b"a\n", b"a\nb\n").evidence.experiment == "b"


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
