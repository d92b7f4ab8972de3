"""Members whose content holds numbers in a form of its own, such as the pixels of an image."""

from __future__ import annotations

from pytest_ftc.comparison.members.contents import Member
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.members.values import compare_elements, is_alike


def compare_numbers(
    one: Member, other: Member, contents: tuple[Span, Span], budget: Budget
) -> tuple[Found, ...] | None:
    """Return the numbers that differ in two members; None if their contents are to be compared by bytes.

    Raises LimitReachedError, OutOfTimeError, and whatever readers raise.
    """
    if one.elements is None or other.elements is None:
        return None
    control, experiment = one.elements(contents[0]), other.elements(contents[1])
    if control is None or experiment is None or not is_alike(control, experiment):
        return None
    return tuple(compare_elements(control, experiment, budget))
