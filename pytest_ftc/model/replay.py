"""What came of running a recorded build again."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.model.build import BuildResult, BuildStatus
from pytest_ftc.model.verification import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a replay."""

    then: BuildResult
    now: BuildResult
    differences: tuple[Difference, ...]
    """`control` is what there was then."""
    sources: str
    """In what the sources are not what they were; empty when they are."""
    gaps: tuple[str, ...]
    """What else is not as it was then, one sentence each."""
    leaks: tuple[str, ...] = ()
    clock: float | None = None
    """When the clock began, seconds since 1970; None when it could not be set."""
    kept: str = ""
    """The folder with the trees; empty when they were not to be kept."""
    shell: bool = False
    """Whether a person was in the place of the build."""

    @property
    def is_comparable(self) -> bool:
        """Whether both builds ran."""
        return BuildStatus.LOST not in (self.then.status, self.now.status)

    @property
    def same(self) -> bool:
        """Whether the build ended as it did then, and left the same."""
        ends = ((build.status, build.exit_code) for build in (self.then, self.now))
        return self.is_comparable and len(set(ends)) == 1 and not self.differences and not self.leaks
