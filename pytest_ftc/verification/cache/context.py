"""What the verification cache is asked, with what it finds its answers, and what it may find instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ftc.builds.inputs.dependencies import Dependencies
from pytest_ftc.builds.inputs.source_state import Sources, SourceState
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.model import Artifact, Difference, Machine
from pytest_ftc.model.protocols import Images, Variation
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.verification.cache.key import Inquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheContext:
    """What a session asks of every verification, and all that it finds its answers with."""

    project: Path
    sources: Sources
    toolchain: Toolchain
    machine: Machine
    select: Callable[[Artifact], Sequence[Variation]]
    builds: int | None
    diagnose: DiagnosisMode
    trace: bool
    path: Sequence[str]
    environ: Mapping[str, str]
    has_environment: Callable[[str], bool]
    """Returns whether build requirements of this digest are still installed."""
    platform: Sequence[str]
    """What kind of machine and Python this is."""
    effects: Mapping[str, str] = field(default_factory=dict)
    """Digests of what the variations of plugins do, by name."""
    images: Images | None = None
    """Where published files in registries are found."""
    dependencies: Dependencies = field(default_factory=Dependencies)
    """Looks at what builds use outside their sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheQuery:
    """What is asked about one artifact."""

    artifact: Artifact
    inquiry: Inquiry
    state: SourceState
    tools: Mapping[str, str] = field(default_factory=dict)
    """Digests of what its builds are run with, by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Outputs that an earlier verification of the same action has recorded otherwise."""

    differences: tuple[Difference, ...]
    """`control` is what was recorded, `experiment` what was built now."""
    machine: str
    """Where the earlier builds ran."""
    elsewhere: bool
    """Whether that is another machine than this one."""
    made: float
    """When, seconds since 1970."""
