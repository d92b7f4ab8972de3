"""The numbers of one array, column or document that were compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pytest_ftc.comparison.members.numbers.measure import Extent, describe, show


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How far the numbers of one array are apart."""

    name: str
    """The name of the array in its file; empty if the file is one array."""
    extent: Extent
    locate: Callable[[int], str]
    """Returns the index of a number as text."""
    noun: str = "array"
    """What the array is called."""

    def inside(self, member: str) -> Measured:
        """Return the same of an array in a member of an archive."""
        return replace(self, name=f"{member}, {self.name}" if self.name else member)

    @property
    def place(self) -> str:
        """Where the largest difference is: ``array w at [3, 7]``."""
        where = self.locate(self.extent.pair[0]) if self.extent.pair else ""
        return f"{self.noun} {self.name} at {where}" if self.name else where

    def describe(self) -> str:
        """Return how far they are apart, in a sentence without a full stop."""
        text = describe(self.extent, self.locate)
        return f"{self.noun} {self.name}: {text}" if self.name else text

    def describe_largest(self) -> str:
        """Return the largest difference and its place: ``largest difference 3e-09 in array w at [3, 7]``."""
        place = f"in {self.place}" if self.name else f"at {self.place}"
        return f"largest difference {show(self.extent.largest, digits=3)} {place}"
