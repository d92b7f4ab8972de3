"""A server of the Remote Execution API inside the test, for what real servers cannot be made to do."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import Limits, RemoteAddress
from pytest_ftc.integrations.reapi.contents import compress, decompress
from pytest_ftc.integrations.retry import Persistence
from pytest_ftc.model.digest import Digest

QUICK = Limits(call=5.0, persistence=Persistence(attempts=4, first_wait=0.01, longest_wait=0.05, failures=50, rest=0.2))
Fault = Callable[[Any, Any], Any]
"""Gets a request and the context of grpc; what it returns is the answer, None for the ordinary one."""


class Farm:
    """Answers by the specification, unless the test plants a fault."""

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.results: dict[Digest, Any] = {}
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        """By method: each is used for one call, in order."""
        self.metadata: list[Mapping[str, Any]] = []
        self.largest_batch = 0
        self.batch_limit = 0
        self.compressors: Sequence[int] = ()
        self.executions: list[Callable[[Any, Any], Iterator[Any]]] = []
        """One for each call of Execute or WaitExecution, in order: yields operations."""
        self.cancelled: list[str] = []
        self.target = ""

    def put(self, *contents: bytes) -> list[Digest]:
        """Store `contents`, and return their digests."""
        self.blobs.update({Digest.of(data): data for data in contents})
        return [Digest.of(data) for data in contents]

    def fail(self, method: str, *codes: str, text: str = "planted", metadata: Any = ()) -> None:
        """Let the next calls of `method` end with the statuses `codes`."""
        for code in codes:
            self.faults[method].append(_aborts(code, text, metadata))

    def get_capabilities(self, request: Any, context: Any) -> Any:
        answer = api.ServerCapabilities(
            cache_capabilities=api.CacheCapabilities(
                digest_functions=[api.DigestFunction.SHA256],
                max_batch_total_size_bytes=self.batch_limit,
                supported_compressors=self.compressors,
                supported_batch_update_compressors=self.compressors,
            ),
            execution_capabilities=api.ExecutionCapabilities(
                digest_function=api.DigestFunction.SHA256, exec_enabled=True
            ),
        )
        answer.cache_capabilities.action_cache_update_capabilities.update_enabled = True
        answer.low_api_version.major = answer.high_api_version.major = 2
        return answer

    def find_missing_blobs(self, request: Any, context: Any) -> Any:
        missing = [each for each in request.blob_digests if api.to_digest(each) not in self.blobs]
        return api.FindMissingBlobsResponse(missing_blob_digests=missing)

    def batch_update_blobs(self, request: Any, context: Any) -> Any:
        self.largest_batch = max(self.largest_batch, request.ByteSize())
        answer = api.BatchUpdateBlobsResponse()
        for each in request.requests:
            digest = api.to_digest(each.digest)
            data = decompress(each.data, digest) if each.compressor == api.Compressor.ZSTD else each.data
            assert Digest.of(data) == digest
            self.blobs[digest] = data
            answer.responses.add(digest=each.digest)
        return answer

    def batch_read_blobs(self, request: Any, context: Any) -> Any:
        answer = api.BatchReadBlobsResponse()
        for each in request.digests:
            data = self.blobs.get(api.to_digest(each))
            if data is None:
                answer.responses.add(digest=each).status.code = 5
            elif api.Compressor.ZSTD in request.acceptable_compressors:
                answer.responses.add(digest=each, data=compress(data), compressor=int(len(data) >= 1024))
            else:
                answer.responses.add(digest=each, data=data)
        return answer

    def write(self, requests: Iterator[Any], context: Any) -> Any:
        data, name = b"", ""
        for request in requests:
            name = request.resource_name
            assert request.write_offset == len(data)
            data += request.data
        digest = Digest.parse("/".join(name.split("/")[-2:]))
        content = decompress(data, digest) if "compressed-blobs/zstd" in name else data
        assert Digest.of(content) == digest
        self.blobs[digest] = content
        return api.WriteResponse(committed_size=len(data))

    def read(self, request: Any, context: Any) -> Iterator[Any]:
        digest = Digest.parse("/".join(request.resource_name.split("/")[-2:]))
        if digest not in self.blobs:
            context.abort(api.grpc.StatusCode.NOT_FOUND, "no such blob")
        data = self.blobs[digest]
        if "compressed-blobs/zstd" in request.resource_name:
            data = compress(data)
        for start in range(0, len(data), 1 << 20):
            yield api.ReadResponse(data=data[start : start + (1 << 20)])

    def get_action_result(self, request: Any, context: Any) -> Any:
        digest = api.to_digest(request.action_digest)
        if digest not in self.results:
            context.abort(api.grpc.StatusCode.NOT_FOUND, "no such result")
        return self.results[digest]

    def update_action_result(self, request: Any, context: Any) -> Any:
        self.results[api.to_digest(request.action_digest)] = request.action_result
        return request.action_result

    def execute(self, request: Any, context: Any) -> Iterator[Any]:
        yield from self.executions.pop(0)(request, context)

    wait_execution = execute

    def cancel_operation(self, request: Any, context: Any) -> Any:
        self.cancelled.append(request.name)
        return api.Empty()

    def handle(self, method: str, ordinary: Callable[[Any, Any], Any], streams: bool) -> Callable[[Any, Any], Any]:
        """Return what answers calls of `method`."""

        def answer(request: Any, context: Any) -> Any:
            self.calls[method] += 1
            self.metadata.append(dict(context.invocation_metadata()))
            fault = self.faults[method].pop(0) if self.faults[method] else None
            found = fault(request, context) if fault else None
            return ordinary(request, context) if found is None else found

        def stream(request: Any, context: Any) -> Iterator[Any]:
            yield from answer(request, context)

        return stream if streams else answer


_SERVICES = {
    "Capabilities": {"GetCapabilities": "unary_unary"},
    "ContentAddressableStorage": dict.fromkeys(
        ("FindMissingBlobs", "BatchUpdateBlobs", "BatchReadBlobs"), "unary_unary"
    ),
    "ByteStream": {"Write": "stream_unary", "Read": "unary_stream"},
    "ActionCache": dict.fromkeys(("GetActionResult", "UpdateActionResult"), "unary_unary"),
    "Execution": dict.fromkeys(("Execute", "WaitExecution"), "unary_stream"),
    "Operations": {"CancelOperation": "unary_unary"},
}


@contextmanager
def serving(credentials: Any = None, batch_limit: int = 0) -> Iterator[Farm]:
    """Serve a farm on a free port of loopback."""
    farm = Farm()
    farm.batch_limit = batch_limit
    pool = ThreadPoolExecutor(32)
    server = api.grpc.server(pool)
    for service, methods in _SERVICES.items():
        handlers = {method: _handler(farm, service, method, kind) for method, kind in methods.items()}
        package = {"ByteStream": "google.bytestream", "Operations": "google.longrunning"}.get(service, api.PACKAGES[0])
        server.add_generic_rpc_handlers([api.grpc.method_handlers_generic_handler(f"{package}.{service}", handlers)])
    port = (
        server.add_secure_port("localhost:0", credentials) if credentials else server.add_insecure_port("127.0.0.1:0")
    )
    farm.target = f"localhost:{port}" if credentials else f"127.0.0.1:{port}"
    server.start()
    try:
        yield farm
    finally:
        server.stop(0).wait(5)
        pool.shutdown(wait=True, cancel_futures=True)


def address_of(farm: Farm, **fields: Any) -> RemoteAddress:
    """Return the address of `farm`, with limits for tests."""
    return RemoteAddress(target=farm.target, **{"limits": QUICK, **fields})


def _handler(farm: Farm, service: str, method: str, kind: str) -> Any:
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in method).lstrip("_")
    answer = farm.handle(method, getattr(farm, name), kind.endswith("stream"))
    request, _ = api.classes_of(service, method)
    maker = getattr(api.grpc, f"{kind}_rpc_method_handler")
    return maker(answer, request_deserializer=request.FromString, response_serializer=_serialize)


def _serialize(message: Any) -> bytes:
    """Return what is sent: a fault may answer with bytes that are no message."""
    return message if isinstance(message, bytes) else api.serialize(message)


def _aborts(code: str, text: str, metadata: Any) -> Fault:
    def fault(request: Any, context: Any) -> Any:
        if metadata:
            context.set_trailing_metadata(metadata)
        context.abort(api.grpc.StatusCode[code], text)

    return fault


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for `condition`."""
    ticks = threading.Event()
    for _ in range(int(seconds * 100)):
        if condition():
            return
        ticks.wait(0.01)
    raise AssertionError("it did not happen in time")
