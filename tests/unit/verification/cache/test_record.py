"""What of a verification is kept in the store."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from samples import verification

from pytest_ftc.model import Trace, Verdict
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.model.timing.phase import Phase, PhaseKind
from pytest_ftc.verification.cache.record import essence, read_verification

TRACE = Trace(programs=(), read=(), written=(), contents=(), moved=(), connected=(), gaps=())


def stored(document: object) -> SimpleNamespace:
    return SimpleNamespace(verification=document)


def test_what_exists_only_in_its_session_is_left_out():
    given = verification(Verdict.UNREPRODUCIBLE)
    builds = tuple(replace(build, blobs="/tmp/x", log_tail="x", trace=TRACE) for build in given.builds)
    phase = Phase(id="1" * 16, parent="", kind=PhaseKind.PLAN, name="", started=1.0, seconds=1.0)
    kept = essence(replace(given, builds=builds, phases=(phase,), trace_id="2" * 32))
    assert (kept.phases, kept.trace_id) == ((), "")
    assert {(one.log, one.log_tail, one.blobs, one.trace) for one in kept.builds} == {("", "", "", None)}
    assert {one.diff for one in kept.differences} == {""}
    assert [one.location for one in kept.differences] == [one.location for one in given.differences]
    assert (kept.verdict, kept.varied) == (given.verdict, given.varied)


@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_verdict_of_builds_that_all_ran_is_read_back(verdict):
    kept = essence(verification(verdict))
    found = read_verification(stored(to_json(kept)))
    assert found == (kept if verdict in (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE) else None)


def test_a_single_build_verifies_nothing():
    kept = essence(verification(Verdict.REPRODUCIBLE))
    assert read_verification(stored(to_json(replace(kept, builds=kept.builds[:1])))) is None


@pytest.mark.parametrize("document", [None, {}, [], "x", {"id": "a"}, {"verdict": "fine"}])
def test_what_is_no_verification_is_not_read(document):
    assert read_verification(stored(document)) is None
