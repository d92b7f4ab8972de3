"""Variations that were applied but that a verdict must not claim: this build, or this machine, could evade them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from pytest_ftc.builds.staggered import APART
from pytest_ftc.model import BuildResult, Machine, Program, Snapshot
from pytest_ftc.model.cause import Cause
from pytest_ftc.model.protocols import HasLimits
from pytest_ftc.model.support.contents import find_content, is_remote
from pytest_ftc.verification.claims.languages import describe_languages
from pytest_ftc.verification.claims.not_searched import summarize
from pytest_ftc.verification.claims.time_readers import find_fixed_date, may_read_file_times
from pytest_ftc.verification.plan import Plan, PlannedArtifact

_MOST_FETCHED = 64 << 20
"""Bytes of equal outputs that are fetched from a farm to be searched."""
_FRONT_END = ("-I", "-m", "build")
"""Arguments of the front end in a preset: it only starts the backend, which uses the seed."""


def find_unclaimed(
    planned: PlannedArtifact, control: BuildResult, experiments: Sequence[BuildResult] = ()
) -> dict[str, str]:
    """Return the applied variations that do not count as varied, and why."""
    plan = planned.plan
    return {
        **(control.trace.evaded if control.trace else {}),
        **_find_unmoved_date(plan, planned.source, control),
        **_find_same_moment(plan, control, experiments),
        **_find_limits(plan, planned.machine),
        **_find_unseeded(plan, control),
    }


def describe_claims(builds: Sequence[BuildResult]) -> tuple[str, ...]:
    """Return notes on the limits of claims: the languages used, and whether evaded variations would be noticed."""
    return (*describe_languages(builds), *_describe_unwatched(builds[0]))


def _describe_unwatched(control: BuildResult) -> tuple[str, ...]:
    if control.trace is not None or not control.not_followed:
        return ()
    reason = f"the control build could not be traced ({control.not_followed})"
    return (f"{reason}, so it is unknown whether a program evades a variation, for example by starting without TZ",)


def _find_unseeded(plan: Plan, control: BuildResult) -> dict[str, str]:
    """Return why the hash seed was not varied, if an interpreter did not use the seed of its build.

    Its sets and hash tables then have a random order in each build.
    """
    if Cause.HASH_SEED not in plan.varied or control.trace is None:
        return {}
    variables = plan.actions[0].environment.variables
    seeds = {variables.get("PYTHONHASHSEED"), variables.get("PERL_HASH_SEED")}
    for program in control.trace.programs:
        name, ignoring = posixpath.basename(program.program), _ignores_seed(program)
        if program.hash_seed is None or program.argv[1:4] == _FRONT_END:
            continue
        if ignoring or program.hash_seed not in seeds:
            how = f"with {ignoring}" if ignoring else "without the variable that sets its hash seed"
            return {"hash_seed": f"{name} ran {how}, so its seed was random in each build"}
    return {}


def _ignores_seed(program: Program) -> str:
    """Return the option by which an interpreter ignores its environment; empty if it has none."""
    flags = "EI" if posixpath.basename(program.program).startswith(("python", "pypy")) else "T"
    for word in program.argv[1:]:
        if not word.startswith("-") or word.startswith("--"):
            break
        if any(flag in word[1:] for flag in flags):
            return word
        if word[-1] in "cmeE":
            break
    return ""


def _find_unmoved_date(plan: Plan, source: Snapshot, control: BuildResult) -> dict[str, str]:
    """Return why the clock was not varied, if the equal outputs contain the real date.

    Or if they could not be searched for it.
    """
    if Cause.TIME not in plan.varied:
        return {}
    if fixed := find_fixed_date(control.trace):
        return {"time": f"a fixed date decides ({fixed}), and the clocks of all builds may be on the same side of it"}
    size = sum(output.size for output in control.outputs)
    if is_remote(control.blobs) and size > _MOST_FETCHED:
        return {"time": f"{size >> 20} MiB of equal outputs stayed on the farm and were not searched for the real date"}
    files = {output.path: find_content(control.blobs, output.sha256) for output in control.outputs if output.sha256}
    moments = (control.started, control.started + control.seconds)
    variables, numbers = plan.actions[0].environment.variables, may_read_file_times(control.trace)
    # Only here: readers of formats take time to import.
    from pytest_ftc.comparison.real_dates import find_real_date

    # A build that starts in the second of the commit may have its time from either.
    commit = [source.commit_time] if source.commit_time and source.commit_time < control.started - APART else []
    found = find_real_date(files, moments, variables, source.path, numbers=numbers, known=commit)
    if found.text:
        reason = f"the outputs contain the real date of the builds ({found.text}), which the moved clock does not reach"
        return {"time": reason}
    if found.not_searched:
        missed = summarize("not searched for the date of the builds", found.not_searched)
        return {"time": "; ".join(missed)}
    return {}


def _find_same_moment(plan: Plan, control: BuildResult, experiments: Sequence[BuildResult]) -> dict[str, str]:
    """Return why the clock was not varied, if no experiment on a farm started long enough before or after the control.

    Setting up may take longer on one worker than on another, and their clocks may differ: times of files, which show
    the real clock, may then be equal by chance.
    """
    if Cause.TIME not in plan.varied or not is_remote(control.blobs) or not experiments:
        return {}
    apart = max(abs(one.started - control.started) for one in experiments)
    if apart >= APART:
        return {}
    return {"time": f"by the clocks of their workers, the builds started only {apart:.1f} s apart"}


def _find_limits(plan: Plan, machine: Machine) -> dict[str, str]:
    """Return the variations that this machine applied only partly, and the missing part."""
    limits = {one.name: one.limits(machine) for one in plan.variations if isinstance(one, HasLimits)}
    return {name: limit for name, limit in limits.items() if limit}
