"""Servers that send what no server should: each call ends with one of our errors, in bounded time and memory."""

from __future__ import annotations

import contextlib
import itertools
import re
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from farms import QUICK, Farm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.action_cache import RemoteActionCache
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.execution import Deadlines, Execution
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.integrations.reapi.operations import read_outcome
from pytest_ftc.integrations.reapi.trees import parse_output_tree, read_input_tree
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError

ACTION = Digest("1" * 64, 5)
SHORT = Deadlines(queue=1.0, whole=2.0)
Raw = Callable[[bytes, Any], Iterator[bytes]]


@contextmanager
def sending(execute: Raw) -> Iterator[Connection]:
    """Connect to a server whose ``Execute`` and ``WaitExecution`` send the bytes of `execute`, whatever these are."""
    pool = ThreadPoolExecutor(8)
    server = api.grpc.server(pool)
    streams = api.grpc.unary_stream_rpc_method_handler(execute)
    capabilities = api.serialize(Farm().get_capabilities(None, None))
    answers = api.grpc.unary_unary_rpc_method_handler(lambda request, context: capabilities)
    cancels = api.grpc.unary_unary_rpc_method_handler(lambda request, context: b"")
    for name, handlers in {
        f"{api.PACKAGES[0]}.Execution": {"Execute": streams, "WaitExecution": streams},
        f"{api.PACKAGES[0]}.Capabilities": {"GetCapabilities": answers},
        "google.longrunning.Operations": {"CancelOperation": cancels},
    }.items():
        server.add_generic_rpc_handlers([api.grpc.method_handlers_generic_handler(name, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Connection(RemoteAddress(target=f"127.0.0.1:{port}", limits=QUICK)) as connection:
            yield connection
    finally:
        server.stop(0).wait(5)
        pool.shutdown(wait=True, cancel_futures=True)


def end_of(execute: Raw) -> str:
    """Return the error of an execution, which must end in time."""
    begin = time.monotonic()
    with sending(execute) as connection, pytest.raises(FtcError) as caught:
        connection.call(Execution(connection).execute(ACTION, deadlines=SHORT))
    assert time.monotonic() - begin < 60  # twenty times as long as on a machine that is not busy
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 1000
    return caught.value.message


def operation(stage: str = "", name: str = "operation", **fields: Any) -> bytes:
    made = api.Operation(name=name, **fields)
    if stage:
        made.metadata.Pack(api.ExecuteOperationMetadata(stage=stage))
    return api.serialize(made)


def forever(*messages: bytes, pause: float = 0.0) -> Raw:
    def execute(request: bytes, context: Any) -> Iterator[bytes]:
        for message in itertools.cycle(messages):
            if not context.is_active():
                return
            yield message
            time.sleep(pause)

    return execute


def once(*messages: bytes) -> Raw:
    return lambda request, context: iter(messages)


def packed(value: bytes) -> dict[str, Any]:
    """Return an ``Any`` with an ``ExecuteResponse``."""
    return {"type_url": f"type.googleapis.com/{api.PACKAGES[0]}.ExecuteResponse", "value": value}


def with_result(result: bytes) -> bytes:
    """Return an ``ExecuteResponse`` with a large ``ActionResult``."""
    size = len(result)
    return bytes([0x0A, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 21]) + result


def logged_by_grpc(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("grpc")]


LATE = "did not end within 2 s|no worker took the action within 1 s"


@pytest.mark.parametrize(
    ("execute", "problem"),
    [
        (forever(operation("EXECUTING")), LATE),
        (forever(operation("EXECUTING"), operation("QUEUED")), LATE),
        (forever(operation("QUEUED"), pause=0.1), LATE),
        (forever(operation()), LATE),
        (forever(*(operation("EXECUTING", name=f"{n}{'x' * 100_000}") for n in range(9))), LATE),
        (once(operation("EXECUTING")), LATE),
        (once(), "ended before the first"),
        (once(b"\xff" * 1000), "a message that cannot be read"),
        (once(b"\x0a\x02\xff\xfe"), "a message that cannot be read"),
        (once(operation(done=True, response=packed(b"\x0a\x04" + b"\x12\x00" * 2))), "ActionResult|digest|cannot be"),
        (
            once(operation(done=True, response=packed(with_result(b"\x12\x00" * (2 << 20))))),
            "without an ExecuteResponse",
        ),
        (once(b"\x2a\x00" * (2 << 20)), "a message that cannot be read"),
        (once(operation(name="")), "an execution without a name"),
        (once(operation(done=True)), "without an ExecuteResponse"),
        (once(operation(done=True, response={"type_url": "\x1b[0m", "value": b"\xff"})), "without an ExecuteResponse"),
        (once(operation(done=True, error={"code": 99, "message": "\x1b[0m"})), r"status 99: \\x1b\[0m"),
        (once(operation(done=True, error={"code": -(2**31)})), "status -2147483648"),
        (once(operation(done=True, metadata={"type_url": "x", "value": b"\xff"})), "without an ExecuteResponse"),
    ],
    ids=lambda value: "",
)
def test_an_execution_ends(execute: Raw, problem: str, caplog: pytest.LogCaptureFixture) -> None:
    assert re.search(problem, end_of(execute))
    assert logged_by_grpc(caplog) == []


GARBAGE = st.one_of(st.binary(max_size=50), st.just(b"\x0a\x02\xff\xfe"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=GARBAGE)
def test_garbage_in_place_of_any_message_ends_in_our_error(
    farm: Farm, connection: Connection, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    cas, content = Cas(connection), Digest.of(b"content")
    large = Digest("2" * 64, 8 << 20)
    for method in ("FindMissingBlobs", "BatchReadBlobs", "BatchUpdateBlobs", "Read", "GetActionResult"):
        farm.faults[method] = [lambda request, context: [data] if "resource_name" in str(request) else data]
    works = (
        cas.read(content, 99),
        cas.read(large, 9 << 20),
        cas.upload({content: b"content"}),
        cas.upload({content: b""}),
    )
    for work in (*works, RemoteActionCache(connection).get(content)):
        with contextlib.suppress(FtcError):
            connection.call(work)
    assert logged_by_grpc(caplog) == []


@pytest.mark.parametrize(
    "details",
    [b"", b"\xff" * 100, b"\x1b]0;x", api.serialize(api.Status(code=9, message="\x1b", details=[{"value": b"\xff"}]))],
)
@pytest.mark.parametrize("code", ["FAILED_PRECONDITION", "NOT_FOUND", "INVALID_ARGUMENT", "OK"])
def test_garbage_in_the_details_of_a_status_is_passed_over(code: str, details: bytes) -> None:
    def execute(request: bytes, context: Any) -> Iterator[bytes]:
        context.set_trailing_metadata([("grpc-status-details-bin", details)])
        if code != "OK":
            context.abort(api.grpc.StatusCode[code], "said \x1b[0m")
        return iter(())

    assert "\x1b" not in end_of(execute)


def test_a_wait_that_no_server_should_ask_for_is_not_granted() -> None:
    status = api.Status(code=14, message="busy")
    status.details.add().Pack(api.RetryInfo(retry_delay={"seconds": 2**62}))

    def execute(request: bytes, context: Any) -> Iterator[bytes]:
        context.set_trailing_metadata([("grpc-status-details-bin", api.serialize(status))])
        context.abort(api.grpc.StatusCode.UNAVAILABLE, "busy")
        return iter(())

    assert "busy" in end_of(execute)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_operation_raises_anything_but_our_errors(data: Any) -> None:
    response = api.ExecuteResponse(message="m")
    response.result.output_files.add(path="a/b", digest={"hash": "0" * 64, "size_bytes": 3})
    response.result.output_directories.add(path="c", tree_digest={"hash": "0" * 64, "size_bytes": 3})
    response.status.details.add().Pack(
        api.PreconditionFailure(violations=[{"type": "MISSING", "subject": "blobs/x/1"}])
    )
    made = api.Operation(name="o", done=True)
    encoded = bytearray(api.serialize(response))
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(encoded)))
        encoded[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    made.response.type_url, made.response.value = "type.googleapis.com/" + response.DESCRIPTOR.full_name, bytes(encoded)
    try:
        executed = read_outcome(made, "farm", may_be_cached=data.draw(st.booleans()))
    except FtcError as error:
        assert error.message.isprintable()
    else:
        assert executed.message.isprintable()
        assert executed.worker.isprintable()


class TestTrees:
    """Merkle trees that are small on the wire and huge when they are unfolded."""

    def test_long_names_in_deep_folders_are_refused(self) -> None:
        tree = api.Tree()
        below = api.Directory(files=[{"name": str(n), "digest": api.to_message(ACTION)} for n in range(20_000)])
        for _ in range(1500):
            tree.children.append(below)
            digest = api.to_message(Digest.of(api.serialize(below)))
            below = api.Directory(directories=[{"name": "x" * 255, "digest": digest}])
        tree.root.CopyFrom(below)
        self._assert_refused(lambda: parse_output_tree(api.serialize(tree)))

    def test_a_folder_cannot_hold_itself(self) -> None:
        tree = api.Tree()
        tree.root.directories.add(name="x", digest=api.to_message(Digest.of(api.serialize(tree.root))))
        self._assert_refused(lambda: parse_output_tree(api.serialize(tree)))

    def test_an_input_tree_that_unfolds_without_end_is_refused(
        self, farm: Farm, connection: Connection, cas: Cas
    ) -> None:
        below = api.serialize(api.Directory(files=[{"name": "f", "digest": api.to_message(ACTION)}]))
        for _ in range(40):
            (digest,) = farm.put(below)
            nodes = [{"name": str(n), "digest": api.to_message(digest)} for n in range(10)]
            below = api.serialize(api.Directory(directories=nodes))
        (root,) = farm.put(below)
        self._assert_refused(lambda: connection.call(read_input_tree(cas, root, 10_000)))

    def test_a_deep_tree_of_our_own_is_sent(self) -> None:
        assert len(build_tree([Entry("/".join(["x"] * 1500))]).contents) == 1501

    @staticmethod
    def _assert_refused(act: Callable[[], Any]) -> None:
        before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        with pytest.raises(FtcError, match=r"a tree (has more than|lacks the folder)"):
            act()
        assert time.process_time() - begin < 10
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 << 10
