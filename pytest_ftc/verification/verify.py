"""verify(artifact) -> Verification: the whole verification of one artifact, step by step."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_ftc.builds.inputs.secrets import Secrets
from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.builds.staggered import run_apart
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.model import (
    Action,
    Artifact,
    BuildResult,
    BuildStatus,
    Difference,
    Finding,
    Snapshot,
    Verdict,
    Verification,
)
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.notes import REQUIREMENTS
from pytest_ftc.model.protocols import Executor, Images, Variation
from pytest_ftc.model.support.full_disk import describe_full, is_full
from pytest_ftc.model.verification import BREAKS_THE_BUILD, DiagnosisMode
from pytest_ftc.verification.build_inputs import InputsRecorder
from pytest_ftc.verification.cache.cache import VerificationCache
from pytest_ftc.verification.cache.conflict import Examination, dispute
from pytest_ftc.verification.claims.machines import describe_machines, find_same_machine
from pytest_ftc.verification.claims.peers import describe_peers, find_evaded, name_peers
from pytest_ftc.verification.claims.unclaimed import describe_claims, find_unclaimed
from pytest_ftc.verification.confidential.guard import GuardedComparators, GuardedExecutor, SecretGuard
from pytest_ftc.verification.explain import DiagnosisOptions, Plugins, explain, locate
from pytest_ftc.verification.extra_builds import MOST_BUILDS, run_builds
from pytest_ftc.verification.fragility import find_what_breaks
from pytest_ftc.verification.hermeticity import describe_gap, find_outside_uses
from pytest_ftc.verification.judge import compare_builds, judge_builds
from pytest_ftc.verification.plan import Plan, PlannedArtifact, plan_builds
from pytest_ftc.verification.rebuild import PATIENCE
from pytest_ftc.verification.reference import compare_with_references
from pytest_ftc.verification.replay.recorder import Recorder, Recording
from pytest_ftc.verification.site import BuildSite

_TELLING = (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE, Verdict.FRAGILE)
"""Verdicts that involve a varied build."""

_DIAGNOSIS_SECONDS = 600
"""Time after which no further build of a diagnosis is started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationContext:
    """Everything that a verification needs, created once per session."""

    site: BuildSite
    select: Callable[[Artifact], Sequence[Variation]]
    """Returns the requested variations for an artifact."""
    builds: int | None
    """The number of builds; None for two, or more if they are quick."""
    trace: bool
    """Whether to report undeclared inputs."""
    diagnose: DiagnosisMode
    max_builds: int | None
    """Most builds of one artifact, including its diagnosis; None for the default."""
    scratch: Path
    """An empty folder for temporary files."""
    cache: VerificationCache | None = None
    """Verifications of earlier sessions; None to build everything."""
    plugins: Plugins = field(default_factory=Plugins)
    """Who looks into what differs, beside our own diagnosis."""
    recording: Recording | None = None
    """Common settings of the records from which builds can be replayed; None to record nothing."""
    inputs: InputsRecorder | None = None
    """Records what the builds are made from; None where another executor knows."""
    images: Images | None = None
    """The source of published files in registries."""
    private: ComparatorChain | None = None
    """As those of `plugins`, with their diffs in a folder that goes with the session: they may hold secrets."""
    diffs: Path | None = None
    """Where diffs are kept; None to leave them where the comparators have put them."""
    known_secrets: list[Secrets] = field(default_factory=list)
    """Secrets to mask in all other output of the session."""
    is_idle: Callable[[], bool] = lambda: True
    """Returns whether CPUs are free for further experiments."""
    patience: float = PATIENCE
    """Seconds in which a diagnosis with quick builds may run many of them."""


def verify(artifact: Artifact, context: VerificationContext) -> Verification:
    """Rebuild `artifact` in different environments, compare every output byte, and return the record."""
    begin = time.monotonic()
    verification = _or_error(artifact, lambda: _verify_with_secrets(artifact, context))
    return replace(verification, seconds=time.monotonic() - begin)


def _or_error(artifact: Artifact, verify_it: Callable[[], Verification]) -> Verification:
    """Return the result of `verify_it`, or the verdict ``error`` if it fails."""
    try:
        return verify_it()
    except FtcError as error:
        return Verification(id=artifact.id, name=artifact.name, verdict=Verdict.ERROR, reason=str(error))
    except Exception as error:
        if isinstance(error, OSError) and is_full(error):
            reason = str(describe_full(error))
            return Verification(id=artifact.id, name=artifact.name, verdict=Verdict.ERROR, reason=reason)
        # A bug of ours must cost only this artifact's verdict, not the session or its report.
        return Verification(
            id=artifact.id,
            name=artifact.name,
            verdict=Verdict.ERROR,
            reason=f"internal error, please report it: {type(error).__name__}: {error}",
            notes=(traceback.format_exc(),),
        )


def build_once(artifact: Artifact, context: VerificationContext) -> BuildResult:
    """Build `artifact` once in the control environment.  Raises FtcError."""
    secrets = context.site.read_secrets(artifact.secrets, artifact.source)
    given = {**artifact.env, **(secrets.variables if secrets else {})}
    source = context.site.capture(artifact.source)
    try:
        given_files = secrets.files if secrets else {}
        prepared = context.site.prepare(replace(artifact, env=given, secret_files=given_files), source)
        plan = _plan(prepared, source, context, builds=1)
        result = context.site.executor.run(plan.actions[0], lambda _: None)
    except FtcError as error:
        raise FtcError(secrets.mask(str(error)) if secrets else str(error)) from None
    return SecretGuard(secrets, context.site.logs).admit(result) if secrets else result


def _plan(prepared: Prepared, source: Snapshot, context: VerificationContext, *, builds: int) -> Plan:
    artifact = prepared.artifact
    setting = replace(context.site, path=(*prepared.path_entries, *context.site.path))
    return plan_builds(artifact, source, context.select(artifact), setting, builds=builds, trace=builds > 1)


def _verify_with_secrets(artifact: Artifact, context: VerificationContext) -> Verification:
    secrets = context.site.read_secrets(artifact.secrets, artifact.source)
    if secrets is None:
        return _verify(artifact, context, declared=artifact)
    context.known_secrets.append(secrets)
    guard = SecretGuard(secrets, context.site.logs, context.diffs, seconds=artifact.timeout)
    given = replace(artifact, env={**artifact.env, **secrets.variables}, secret_files=secrets.files)
    # Mask everything that follows: reasons of failures also quote builds.
    return guard.mask(_or_error(artifact, lambda: _verify(given, _guarded(context, guard), declared=artifact)))


def _guarded(context: VerificationContext, guard: SecretGuard) -> VerificationContext:
    comparators = GuardedComparators(context.private or context.plugins.comparators, guard)
    plugins = replace(context.plugins, comparators=comparators)
    site = replace(context.site, executor=GuardedExecutor(context.site.executor, guard))
    return replace(context, site=site, plugins=plugins)


def _verify(artifact: Artifact, context: VerificationContext, *, declared: Artifact) -> Verification:
    """Verify `artifact`, which is `declared` with the values of its secrets."""
    cache = context.cache
    query = cache.query(artifact) if cache else None
    if cache and query and (known := cache.lookup(query)):
        return known
    source = context.site.capture(artifact.source)
    verification = _build_and_compare(artifact, declared, source, context)
    if not (cache and query):
        return compare_with_references(verification, artifact, context.scratch, context.images)
    disagreement = cache.disagreement(query, verification)
    if disagreement:
        examination = Examination(context.plugins.comparators, artifact)
        verification = dispute(verification, disagreement, cache.fetch, examination, context.scratch)
    else:
        verification = compare_with_references(verification, artifact, context.scratch, context.images)
    return cache.put(query, source, verification, disputed=disagreement is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """The result of an artifact's builds so far."""

    plan: Plan
    builds: tuple[BuildResult, ...]
    verdict: Verdict
    reason: str
    differences: tuple[Difference, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def _build_and_compare(
    artifact: Artifact, declared: Artifact, source: Snapshot, context: VerificationContext
) -> Verification:
    prepared = context.site.prepare(artifact, source)
    plan = _plan(
        prepared, source, context, builds=context.builds or max(2, min(MOST_BUILDS, context.max_builds or MOST_BUILDS))
    )
    planned = PlannedArtifact(artifact=prepared.artifact, source=source, machine=context.site.machine, plan=plan)
    recorder = Recorder(context.site.executor)
    outcome = _explain(planned, _judge(planned, recorder, context), recorder, context)
    builds, control = outcome.builds, plan.actions[0]
    if context.recording:
        builds = recorder.with_recipes(builds, context.recording, prepared, source, context.site.machine)
    return Verification(
        id=artifact.id,
        name=artifact.name,
        verdict=outcome.verdict,
        reason=outcome.reason,
        findings=outcome.findings,
        varied=outcome.plan.varied if outcome.verdict in _TELLING else (),
        not_varied=outcome.plan.not_varied,
        builds=builds,
        differences=outcome.differences,
        hermeticity=_find_outside(control, builds) if context.trace or artifact.strict else (),
        strict=artifact.strict,
        traced=context.trace or artifact.strict,
        requirements=prepared.inputs_digest,
        inputs=context.inputs.record(declared, prepared, source) if context.inputs else None,
        notes=(
            *_notes(source, prepared, builds),
            *describe_peers(planned, builds, outcome.plan.varied),
            *describe_machines(builds, outcome.plan.varied),
            *outcome.notes,
        ),
    )


def _judge(planned: PlannedArtifact, executor: Executor, context: VerificationContext) -> _Outcome:
    """Run the planned builds and compare their outputs."""
    if context.builds is None:
        expected = 2
        plan, builds = run_builds(planned, executor, context.is_idle)
        planned = replace(planned, plan=plan)
    else:
        expected = len(planned.plan.actions)
        builds = run_apart(executor, planned.plan.actions)
    plan = planned.plan.without({name: reason for build in builds for name, reason in build.not_applied.items()})
    plan = plan.without(find_same_machine(builds, plan.varied))
    verdict, reason = judge_builds(builds, expected=expected, varied=plan.varied)
    outcome = _Outcome(plan=plan, builds=tuple(builds), verdict=verdict, reason=reason)
    if verdict is Verdict.FRAGILE:
        return _find_what_breaks(replace(planned, plan=plan), outcome, executor, context.plugins.comparators)
    if verdict is not Verdict.REPRODUCIBLE:
        return outcome
    differences = compare_builds(planned.artifact, builds)
    if differences:
        return replace(outcome, verdict=Verdict.UNREPRODUCIBLE, differences=differences)
    plan = plan.without(find_evaded(builds, plan.varied))
    plan = plan.without(find_unclaimed(replace(planned, plan=plan), builds[0], builds[1:]))
    verdict, reason = judge_builds(builds, expected=expected, varied=plan.varied)
    return replace(outcome, plan=plan, verdict=verdict, reason=reason, notes=describe_claims(builds))


def _find_what_breaks(
    planned: PlannedArtifact, outcome: _Outcome, executor: Executor, comparators: ComparatorChain
) -> _Outcome:
    """Find the variations that break the build, then compare the outputs of a build without them."""
    broken = next(index for index, build in enumerate(outcome.builds) if build.status is not BuildStatus.OK)
    breaking = find_what_breaks(planned, executor, experiment=broken)
    healed = (outcome.builds[0], breaking.healed) if breaking.healed else ()
    differs = compare_builds(planned.artifact, healed)
    located = locate(planned, healed, comparators) if differs else None
    plan = planned.plan.without(dict.fromkeys(breaking.group, BREAKS_THE_BUILD))
    return replace(
        outcome,
        plan=plan.without(find_evaded(outcome.builds, plan.varied)),
        reason=f"{breaking.reason}; {outcome.reason}" if breaking.reason else outcome.reason,
        builds=(*outcome.builds, *breaking.builds),
        differences=located.differences if located else (),
        notes=(*outcome.notes, *(located.notes if located else ())),
    )


def _explain(planned: PlannedArtifact, outcome: _Outcome, executor: Executor, context: VerificationContext) -> _Outcome:
    """Locate the differences of an unreproducible artifact, and diagnose them if requested."""
    if outcome.verdict is not Verdict.UNREPRODUCIBLE:
        return outcome
    if context.diagnose is DiagnosisMode.OFF:
        located = locate(planned, outcome.builds, context.plugins.comparators)
        return replace(outcome, differences=located.differences, notes=(*outcome.notes, *located.notes))
    options = DiagnosisOptions(
        rebuild=context.diagnose is DiagnosisMode.FULL,
        max_builds=context.max_builds,
        seconds=_DIAGNOSIS_SECONDS,
        plugins=context.plugins,
        patience=context.patience,
    )
    planned = replace(planned, plan=outcome.plan)
    explained = explain(planned, outcome.builds, executor, options)
    return replace(
        outcome,
        findings=explained.findings,
        differences=explained.differences,
        builds=(*outcome.builds, *explained.builds),
        notes=(*outcome.notes, *explained.notes),
    )


def _find_outside(control: Action, builds: Sequence[BuildResult]) -> tuple[str, ...]:
    return (*(uses := find_outside_uses(control, builds[0])), *name_peers(builds, but=uses))


def _notes(source: Snapshot, prepared: Prepared, builds: Sequence[BuildResult]) -> tuple[str, ...]:
    used = [f"{REQUIREMENTS}{prepared.inputs_digest}"] if prepared.inputs_digest else []
    own = (note for build in builds for note in (*build.notes, *describe_gap(build)))
    return tuple(dict.fromkeys([*source.notes, *used, *own]))
