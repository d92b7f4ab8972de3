"""Which variations a verdict may not claim though they were applied: this build, or this machine, could evade them."""

from __future__ import annotations

from pathlib import Path

from pytest_ftc.comparison.real_dates import find_real_date
from pytest_ftc.model import BuildResult, Machine, Snapshot
from pytest_ftc.model.protocols import HasLimits
from pytest_ftc.verification.not_searched import summarize
from pytest_ftc.verification.plan import Plan, PlannedArtifact
from pytest_ftc.verification.time_readers import may_read_file_times


def find_unclaimed(planned: PlannedArtifact, control: BuildResult) -> dict[str, str]:
    """Return the variations, of those that the plan has applied, that do not count as varied, and why."""
    plan = planned.plan
    return {**_find_unmoved_date(plan, planned.source, control), **_find_limits(plan, planned.machine)}


def _find_unmoved_date(plan: Plan, source: Snapshot, control: BuildResult) -> dict[str, str]:
    """Return why the clock was not varied, if the outputs, which are the same, hold the real date all the same.

    Or if they could not be searched for it.
    """
    if "time" not in plan.varied:
        return {}
    files = {output.path: Path(control.blobs, output.sha256) for output in control.outputs if output.sha256}
    moments = (control.started, control.started + control.seconds)
    variables, numbers = plan.actions[0].environment.variables, may_read_file_times(control.trace)
    found = find_real_date(files, moments, variables, source.path, numbers=numbers)
    if found.text:
        reason = f"the outputs contain the real date of the builds ({found.text}); file times cannot be varied"
        return {"time": reason}
    if found.not_searched:
        missed = summarize("not searched for the date of the builds", found.not_searched)
        return {"time": "; ".join(missed)}
    return {}


def _find_limits(plan: Plan, machine: Machine) -> dict[str, str]:
    """Return the variations that this machine applied only in part, and what it could not vary."""
    limits = {one.name: one.limits(machine) for one in plan.variations if isinstance(one, HasLimits)}
    return {name: limit for name, limit in limits.items() if limit}
