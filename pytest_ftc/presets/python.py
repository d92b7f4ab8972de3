"""The sdist and the wheel of a Python project, built as PyPA's ``build`` does, see PEP 517."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_ftc.errors import ConfigurationError
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.presets.backend import Kind, dynamic_requirements, static_requirements
from pytest_ftc.presets.build_environment import provide_environment
from pytest_ftc.presets.commands import Cancelled, never
from pytest_ftc.presets.prepared import Prepared

_OUTPUTS: dict[Kind, str] = {"sdist": "dist/*.tar.gz", "wheel": "dist/*.whl"}
_PRESETS: dict[str, Kind] = {f"python-{kind}": kind for kind in _OUTPUTS}


def preset_of(kind: Kind) -> str:
    """Return the name of the preset that builds the sdist or the wheel."""
    return f"python-{kind}"


def outputs_of(kind: Kind) -> str:
    """Return the glob of what it leaves."""
    return _OUTPUTS[kind]


def is_python(source: Path) -> bool:
    """Return whether the folder `source` is a Python project."""
    return any((source / name).is_file() for name in ("pyproject.toml", "setup.py"))


def declare(file: Path) -> tuple[Artifact, ...]:
    """Return the artifacts ``sdist`` and ``wheel`` of the project of `file`, a pyproject.toml or setup.py.

    Raises ConfigurationError when beside `file` there is neither of the two.
    """
    source = file.parent.resolve()
    if not is_python(source):
        raise ConfigurationError(f"{source} is not a Python project: it has neither pyproject.toml nor setup.py")
    return tuple(
        Artifact(
            id=f"{file.name}::ftc::{kind}",
            name=kind,
            build=(),
            outputs=(outputs,),
            source=source,
            preset=preset_of(kind),
        )
        for kind, outputs in _OUTPUTS.items()
    )


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
