"""Pieces of files: what is read of them, and where two differ first."""

import io
import resource
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.limits import Budget, LimitReachedError, Limits, OutOfTimeError
from pytest_ftc.comparison.members.span import (
    SpanFile,
    common_end,
    common_start,
    first_unequal,
    same,
    span_of,
    spool,
    whole_file,
)


def first_in(one: bytes, other: bytes) -> int | None:
    return first_unequal(span_of(one), span_of(other), Budget(Limits()))


def first_in_files(folder: Path, limits: Limits | None = None) -> int | None:
    with open(folder / "one", "rb", 0) as one, open(folder / "other", "rb", 0) as other:
        return first_unequal(whole_file(one), whole_file(other), Budget(limits or Limits()))


@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=64))
def test_the_offset_is_that_of_the_first_unequal_byte(start, one, other):
    one, other = start + one, start + other
    pairs = enumerate(zip(one, other, strict=False))
    naive = next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
    assert first_in(one, other) == (None if one == other else naive)
    assert same(span_of(one), span_of(other), Budget(Limits())) == (one == other)


@pytest.mark.parametrize("size", [0, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_a_difference_at_the_end_of_a_large_file_is_found(size):
    assert first_in(bytes(size) + b"a", bytes(size) + b"b") == size
    assert first_in(bytes(size), bytes(size) + b"b") == size


@given(st.binary(max_size=40), st.integers(0, 45), st.integers(0, 45), st.integers(-3, 45), st.integers(-3, 45))
def test_a_part_holds_what_stands_there_and_nothing_beyond(data, start, size, offset, length):
    span = span_of(data)
    if start + size > len(data):
        with pytest.raises(ValueError, match="exceed its"):
            span.part(start, size)
        return
    part = span.part(start, size)
    held = data[start : start + size]
    assert part.read(0, size) == held
    assert part.read(offset, length) == (held[offset : offset + max(0, length)] if offset >= 0 else b"")


@given(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30))
def test_what_two_values_share_at_either_end_is_counted(shared, one, other):
    assert common_start(shared + one, shared + other) >= len(shared)
    assert common_end(one + shared, other + shared) >= len(shared)
    count = common_start(one, other)
    assert (one[:count] == other[:count] and one[count : count + 1] != other[count : count + 1]) or one == other


@pytest.mark.parametrize("sizes", [[10, 10], [1 << 19] * 5], ids=["in memory", "on disk"])
def test_what_was_decompressed_can_be_read_again(sizes):
    budget = Budget(Limits())
    with budget.temporary():
        span = spool((bytes([65 + number]) * size for number, size in enumerate(sizes)), budget)
        assert span.size == sum(sizes)
        assert span.read(sizes[0] - 1, 2) == b"AB"
        assert budget.decompressed == sum(sizes)


def test_what_came_before_the_bound_is_kept():
    budget = Budget(Limits(decompressed=100))
    with pytest.raises(LimitReachedError):
        spool((b"x" * 60 for _ in range(3)), budget)
    assert budget.partial is not None and budget.partial.read(0, 1000) == b"x" * 60


def test_a_parser_reads_and_seeks_within_its_piece_up_to_a_bound():
    file = SpanFile(span_of(b"-abcdef-").part(1, 6), Budget(Limits()), most=8)
    assert file.read(2) == b"ab"
    assert file.seek(-1, io.SEEK_END) == 5
    assert (file.read(), file.read(), file.tell()) == (b"f", b"", 6)
    with pytest.raises(ValueError, match="before the start"):
        file.seek(-1)
    file.seek(0)
    with pytest.raises(LimitReachedError):
        file.read()


def test_a_sparse_file_of_two_gigabytes_needs_little_memory(tmp_path):
    for name in ("one", "other"):
        with open(tmp_path / name, "wb") as file:
            file.truncate(2 << 30)
    with open(tmp_path / "other", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert first_in_files(tmp_path) == (2 << 30) - 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_holes_take_no_time_and_what_takes_too_long_is_noted(tmp_path):
    for name, last in (("one", b"a"), ("other", b"b")):
        with open(tmp_path / name, "wb") as file:
            file.seek(1 << 40)
            file.write(last)
    began = time.monotonic()
    assert first_in_files(tmp_path) == 1 << 40
    assert time.monotonic() - began < 20
    with pytest.raises(OutOfTimeError):
        first_in_files(tmp_path, Limits(seconds=-1))
