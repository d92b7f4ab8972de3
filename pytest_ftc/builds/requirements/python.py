"""The sdist and the wheel of a Python project, built as PyPA's ``build`` does, see PEP 517."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.builds.requirements.backend import Kind, dynamic_requirements, static_requirements
from pytest_ftc.builds.requirements.commands import Cancelled, never
from pytest_ftc.builds.requirements.environment_cache import provide_environment
from pytest_ftc.model import Artifact, Snapshot

OUTPUTS: dict[Kind, str] = {"sdist": "dist/*.tar.gz", "wheel": "dist/*.whl"}


_PRESETS: dict[str, Kind] = {f"python-{kind}": kind for kind in OUTPUTS}


def prepare(artifact: Artifact, source: Snapshot, cache: Path, cancelled: Cancelled = never) -> Prepared:
    """Return `artifact` ready to build: its requirements are installed once, below `cache`, and builds run offline.

    An artifact with a command of its own is ready as it is.  `cancelled` is asked from time to time whether to give
    up.  Raises PreparationError or ConfigurationError.
    """
    if artifact.preset is None:
        return Prepared(artifact=artifact)
    kind = _PRESETS[artifact.preset]
    static = static_requirements(source.path)
    environment = provide_environment(cache, [*static], cancelled)
    dynamic = dynamic_requirements(source, kind, environment.python, artifact.env, cancelled)
    if dynamic - static:
        environment = provide_environment(cache, [*static | dynamic], cancelled)
    return Prepared(
        artifact=replace(artifact, build=_build_command(environment.python, kind)),
        path_entries=(str(environment.python.parent),),
        inputs_digest=environment.digest,
    )


def _build_command(python: Path, kind: Kind) -> tuple[str, ...]:
    # Isolated mode (-I), for the front end only, keeps the project's own build.py from being taken for PyPA's build.
    return (
        str(python), "-I", "-m", "build", f"--{kind}", "--no-isolation", "--skip-dependency-check",
        "--outdir", "dist", ".",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An artifact that is ready to build, and what its builds use besides their source."""

    artifact: Artifact
    path_entries: tuple[str, ...] = ()
    """Folders that go first on the search path for commands."""
    inputs_digest: str = ""
    """sha256 of the installed build requirements; empty when there are none."""
