"""How one build was run, so that it can be run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.model.artifact import Metadata
from pytest_ftc.model.environment import Environment
from pytest_ftc.model.machine import Isolation


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All inputs of a build, without the sources themselves and without secrets."""

    artifact: str
    """Node id of the artifact."""
    name: str
    command: tuple[str, ...]
    source: str
    """The source folder, relative to the project's."""
    source_digest: str
    """Digest of the tree that was built; empty if it could not be computed."""
    commit: str
    """The commit of the sources; empty outside a repository."""
    environment: Environment
    """Without the variables that `secrets` and `passed` name."""
    outputs: tuple[str, ...]
    timeout: float
    metadata: Metadata = Metadata.CONTENT
    preset: str | None = None
    prepared: tuple[str, ...] = ()
    """Folders with what the preset installed."""
    requirements: str = ""
    """sha256 of their contents; empty if there was nothing."""
    secrets: tuple[str, ...] = ()
    """As the artifact declares them; a replay reads their values again."""
    pass_sockets: tuple[str, ...] = ()
    """As the artifact declares them."""
    passed: Mapping[str, str] = field(default_factory=dict)
    """Variables that came from the environment of pytest, each with a digest under the key of this user."""
    key: str = ""
    """Identifies that key; empty if there was none."""
    path: tuple[str, ...] = ()
    """The session's search path for commands."""
    python: str = ""
    """The Python that ran the session."""
    isolation: Isolation = Isolation.NONE
    root: str = ""
    """Without namespaces, the folder that held all paths of the build."""
    cpus: int = 0
    """Number of CPUs of the machine."""
    executor: str = "local"
    """Where it was built: ``local``, on this machine, or ``reapi``, on a farm."""
