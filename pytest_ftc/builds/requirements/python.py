"""The sdist and the wheel of a Python project, built with PyPA's ``build`` (PEP 517)."""

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

    An artifact with its own command needs no preparation.  `cancelled` is called from time to time and ends the
    preparation.  Raises PreparationError or ConfigurationError.
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
    # Isolated mode (-I), only for the front end, so that it does not import a build.py of the project instead.
    return (
        str(python), "-I", "-m", "build", f"--{kind}", "--no-isolation", "--skip-dependency-check",
        "--outdir", "dist", ".",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An artifact that is ready to build, and its inputs other than the source."""

    artifact: Artifact
    path_entries: tuple[str, ...] = ()
    """Folders to put first on the search path for commands."""
    inputs_digest: str = ""
    """SHA-256 of the installed build requirements; empty if there are none."""
