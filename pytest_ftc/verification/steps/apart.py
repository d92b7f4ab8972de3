"""Runs the planned builds of an artifact: apart in real time, unless its control shows that this cannot matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from pytest_ftc.builds.staggered import APART, REAL_GAP, not_before, run_apart
from pytest_ftc.model import Action, BuildResult, BuildStatus
from pytest_ftc.model.protocols import Executor
from pytest_ftc.verification.claims.gap import NO_GAP, is_unmoved, needs_gap


def run_planned(
    executor: Executor,
    actions: Sequence[Action],
    *,
    at_once: bool = False,
    after_first: Callable[[BuildResult], None] = lambda _: None,
) -> tuple[BuildResult, ...]:
    """Run a control and its experiments, `actions`, and return their results; see `run_apart`.

    They begin together if `at_once`.  An experiment that began too early runs again if the control turns out to be one
    after which it must wait, or if its own clock was not moved for all its programs.
    """
    wait = partial(must_wait, actions)
    builds = run_apart(executor, actions, 0.0 if at_once else REAL_GAP, needs_gap=wait, after_first=after_first)
    if any(build.status is not BuildStatus.OK for build in builds):
        return builds
    waits = wait(builds[0])
    if waits and not at_once:
        return builds
    settled = list(builds[:1])
    for action, build in zip(actions[1:], builds[1:], strict=False):
        before = settled[-1].started
        if build.started >= before + APART:
            settled.append(build)
        elif waits or is_unmoved(build):
            settled.append(executor.run(action, lambda _: None, not_before(before + REAL_GAP)))
        else:
            settled.append(replace(build, no_gap=NO_GAP))
    return tuple(settled)


def must_wait(actions: Sequence[Action], control: BuildResult) -> bool:
    """Return whether the experiments among `actions` must begin some real time after the `control`, which has ended."""
    return not all(action.environment.clock_shift for action in actions[1:]) or needs_gap(control)
