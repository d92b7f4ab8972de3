"""Whether the builds of an artifact ran on two machines, and what these have in common."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ftc.model import BuildResult, Role
from pytest_ftc.model.build_inputs import Host
from pytest_ftc.model.cause import Cause

_MOST_NAMED = 3


def find_same_machine(builds: Sequence[BuildResult], varied: Sequence[str]) -> dict[str, str]:
    """Return why the machine was not varied, if an experiment ran on that of the control, or may have."""
    if Cause.MACHINE not in varied:
        return {}
    control, *others = builds
    for other in others:
        if other.role is Role.EXPERIMENT and (why := _why_same(control, other)):
            return {Cause.MACHINE.value: why}
    return {}


def _why_same(one: BuildResult, other: BuildResult) -> str:
    if one.worker and other.worker:
        return f"control and experiment ran on the same worker, {one.worker}" if one.worker == other.worker else ""
    if _is_other(one.host, other.host):
        return ""
    return "the farm does not name its workers, and nothing shows that they are on two machines"


def _is_other(one: Host | None, other: Host | None) -> bool:
    if one is None or other is None:
        return False
    ids = ((one.machine, other.machine), (one.boot, other.boot))
    return any(mine and theirs and mine != theirs for mine, theirs in ids)


def describe_machines(builds: Sequence[BuildResult], varied: Sequence[str]) -> tuple[str, ...]:
    """Return a note with the two workers, and their kernels, operating systems and CPUs side by side."""
    first = {role: next((b for b in builds if b.role is role), None) for role in (Role.CONTROL, Role.EXPERIMENT)}
    control, experiment = first.values()
    if Cause.MACHINE not in varied or not (control and experiment and control.host and experiment.host):
        return ()
    names = f"machines: {control.worker or 'the one of the control'} and {experiment.worker or 'another one'}"
    facts = control.host.differing(experiment.host)
    differing = [f"{name}: {values}" for name, values in facts.items()]
    alike = [name for name in control.host.facts if name not in facts]
    tools = sorted(path for path in control.tools if control.tools[path] != experiment.tools.get(path))
    if tools:
        more = f" and {len(tools) - _MOST_NAMED} more" * (len(tools) > _MOST_NAMED)
        differing.append(f"not the same file: {', '.join(tools[:_MOST_NAMED])}{more}")
    same = [f"the same {', '.join(alike)}"] if alike else []
    return ("; ".join([names, *differing, *same]),)
