"""The outcome of an artifact's builds: runs them, judges them, and explains why they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_ftc.model import Artifact, BuildResult, BuildStatus, Difference, Finding, Verdict
from pytest_ftc.model.protocols import Executor
from pytest_ftc.model.timing.collector import timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.verification import BREAKS_THE_BUILD, DiagnosisMode
from pytest_ftc.verification.claims.machines import find_same_machine
from pytest_ftc.verification.claims.peers import find_evaded
from pytest_ftc.verification.claims.unclaimed import describe_claims, find_unclaimed
from pytest_ftc.verification.extra_builds import run_builds
from pytest_ftc.verification.fragility import find_what_breaks
from pytest_ftc.verification.judge import compare_builds, judge_builds
from pytest_ftc.verification.plan import Plan, PlannedArtifact
from pytest_ftc.verification.steps.apart import run_planned
from pytest_ftc.verification.steps.context import VerificationContext

if TYPE_CHECKING:
    from pytest_ftc.verification.steps.tolerance import Equivalence

_DIAGNOSIS_SECONDS = 600
"""Time after which no further build of a diagnosis is started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an artifact's builds so far."""

    plan: Plan
    builds: tuple[BuildResult, ...]
    verdict: Verdict
    reason: str
    differences: tuple[Difference, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def judge(planned: PlannedArtifact, executor: Executor, context: VerificationContext) -> Outcome:
    """Run the planned builds and compare their outputs."""
    if context.builds is None:
        expected = 2
        plan, builds = run_builds(planned, executor, context.is_idle)
        planned = replace(planned, plan=plan)
    else:
        expected = len(planned.plan.actions)
        builds = run_planned(executor, planned.plan.actions, at_once=planned.at_once)
    plan = planned.plan.without({name: reason for build in builds for name, reason in build.not_applied.items()})
    plan = plan.without(find_same_machine(builds, plan.varied))
    verdict, reason = judge_builds(builds, expected=expected, varied=plan.varied)
    outcome = Outcome(plan=plan, builds=tuple(builds), verdict=verdict, reason=reason)
    planned = replace(planned, plan=plan)
    if verdict is Verdict.FRAGILE:
        return _find_what_breaks(planned, outcome, executor, context)
    if verdict is not Verdict.REPRODUCIBLE:
        return outcome
    with timing().phase(PhaseKind.COMPARE):
        return _compare(planned, outcome, expected=expected)


def _compare(planned: PlannedArtifact, outcome: Outcome, *, expected: int) -> Outcome:
    """Compare the outputs of builds that all succeeded, and say what their agreement covers."""
    builds = outcome.builds
    differences = compare_builds(planned.artifact, builds)
    equivalence = None
    if differences:
        equivalence, why = _find_equivalence(planned.artifact, builds)
        if equivalence is None:
            return replace(outcome, verdict=Verdict.UNREPRODUCIBLE, differences=differences, notes=why)
    plan = planned.plan.without(find_evaded(builds, planned.plan.varied))
    plan = plan.without(find_unclaimed(replace(planned, plan=plan), builds[0], builds[1:]))
    verdict, reason = judge_builds(builds, expected=expected, varied=plan.varied)
    claimed = replace(outcome, plan=plan, verdict=verdict, reason=reason, notes=describe_claims(builds))
    if equivalence is None or verdict is not Verdict.REPRODUCIBLE:
        return claimed
    reason, differences = equivalence.reason, equivalence.differences
    return replace(claimed, verdict=Verdict.EQUIVALENT, reason=reason, differences=differences)


def _find_equivalence(artifact: Artifact, builds: Sequence[BuildResult]) -> tuple[Equivalence | None, tuple[str, ...]]:
    """Return whether builds that differ are equal within the tolerance of `artifact`, and if not, why, in notes."""
    if not artifact.tolerance:
        return None, ()
    # Only here: readers of formats take time to import.
    from pytest_ftc.comparison.tolerance.refusal import RefusedError
    from pytest_ftc.verification.steps.tolerance import find_equivalence

    try:
        return find_equivalence(artifact, builds), ()
    except RefusedError as error:
        return None, (f"no tolerance helps: {error}",)


def _find_what_breaks(
    planned: PlannedArtifact, outcome: Outcome, executor: Executor, context: VerificationContext
) -> Outcome:
    """Find the variations that break the build, then explain how the outputs of a build without them differ."""
    broken = next(index for index, build in enumerate(outcome.builds) if build.status is not BuildStatus.OK)
    with timing().phase(PhaseKind.DIAGNOSE):
        breaking = find_what_breaks(planned, executor, experiment=broken)
    plan = planned.plan.without(dict.fromkeys(breaking.group, BREAKS_THE_BUILD))
    found = replace(
        outcome,
        plan=plan.without(find_evaded(outcome.builds, plan.varied)),
        reason=f"{breaking.reason}; {outcome.reason}" if breaking.reason else outcome.reason,
        builds=(*outcome.builds, *breaking.builds),
    )
    if breaking.healed is None:
        return found
    action, healed = breaking.healed
    builds = (outcome.builds[0], healed)
    if not compare_builds(planned.artifact, builds):
        return found
    actions = tuple(action if index == broken else one for index, one in enumerate(plan.actions))
    without = replace(planned, plan=replace(plan, actions=actions))
    return _explain(without, found, builds, executor, context, planned_as=broken)


def explain_outcome(
    planned: PlannedArtifact, outcome: Outcome, executor: Executor, context: VerificationContext
) -> Outcome:
    """Locate the differences of an unreproducible artifact, and diagnose them if requested."""
    if outcome.verdict is not Verdict.UNREPRODUCIBLE:
        return outcome
    return _explain(replace(planned, plan=outcome.plan), outcome, outcome.builds, executor, context)


def _explain(
    planned: PlannedArtifact,
    outcome: Outcome,
    builds: Sequence[BuildResult],
    executor: Executor,
    context: VerificationContext,
    *,
    planned_as: int | None = None,
) -> Outcome:
    """Return `outcome` with why `builds` differ: all of it, or the control and one for the number `planned_as`."""
    # Only here: most sessions have nothing to explain, and the diagnosis is a fifth of what they would load.
    from pytest_ftc.verification.explain import DiagnosisOptions, explain, locate

    if context.diagnose is DiagnosisMode.OFF:
        with timing().phase(PhaseKind.COMPARE):
            explained = locate(planned, builds, context.plugins.comparators)
    else:
        with timing().phase(PhaseKind.DIAGNOSE, mode=context.diagnose.value) as opened:
            options = DiagnosisOptions(
                rebuild=context.diagnose is DiagnosisMode.FULL,
                max_builds=context.max_builds,
                seconds=_DIAGNOSIS_SECONDS,
                plugins=context.plugins,
                patience=context.patience,
            )
            bisected = len(outcome.builds) - len(builds)
            explained = explain(planned, builds, executor, options, planned_as=planned_as, bisected=bisected)
            opened.set(builds=len(explained.builds))
    return replace(
        outcome,
        findings=explained.findings,
        differences=explained.differences,
        builds=(*outcome.builds, *explained.builds),
        notes=(*outcome.notes, *explained.notes),
    )
