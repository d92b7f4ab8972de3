"""What a machine can vary, and what that costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.model import (
    Action,
    Artifact,
    BuildResult,
    BuildStatus,
    CheckUp,
    Machine,
    Role,
    Snapshot,
    VariationState,
)
from pytest_ftc.model.protocols import Executor, MayStart, Variation, at_once
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification.claims.machines import find_same_machine
from pytest_ftc.verification.plan import BuildSetting, PlannedArtifact, plan_builds, plan_rebuild
from pytest_ftc.verification.self_test.machine import Examined, examine_machine
from pytest_ftc.verification.user_folders import search_path

_ROUNDS = 5
_FEW_ROUNDS = 2
"""Where each build takes seconds."""
_FILES = 20
_TIMEOUT = 60
"""Seconds that an empty build may take."""


def examine(added: Sequence[Variation] = ()) -> CheckUp:
    """Examine this machine, including the variations `added` by plugins.  Raises FtcError."""
    with Workspace() as workspace:
        machine, own = examine_machine(workspace, added)
        folder = workspace.folder("check-up")
        executor = NotingExecutor(LocalExecutor(machine, folder / "work", folder / "logs", jobs=1))
        return check(machine, [*CATALOGUE, *usable(added, own)], executor, folder)


def usable(added: Sequence[Variation], own: Examined) -> list[Variation]:
    """Return the variations `added` by plugins, those that fail replaced."""
    return [own.replaced.get(variation.name, variation) for variation in added]


class NotingExecutor:
    """An executor that records which variations its builds could not apply, or only partly, and who built."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner
        self.not_applied: dict[str, str] = {}
        self.workers: set[str] = set()

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`."""
        result = self._inner.run(action, started, may_start)
        self.not_applied |= result.not_applied
        self.workers |= {result.worker} - {""}
        return result

    def cancel(self) -> None:
        """See `pytest_ftc.model.protocols.Executor`."""
        self._inner.cancel()


def check(
    machine: Machine,
    catalogue: Sequence[Variation],
    executor: NotingExecutor,
    folder: Path,
    *,
    each: bool = True,
) -> CheckUp:
    """Return what of the `catalogue` programs see on `machine`, and what environments of `executor` cost there.

    `folder` is for temporary files.  Unless `each` variation is measured alone, the cost of none is known.
    """
    reasons = {one.name: one.unavailable(machine) or machine.unseen.get(one.name) or "" for one in catalogue}
    possible = [variation for variation in catalogue if not reasons[variation.name]]
    planned = _plan(machine, possible, folder)
    costs, builds = _measure(planned, executor, folder / "work", each=each)
    reasons |= {one.variation: one.reason for one in planned.plan.not_varied}
    reasons |= find_same_machine(builds, planned.plan.varied)
    reasons |= {name: why for name, why in executor.not_applied.items() if name in reasons}
    plain = costs[()]
    alone = {names[0]: max(0.0, cost - plain) for names, cost in costs.items() if each and len(names) == 1}
    return CheckUp(
        machine=machine,
        control_milliseconds=plain,
        experiment_milliseconds=costs[planned.plan.varied],
        variations=tuple(
            VariationState(
                name=variation.name,
                in_force=not reasons[variation.name],
                mechanism=variation.mechanism,
                reason=reasons[variation.name],
                milliseconds=None if reasons[variation.name] else alone.get(variation.name),
            )
            for variation in catalogue
        ),
    )


def _plan(machine: Machine, variations: Sequence[Variation], folder: Path) -> PlannedArtifact:
    """Return an artifact whose build does next to nothing, with its sources in `folder`."""
    source = folder / "source"
    source.mkdir()
    for number in range(_FILES):
        (source / f"file-{number}").write_text("x")
    artifact = Artifact(
        id="check-up",
        name="check-up",
        build=("/bin/sh", "-c", "echo > out"),
        outputs=("out",),
        source=source,
        timeout=_TIMEOUT,
    )
    snapshot = Snapshot(path=source, git_dir=None, git_link=None, commit_time=None)
    setting = BuildSetting(machine=machine, folder=folder / "plain", path=machine.path or search_path(), environ={})
    plan = plan_builds(artifact, snapshot, variations, setting, builds=2)
    return PlannedArtifact(artifact=artifact, source=snapshot, machine=machine, plan=plan)


def _measure(
    planned: PlannedArtifact, executor: Executor, work: Path, *, each: bool
) -> tuple[dict[tuple[str, ...], float], list[BuildResult]]:
    """Return the median milliseconds of a build with no variation, `each` one alone, and all variations.

    With them comes one of the first builds, and one of the last.
    """
    varied = planned.plan.varied
    every = [(), *((name,) for name in varied if each), varied]
    times: dict[tuple[str, ...], list[float]] = {names: [] for names in every}
    done: dict[tuple[str, ...], BuildResult] = {}
    for turn in range(_ROUNDS if each else _FEW_ROUNDS):
        # Interleave the measurements, so that a disturbance of the machine affects all of them.
        for number, names in enumerate(times):
            taken, done[names] = _time(planned, names, executor, f"{turn}-{number}")
            times[names].append(taken)
            remove_tree(str(work))
    builds = [replace(done[()], role=Role.CONTROL), replace(done[varied], role=Role.EXPERIMENT)]
    return {names: statistics.median(taken) for names, taken in times.items()}, builds


def _time(planned: PlannedArtifact, names: Sequence[str], executor: Executor, suffix: str) -> tuple[float, BuildResult]:
    action = plan_rebuild(planned, names, role=Role.REPEAT, suffix=f"-{suffix}")
    begin = time.perf_counter()
    result = executor.run(action, lambda _: None)
    taken = (time.perf_counter() - begin) * 1000
    return taken if result.status is BuildStatus.OK else float("nan"), result
