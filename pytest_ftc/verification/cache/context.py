"""Queries to the verification cache, the context that they share, and disagreements with recorded outputs."""

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
    """The requirements of a session for cached verifications, and everything needed to check them."""

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
    """The kind of machine, and the version of Python."""
    effects: Mapping[str, str] = field(default_factory=dict)
    """Digests of the effects of plugins' variations, by name."""
    images: Images | None = None
    """The source of published files in registries."""
    dependencies: Dependencies = field(default_factory=Dependencies)
    """Describes the files that builds use outside their sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheQuery:
    """A query for one artifact."""

    artifact: Artifact
    inquiry: Inquiry
    state: SourceState
    tools: Mapping[str, str] = field(default_factory=dict)
    """Digests of the tools of its builds, by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Outputs that differ from those of an earlier verification of the same action."""

    differences: tuple[Difference, ...]
    """`control` is the recorded output, `experiment` the current one."""
    machine: str
    """The machine of the earlier builds."""
    elsewhere: bool
    """Whether that is a different machine."""
    made: float
    """Time of the earlier builds, in seconds since 1970."""
