"""What hundreds of executions in flight cost one client: memory, CPU time, and threads.

`python benchmarks/remote_in_flight.py [--actions N] [--seconds S] [--server HOST:PORT]` gives N actions (500) to a farm
at once, each of which takes S seconds (10), with its command and input tree uploaded and its output read. Without a
server the farm is a small one in another process, which answers by the specification and runs nothing.
The client's figures leave out what importing and connecting cost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.attempts import Attempt
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.dispatch import Dispatcher, Policy
from pytest_ftc.integrations.reapi.execution import Execution
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.model.digest import Digest

MOST_MEMORY = 300
"""MB that the client may have with 500 in flight."""
_UPDATES = 5
"""Seconds between a farm's words on each execution."""


def main() -> int:
    """Measure, print, and return the exit status: 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--server", default="")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.seconds))
        return 0
    if options.server:
        return measure(options.server, options.actions, options.seconds)
    command = [sys.executable, __file__, "--serve", f"--seconds={options.seconds}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            return measure(server.stdout.readline().strip(), options.actions, options.seconds)
        finally:
            server.kill()


def measure(target: str, actions: int, seconds: float) -> int:
    """Give `actions` to the farm at once, print the figures, and return the exit status."""
    with Connection(RemoteAddress(target=target)) as connection:
        connection.call(connection.capabilities())
        memory, cpu, wall, threads = _resident(), _cpu(), time.monotonic(), threading.active_count()
        most: list[int] = []
        answers = connection.call(_run_all(connection, actions, seconds, most))
        cpu, wall = _cpu() - cpu, time.monotonic() - wall
        threads = threading.active_count() - threads
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    assert len(answers) == actions
    print(f"actions                 {actions}, {max(most)} in flight at once, each {seconds:g} s on the farm")
    print(f"time                    {wall:.1f} s")
    print(f"memory                  {peak} MB at most, {peak - memory} MB of it for the actions")
    print(f"CPU                     {cpu:.1f} s: {cpu / wall:.2f} cores, {cpu / actions * 1000:.1f} ms an action")
    print(f"threads                 {threads} more than before")
    within = peak < MOST_MEMORY and cpu < wall
    print(f"within {MOST_MEMORY} MB and one core: {'yes' if within else 'no'}")
    return 0 if within else 1


async def _run_all(connection: Connection, actions: int, seconds: float, most: list[int]) -> list[bytes]:
    cas, execution, dispatcher = Cas(connection), Execution(connection), Dispatcher(Policy(max_in_flight=actions))
    running = 0

    async def run(number: int) -> bytes:
        async def launch(attempt: Attempt) -> Any:
            nonlocal running
            running += 1
            most.append(running)
            try:
                contents, action = _describe(number, attempt.number, seconds)
                await cas.upload(contents)
                return await execution.execute(action, on_stage=attempt.enter)
            finally:
                running -= 1

        done = await dispatcher.run(f"artifact {number}", launch)
        (output,) = done.value.result.output_files
        return await cas.read(api.to_digest(output.digest), 1 << 20)

    return await asyncio.gather(*map(run, range(actions)))


def _describe(number: int, attempt: int, seconds: float) -> tuple[dict[Digest, Any], Digest]:
    """Return an action and its contents: the input tree is common to all, the command is not."""
    tree = build_tree([Entry.of(f"source/file-{index}", b"%d" % index) for index in range(20)])
    sh = f"sleep {seconds}; echo {number} > out"
    command = api.serialize(api.Command(arguments=["/bin/sh", "-c", sh], output_paths=["out"]))
    action = api.serialize(
        api.Action(
            command_digest=api.to_message(Digest.of(command)),
            input_root_digest=api.to_message(tree.root),
            do_not_cache=True,
            salt=os.urandom(16) + b"%d" % attempt,
        )
    )
    contents = {**tree.contents, Digest.of(command): command, Digest.of(action): action}
    return contents, Digest.of(action)


async def serve(seconds: float) -> None:
    """Answer as a farm whose actions take `seconds`; print ``HOST:PORT``, and end with standard input."""
    blobs: dict[Digest, bytes] = {}

    async def capabilities(request: Any, context: Any) -> Any:
        answer = api.ServerCapabilities(execution_capabilities={"exec_enabled": True, "digest_function": 1})
        answer.cache_capabilities.digest_functions.append(api.DigestFunction.SHA256)
        return answer

    async def find_missing(request: Any, context: Any) -> Any:
        missing = [each for each in request.blob_digests if api.to_digest(each) not in blobs]
        return api.FindMissingBlobsResponse(missing_blob_digests=missing)

    async def update(request: Any, context: Any) -> Any:
        blobs.update((api.to_digest(each.digest), each.data) for each in request.requests)
        return api.BatchUpdateBlobsResponse(responses=[{"digest": each.digest} for each in request.requests])

    async def read(request: Any, context: Any) -> Any:
        found = [{"digest": each, "data": blobs[api.to_digest(each)]} for each in request.digests]
        return api.BatchReadBlobsResponse(responses=found)

    async def execute(request: Any, context: Any) -> AsyncIterator[Any]:
        name, data = f"operations/{request.action_digest.hash}", request.action_digest.hash.encode()
        blobs[Digest.of(data)] = data
        yield _operation(name, api.ExecutionStage.QUEUED)
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            yield _operation(name, api.ExecutionStage.EXECUTING)
            await asyncio.sleep(min(left, _UPDATES))
        last = _operation(name, api.ExecutionStage.COMPLETED)
        last.done = True
        output = {"path": "out", "digest": api.to_message(Digest.of(data))}
        last.response.Pack(api.ExecuteResponse(result=api.ActionResult(output_files=[output])))
        yield last

    server = api.aio.server()
    for service, method, kind, answer in (
        ("Capabilities", "GetCapabilities", "unary_unary", capabilities),
        ("ContentAddressableStorage", "FindMissingBlobs", "unary_unary", find_missing),
        ("ContentAddressableStorage", "BatchUpdateBlobs", "unary_unary", update),
        ("ContentAddressableStorage", "BatchReadBlobs", "unary_unary", read),
        ("Execution", "Execute", "unary_stream", execute),
    ):
        handler = getattr(api.grpc, f"{kind}_rpc_method_handler")(
            answer, api.classes_of(service, method)[0].FromString, api.serialize
        )
        name = f"{api.PACKAGES[0]}.{service}"
        server.add_generic_rpc_handlers([api.grpc.method_handlers_generic_handler(name, {method: handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(0)


def _operation(name: str, stage: int) -> Any:
    made = api.Operation(name=name)
    made.metadata.Pack(api.ExecuteOperationMetadata(stage=stage))
    return made


def _resident() -> int:
    """Return the MB of memory in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 20


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
