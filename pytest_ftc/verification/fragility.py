"""Builds that break in a varied environment: finding the variations that break them, and building without those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pytest_ftc.model import Action, BuildResult, BuildStatus, Role
from pytest_ftc.model.errors import ExecutionError
from pytest_ftc.model.protocols import Executor
from pytest_ftc.model.timing.collector import here
from pytest_ftc.verification.plan import PlannedArtifact, plan_rebuild

_BUDGET = 24
"""Most builds of a bisection: finding one of twenty variations takes ten builds, finding two takes less than 24."""


Group = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaking:
    """The result of a bisection."""

    group: Group
    """The variations that break the build; empty if they were not found."""
    reason: str
    """The same in human-readable form, with their values."""
    builds: tuple[BuildResult, ...]
    """The builds of the bisection."""
    healed: tuple[Action, BuildResult] | None
    """A successful build with all other variations; None if there is none."""


def find_what_breaks(planned: PlannedArtifact, executor: Executor, *, experiment: int = 1) -> Breaking:
    """Find the variations that break the build number `experiment`, by building with fewer of them.

    Raises ExecutionError if a build is lost, because the result is then unknown.
    """
    plan, broken = planned.plan, planned.plan.actions[experiment]
    builds: list[BuildResult] = []

    def plan_one(group: Group, number: int = 1) -> Action:
        suffix = f"-{len(builds) + number}"
        return plan_rebuild(planned, group, role=Role.BISECT, suffix=suffix, experiment=experiment)

    def build(actions: Sequence[Action]) -> list[BuildResult]:
        results = _run_all(executor, actions)
        builds.extend(results)
        return results

    def breaks(groups: Sequence[Group]) -> list[bool]:
        results = build([plan_one(group, number) for number, group in enumerate(groups, start=1)])
        return [result.status is not BuildStatus.OK for result in results]

    found: Group = ()
    while True:
        rest = tuple(name for name in plan.varied if name not in found)
        if found:
            action = plan_one(rest)
            (result,) = build([action])
            if result.status is BuildStatus.OK:
                reason = _describe(broken, found)
                return Breaking(group=found, reason=reason, builds=tuple(builds), healed=(action, result))
        group = find_breaking(rest, breaks, _BUDGET - len(builds))
        if group is None or len(rest) == len(group):
            reason = _describe(broken, found) if found else ""
            return Breaking(group=found, reason=reason, builds=tuple(builds), healed=None)
        found = (*found, *group)


def find_breaking(
    names: Sequence[str], break_build: Callable[[Sequence[Group]], Sequence[bool]], budget: int
) -> Group | None:
    """Return a minimal group of `names` that breaks the build, given that all of them together do.

    `break_build` returns for each group whether it breaks the build; it is called with two groups at a time, which can
    be built in parallel.  A group that breaks only as a whole is returned unchanged.  Returns None if `budget` builds
    are not enough.
    """
    suspects = tuple(names)
    while len(suspects) > 1:
        if budget < 2:
            return None
        budget -= 2
        halves = suspects[: len(suspects) // 2], suspects[len(suspects) // 2 :]
        breaks = break_build(halves)
        if not any(breaks):
            return suspects
        suspects = halves[0] if breaks[0] else halves[1]
    return suspects


def _run_all(executor: Executor, actions: Sequence[Action]) -> list[BuildResult]:
    def build(action: Action) -> BuildResult:
        return executor.run(action, lambda _: None)

    with ThreadPoolExecutor(len(actions), thread_name_prefix="ftc-bisect") as pool:
        results = list(pool.map(here(build), actions))
    for result in results:
        if result.status is BuildStatus.LOST:
            raise ExecutionError(f"a build was lost during the search for the breaking variation: {result.reason}")
    return results


def _describe(action: Action, group: Group) -> str:
    described = action.described
    return "breaks under: " + ", ".join(f"{name}={described[name]}" for name in group)
