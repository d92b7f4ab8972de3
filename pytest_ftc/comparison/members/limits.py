"""How much is spent on looking into outputs, whatever they claim to hold."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, TypeVar

if TYPE_CHECKING:
    from pytest_ftc.comparison.members.span import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds for one pair of outputs, both sides together."""

    depth: int = 12
    """Containers within containers."""
    members: int = 20_000
    """Members of containers that are looked at."""
    decompressed: int = 1 << 30
    """Bytes that are decompressed; also the most that temporary files take."""
    value: int = 256 << 10
    """Bytes of one value of a leaf."""
    seconds: float = 60.0
    leaves: int = 2000


class LimitReachedError(Exception):
    """A bound was met inside one member; its siblings may still be looked at."""


class OutOfTimeError(Exception):
    """Nothing more is to be looked at."""


@dataclass(slots=True)
class Budget:
    """What is left of the limits; one walk owns it."""

    limits: Limits
    deadline: float = 0.0
    decompressed: int = 0
    members: int = 0
    truncated: bool = False
    """Whether a container has more members than were read; the engine resets it."""
    compared: tuple[object, object, int | None] = (None, None, None)
    """The two pieces compared last, and where they differ first: it is asked for several times."""
    partial: Span | None = None
    """What was decompressed of a stream before it failed or met a limit."""
    cut: dict[str, None] = field(default_factory=dict)
    """What was cut short, one sentence each."""
    _held: list[BinaryIO] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.limits.seconds

    def check_time(self) -> None:
        """Raise OutOfTimeError when the time is over."""
        if time.monotonic() > self.deadline:
            raise OutOfTimeError(f"stopped after {self.limits.seconds:g} s")

    def is_over(self) -> bool:
        """Return whether the time is over, and record it then."""
        try:
            self.check_time()
        except OutOfTimeError as error:
            self.tell(str(error))
            return True
        return False

    def few(self, members: Iterable[T]) -> Iterator[T]:
        """Yield members, and count them, until they are too many.  Raises OutOfTimeError."""
        for member in members:
            self.check_time()
            if self.members >= self.limits.members:
                self.truncated = True
                self.tell(f"only the first {self.limits.members} members were looked at")
                return
            self.members += 1
            yield member

    def take_bytes(self, count: int) -> None:
        """Count decompressed bytes.  Raises LimitReachedError when they are too many, OutOfTimeError."""
        self.check_time()
        self.decompressed += count
        if self.decompressed > self.limits.decompressed:
            raise LimitReachedError(f"more than {self.limits.decompressed} bytes decompressed")

    def tell(self, sentence: str) -> None:
        """Record what was cut short."""
        self.cut[sentence] = None

    def hold(self, file: BinaryIO) -> None:
        """Close `file` when the innermost `temporary` ends."""
        self._held.append(file)

    @contextmanager
    def temporary(self) -> Iterator[None]:
        """Close the files held within."""
        before = len(self._held)
        try:
            yield
        finally:
            while len(self._held) > before:
                self._held.pop().close()
