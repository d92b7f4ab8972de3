"""Measures a session that has ended: verifications and facts become values of the table."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from pytest_ftc import __version__
from pytest_ftc.builds.transient_faults import ENDED, UNWANTED
from pytest_ftc.config.cost import Prices
from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.model import BuildResult, BuildStatus, Role, Verdict, Verification
from pytest_ftc.model.timing.totals import sum_phases
from pytest_ftc.verification.metrics.facts import SessionFacts

_REASONS = (
    ("memory", "out of memory|out-of-memory"),
    ("disk", "no space left|input/output error"),
    ("network", "name could not be resolved|connection was reset"),
    ("server", "server was busy"),
    # A shell adds 128 to the signal that killed its command: SIGHUP, SIGBUS, SIGKILL, SIGTERM.
    ("killed", r"killed by|exit status (129|135|137|143)\b"),
)
"""What the words of `builds.transient_faults` amount to; the first that fits counts."""
_DENIED = re.compile("permission denied|not permitted|forbidden|unauthorized|access denied", re.IGNORECASE)
_DECIDED = {Verdict.REPRODUCIBLE: 1.0, Verdict.UNREPRODUCIBLE: 0.0}
_GIGABYTE = 1e9


def measure_session(project: str, facts: SessionFacts, prices: Prices | None, now: float | None = None) -> Measured:
    """Return what the session of `project` with these `facts` was, at the time `now`."""
    moment = time.time() if now is None else now
    measured = Measured(project)
    names = [*facts.critical, *(one.name for one in facts.verifications)]
    measured.begin_at_zero(dict.fromkeys(names))
    measured.seen.update(dict.fromkeys(names, moment))
    measured.set(table.INFO, __version__, value=1)
    measured.count(table.SESSIONS, facts.outcome)
    measured.set(table.SESSION_END, value=moment)
    measured.count(table.SAMPLED_OUT, by=facts.left_out)
    for name, critical in facts.critical.items():
        measured.set(table.CRITICAL, name, value=critical)
    for verification in facts.verifications:
        _measure_verdict(measured, verification)
        if not verification.cached:
            _measure_builds(measured, verification, prices)
    _measure_services(measured, facts)
    _measure_lookups(measured, facts)
    return measured


def _measure_verdict(measured: Measured, one: Verification) -> None:
    cached = "true" if one.cached else "false"
    measured.count(table.VERDICTS, one.name, one.verdict.value, cached)
    measured.observe(table.VERIFICATION_SECONDS, cached, value=one.seconds)
    for phase, seconds in sum_phases(one.phases).items():
        measured.count(table.PHASE_SECONDS, one.name, phase, by=seconds)
    measured.set(table.SECRET_LEAKS, one.name, value=len(one.leaks))
    if one.verdict in _DECIDED:
        measured.set(table.REPRODUCIBLE, one.name, value=_DECIDED[one.verdict])
    if one.verdict is Verdict.REPRODUCIBLE and one.builds:
        # A cached verdict was verified when its builds ran.
        measured.set(table.VERIFIED, one.name, value=max(build.started for build in one.builds))


def _measure_builds(measured: Measured, one: Verification, prices: Prices | None) -> None:
    measured.count(table.MISMATCHES, one.name, by=len({difference.output for difference in one.differences}))
    for finding in one.findings:
        measured.count(table.FINDINGS, finding.cause)
    cpu, size = 0.0, 0
    for build in one.builds:
        if build.status is BuildStatus.LOST and build.reason in (ENDED, UNWANTED):
            continue  # nobody waited for it: that says nothing about builds
        _measure_build(measured, one.name, build)
        cpu += build.cpu_seconds or 0.0
        size += sum(output.size for output in build.outputs)
    measured.count(table.CPU_SECONDS, one.name, by=cpu)
    measured.count(table.OUTPUT_BYTES, one.name, by=size)
    if prices:
        measured.count(table.COST, one.name, prices.currency, by=prices.cost(cpu, size / _GIGABYTE))


def _measure_build(measured: Measured, artifact: str, build: BuildResult) -> None:
    measured.count(table.BUILDS, build.role.value, build.status.value)
    measured.count(table.ATTEMPTS, by=build.attempts)
    measured.observe(table.QUEUE_SECONDS, value=build.queue_seconds)
    for why in build.failed_before:
        measured.count(table.RETRIES, _reason_of(why))
    measured.count(table.RETRIES, "lost", by=len(build.lost_before))
    if build.status is BuildStatus.OK and build.role in (Role.CONTROL, Role.EXPERIMENT):
        measured.observe(table.BUILD_SECONDS, artifact, value=build.seconds)


def _reason_of(why: str) -> str:
    return next((reason for reason, words in _REASONS if re.search(words, why)), "other")


def _measure_services(measured: Measured, facts: SessionFacts) -> None:
    services, signings = facts.services, facts.signings
    measured.count(table.STORE_WRITES, "ok", by=services.writes.attempted - services.writes.failed)
    measured.count(table.STORE_WRITES, "failed", by=services.writes.failed)
    if services.store_up is not None:
        measured.set(table.STORE_UP, value=services.store_up)
    for service, paused in services.paused.items():
        measured.set(table.BREAKER_OPEN, service, value=paused)
    measured.count(table.SIGNINGS, "signed", by=signings.signed)
    measured.count(table.SIGNINGS, "failed", by=signings.failed)
    measured.count(table.PERMISSION_ERRORS, "store", by=count_denied(facts.problems))
    measured.count(table.PERMISSION_ERRORS, "signer", by=count_denied(signings.problems))


def _measure_lookups(measured: Measured, facts: SessionFacts) -> None:
    use = facts.tiers
    if use:
        measured.count(table.CACHE_HITS, "local", by=use.local)
        measured.count(table.CACHE_MISSES, "local", by=use.remote + use.neither)
        measured.count(table.CACHE_HITS, "remote", by=use.remote)
        measured.count(table.CACHE_MISSES, "remote", by=use.neither)
        measured.count(table.CACHE_TRANSFERRED, "received", by=use.received.bytes)
        measured.count(table.CACHE_TRANSFERRED, "sent", by=use.sent.bytes)
    elif facts.services.looks_up:
        asked = [one for one in facts.verifications if one.name not in facts.never_cached]
        hits = sum(one.cached for one in asked)
        measured.count(table.CACHE_HITS, "local", by=hits)
        measured.count(table.CACHE_MISSES, "local", by=len(asked) - hits)


def count_denied(problems: Iterable[str]) -> int:
    """Return how many `problems` are about a permission."""
    return sum(1 for problem in problems if _DENIED.search(problem))
