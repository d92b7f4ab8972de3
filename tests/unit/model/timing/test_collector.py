import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.model.timing.collector import UNTIMED, Collector, here, timing
from pytest_ftc.model.timing.phase import Phase, PhaseKind
from pytest_ftc.model.timing.trace_context import start_trace


@pytest.fixture
def collector():
    return Collector(start_trace({}))


def test_phases_know_what_encloses_them_and_are_kept_as_they_end(collector):
    before = time.time()
    with (
        collector.collecting() as phases,
        timing().phase(PhaseKind.ARTIFACT, "wheel") as outer,
        timing().phase(PhaseKind.BUILD, "wheel-control", role="control") as inner,
    ):
        inner.set(exit_code=3)
        inner.fail("exit status 3")
        timing().add(PhaseKind.SETUP, "wheel-control", before - 5, 0.5, worker="w")
    setup, build, artifact = phases
    assert [one.kind for one in phases] == [PhaseKind.SETUP, PhaseKind.BUILD, PhaseKind.ARTIFACT]
    assert (artifact.parent, build.parent, setup.parent) == (collector.context.session_span, outer.id, inner.id)
    assert (build.problem, dict(build.attributes)) == ("exit status 3", {"role": "control", "exit_code": 3})
    assert (setup.started, setup.seconds) == (before - 5, 0.5)
    assert before <= artifact.started <= build.started
    assert artifact.seconds >= build.seconds >= 0
    assert len({one.id for one in phases}) == 3


def test_an_exception_ends_its_phase_and_only_its_class_is_said(collector):
    with collector.collecting() as phases:
        with pytest.raises(ValueError), timing().phase(PhaseKind.COMPARE):
            raise ValueError("the value of a secret")
        with timing().phase(PhaseKind.PLAN):
            pass
    assert [(one.problem, one.parent) for one in phases] == [
        ("ValueError", collector.context.session_span),
        ("", collector.context.session_span),
    ]


def test_threads_continue_where_their_pool_was_made(collector):
    def build(name):
        with timing().phase(PhaseKind.BUILD, name), timing().phase(PhaseKind.ATTEMPT, name):
            time.sleep(0.01)

    with (
        collector.collecting() as phases,
        timing().phase(PhaseKind.ARTIFACT) as artifact,
        ThreadPoolExecutor(4) as pool,
    ):
        list(pool.map(here(build), map(str, range(20))))
        list(pool.map(build, ["elsewhere"]))
    builds = {one.id: one for one in phases if one.kind is PhaseKind.BUILD}
    attempts = [one for one in phases if one.kind is PhaseKind.ATTEMPT]
    assert sorted(one.name for one in builds.values()) == sorted(map(str, range(20)))
    assert {one.parent for one in builds.values()} == {artifact.id}
    assert [builds[one.parent].name for one in attempts] == [one.name for one in attempts]


def test_listeners_hear_of_each_phase_as_it_ends(collector):
    heard = []
    collector.listen(heard.append)
    with collector.phase(PhaseKind.PUBLISH, "wheel"):
        with timing().phase(PhaseKind.SIGN):
            assert heard == []
        assert [one.kind for one in heard] == [PhaseKind.SIGN]
    sign, publish = heard
    assert (sign.parent, publish.parent) == (publish.id, collector.context.session_span)


def test_outside_of_sessions_nothing_is_noted():
    assert timing() is UNTIMED
    with timing().phase(PhaseKind.BUILD, "one", role="control") as opened:
        opened.set(exit_code=0)
        opened.fail("lost")
    timing().add(PhaseKind.SETUP, "one", 0, 1)


def test_a_phase_is_json(collector):
    with collector.collecting() as phases, timing().phase(PhaseKind.BUILD, "b", role="control", queued=1.5, ok=True):
        pass
    assert from_json(tuple[Phase, ...], to_json(phases)) == tuple(phases)


def test_a_phase_costs_microseconds(collector):
    with collector.collecting() as phases:
        begin = time.perf_counter()
        for _ in range(2000):
            with timing().phase(PhaseKind.BUILD, "b", role="control"):
                pass
        taken = time.perf_counter() - begin
    assert len(phases) == 2000
    assert taken / 2000 < 0.001  # about 10 microseconds; a busy machine may take much longer


def test_a_listener_that_fails_changes_nothing_else_and_is_not_called_again(collector):
    heard, calls = [], []

    def fail(phase):
        calls.append(phase)
        raise OSError(28, "No space left on device")

    collector.listen(fail)
    collector.listen(heard.append)
    with collector.collecting() as phases, timing().phase(PhaseKind.ARTIFACT), timing().phase(PhaseKind.PLAN):
        pass
    assert [one.kind for one in phases] == [one.kind for one in heard] == [PhaseKind.PLAN, PhaseKind.ARTIFACT]
    assert len(calls) == 1
    assert collector.problem == "phases are no longer observed: OSError: [Errno 28] No space left on device"
