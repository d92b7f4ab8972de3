"""The artifacts of a Python project that declares none: its sdist and its wheel."""

from __future__ import annotations

from pathlib import Path

from pytest_ftc.builds.requirements.backend import Kind
from pytest_ftc.builds.requirements.python import OUTPUTS
from pytest_ftc.model import Artifact
from pytest_ftc.model.artifact import declared_id
from pytest_ftc.model.errors import ConfigurationError


def preset_of(kind: Kind) -> str:
    """Return the name of the preset that builds the sdist or the wheel."""
    return f"python-{kind}"


def outputs_of(kind: Kind) -> str:
    """Return the glob of its outputs."""
    return OUTPUTS[kind]


def is_python(source: Path) -> bool:
    """Return whether the folder `source` is a Python project."""
    return any((source / name).is_file() for name in ("pyproject.toml", "setup.py"))


def declare(file: Path) -> tuple[Artifact, ...]:
    """Return the artifacts ``sdist`` and ``wheel`` of the project of `file`, a pyproject.toml or setup.py.

    Raises ConfigurationError if the folder of `file` has neither of the two.
    """
    source = file.parent.resolve()
    if not is_python(source):
        raise ConfigurationError(f"{source} is not a Python project: it has neither pyproject.toml nor setup.py")
    return tuple(
        Artifact(
            id=declared_id(file.name, kind),
            name=kind,
            build=(),
            outputs=(outputs,),
            source=source,
            preset=preset_of(kind),
        )
        for kind, outputs in OUTPUTS.items()
    )


def find_build_file(root: Path, *, has_build_system: bool) -> Path | None:
    """Return pyproject.toml or, for a project from before PEP 518, setup.py."""
    project, legacy = root / "pyproject.toml", root / "setup.py"
    if has_build_system or (project.is_file() and legacy.is_file()):
        return project
    return legacy if legacy.is_file() else None
