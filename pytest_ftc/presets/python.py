"""The sdist and the wheel of a Python project, built as PyPA's ``build`` does, see PEP 517."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_ftc.errors import PreparationError
from pytest_ftc.launcher.trees import copy_tree
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.presets.build_environment import BuildEnvironment, explain_failure, provide_environment
from pytest_ftc.presets.prepared import Prepared

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_OUTPUTS = {"sdist": "dist/*.tar.gz", "wheel": "dist/*.whl"}
_LEGACY_REQUIRES = ("setuptools >= 40.8.0",)
_HOOK_TIMEOUT = 300.0

_ASK_HOOK = """
import build, contextlib, json, sys
with contextlib.redirect_stdout(sys.stderr):
    requires = build.ProjectBuilder(".").get_requires_for_build(sys.argv[1])
print(json.dumps(sorted(requires)))
"""


def declare(file: Path) -> tuple[Artifact, ...]:
    """Return the artifacts ``sdist`` and ``wheel`` of the project that the pyproject.toml `file` describes."""
    return tuple(
        Artifact(
            id=f"{file.name}::ftc::{kind}",
            name=kind,
            build=(),
            outputs=(outputs,),
            source=file.parent.resolve(),
            preset=f"python-{kind}",
        )
        for kind, outputs in _OUTPUTS.items()
    )


def prepare(artifact: Artifact, source: Snapshot, cache: Path) -> Prepared:
    """Return `artifact` ready to build: its requirements are installed once, below `cache`, and builds run offline.

    An artifact with a command of its own is ready as it is.  Raises PreparationError.
    """
    if artifact.preset is None:
        return Prepared(artifact=artifact)
    kind = artifact.preset.removeprefix("python-")
    static = _static_requirements(source.path)
    environment = provide_environment(cache, static)
    dynamic = _ask_backend(environment, source.path, kind)
    if set(dynamic) - set(static):
        environment = provide_environment(cache, [*static, *dynamic])
    command = (
        str(environment.python), "-m", "build", f"--{kind}", "--no-isolation", "--skip-dependency-check",
        "--outdir", "dist", ".",
    )  # fmt: skip
    return Prepared(
        artifact=replace(artifact, build=command),
        path_entries=(str(environment.python.parent),),
        inputs_digest=environment.digest,
    )


def _static_requirements(source: Path) -> list[str]:
    build_system = _read_build_system(source)
    requires = build_system.get("requires", list(_LEGACY_REQUIRES))
    if not isinstance(requires, list) or not all(isinstance(item, str) for item in requires):
        raise PreparationError("pyproject.toml: [build-system] requires: expected a list of requirements (PEP 518)")
    # Without a backend, setuptools is used, whatever else is required: PEP 517, "Source trees".
    return requires if "build-backend" in build_system else [*requires, *_LEGACY_REQUIRES]


def _read_build_system(source: Path) -> dict[str, Any]:
    table = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8")).get("build-system", {})
    return table if isinstance(table, dict) else {}


def _ask_backend(environment: BuildEnvironment, source: Path, kind: str) -> list[str]:
    """Return what the backend requires beyond the static list; asked on a copy, since a hook may write."""
    with tempfile.TemporaryDirectory(prefix="pytest-ftc-hook-", ignore_cleanup_errors=True) as folder:
        copy_tree(str(source), folder)
        try:
            done = subprocess.run(
                [environment.python, "-c", _ASK_HOOK, kind],
                cwd=folder,
                env={
                    **os.environ,
                    "PATH": f"{environment.python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
                },
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=_HOOK_TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            raise PreparationError(
                f"the build backend did not say within {_HOOK_TIMEOUT:g} s what it requires"
            ) from None
    if done.returncode:
        raise PreparationError(explain_failure(f"the build backend failed to say what a {kind} requires", done.stderr))
    answer: list[str] = json.loads(done.stdout)
    return answer
