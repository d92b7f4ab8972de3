"""One connection to a farm for a session: one event loop in one thread, however many calls are in flight."""

from __future__ import annotations

import asyncio
import concurrent.futures
import ipaddress
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.capabilities import Capabilities, read_capabilities
from pytest_ftc.integrations.reapi.errors import CancelledError, RemoteError, TransientError
from pytest_ftc.integrations.reapi.statuses import translate
from pytest_ftc.integrations.retry import Service, ServiceError

T = TypeVar("T")
_FIRST_STEP, _LAST_STEP = 0.1, 1.0
"""Seconds between checks whether the session has ended: hundreds of threads wait for long calls."""
_CLOSING = 5.0
"""Seconds that cancelled calls have to end when the connection closes."""
_LARGEST_MESSAGE = 16 << 20
"""Bytes of one message of a server, which may be larger than a batch: it can hold a build's log."""


class Connection:
    """Calls to the farm at `address`.  Use as a context manager, or call `close`.

    Coroutines of this package run in the connection's thread; other threads run them with `call` and `submit`.
    """

    def __init__(self, address: RemoteAddress, cancelled: Callable[[], bool] = lambda: False) -> None:
        self.address = address
        self.limits = address.limits
        self._cancelled = cancelled
        self._service = Service(address.limits.persistence, cancelled)
        self._methods: dict[tuple[str, str], Any] = {}
        self._capabilities: asyncio.Task[Capabilities] | None = None
        self._metadata = tuple(address.headers.items())
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last: set[asyncio.Task[Any]] = set()
        self._turns = asyncio.Semaphore(address.limits.calls)
        self._closed = False
        self._next = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="ftc-farm")
        self._thread.start()
        self._channel = self.call(self._open())

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start `work` in the connection's thread; cancel the future to cancel it.  Raises CancelledError if closed."""
        if self._closed:
            work.close()
            raise CancelledError("the connection to the farm is closed")
        return asyncio.run_coroutine_threadsafe(self._track(work), self._loop)

    def call(self, work: Coroutine[Any, Any, T], cancelled: Callable[[], bool] | None = None) -> T:
        """Return the result of `work`, which is cancelled when `cancelled` returns true or this thread is interrupted.

        Raises what `work` raises, and CancelledError.
        """
        stop = cancelled or self._cancelled
        future, step = self.submit(work), _FIRST_STEP
        try:
            while True:
                done, _ = concurrent.futures.wait([future], timeout=step)
                if done:
                    return future.result()
                if stop():
                    raise CancelledError("the session ended")
                step = min(2 * step, _LAST_STEP)
        except concurrent.futures.CancelledError:
            raise CancelledError("the session ended") from None
        finally:
            future.cancel()

    def close(self) -> None:
        """Cancel all calls and disconnect; takes a bounded time, and may be called again."""
        if self._closed:
            return
        closing = asyncio.run_coroutine_threadsafe(self._close(), self._loop)
        self._closed = True
        concurrent.futures.wait([closing], timeout=_CLOSING)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING)
        if not self._thread.is_alive():
            self._loop.close()

    @property
    def is_paused(self) -> bool:
        """Whether the farm is not called now because it failed too often."""
        return self._service.is_paused

    async def capabilities(self) -> Capabilities:
        """Return what the server can do, which is asked once.  Raises RemoteError, also if it is of no use."""
        task = self._capabilities
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            request = api.GetCapabilitiesRequest(instance_name=self.address.instance)
            work = self.unary("Capabilities", "GetCapabilities", request)
            task = self._capabilities = asyncio.ensure_future(read_capabilities(work))
        return await asyncio.shield(task)

    async def unary(self, service: str, method: str, request: Any, *, seconds: float | None = None) -> Any:
        """Return the answer to a call; transient failures are retried.  Raises RemoteError and TransientError."""
        return await self.attempt(lambda: self.ask(service, method, request, seconds=seconds or self.limits.call))

    async def ask(self, service: str, method: str, request: Any, *, seconds: float) -> Any:
        """Return the answer to a call in its turn, for use within `attempt`."""
        async with self._turns:
            return self.understand(await self.start(service, method, request, seconds=seconds))

    def start(self, service: str, method: str, request: Any, *, seconds: float | None) -> Any:
        """Start a call of grpc, to be awaited or iterated over within `attempt`; None as `seconds` for no deadline.

        `request` is an asynchronous iterator if the method takes a stream.  Messages are for `understand`.
        """
        return self._method(service, method)(request, timeout=seconds, metadata=self._metadata)

    async def attempt(self, act: Callable[[], Awaitable[T]]) -> T:
        """Return what `act` returns; its errors of grpc are translated, and transient ones retried.

        Raises RemoteError and TransientError.
        """
        try:
            return await self._service.call_async(partial(self._translated, act))
        except ServiceError as error:
            raise TransientError(f"{self.address}: {error}", status="UNAVAILABLE") from None

    def finish(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start `work`, which `close` does not cancel but waits for; it must end soon."""
        task = asyncio.ensure_future(work)
        self._last.add(task)
        task.add_done_callback(self._last.discard)
        return task

    async def pace(self, size: int) -> None:
        """Wait until `size` more bytes may be downloaded within the limit of the rate."""
        if self.limits.rate:
            now = self._loop.time()
            self._next = max(self._next, now) + size / self.limits.rate
            await asyncio.sleep(self._next - now)

    def _method(self, service: str, method: str) -> Any:
        key = (service, method)
        if key not in self._methods:
            self._methods[key] = api.find_method(self._channel, service, method)
        return self._methods[key]

    def understand(self, message: Any) -> Any:
        """Return a `message` of the server.  Raises RemoteError for one that cannot be read."""
        if isinstance(message, api.Unreadable):
            raise self.refuse("it sent a message that cannot be read")
        return message

    def refuse(self, text: str) -> RemoteError:
        """Return the error for an answer that the specification does not allow."""
        return RemoteError(f"{self.address}: {text}")

    async def _translated(self, act: Callable[[], Awaitable[T]]) -> T:
        try:
            return await act()
        except api.grpc.RpcError as error:
            raise translate(error, str(self.address)) from None

    async def _track(self, work: Coroutine[Any, Any, T]) -> T:
        task: asyncio.Task[Any] | None = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await work
        finally:
            self._tasks.discard(task)

    async def _open(self) -> Any:
        address, options = self.address, _options(self.address.target)
        if not address.secure:
            return api.aio.insecure_channel(address.target, options=options)
        credentials = api.grpc.ssl_channel_credentials(address.ca, address.key, address.cert)
        return api.aio.secure_channel(address.target, credentials, options=options)

    async def _close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._capabilities is not None:
            self._capabilities.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSING / 2)
        if self._last:
            await asyncio.wait(self._last, timeout=_CLOSING / 2)
        await self._channel.close()
        # What a coroutine started and left behind.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.wait({*others, asyncio.ensure_future(asyncio.sleep(0))}, timeout=_CLOSING / 4)


def _options(target: str) -> list[tuple[str, Any]]:
    """Return the options of grpc for a channel; proxies of the environment are not for this machine itself."""
    return [
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
        ("grpc.max_send_message_length", -1),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 5000),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", int(not _is_local(target))),
    ]


def _is_local(target: str) -> bool:
    host = target.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
