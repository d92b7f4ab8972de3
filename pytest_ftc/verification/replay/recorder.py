"""Recording how each build was run, so that `replay` can repeat it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.builds.inputs.environment_variables import passed_variables
from pytest_ftc.builds.inputs.secrets import secret_names
from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.model import Action, Artifact, BuildResult, Machine, Recipe, Snapshot
from pytest_ftc.model.errors import SourceError
from pytest_ftc.model.protocols import Executor, MayStart, at_once
from pytest_ftc.verification.replay.withheld import describe_key, withhold


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The settings that all recipes of a session share."""

    root: Path
    """The folder of the project."""
    digest: Callable[[Snapshot], str]
    commit: Callable[[Path], str]
    key: bytes | None
    path: tuple[str, ...]
    """The search path for commands."""
    environ: Mapping[str, str]
    executor: str = "local"
    """Where builds run."""


class Recorder:
    """Runs builds with another executor, and records the requests."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner
        self._actions: dict[str, Action] = {}

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`."""
        self._actions[action.id] = action
        return self._inner.run(action, started, may_start)

    def cancel(self) -> None:
        """See `pytest_ftc.model.protocols.Executor`."""
        self._inner.cancel()

    def with_recipes(
        self,
        builds: Sequence[BuildResult],
        recording: Recording,
        prepared: Prepared,
        source: Snapshot,
        machine: Machine,
    ) -> tuple[BuildResult, ...]:
        """Return `builds`, which this executor ran from `source`, each with its recipe."""
        try:
            digest = recording.digest(source)
        except SourceError:
            digest = ""
        commit = recording.commit(prepared.artifact.source)
        return tuple(
            replace(
                build,
                recipe=replace(
                    _describe(self._actions[build.id], prepared, recording, machine),
                    source_digest=digest,
                    commit=commit,
                ),
            )
            for build in builds
        )


def _describe(action: Action, prepared: Prepared, recording: Recording, machine: Machine) -> Recipe:
    artifact = prepared.artifact
    parted = withhold(
        action.environment.variables,
        _passed(artifact, recording.environ),
        secret_names(artifact.secrets, artifact.source),
        recording.key,
    )
    return Recipe(
        artifact=artifact.id,
        name=artifact.name,
        command=action.command,
        source=os.path.relpath(artifact.source, recording.root),
        source_digest="",
        commit="",
        environment=replace(action.environment, variables=parted.shown),
        outputs=action.outputs,
        timeout=action.timeout,
        metadata=artifact.metadata,
        preset=artifact.preset,
        prepared=prepared.path_entries,
        requirements=prepared.inputs_digest,
        secrets=artifact.secrets,
        pass_sockets=artifact.pass_sockets,
        passed=parted.passed,
        key=describe_key(recording.key),
        path=recording.path,
        python=machine.python or sys.executable,
        isolation=machine.isolation,
        root=str(action.root or ""),
        cpus=machine.cpus,
        executor=recording.executor,
    )


def _passed(artifact: Artifact, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that `artifact` gets from the environment and does not set in its ``env``."""
    passed = passed_variables(artifact.pass_env, environ)
    return {name: value for name, value in passed.items() if name not in artifact.env}
