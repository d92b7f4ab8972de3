"""Members whose content holds numbers in a form of its own, such as the pixels of an image."""

from __future__ import annotations

from pytest_ftc.comparison.members.contents import Member
from pytest_ftc.comparison.members.limits import Budget, OutOfTimeError
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.members.values import compare_elements, is_alike
from pytest_ftc.model.support.printable import shorten


def compare_numbers(
    one: Member, other: Member, contents: tuple[Span, Span], budget: Budget
) -> tuple[Found, ...] | None:
    """Return the numbers that differ in two members; None if their contents are to be compared by bytes.

    Raises OutOfTimeError.
    """
    if one.elements is None or other.elements is None:
        return None
    try:
        control, experiment = one.elements(contents[0]), other.elements(contents[1])
    except OutOfTimeError:
        raise
    except Exception as error:
        # The input is hostile, and readers may raise anything; the bytes still differ.
        budget.record(shorten(f"{one.part or one.name}: the numbers were not read: {type(error).__name__}: {error}"))
        return None
    if control is None or experiment is None or not is_alike(control, experiment):
        return None
    return tuple(compare_elements(control, experiment, budget))
