"""What came of faults, counted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Counts:
    """What came of the faults of one kind: how many were right, errors, and what should never be."""

    faults: int = 0
    right: int = 0
    """Verdicts and contents that are the truth."""
    errors: int = 0
    """Instead of them, an error that says why."""
    wrong: int = 0
    """Other verdicts and contents, tracebacks, errors without a reason, unsound stores, faults that could not be."""
    late: int = 0
    """What did not end in its time."""
    left: int = 0
    """Processes and files of ours that were left."""
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    """What was wrong, late or left."""

    def note(self, problem: str) -> None:
        """Count a problem, which begins with ``wrong:``, ``late:`` or ``left over:``."""
        self.late += problem.startswith("late:")
        self.left += problem.startswith("left over:")
        self.wrong += not problem.startswith(("late:", "left over:"))
        self.problems.append(problem)

    def note_verdicts(self, verdicts: Iterable[str]) -> None:
        """Count verdicts of which the wrong ones were noted."""
        found = list(verdicts)
        self.errors += found.count("error")
        self.right += len(found) - found.count("error")

    def add(self, other: Counts) -> None:
        """Add what came of other faults."""
        for name in ("faults", "right", "errors", "wrong", "late", "left", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the seconds that it takes."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - started
