"""Executions on a farm: stages, broken streams, deadlines, cancellation, and answers that cannot be."""

import threading
import time

import pytest
from farms import address_of, wait_until

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import (
    CancelledError,
    LateError,
    MissingInputsError,
    RemoteError,
    TransientError,
)
from pytest_ftc.integrations.reapi.execution import Deadlines, Execution
from pytest_ftc.model.digest import Digest

ACTION = Digest.of(b"action")
OUTPUT = Digest.of(b"output")
QUEUED, EXECUTING = 2, 3


def operation(stage=0, name="operations/1", **fields):
    made = api.Operation(name=name, **fields)
    if stage:
        made.metadata.Pack(api.ExecuteOperationMetadata(stage=stage))
    return made


def done(response=None, **fields):
    made = operation(done=True, **fields)
    if response is not None:
        made.response.Pack(response)
    return made


def answer(exit_code=0, **fields):
    result = api.ActionResult(exit_code=exit_code)
    result.output_files.add(path="out", digest=api.to_message(OUTPUT))
    result.execution_metadata.worker = "worker-7\x1b[2J"
    return api.ExecuteResponse(result=result, **fields)


def says(*operations, then=None):
    """Return a stream of `operations`, which ends with the status `then`."""

    def stream(request, context):
        yield from operations
        if then:
            context.abort(api.grpc.StatusCode[then], "planted")

    return stream


def hangs(released, *operations):
    def stream(request, context):
        yield from operations
        released.wait(20)

    return stream


@pytest.fixture
def released():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def execute(farm, connection):
    farm.stages = []

    def run(*streams, **options):
        farm.executions += streams
        options = {"deadlines": Deadlines(10, 10), **options}
        return connection.call(Execution(connection).execute(ACTION, on_stage=farm.stages.append, **options))

    return run


def test_the_outcome_and_the_stages_are_told(farm, execute):
    found = execute(says(operation(QUEUED), operation(EXECUTING), operation(EXECUTING), done(answer(exit_code=3))))
    assert farm.stages == ["QUEUED", "EXECUTING", "COMPLETED"]
    assert (found.result.exit_code, found.cached, found.operation) == (3, False, "operations/1")
    assert found.worker == r"worker-7\x1b[2J"


def test_what_is_asked_for_is_this_action_executed_anew(farm, execute):
    asked = []

    def stream(request, context):
        asked.append(request)
        yield done(answer())

    execute(stream)
    execute(stream, skip_cache_lookup=False)
    assert [api.to_digest(request.action_digest) for request in asked] == [ACTION, ACTION]
    assert [request.skip_cache_lookup for request in asked] == [True, False]


def test_a_stream_that_breaks_is_taken_up_by_its_name(farm, execute):
    names = []

    def wait(request, context):
        names.append(request.name)
        yield from (operation(EXECUTING), done(answer()))

    found = execute(
        says(operation(QUEUED), then="UNAVAILABLE"), says(operation(EXECUTING)), says(then="INTERNAL"), wait
    )
    assert found.result.exit_code == 0
    assert (farm.calls["Execute"], farm.calls["WaitExecution"], names) == (1, 3, ["operations/1"])
    assert farm.stages == ["QUEUED", "EXECUTING", "COMPLETED"]


def test_one_that_breaks_before_it_has_a_name_is_asked_for_again(farm, execute):
    assert execute(says(then="UNAVAILABLE"), says(), says(then="RESOURCE_EXHAUSTED"), says(done(answer())))
    assert (farm.calls["Execute"], farm.calls["WaitExecution"]) == (4, 0)


def test_an_execution_that_the_farm_forgot_is_transient(execute):
    with pytest.raises(TransientError, match="no longer knows the execution"):
        execute(says(operation(QUEUED)), says(then="NOT_FOUND"))


def test_a_farm_that_stays_away_is_transient(execute):
    with pytest.raises(TransientError, match="UNAVAILABLE: planted"):
        execute(says(operation(QUEUED)), *[says(then="UNAVAILABLE")] * 4)


def test_a_queue_that_no_worker_serves_ends_by_our_deadline(farm, execute, released):
    with pytest.raises(LateError, match=r"no worker took the action within 0.3 s") as caught:
        execute(hangs(released, operation(QUEUED)), deadlines=Deadlines(0.3, 60))
    assert "properties in [tool.ftc.remote]" in caught.value.advice
    assert farm.cancelled == ["operations/1"]


def test_a_farm_that_says_nothing_ends_by_our_deadline(execute, released):
    with pytest.raises(LateError, match="no worker took the action within 0.3 s"):
        execute(hangs(released), deadlines=Deadlines(0.3, 60))


@pytest.mark.parametrize("stage", [0, EXECUTING], ids=["unnamed", "executing"])
def test_the_deadline_for_the_queue_ends_with_the_queue(farm, execute, released, stage):
    with pytest.raises(LateError, match=r"the execution did not end within 0.6 s"):
        execute(hangs(released, operation(stage)), deadlines=Deadlines(0.2, 0.6))
    assert farm.cancelled == ["operations/1"]


def test_a_lost_worker_starts_the_deadline_for_the_queue_again(farm, execute):
    def stream(request, context):
        yield operation(QUEUED)
        time.sleep(0.3)
        yield operation(EXECUTING)
        time.sleep(0.3)
        yield operation(QUEUED)
        time.sleep(0.3)
        yield operation(EXECUTING)
        yield done(answer())

    assert execute(stream, deadlines=Deadlines(0.5, 60))
    assert farm.stages == ["QUEUED", "EXECUTING", "QUEUED", "EXECUTING", "COMPLETED"]


def test_streams_that_end_at_once_for_ever_end_by_our_deadline(farm, execute):
    with pytest.raises(LateError):
        execute(*[says(operation(EXECUTING))] * 100, deadlines=Deadlines(1, 1))
    assert farm.calls["WaitExecution"] < 20


def test_a_session_that_ends_cancels_on_the_farm(farm, released):
    ends = threading.Event()
    farm.executions.append(hangs(released, operation(EXECUTING)))
    with Connection(address_of(farm), ends.is_set) as connection:
        threading.Timer(0.3, ends.set).start()
        with pytest.raises(CancelledError):
            connection.call(Execution(connection).execute(ACTION))
    assert farm.cancelled == ["operations/1"]


def test_closing_cancels_on_the_farm(farm, released):
    farm.executions += [hangs(released, operation(QUEUED, name=f"operations/{i}")) for i in range(20)]
    connection = Connection(address_of(farm))
    futures = [connection.submit(Execution(connection).execute(ACTION)) for _ in range(20)]
    wait_until(lambda: farm.calls["Execute"] == 20)
    before = time.monotonic()
    connection.close()
    assert time.monotonic() - before < 5
    assert sorted(farm.cancelled) == sorted(f"operations/{i}" for i in range(20))
    assert all(future.cancelled() for future in futures)


def test_what_is_cancelled_before_it_has_a_name_is_cancelled_when_it_gets_one(farm):
    def late(request, context):
        time.sleep(0.5)
        yield operation(QUEUED)
        time.sleep(1)

    farm.executions.append(late)
    with Connection(address_of(farm)) as connection:
        future = connection.submit(Execution(connection).execute(ACTION))
        wait_until(lambda: farm.calls["Execute"] == 1)
        future.cancel()
        wait_until(lambda: farm.cancelled == ["operations/1"])


def test_missing_inputs_are_named(execute):
    failure = api.PreconditionFailure()
    failure.violations.add(type="MISSING", subject=f"main/blobs/{OUTPUT}")
    failure.violations.add(type="MISSING", subject="blobs/what?")
    status = api.Status(code=9, message="inputs are missing")
    status.details.add().Pack(failure)
    with pytest.raises(MissingInputsError, match="inputs are missing") as caught:
        execute(says(done(api.ExecuteResponse(status=status))))
    assert caught.value.digests == {OUTPUT}

    def refuse(request, context):
        context.set_trailing_metadata([("grpc-status-details-bin", api.serialize(status))])
        context.abort(api.grpc.StatusCode.FAILED_PRECONDITION, "inputs are missing")

    with pytest.raises(MissingInputsError) as caught:
        execute(refuse)
    assert caught.value.digests == {OUTPUT}


def test_not_found_means_missing_inputs_too(execute):
    with pytest.raises(MissingInputsError, match="planted") as caught:
        execute(says(then="NOT_FOUND"))
    assert caught.value.digests == frozenset()
    with pytest.raises(MissingInputsError):
        execute(says(done(api.ExecuteResponse(status={"code": 5}))))


@pytest.mark.parametrize("code", [8, 10, 13, 14], ids=["exhausted", "aborted", "internal", "unavailable"])
def test_a_worker_that_failed_is_transient_and_not_waited_for_again(farm, execute, code):
    with pytest.raises(TransientError, match="lost"):
        execute(says(done(api.ExecuteResponse(status={"code": code, "message": "lost"}))))
    with pytest.raises(TransientError, match="lost"):
        execute(says(done(error={"code": code, "message": "lost"})))
    assert (farm.calls["Execute"], farm.calls["WaitExecution"]) == (2, 0)


def test_an_action_that_took_too_long_for_the_farm_is_late(farm, execute):
    with pytest.raises(LateError, match="DEADLINE_EXCEEDED: slow"):
        execute(says(done(api.ExecuteResponse(status={"code": 4, "message": "slow"}))))
    assert farm.cancelled == []


def with_output(path, hash_="0" * 64, size=1):
    made = answer()
    made.result.output_files.add(path=path, digest=api.Digest(hash=hash_, size_bytes=size))
    return done(made)


def broken():
    made = done(answer())
    made.response.value = b"\xff\xff"
    return made


def of_another_kind():
    made = operation(done=True)
    made.response.Pack(api.Digest())
    return made


@pytest.mark.parametrize(
    ("strange", "said"),
    [
        (done(), "ended without an ExecuteResponse"),
        (broken(), "ended without an ExecuteResponse"),
        (of_another_kind(), "ended without an ExecuteResponse"),
        (done(api.ExecuteResponse()), "ended without an ActionResult"),
        (operation(99), "unknown stage 99"),
        (operation(QUEUED, name=""), "an execution without a name"),
        (done(answer(cached_result=True)), "answered from its action cache, although the action had to be executed"),
        (with_output("../../etc/passwd"), r"has the output '\.\./\.\./etc/passwd', which cannot be"),
        (with_output("/out"), "which cannot be"),
        (with_output("out"), "which cannot be"),
        (with_output("other", "x"), "no SHA-256 digest"),
        (with_output("other", size=-1), "no SHA-256 digest"),
        (done(error={"code": 99, "message": "\x1b[2J"}), r"status 99: \\x1b\[2J"),
        (done(error={"code": 7, "message": "no"}), "PERMISSION_DENIED: no"),
    ],
)
def test_answers_that_the_specification_does_not_allow_are_errors(farm, execute, strange, said):
    with pytest.raises(RemoteError, match=said) as caught:
        execute(says(strange))
    assert not isinstance(caught.value, TransientError)
    assert caught.value.message.isprintable()
    assert farm.calls["Execute"] == 1


def test_a_cached_result_is_told_where_it_is_allowed(execute):
    assert execute(says(done(answer(cached_result=True))), skip_cache_lookup=False).cached


def test_a_server_that_does_not_execute_is_refused(farm, connection):
    without = farm.get_capabilities(None, None)
    without.execution_capabilities.exec_enabled = False
    farm.faults["GetCapabilities"].append(lambda request, context: without)
    with pytest.raises(RemoteError, match="does not execute actions by SHA256"):
        connection.call(Execution(connection).execute(ACTION))
    assert farm.calls["Execute"] == 0
