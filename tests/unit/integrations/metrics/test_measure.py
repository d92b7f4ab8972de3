"""A session's verifications and facts become values."""

from dataclasses import replace

import pytest
from samples import build, verification

from pytest_ftc.config.cost import Prices
from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.measure import count_denied, measure_session
from pytest_ftc.model import BuildStatus, Role, Verdict
from pytest_ftc.model.store import StoreWrites, TierTraffic, TierUse
from pytest_ftc.model.timing.phase import Phase, PhaseKind
from pytest_ftc.verification.metrics.facts import Services, SessionFacts, Signings

GOOD = verification(Verdict.REPRODUCIBLE)


def measure(*verifications, prices=None, **facts):
    known = {"outcome": "passed", "critical": {"app": True}, **facts}
    return measure_session("p", SessionFacts(verifications=verifications, **known), prices, now=1000.0)


def test_builds_are_counted_by_role_and_outcome_with_their_attempts():
    lost = replace(build(Role.BISECT, BuildStatus.LOST), attempts=3, lost_before=("gone", "gone"))
    flaky = replace(build(Role.CONTROL), attempts=2, failed_before=("out of memory",))
    waited = replace(build(Role.EXPERIMENT), queue_seconds=7.0)
    measured = measure(replace(GOOD, builds=(flaky, waited, lost)))
    assert measured.value(table.BUILDS, "control", "ok") == 1
    assert measured.value(table.BUILDS, "bisect", "lost") == 1
    assert measured.value(table.BUILDS, "bisect", "ok") == 0
    assert measured.value(table.ATTEMPTS) == 6
    assert measured.value(table.RETRIES, "lost") == 2
    assert measured.value(table.RETRIES, "memory") == 1
    assert measured.value(table.BUILD_SECONDS, "app").count == 2
    assert measured.value(table.QUEUE_SECONDS).count == 3
    assert measured.value(table.QUEUE_SECONDS).sum == 7


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ("killed, probably by the out-of-memory killer", "memory"),
        ("one of its commands was killed by SIGKILL", "killed"),
        ("no space left on device", "disk"),
        ("an input/output error", "disk"),
        ("a name could not be resolved", "network"),
        ("a connection was reset", "network"),
        ("a server was busy or broken", "server"),
        ("exit status 137", "killed"),
        ("exit status 3", "other"),
        ("exit status 1", "other"),
    ],
)
def test_each_transient_fault_has_its_reason(why, reason):
    measured = measure(replace(GOOD, builds=(replace(build(Role.CONTROL), attempts=2, failed_before=(why,)),)))
    assert {name: measured.value(table.RETRIES, name) for name in table.RETRY_REASONS} == {
        name: int(name == reason) for name in table.RETRY_REASONS
    }


@pytest.mark.parametrize("reason", ["the session ended", "it was no longer wanted"])
def test_a_build_that_nobody_waited_for_is_none(reason):
    ended = replace(build(Role.CONTROL, BuildStatus.LOST), reason=reason)
    measured = measure(replace(GOOD, builds=(ended,)))
    assert measured.value(table.BUILDS, "control", "lost") == 0
    assert measured.value(table.ATTEMPTS) == 0


def test_a_cached_verdict_has_no_builds_of_this_session():
    measured = measure(replace(GOOD, cached=True))
    assert measured.value(table.VERDICTS, "app", "reproducible", "true") == 1
    assert measured.value(table.VERDICTS, "app", "reproducible", "false") == 0
    assert measured.value(table.BUILDS, "control", "ok") == 0
    assert measured.value(table.VERIFIED, "app") == 1_700_000_000.0, "when its builds ran"
    assert measured.value(table.REPRODUCIBLE, "app") == 1


def test_the_time_of_a_verification_is_told_apart_by_phase():
    whole = Phase(id="1" * 16, parent="", kind=PhaseKind.ARTIFACT, name="app", started=0.0, seconds=10.0)
    builds = replace(whole, id="2" * 16, parent=whole.id, kind=PhaseKind.BUILD, started=1.0, seconds=6.0)
    measured = measure(replace(GOOD, phases=(builds, whole)), replace(GOOD, phases=(builds, whole)))
    assert measured.value(table.PHASE_SECONDS, "app", "build") == 12
    assert measured.value(table.PHASE_SECONDS, "app", "other") == 8
    assert measured.value(table.PHASE_SECONDS, "app", "gap") == 0


def test_a_mismatch_is_counted_by_output_and_leaves_its_mark():
    measured = measure(verification(Verdict.UNREPRODUCIBLE, many=3))
    assert measured.value(table.MISMATCHES, "app") == 3
    assert measured.value(table.REPRODUCIBLE, "app") == 0
    assert measured.value(table.CRITICAL, "app") == 1
    assert measured.value(table.VERIFIED, "app") is None


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.FRAGILE, Verdict.ERROR])
def test_what_was_not_decided_leaves_the_last_decision(verdict):
    measured = measure(verification(verdict))
    assert measured.value(table.VERDICTS, "app", verdict.value, "false") == 1
    assert measured.value(table.REPRODUCIBLE, "app") is None


def test_cpu_time_and_outputs_have_their_price():
    builds = tuple(replace(build(role), cpu_seconds=1800.0) for role in (Role.CONTROL, Role.EXPERIMENT))
    prices = Prices(per_cpu_hour=0.5, per_gb=1e9, currency="EUR")
    measured = measure(replace(GOOD, builds=builds), prices=prices)
    assert measured.value(table.CPU_SECONDS, "app") == 3600
    assert measured.value(table.OUTPUT_BYTES, "app") == 14
    assert measured.value(table.COST, "app", "EUR") == pytest.approx(0.5 + 14)
    assert measure(GOOD).value(table.COST, "app", "EUR") is None


def test_lookups_of_a_session_without_a_remote_store():
    up = Services(looks_up=True, store_up=True)
    cached, secret = replace(GOOD, cached=True), replace(GOOD, name="secret")
    measured = measure(GOOD, cached, cached, secret, services=up, never_cached=["secret"])
    assert measured.value(table.CACHE_HITS, "local") == 2
    assert measured.value(table.CACHE_MISSES, "local") == 1
    assert measure(GOOD).value(table.CACHE_MISSES, "local") == 0, "nothing was looked up"


def test_lookups_of_a_session_with_a_remote_store():
    use = TierUse(local=5, remote=3, neither=2, received=TierTraffic(bytes=70), sent=TierTraffic(bytes=20))
    measured = measure(GOOD, tiers=use, services=Services(looks_up=True))
    found = [measured.value(metric, tier) for tier in ("local", "remote") for metric in (table.CACHE_HITS, table.CACHE_MISSES)]  # fmt: skip
    assert found == [5, 5, 3, 2]
    assert measured.value(table.CACHE_TRANSFERRED, "received") == 70
    assert measured.value(table.CACHE_TRANSFERRED, "sent") == 20


def test_services_say_how_they_are():
    services = Services(store_up=False, writes=StoreWrites(attempted=5, failed=4), paused={"store": True})
    signings = Signings(signed=2, failed=3, problems=["key.pem: Permission denied"])
    problems = ["the store in /s cannot be used: Permission denied"]
    measured = measure(services=services, signings=signings, problems=problems, left_out=7, outcome="error")
    assert measured.value(table.STORE_WRITES, "ok") == 1
    assert measured.value(table.STORE_WRITES, "failed") == 4
    assert measured.value(table.STORE_UP) == 0
    assert measured.value(table.BREAKER_OPEN, "store") == 1
    assert measured.value(table.SIGNINGS, "signed") == 2
    assert measured.value(table.SIGNINGS, "failed") == 3
    assert measured.value(table.PERMISSION_ERRORS, "store") == 1
    assert measured.value(table.PERMISSION_ERRORS, "signer") == 1
    assert measured.value(table.SAMPLED_OUT) == 7
    assert measured.value(table.SESSIONS, "error") == 1
    assert measured.value(table.SESSION_END) == 1000.0
    assert measure().value(table.STORE_UP) is None, "nobody wanted to use it"


def test_leaks_are_counted_and_the_next_verification_takes_that_back():
    assert measure(replace(GOOD, leaks=("a", "b"))).value(table.SECRET_LEAKS, "app") == 2
    assert measure(GOOD).value(table.SECRET_LEAKS, "app") == 0


def test_only_denied_permissions_count_as_such():
    assert count_denied(["x: Permission denied", "No space left on device", "403 Forbidden", "Connection refused"]) == 2
