"""The complete result of one artifact's verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pytest_ftc.model.build import BuildResult, BuildStatus, Output, Role, is_below
from pytest_ftc.model.build_inputs import BuildInputs
from pytest_ftc.model.notes import BUILT_AGAIN, FLAKY, NOT_CACHED_BEFORE, is_disagreement
from pytest_ftc.model.timing.phase import Phase


class Verdict(str, Enum):
    """The result for an artifact."""

    REPRODUCIBLE = "reproducible"
    EQUIVALENT = "equivalent"
    """Its numbers differ, within the tolerance that it declares, and every other bit is the same."""
    UNREPRODUCIBLE = "unreproducible"
    FAILED = "failed"
    """The control build fails."""
    FRAGILE = "fragile"
    """It builds in the control environment and breaks under a variation."""
    ERROR = "error"
    """Infrastructure error: the result is inconclusive."""


EXPECTED = (Verdict.REPRODUCIBLE, Verdict.EQUIVALENT)
"""The verdicts with which an artifact passes."""


class DiagnosisMode(str, Enum):
    """How thoroughly a session explains differences."""

    OFF = "off"
    FAST = "fast"
    """By their values."""
    FULL = "full"
    """By rebuilding too."""

    def is_deeper_than(self, other: DiagnosisMode) -> bool:
        """Return whether this mode finds more than the `other`."""
        order = list(DiagnosisMode)
        return order.index(self) > order.index(other)


class DifferenceKind(str, Enum):
    """How an output differs between two builds."""

    MISSING = "missing"
    """In the control build only."""
    EXTRA = "extra"
    """In the experiment build only."""
    TYPE = "type"
    LINK = "link"
    MODE = "mode"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The values of a place in both builds; text of at most a few hundred characters."""

    control: str
    experiment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One output that is not identical in two builds."""

    output: str
    kind: DifferenceKind
    control: Output | None
    experiment: Output | None
    member: str = ""
    """The innermost member that differs, ``/`` joined through nested containers; empty for the output itself."""
    location: str = ""
    """Where inside the output or member, for a person: ``zip entry mtime``, ``line 12``, ``byte 0x2c``."""
    evidence: Evidence | None = None
    diff: str = ""
    """Path of the full textual diff; empty when there is none."""
    note: str = ""
    """What could not be examined, and why: ``no full diff: diffoscope took longer than 60 s``."""
    numbers: str = ""
    """How far its numbers are apart, if it has any: how many differ, and the largest differences."""

    @property
    def contents(self) -> tuple[Output, Output] | None:
        """The two outputs if it is their contents that differ."""
        if self.kind is not DifferenceKind.CONTENT or not (self.control and self.experiment):
            return None
        return self.control, self.experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A setting that makes the outputs identical, or is expected to."""

    summary: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """Variables to set; ``$PWD`` in them is the path of the build."""
    before: str = ""
    """A shell command to run before the build."""
    after: str = ""
    """A shell command to run after it."""
    proved: bool = False
    """True only when rebuilding with the settings removed the difference."""
    tried: bool = False
    """Whether it was tested by rebuilding; if tested and not proved, it is not sufficient."""
    equal_pairs: int = 0
    """In how many pairs of builds with it the place was equal, if these are too few to rule out luck."""
    also_tried: tuple[str, ...] = field(default=(), metadata={"key": "in_vain"})
    """The summaries of remedies tested before, with which the place still differed."""
    rejected: tuple[str, ...] = ()
    """Remedies that break the build, could not be tried or change what never differed; each with the reason."""
    together_with: tuple[str, ...] = ()
    """The summaries of others that were in all builds that proved it, and may have done it instead."""
    source: str = ""
    """The specification or manual it refers to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A diagnosed difference."""

    output: str
    member: str
    location: str
    cause: str
    """The value of a `Cause`, or the name of a variation that a plugin adds."""
    confirmed: bool
    """Whether it is at least 99.5 % likely after the builds."""
    evidence: Evidence
    builds: int = 0
    """How many builds the cause rests on; 0 when they were not counted."""
    command: tuple[str, ...] = ()
    """The command that brought the differing bytes in; empty if unknown, or if it may be one of several."""
    chain: tuple[tuple[str, ...], ...] = ()
    """The commands that these bytes passed on their way to the output, that one first; empty if there is only one."""
    command_line: str = ""
    """Where the project has that command: ``Makefile:12``; empty if that was not found."""
    circumstances: str = ""
    """Where that command ran, how it failed (if it did), and what started it."""
    given: tuple[str, ...] = ()
    """A concurrent command, such as one in a pipe, with the value among its arguments when that command has none."""
    why: str = ""
    """The evidence for the cause, in one sentence."""
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotVaried:
    """A requested variation that could not be applied."""

    variation: str
    reason: str
    allow: str = ""
    """What would allow it on this machine: a command or a setting; empty if nothing is known."""


BREAKS_THE_BUILD = "the build breaks under it"
"""The reason why a variation was not applied that makes the artifact fragile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many builds, of this and earlier sessions, agree on the outputs."""

    builds: int
    machines: int
    days: int
    """Calendar days in UTC on which they were run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOutputs:
    """The folders of an artifact's differing outputs, which are in them under their own paths."""

    control: str
    experiment: str

    def find(self, output: str) -> dict[str, str]:
        """Return the paths of what is there of an `output`, by the name of the side."""
        sides = {"control": self.control, "experiment": self.experiment}
        paths = {side: f"{folder}/{output}" for side, folder in sides.items() if is_below(output)}
        return {side: path for side, path in paths.items() if Path(path).is_file()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result of verifying one artifact: builds, differences, findings, verdict, coverage."""

    id: str
    name: str
    verdict: Verdict
    reason: str = ""
    """The reason, in one or two lines, if the verdict is equivalent, failed, fragile or error."""
    cached: bool = False
    """Whether it is a cached verdict of an earlier session."""
    agreement: Agreement | None = None
    """None without a verification cache."""
    requirements: str = ""
    """sha256 of the installed build requirements; empty when there are none."""
    inputs: BuildInputs | None = None
    """The inputs of its builds; None if they were not recorded, as by earlier versions."""
    varied: tuple[str, ...] = ()
    """Variations that were active, and differed, in the builds compared."""
    not_varied: tuple[NotVaried, ...] = ()
    builds: tuple[BuildResult, ...] = ()
    differences: tuple[Difference, ...] = ()
    findings: tuple[Finding, ...] = ()
    kept: KeptOutputs | None = None
    """Where its differing outputs were kept after the session; None if they were not."""
    leaks: tuple[str, ...] = ()
    """Secrets found in outputs or logs: which, in which encoding and where, one sentence each."""
    hermeticity: tuple[str, ...] = ()
    """Undeclared inputs of the build, one sentence each; also empty if it was not traced."""
    strict: bool = False
    """Whether undeclared inputs fail the artifact."""
    traced: bool = False
    """Whether a trace of its control build was asked for; the record then keeps it, and attestations have it."""
    notes: tuple[str, ...] = ()
    """Further notes for the user, one sentence each."""
    seconds: float = 0.0
    """Wall time of the whole verification."""
    phases: tuple[Phase, ...] = ()
    """Where that time went, in this session, in the order in which the phases ended."""
    tags: tuple[str, ...] = ()
    """The tags of the artifact."""
    owner: str = ""
    """Who looks after the artifact; empty if it does not say."""
    trace_id: str = ""
    """The trace of this session, 32 hexadecimal digits; empty for a record of an earlier version."""

    @property
    def flaky(self) -> tuple[str, ...]:
        """The builds that failed and then passed unchanged, one sentence each."""
        return tuple(
            f"{FLAKY}the {build.role.value} build failed {_times(len(build.failed_before))} "
            f"({', '.join(dict.fromkeys(build.failed_before))}), then passed unchanged"
            for build in self.builds
            if build.failed_before and build.status is BuildStatus.OK
        )

    @property
    def broken(self) -> BuildResult | None:
        """The first build that failed, other than builds of the diagnosis: it changes what it builds to learn more."""
        diagnosis: tuple[Role, ...] = (Role.REMEDY,)
        if self.verdict in (*EXPECTED, Verdict.UNREPRODUCIBLE):
            diagnosis = (*diagnosis, Role.REPEAT, Role.BISECT)
        failed = (build for build in self.builds if build.status is not BuildStatus.OK)
        return next((build for build in failed if build.role not in diagnosis), None)

    @property
    def rebuilt(self) -> tuple[str, ...]:
        """Why it was not answered from the cache, although it was built before; these are among the notes."""
        return tuple(note for note in self.notes if note.startswith(BUILT_AGAIN))

    @property
    def mismatch(self) -> bool:
        """Whether its builds agree, but not with those recorded earlier for the same inputs."""
        return NOT_CACHED_BEFORE in self.notes or any(is_disagreement(one.why) for one in self.findings)

    @property
    def passed(self) -> bool:
        """Whether the artifact passes."""
        kept = not self.leaks and not (self.strict and self.hermeticity)
        return self.verdict in EXPECTED and kept


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
