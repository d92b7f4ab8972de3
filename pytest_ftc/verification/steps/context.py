"""What a verification needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ftc.builds.inputs.secrets import Secrets
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.plugin_diagnosers import Panel
from pytest_ftc.model import Artifact, RemedyTemplate
from pytest_ftc.model.protocols import Images, Variation
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.verification.build_inputs import InputsRecorder
from pytest_ftc.verification.cache.cache import VerificationCache
from pytest_ftc.verification.kept.keeper import OutputKeeper
from pytest_ftc.verification.rebuild import PATIENCE
from pytest_ftc.verification.replay.recorder import Recording
from pytest_ftc.verification.site import BuildSite


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Contributions of plugins to the diagnosis."""

    comparators: ComparatorChain = field(default_factory=ComparatorChain)
    """They may locate differences, before the built-in comparator does."""
    diagnosers: Panel | None = None
    templates: Sequence[RemedyTemplate] = ()
    """Remedies to try before those of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationContext:
    """Everything that a verification needs, created once per session."""

    site: BuildSite
    select: Callable[[Artifact], Sequence[Variation]]
    """Returns the requested variations for an artifact."""
    builds: int | None
    """The number of builds; None for two, or more if they are quick."""
    trace: bool
    """Whether to report undeclared inputs."""
    diagnose: DiagnosisMode
    max_builds: int | None
    """Most builds of one artifact, including its diagnosis; None for the default."""
    scratch: Path
    """An empty folder for temporary files."""
    cache: VerificationCache | None = None
    """Verifications of earlier sessions; None to build everything."""
    plugins: Plugins = field(default_factory=Plugins)
    """Who looks into what differs, beside our own diagnosis."""
    recording: Recording | None = None
    """Common settings of the records from which builds can be replayed; None to record nothing."""
    inputs: InputsRecorder | None = None
    """Records what the builds are made from; None where another executor knows."""
    images: Images | None = None
    """The source of published files in registries."""
    private: ComparatorChain | None = None
    """As those of `plugins`, with their diffs in a folder that goes with the session: they may hold secrets."""
    diffs: Path | None = None
    """Where diffs are kept; None to leave them where the comparators have put them."""
    keeper: OutputKeeper = field(default_factory=lambda: OutputKeeper(None))
    """Keeps the outputs of builds that differ."""
    known_secrets: list[Secrets] = field(default_factory=list)
    """Secrets to mask in all other output of the session."""
    is_idle: Callable[[], bool] = lambda: True
    """Returns whether CPUs are free for further experiments."""
    patience: float = PATIENCE
    """Seconds in which a diagnosis with quick builds may run many of them."""
