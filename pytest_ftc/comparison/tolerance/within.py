"""Compares two files within a tolerance: numbers may differ by that much, and every other bit must be the same.

A reader only says where numbers are.  All bytes outside of them are compared as they are, so that what a reader
overlooks is never hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_ftc.comparison.members.formats.data.parquet import is_parquet
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.plain import is_text
from pytest_ftc.comparison.members.span import Span, same, whole_file
from pytest_ftc.comparison.tolerance.arrays import compare_arrays
from pytest_ftc.comparison.tolerance.images import compare_images, is_png
from pytest_ftc.comparison.tolerance.measured import Measured
from pytest_ftc.comparison.tolerance.refusal import RefusedError
from pytest_ftc.comparison.tolerance.tables import compare_tables
from pytest_ftc.comparison.tolerance.texts import compare_texts
from pytest_ftc.comparison.tolerance.zips import ZipMember, is_zip, split_zip
from pytest_ftc.model.support.printable import shorten


def measure_within(control: Path, experiment: Path, name: str, tolerance: float, budget: Budget) -> Measured:
    """Return how far the array with the largest difference of two untrusted files is apart, which are not equal.

    `name` is the output's file name.  Raises RefusedError if they are not equal within `tolerance`, or if that could
    not be found out within the `budget`; OSError if a file cannot be read.
    """
    with open(control, "rb", 0) as one, open(experiment, "rb", 0) as other, budget.temporary():
        try:
            found = list(_measure(whole_file(one), whole_file(other), name, budget))
        except (RefusedError, OSError):
            raise
        except Exception as error:
            # The input is hostile, and readers may raise anything.
            raise RefusedError(shorten(f"it could not be read: {type(error).__name__}: {error}")) from error
    beyond = next((each for each in found if not each.extent.is_within(tolerance)), None)
    if beyond:
        raise RefusedError(shorten(beyond.describe()))
    if not found:
        raise RefusedError("no number differs")
    return max(found, key=lambda each: each.extent.largest)


def _measure(one: Span, other: Span, name: str, budget: Budget) -> Iterator[Measured]:
    if is_zip(one):
        yield from _measure_members(one, other, budget)
    elif is_png(one):
        yield from compare_images(one, other, budget)
    elif is_parquet(one, name):
        yield from compare_tables(one, other, budget)
    elif is_text(one) and is_text(other):
        yield from compare_texts(one, other, name)
    else:
        yield from compare_arrays(one, other, name, budget)


def _measure_members(one: Span, other: Span, budget: Budget) -> Iterator[Measured]:
    (around, control), (theirs, experiment) = (split_zip(span, budget) for span in (one, other))
    if around != theirs or len(control) != len(experiment):
        raise RefusedError("what the archive records about its members differs, such as names or times")
    for left, right in zip(control, experiment, strict=True):
        yield from _measure_member(left, right, budget)


def _measure_member(one: ZipMember, other: ZipMember, budget: Budget) -> Iterator[Measured]:
    if same(one.stored, other.stored, budget):
        return
    if same(one.content, other.content, budget):
        raise RefusedError(f"{shorten(one.name)} is compressed otherwise")
    if is_zip(one.content):
        raise RefusedError(f"{shorten(one.name)} is an archive in an archive")
    for measured in _measure(one.content, other.content, one.name, budget):
        yield measured.inside(one.name.removesuffix(".npy"))
