"""One build: what is asked for (Action) and what came of it (BuildResult)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

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
    """The command failed, or left none of its outputs."""
    TIMEOUT = "timeout"
    LOST = "lost"
    """Infrastructure failed, not the build: its result says nothing about the artifact."""


class Tracing(str, Enum):
    """What to record of a build while it runs."""

    NO = "no"
    USES = "uses"
    """Programs, the files they open, the addresses they connect to."""
    CONTENTS = "contents"
    """The beginnings of what they write, too."""


class OutputType(str, Enum):
    """The types an output may have; anything else is refused."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A shell for a person inside a build's environment."""

    argv: tuple[str, ...]
    terminal: int
    """Descriptor of the terminal it gets as its own."""
    script: int
    """Descriptor of what it reads first, kept open for it."""


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
    """The repository's ``.git``, shown read-only to the build; None when the source has none."""
    root: Path | None = None
    """Where there are no namespaces, the folder that holds all paths of the build; builds that share it take turns."""
    git_link: Path | None = None
    """The folder that a ``.git`` file in the source points into (worktrees, submodules)."""
    trace: Tracing = Tracing.NO
    critical: bool = False
    """Whether it is built before others that wait."""
    fetches: bool = False
    """Whether it is declared to download: what a server answers is then no failure of its own."""
    confidential: bool = False
    """Whether it knows a secret: its log must not be kept before that is masked."""
    keep: Path | None = None
    """An empty folder for what is left of the tree, the home and the temporary folder; None to leave nothing."""
    shell: Shell | None = None
    """An interactive shell that takes the place of the command."""
    artifact: str = ""
    """The name of the artifact that it builds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What came of one build."""

    id: str
    role: Role
    environment: Mapping[str, str]
    """As ``Action.described``."""
    status: BuildStatus
    exit_code: int | None = None
    """None when the build was killed before it ended."""
    reason: str = ""
    """Why the status is not ok, in one line."""
    attempts: int = 1
    failed_before: tuple[str, ...] = ()
    """Why earlier attempts at the same build failed; with status ok, the build is flaky."""
    lost_before: tuple[str, ...] = ()
    """Why earlier attempts at it were lost."""
    started: float = 0.0
    """Real start, seconds since 1970."""
    seconds: float = 0.0
    outputs: tuple[Output, ...] = ()
    """Sorted by path."""
    log: str = ""
    """Path of the file that holds stdout and stderr in full."""
    log_tail: str = ""
    """Its last lines, decoded with replacement; filled unless the status is ok."""
    blobs: str = ""
    """Folder of the contents, one file per sha256; valid while the session runs."""
    not_applied: Mapping[str, str] = field(default_factory=dict)
    """Variation name to the reason why the launcher could not apply it after all."""
    notes: tuple[str, ...] = ()
    """Other things a person should know, one sentence each."""
    trace: Trace | None = None
    """What was recorded; None when that was not asked for or not possible."""
    not_followed: str = ""
    """Why the build could not be followed, where that was tried."""
    recipe: Recipe | None = None
    """How to run it again; None when that is not known."""
