"""Limits on the time and memory spent on examining outputs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, TypeVar

if TYPE_CHECKING:
    from pytest_ftc.comparison.members.span import Span
    from pytest_ftc.comparison.members.twins import Twin

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits for one pair of outputs, both sides together."""

    depth: int = 12
    """Levels of nested containers."""
    members: int = 20_000
    """Members of containers."""
    decompressed: int = 1 << 30
    """Decompressed bytes; also the most that temporary files use."""
    value: int = 256 << 10
    """Bytes of one value of a leaf."""
    seconds: float = 60.0
    leaves: int = 2000


class LimitReachedError(Exception):
    """A limit was reached inside one member; its siblings may still be examined."""


class OutOfTimeError(Exception):
    """The time is up; the walk ends."""


@dataclass(slots=True)
class Budget:
    """The use of the limits in one walk."""

    limits: Limits
    deadline: float = 0.0
    decompressed: int = 0
    members: int = 0
    truncated: bool = False
    """Whether a container has more members than were read; the engine resets this."""
    compared: tuple[object, object, int | None] = (None, None, None)
    """The two spans compared last and their first difference, which is requested several times."""
    partial: Span | None = None
    """The part of a stream that was decompressed before it failed or reached a limit."""
    cut: dict[str, None] = field(default_factory=dict)
    """What was not examined completely, one sentence each."""
    hashed: int = 0
    """Bytes whose digests were computed."""
    twins: list[Twin] = field(default_factory=list)
    """The contents that differ, with their digests."""
    _held: list[BinaryIO] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.limits.seconds

    def check_time(self) -> None:
        """Raise OutOfTimeError if the time is up."""
        if time.monotonic() > self.deadline:
            raise OutOfTimeError(f"stopped after {self.limits.seconds:g} s")

    def is_over(self) -> bool:
        """Return whether the time is up, and if so record it."""
        try:
            self.check_time()
        except OutOfTimeError as error:
            self.record(str(error))
            return True
        return False

    def few(self, members: Iterable[T]) -> Iterator[T]:
        """Yield and count members, up to the limit.  Raises OutOfTimeError."""
        for member in members:
            self.check_time()
            if self.members >= self.limits.members:
                self.truncated = True
                self.record(f"only the first {self.limits.members} members were examined")
                return
            self.members += 1
            yield member

    def take_bytes(self, count: int) -> None:
        """Count decompressed bytes.  Raises LimitReachedError, OutOfTimeError."""
        self.check_time()
        self.decompressed += count
        if self.decompressed > self.limits.decompressed:
            raise LimitReachedError(f"more than {self.limits.decompressed} decompressed bytes")

    def record(self, sentence: str) -> None:
        """Record what was not examined completely."""
        self.cut[sentence] = None

    def hold(self, file: BinaryIO) -> None:
        """Close `file` when the innermost `temporary` ends."""
        self._held.append(file)

    @contextmanager
    def temporary(self) -> Iterator[None]:
        """Close the files passed to `hold` within this context."""
        before = len(self._held)
        try:
            yield
        finally:
            while len(self._held) > before:
                self._held.pop().close()
