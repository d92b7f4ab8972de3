"""One build: the request (Action) and the outcome (BuildResult)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pytest_ftc.model.build_inputs import Host
from pytest_ftc.model.environment import Environment
from pytest_ftc.model.recipe import Recipe
from pytest_ftc.model.trace import Trace


class Role(str, Enum):
    """Why a build is run."""

    CONTROL = "control"
    EXPERIMENT = "experiment"
    REPEAT = "repeat"
    BISECT = "bisect"
    REMEDY = "remedy"


class BuildStatus(str, Enum):
    """How a build ended."""

    OK = "ok"
    FAILED = "failed"
    """The command failed or produced none of its outputs."""
    TIMEOUT = "timeout"
    LOST = "lost"
    """Infrastructure error, not a build failure: the result is inconclusive."""


class Tracing(str, Enum):
    """What to record of a build while it runs."""

    NO = "no"
    USES = "uses"
    """Programs, the files they open, the addresses they connect to."""
    CONTENTS = "contents"
    """Also the beginning of each file they write."""
    TOOLS = "tools"
    """As `USES`, and digests of the files of the machine that they read; on a farm only."""


class OutputType(str, Enum):
    """The permitted types of an output; any other is rejected."""

    FILE = "file"
    DIR = "dir"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One entry of a manifest."""

    path: str
    """Relative to the build tree, ``/`` separated; undecodable bytes as surrogate escapes (PEP 383)."""
    type: OutputType
    mode: str
    """Permission bits in octal, such as ``0644``."""
    size: int = 0
    """Bytes; 0 for folders and symlinks."""
    sha256: str = ""
    """Hex digest of the content; empty for folders and symlinks."""
    target: str = ""
    """Where a symlink points."""


def is_below(path: str) -> bool:
    """Return whether the `path` of an output cannot lead out of the folder to which it is relative."""
    return "\0" not in path and all(part not in ("", ".", "..") for part in path.split("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """An interactive shell inside a build's environment."""

    argv: tuple[str, ...]
    terminal: int
    """Descriptor of the terminal that becomes its controlling terminal."""
    script: int
    """Descriptor of its startup file, kept open for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One build to run: a command on a source snapshot in an environment."""

    id: str
    role: Role
    command: tuple[str, ...]
    snapshot: Path
    """Immutable copy of the source tree."""
    environment: Environment
    described: Mapping[str, str]
    """Variation name to the value this build sees, for reports."""
    outputs: tuple[str, ...]
    timeout: float
    git_dir: Path | None = None
    """The repository's ``.git``, which the build sees and cannot change; None when the source has none."""
    root: Path | None = None
    """Without namespaces, the folder that holds all paths of the build; builds that share it run one at a time."""
    git_link: Path | None = None
    """The folder that a ``.git`` file in the source points into (worktrees, submodules)."""
    trace: Tracing = Tracing.NO
    critical: bool = False
    """Whether it has priority over waiting builds."""
    fetches: bool = False
    """Whether it is declared to download: a server's error is then not the build's own failure."""
    confidential: bool = False
    """Whether it has access to a secret, which must be masked before its log is kept."""
    secret_files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Files that it sees, in memory only: contents by path."""
    keep: Path | None = None
    """An empty folder that receives tree, home and temporary folder after the build; None to discard them."""
    shell: Shell | None = None
    """An interactive shell to run instead of the command."""
    artifact: str = ""
    """The name of the artifact."""
    span: str = ""
    """The ID of the span of this build, if its environment names it; empty for a random one."""
    pass_sockets: tuple[str, ...] = ()
    """Paths of the sockets of this machine that it sees."""
    shown: Mapping[str, Path] = field(default_factory=dict)
    """Folders that it sees read-only at other paths, by those paths."""
    clock: float | None = None
    """When the clock of a build on a farm shall start, seconds since 1970; None for `environment.clock_shift`.

    Nobody else knows when the worker is ready.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The outcome of one build."""

    id: str
    role: Role
    environment: Mapping[str, str]
    """As ``Action.described``."""
    status: BuildStatus
    exit_code: int | None = None
    """None if the build was killed."""
    reason: str = ""
    """Why the status is not ok, in one line."""
    attempts: int = 1
    failed_before: tuple[str, ...] = ()
    """Why earlier attempts at the same build failed; with status ok, the build is flaky."""
    lost_before: tuple[str, ...] = ()
    """Why earlier attempts ended with status lost."""
    started: float = 0.0
    """Real start, seconds since 1970."""
    seconds: float = 0.0
    no_gap: str = ""
    """Why it started without a gap in real time after the control; empty if it waited, or is none that waits."""
    queue_seconds: float = 0.0
    """Seconds in which it, with all its attempts, waited for a free job or, on a farm, for a worker."""
    outputs: tuple[Output, ...] = ()
    """Sorted by path."""
    log: str = ""
    """Path of the file that holds stdout and stderr in full."""
    log_tail: str = ""
    """Its last lines, decoded with replacement; filled unless the status is ok."""
    blobs: str = ""
    """Folder of the contents, one file per sha256; valid while the session runs."""
    not_applied: Mapping[str, str] = field(default_factory=dict)
    """Variation name to the reason why the launcher could not apply it."""
    notes: tuple[str, ...] = ()
    """Further notes for the user, one sentence each."""
    trace: Trace | None = None
    """The recorded trace; None if tracing was not requested or not possible."""
    peers: tuple[tuple[str, str], ...] = ()
    """Program and address of each process outside the build that was reached."""
    shared: tuple[str, ...] = ()
    """Where no namespaces part builds: the files outside its own folders that it used, and other builds may use."""
    not_followed: str = ""
    """Why tracing failed, if it was attempted."""
    worker: str = ""
    """The name that a farm's worker gives itself; empty for this machine, and where the farm does not say."""
    host: Host | None = None
    """The machine of a farm's worker; None for this machine."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """sha256 of the programs and libraries of that machine, by path, where two machines are compared."""
    clock_shift: int | None = None
    """Seconds by which its clock was ahead, where the worker had to choose that for `Action.clock`."""
    cpu_seconds: float | None = None
    """CPU time of the build, on a farm also of setting it up, as the worker says; None where nobody has counted."""
    recipe: Recipe | None = None
    """How to run it again; None if unknown."""
