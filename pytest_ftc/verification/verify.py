"""verify(artifact) -> Verification: the whole verification of one artifact, step by step."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.model import Action, Artifact, BuildResult, Snapshot, Verdict, Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.notes import REQUIREMENTS
from pytest_ftc.model.support.full_disk import describe_full, is_full
from pytest_ftc.model.timing.collector import timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.verification import EXPECTED
from pytest_ftc.verification.claims.machines import describe_machines
from pytest_ftc.verification.claims.peers import describe_peers, name_peers
from pytest_ftc.verification.extra_builds import MOST_BUILDS
from pytest_ftc.verification.hermeticity import describe_gap, find_outside_uses
from pytest_ftc.verification.kept.keeper import OutputKeeper
from pytest_ftc.verification.plan import Plan, PlannedArtifact, plan_builds
from pytest_ftc.verification.reference import compare_with_references
from pytest_ftc.verification.replay.recorder import Recorder
from pytest_ftc.verification.steps.context import VerificationContext
from pytest_ftc.verification.steps.outcome import explain_outcome, judge

if TYPE_CHECKING:
    from pytest_ftc.verification.confidential.guard import SecretGuard

_TELLING = (*EXPECTED, Verdict.UNREPRODUCIBLE, Verdict.FRAGILE)
"""Verdicts that involve a varied build."""


def verify(artifact: Artifact, context: VerificationContext) -> Verification:
    """Rebuild `artifact` in different environments, compare every output byte, and return the record."""
    begin = time.monotonic()
    with timing().phase(PhaseKind.ARTIFACT, artifact.name, id=artifact.id) as opened:
        verification = _or_error(artifact, lambda: _verify_with_secrets(artifact, context))
        opened.set(verdict=verification.verdict.value, cached=verification.cached, **_only_output(verification))
        if not verification.passed:
            opened.fail(verification.verdict.value)
    return replace(verification, seconds=time.monotonic() - begin)


def _only_output(verification: Verification) -> dict[str, str]:
    """Return the path and the digest of the output of a reproducible artifact; nothing if it has several."""
    files = [one for one in verification.builds[0].outputs if one.sha256] if verification.builds else []
    if verification.verdict is not Verdict.REPRODUCIBLE or len(files) != 1:
        return {}
    return {"output": files[0].path, "output_sha256": files[0].sha256}


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


def build_once(artifact: Artifact, context: VerificationContext) -> tuple[BuildResult, tuple[str, ...]]:
    """Build `artifact` once in the control environment; return its leaks of secrets too.  Raises FtcError."""
    secrets = context.site.read_secrets(artifact.secrets, artifact.source)
    given = {**artifact.env, **(secrets.variables if secrets else {})}
    try:
        given_files = secrets.files if secrets else {}
        source, prepared = _prepare(replace(artifact, env=given, secret_files=given_files), context)
        plan = _plan(prepared, source, context, builds=1)
        result = context.site.executor.run(plan.actions[0], lambda _: None)
    except FtcError as error:
        raise FtcError(secrets.mask(str(error)) if secrets else str(error)) from None
    if secrets is None:
        return result, ()
    # Only here: the search through all formats takes time to import.
    from pytest_ftc.verification.confidential.guard import SecretGuard

    guard = SecretGuard(secrets, context.site.logs)
    return guard.admit(result), guard.leaks


def _plan(prepared: Prepared, source: Snapshot, context: VerificationContext, *, builds: int) -> Plan:
    artifact = prepared.artifact
    setting = replace(context.site, path=(*prepared.path_entries, *context.site.path))
    with timing().phase(PhaseKind.PLAN):
        return plan_builds(artifact, source, context.select(artifact), setting, builds=builds, trace=builds > 1)


def _verify_with_secrets(artifact: Artifact, context: VerificationContext) -> Verification:
    secrets = context.site.read_secrets(artifact.secrets, artifact.source)
    if secrets is None:
        return _verify(artifact, context, declared=artifact)
    from pytest_ftc.verification.confidential.guard import SecretGuard

    context.known_secrets.append(secrets)
    guard = SecretGuard(secrets, context.site.logs, context.diffs, seconds=artifact.timeout)
    given = replace(artifact, env={**artifact.env, **secrets.variables}, secret_files=secrets.files)
    # Mask everything that follows: reasons of failures also quote builds.
    return guard.mask(_or_error(artifact, lambda: _verify(given, _guarded(context, guard), declared=artifact)))


def _guarded(context: VerificationContext, guard: SecretGuard) -> VerificationContext:
    from pytest_ftc.verification.confidential.guard import GuardedComparators, GuardedExecutor

    comparators = GuardedComparators(context.private or context.plugins.comparators, guard)
    plugins = replace(context.plugins, comparators=comparators)
    site = replace(context.site, executor=GuardedExecutor(context.site.executor, guard))
    # The search for secrets cannot recognise everything that is made from them.
    return replace(context, site=site, plugins=plugins, keeper=OutputKeeper(None))


def _verify(artifact: Artifact, context: VerificationContext, *, declared: Artifact) -> Verification:
    """Verify `artifact`, which is `declared` with the values of its secrets."""
    cache = context.cache
    if cache is None:
        verification = _build_and_compare(artifact, declared, context)[1]
        return compare_with_references(verification, artifact, context.scratch, context.images)
    with timing().phase(PhaseKind.STORE_GET) as opened:
        query = cache.query(artifact)
        known = cache.lookup(query) if query else None
        opened.set(found=known is not None)
    if known:
        return context.keeper.find(known)
    source, verification = _build_and_compare(artifact, declared, context)
    if query is None:
        return compare_with_references(verification, artifact, context.scratch, context.images)
    with timing().phase(PhaseKind.COMPARE):
        disagreement = cache.disagreement(query, verification)
        if disagreement:
            from pytest_ftc.verification.cache.conflict import Examination, dispute

            examination = Examination(context.plugins.comparators, artifact)
            verification = dispute(verification, disagreement, cache.fetch, examination, context.scratch)
    if not disagreement:
        verification = compare_with_references(verification, artifact, context.scratch, context.images)
    with timing().phase(PhaseKind.STORE_PUT):
        return cache.put(query, source, verification, disputed=disagreement is not None)


def _prepare(artifact: Artifact, context: VerificationContext) -> tuple[Snapshot, Prepared]:
    with timing().phase(PhaseKind.PREPARE):
        source = context.site.capture(artifact.source)
        return source, context.site.prepare(artifact, source)


def _build_and_compare(
    artifact: Artifact, declared: Artifact, context: VerificationContext
) -> tuple[Snapshot, Verification]:
    source, prepared = _prepare(artifact, context)
    most = max(2, min(MOST_BUILDS, context.max_builds or MOST_BUILDS))
    plan = _plan(prepared, source, context, builds=context.builds or most)
    planned = PlannedArtifact(artifact=prepared.artifact, source=source, machine=context.site.machine, plan=plan)
    planned = replace(planned, at_once=context.cache is not None and context.cache.ledger.needed_no_gap(artifact))
    recorder = Recorder(context.site.executor)
    outcome = explain_outcome(planned, judge(planned, recorder, context), recorder, context)
    builds, control = outcome.builds, plan.actions[0]
    with timing().phase(PhaseKind.PREPARE, what="records"):
        if context.recording:
            builds = recorder.with_recipes(builds, context.recording, prepared, source, context.site.machine)
        inputs = context.inputs.record(declared, prepared, source) if context.inputs else None
    verification = Verification(
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
        inputs=inputs,
        notes=(
            *_notes(source, prepared, builds),
            *describe_peers(planned, builds, outcome.plan.varied),
            *describe_machines(builds, outcome.plan.varied),
            *outcome.notes,
        ),
    )
    return source, context.keeper.keep(verification)


def _find_outside(control: Action, builds: Sequence[BuildResult]) -> tuple[str, ...]:
    return (*(uses := find_outside_uses(control, builds[0])), *name_peers(builds, but=uses))


def _notes(source: Snapshot, prepared: Prepared, builds: Sequence[BuildResult]) -> tuple[str, ...]:
    used = [f"{REQUIREMENTS}{prepared.inputs_digest}"] if prepared.inputs_digest else []
    own = (note for build in builds for note in (*build.notes, *describe_gap(build)))
    return tuple(dict.fromkeys([*source.notes, *used, *own]))
