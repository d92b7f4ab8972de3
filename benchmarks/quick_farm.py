"""A farm in a process of its own that answers by the specification and runs nothing.

`python benchmarks/quick_farm.py SECONDS` prints ``HOST:PORT``, and ends with its standard input.  Each action takes
SECONDS.  One of pytest-ftc gets the answer of a worker that built the file ``out``, always the same; any other one
gets its own digest in ``out``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from farms import Farm
from lying_workers import Files, Workers, environment_seen

from pytest_ftc.builds.worker_request import REQUEST
from pytest_ftc.integrations.reapi import api
from pytest_ftc.model import Action

_UPDATES = 5
"""Seconds between a farm's words on each execution."""


@contextmanager
def a_quick_farm(seconds: float) -> Iterator[str]:
    """Start a farm whose actions take `seconds`; yield ``HOST:PORT``."""
    with Popen([sys.executable, __file__, str(seconds)], stdin=PIPE, stdout=PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


async def serve(seconds: float) -> None:
    """Answer until the end of standard input."""
    farm = Farm()
    Workers(farm, _make)

    async def execute(request: Any, context: Any) -> AsyncIterator[Any]:
        name = f"operations/{request.action_digest.hash}"
        yield _operation(name, api.ExecutionStage.QUEUED)
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            yield _operation(name, api.ExecutionStage.EXECUTING)
            await asyncio.sleep(min(left, _UPDATES))
        last = _operation(name, api.ExecutionStage.COMPLETED)
        last.done = True
        last.response.Pack(_answer(farm, request))
        yield last

    async def read(request: Any, context: Any) -> AsyncIterator[Any]:
        for part in farm.read(request, context):
            yield part

    server = api.aio.server()
    for service, method, kind, answer in (
        ("Capabilities", "GetCapabilities", "unary_unary", _as_coroutine(farm.get_capabilities)),
        ("ContentAddressableStorage", "FindMissingBlobs", "unary_unary", _as_coroutine(farm.find_missing_blobs)),
        ("ContentAddressableStorage", "BatchUpdateBlobs", "unary_unary", _as_coroutine(farm.batch_update_blobs)),
        ("ContentAddressableStorage", "BatchReadBlobs", "unary_unary", _as_coroutine(farm.batch_read_blobs)),
        ("ByteStream", "Read", "unary_stream", read),
        ("Execution", "Execute", "unary_stream", execute),
    ):
        package = "google.bytestream" if service == "ByteStream" else api.PACKAGES[0]
        handler = getattr(api.grpc, f"{kind}_rpc_method_handler")(
            answer, api.classes_of(service, method)[0].FromString, api.serialize
        )
        handlers = api.grpc.method_handlers_generic_handler(f"{package}.{service}", {method: handler})
        server.add_generic_rpc_handlers([handlers])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(0)


def _make(action: Action) -> Files:
    """Return what a build makes: the self-test sees its environment, others do not."""
    if action.outputs == ("seen.json",):
        return {"seen.json": environment_seen(action)}
    return {"out": b"made\n"}


def _answer(farm: Farm, request: Any) -> Any:
    """Return the ``ExecuteResponse``."""
    action = api.Action.FromString(farm.blobs[api.to_digest(request.action_digest)])
    root = api.Directory.FromString(farm.blobs[api.to_digest(action.input_root_digest)])
    if any(file.name == REQUEST for file in root.files):
        (operation,) = farm.execute(request, None)
        return api.unpack(operation.response, api.ExecuteResponse)
    (digest,) = farm.put(request.action_digest.hash.encode())
    output = {"path": "out", "digest": api.to_message(digest)}
    return api.ExecuteResponse(result=api.ActionResult(output_files=[output]))


def _as_coroutine(answer: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    async def handle(request: Any, context: Any) -> Any:
        return answer(request, context)

    return handle


def _operation(name: str, stage: int) -> Any:
    made = api.Operation(name=name)
    made.metadata.Pack(api.ExecuteOperationMetadata(stage=stage))
    return made


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
