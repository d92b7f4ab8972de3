"""The result of replaying a recorded build."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.model.build import BuildResult, BuildStatus
from pytest_ftc.model.verification import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The result of a replay."""

    then: BuildResult
    now: BuildResult
    differences: tuple[Difference, ...]
    """`control` is the recorded build."""
    sources: str
    """How the sources have changed; empty if they have not."""
    gaps: tuple[str, ...]
    """What else has changed since, one sentence each."""
    leaks: tuple[str, ...] = ()
    clock: float | None = None
    """The clock's start, seconds since 1970; None if it could not be set."""
    kept: str = ""
    """The folder with the trees; empty if they were not kept."""
    shell: bool = False
    """Whether an interactive shell ran instead of the build."""

    @property
    def is_comparable(self) -> bool:
        """Whether both builds ran."""
        return BuildStatus.LOST not in (self.then.status, self.now.status)

    @property
    def same(self) -> bool:
        """Whether the build ended as recorded, with identical outputs."""
        ends = ((build.status, build.exit_code) for build in (self.then, self.now))
        return self.is_comparable and len(set(ends)) == 1 and not self.differences and not self.leaks
