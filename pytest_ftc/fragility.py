"""A build that breaks in a varied environment: which variation breaks it, and does it build without that one?"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pytest_ftc.errors import ExecutionError
from pytest_ftc.model import Action, Artifact, BuildResult, BuildStatus, Machine, Role, Snapshot
from pytest_ftc.planning.bisection import Group, find_breaking
from pytest_ftc.planning.plan import Plan, plan_rebuild
from pytest_ftc.protocols import Executor

_BUDGET = 24
"""Builds that a bisection may take: one culprit among twenty variations takes ten, two take less than twenty-four."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaking:
    """What a bisection has found."""

    group: Group
    """The variations that break the build; empty when they were not found."""
    told: str
    """The same for a person, with their values."""
    builds: tuple[BuildResult, ...]
    """The builds it took."""
    healed: BuildResult | None
    """A build with all other variations that went well; None when there was none."""


def find_what_breaks(
    artifact: Artifact, source: Snapshot, plan: Plan, executor: Executor, machine: Machine
) -> Breaking:
    """Find the variations of `plan` that break the build, by building with fewer of them.

    Raises ExecutionError when a build is lost, since then nothing is known.
    """
    builds: list[BuildResult] = []

    def build(groups: Sequence[Group]) -> list[BuildResult]:
        actions = [
            plan_rebuild(artifact, source, plan, group, machine, role=Role.BISECT, suffix=f"-{len(builds) + number}")
            for number, group in enumerate(groups, start=1)
        ]
        results = _run_all(executor, actions)
        builds.extend(results)
        return results

    found: Group = ()
    while True:
        rest = tuple(name for name in plan.varied if name not in found)
        if found:
            (healed,) = build([rest])
            if healed.status is BuildStatus.OK:
                return Breaking(group=found, told=_tell(plan, found), builds=tuple(builds), healed=healed)
        group = find_breaking(
            rest,
            lambda groups: [result.status is not BuildStatus.OK for result in build(groups)],
            _BUDGET - len(builds),
        )
        if group is None or len(rest) == len(group):
            told = _tell(plan, found) if found else ""
            return Breaking(group=found, told=told, builds=tuple(builds), healed=None)
        found = (*found, *group)


def _run_all(executor: Executor, actions: Sequence[Action]) -> list[BuildResult]:
    with ThreadPoolExecutor(len(actions), thread_name_prefix="ftc-bisect") as pool:
        results = list(pool.map(lambda action: executor.run(action, lambda _: None), actions))
    for result in results:
        if result.status is BuildStatus.LOST:
            raise ExecutionError(f"a build was lost while looking for what breaks the artifact: {result.reason}")
    return results


def _tell(plan: Plan, group: Group) -> str:
    described = plan.actions[1].described
    return "breaks under: " + ", ".join(f"{name}={described[name]}" for name in group)
