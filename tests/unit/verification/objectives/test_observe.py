"""What a session leaves for the objectives."""

import sqlite3
import subprocess
from dataclasses import replace

import pytest
from samples import verification

from pytest_ftc.config.load import load_config
from pytest_ftc.model import Cause, Evidence, Finding, Verdict
from pytest_ftc.model.notes import NOT_CACHED_BEFORE, explain_disagreement
from pytest_ftc.model.store import StoreWrites
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.metrics.facts import Services, SessionFacts, Signings
from pytest_ftc.verification.objectives.observe import record_session

ENDED = 1_700_000_100.0


@pytest.fixture
def config(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    return replace(load_config(root, {}, Vocabulary(())), store=tmp_path / "store")


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr("pytest_ftc.verification.objectives.observe.time.time", lambda: ENDED)


def record(config, *verifications, outcome="passed", looks_up=True, never_cached=()):
    facts = SessionFacts(
        outcome=outcome,
        verifications=verifications,
        critical={},
        never_cached=never_cached,
        services=Services(looks_up=looks_up, writes=StoreWrites(attempted=3, failed=1)),
        signings=Signings(signed=2, failed=1),
    )
    record_session(config, facts, ENDED - 60)


def rows(config, table="verified"):
    with sqlite3.connect(config.store / "observations.sqlite") as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"select * from {table}")]


def test_a_verification_that_built(config):
    one = verification(Verdict.REPRODUCIBLE)
    builds = tuple(replace(build, cpu_seconds=cpu) for build, cpu in zip(one.builds, (0.5, None), strict=True))
    record(config, replace(one, builds=builds))
    (row,) = rows(config)
    assert (row["verdict"], row["cached"], row["mismatch"]) == ("reproducible", 0, 0)
    assert (row["ended"], row["seconds"], row["build_seconds"]) == (1_700_000_003.5, 3.5, 1.25)
    assert (row["cpu_seconds"], row["bytes"]) == (0.5 + 1.25, 7)
    assert (row["commit"], row["committed"]) == ("", None)
    assert rows(config, "sessions") == [{"project": str(config.root), "ended": ENDED, "writes": 3, "failed_writes": 1, "signings": 3, "failed_signings": 1}]  # fmt: skip


def test_a_cached_verdict_built_nothing_now(config):
    record(config, replace(verification(Verdict.REPRODUCIBLE), cached=True, seconds=0.25))
    (row,) = rows(config)
    assert (row["cached"], row["ended"]) == (1, ENDED - 60 + 0.25)
    assert (row["build_seconds"], row["cpu_seconds"], row["bytes"]) == (None, 0, 0)


@pytest.mark.parametrize("changes", [{"looks_up": False}, {"never_cached": ["app"]}])
def test_where_it_could_not_come_from_the_cache_that_is_unknown(config, changes):
    record(config, verification(Verdict.REPRODUCIBLE), **changes)
    assert rows(config)[0]["cached"] is None


def test_what_a_user_has_ended_is_no_failure(config):
    cut = [verification(verdict) for verdict in (Verdict.FAILED, Verdict.ERROR, Verdict.UNREPRODUCIBLE)]
    record(config, *cut, outcome="interrupted")
    assert [row["verdict"] for row in rows(config)] == ["unreproducible"]
    record(config, *cut)
    assert [row["verdict"] for row in rows(config)] == ["unreproducible", "failed", "error", "unreproducible"]


def test_outputs_that_differ_from_recorded_ones_are_a_mismatch(config):
    finding = Finding(output="out", member="", location="", cause=Cause.MACHINE.value, confirmed=False, evidence=Evidence(control="", experiment=""), why=explain_disagreement("2026-01-01 00:00", "this machine"))  # fmt: skip
    one = verification(Verdict.UNREPRODUCIBLE)
    disputed = replace(one, findings=(finding,))
    contradicted = replace(verification(Verdict.REPRODUCIBLE), notes=(NOT_CACHED_BEFORE,))
    record(config, one, disputed, contradicted, replace(disputed, cached=True))
    assert [row["mismatch"] for row in rows(config)] == [0, 1, 1, 0]


def test_the_commit_is_that_of_a_clean_tree(config):
    def git(*arguments):
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=config.root, check=True, capture_output=True, text=True).stdout.strip()  # fmt: skip

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first", "--date=2001-01-01T00:00:00Z")
    record(config, verification(Verdict.REPRODUCIBLE))
    (config.root / "changed").touch()
    record(config, verification(Verdict.REPRODUCIBLE))
    (clean, dirty) = rows(config)
    assert (clean["commit"], clean["committed"]) == (git("rev-parse", "HEAD"), int(git("show", "-s", "--format=%ct")))
    assert (dirty["commit"], dirty["committed"]) == ("", None)
