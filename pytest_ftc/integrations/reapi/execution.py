"""Executing actions on a farm, and following them until they end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import LateError, MissingInputsError, RemoteError, TransientError
from pytest_ftc.integrations.reapi.operations import COMPLETED, WAITING, Executed, read_outcome, stage_of
from pytest_ftc.integrations.retry import ServiceError
from pytest_ftc.model.digest import Digest

_CANCELLING = 2.0
"""Seconds that the farm has to take a cancellation."""
_NAMING = 1.0
"""Seconds that the farm has to name an execution that shall be cancelled."""
_PAUSES = (0.2, 5.0)
"""Shortest and longest pause, in seconds, before a stream that broke is taken up."""
_STEADY = 30.0
"""Seconds after which a stream that breaks is not a sign of trouble."""
_UNKNOWN = "UNKNOWN"
_QUEUED_ADVICE = "Check that the farm has workers with the properties in [tool.ftc.remote]."


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long an execution may take, in seconds; the farm may have others."""

    queue: float = 600.0
    """Until a worker has it."""
    whole: float = 7200.0
    """Until it ended, with the time in the queue."""


@dataclass(slots=True)
class _State:
    """What is known of one execution."""

    request: Any
    deadlines: Deadlines
    on_stage: Callable[[str], None]
    name: str = ""
    stage: str = ""
    started: float = field(default_factory=time.monotonic)
    queued: float = field(default_factory=time.monotonic)
    """When it came into the queue, last."""

    def enter(self, stage: str) -> None:
        """Note the stage of an operation, empty if the farm does not name it; some never do."""
        if not stage:
            self.stage = self.stage or _UNKNOWN
        elif stage != self.stage:
            if stage in WAITING and self.stage not in (*WAITING, _UNKNOWN):
                # Its worker was lost.
                self.queued = time.monotonic()
            self.stage = stage
            self.on_stage(stage)

    def left(self) -> float:
        """Return the seconds until the next deadline, whichever is first."""
        ends = [self.started + self.deadlines.whole]
        if self.stage in WAITING:
            ends.append(self.queued + self.deadlines.queue)
        return min(ends) - time.monotonic()


class Execution:
    """Executes actions over `connection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._where = str(connection.address)

    async def execute(
        self,
        action: Digest,
        *,
        skip_cache_lookup: bool = True,
        deadlines: Deadlines = Deadlines(),
        on_stage: Callable[[str], None] = lambda stage: None,
    ) -> Executed:
        """Execute the action with the digest `action`, and return its outcome.

        `on_stage` is called in the connection's thread with each stage that the farm names: ``QUEUED``,
        ``EXECUTING`` and so on; a stage may come again.  If the call is cancelled or late, the farm is told.
        Raises MissingInputsError, LateError, TransientError if the action may be executed again, and RemoteError.
        """
        if not (await self._connection.capabilities()).executes:
            raise RemoteError(f"{self._where}: the server does not execute actions by SHA256")
        request = api.ExecuteRequest(
            instance_name=self._connection.address.instance,
            action_digest=api.to_message(action),
            skip_cache_lookup=skip_cache_lookup,
        )
        state = _State(request, deadlines, on_stage)
        try:
            operation = await self._follow(state)
        except (asyncio.CancelledError, LateError):
            await asyncio.shield(self._connection.finish(self._cancel(state)))
            raise
        state.enter(COMPLETED)
        return read_outcome(operation, self._where, may_be_cached=not skip_cache_lookup)

    async def _follow(self, state: _State) -> Any:
        """Return the operation when it is done; streams that break are taken up again."""
        pause = _PAUSES[0]
        while True:
            before = time.monotonic()
            try:
                operation = await self._connection.attempt(lambda: self._read_stream(state))
            except RemoteError as error:
                raise self._explain(error, state) from None
            if operation is not None:
                return operation
            if time.monotonic() - before > _STEADY:
                pause = _PAUSES[0]
            await asyncio.sleep(min(pause * random.uniform(0.5, 1.0), max(0.0, state.left())))
            pause = min(2 * pause, _PAUSES[1])

    async def _read_stream(self, state: _State) -> Any | None:
        """Read one stream of operations; return the one that is done, None if the stream broke before it."""
        connection = self._connection
        if state.name:
            request = api.WaitExecutionRequest(name=state.name)
            call = connection.start("Execution", "WaitExecution", request, seconds=None)
        else:
            call = connection.start("Execution", "Execute", state.request, seconds=None)
        any_came = False
        try:
            while (operation := await self._read(call, state)) is not None:
                any_came = True
                if not operation.name:
                    raise connection.refuse("it sent an execution without a name")
                state.name = operation.name
                stage = stage_of(operation, self._where)
                if operation.done:
                    return operation
                state.enter(stage)
        except api.grpc.RpcError:
            if not any_came:
                raise
        finally:
            call.cancel()
        if not any_came:
            raise ServiceError("a stream of operations ended before the first", passing=True)
        return None

    async def _read(self, call: Any, state: _State) -> Any | None:
        """Return the next operation of `call`; None at its end.  Raises LateError when a deadline passes."""
        reading = asyncio.ensure_future(call.read())
        try:
            while not reading.done():
                if (left := state.left()) <= 0:
                    raise self._late(state)
                await asyncio.wait({reading}, timeout=left)
        except (asyncio.CancelledError, LateError):
            await self._learn_name(reading, state)
            raise
        operation = reading.result()
        return None if operation is api.aio.EOF else self._connection.understand(operation)

    async def _learn_name(self, reading: asyncio.Future[Any], state: _State) -> None:
        """Give the farm a moment to name an execution that nobody could cancel otherwise."""
        if not state.name:
            await asyncio.wait({reading}, timeout=_NAMING)
            if reading.done() and not reading.cancelled() and not reading.exception():
                state.name = getattr(reading.result(), "name", "")
        reading.cancel()
        # Only to have its exception, if it has one, retrieved.
        await asyncio.wait({reading}, timeout=_NAMING)
        if reading.done() and not reading.cancelled():
            reading.exception()

    async def _cancel(self, state: _State) -> None:
        """Tell the farm that nobody waits any more; that it may not listen changes nothing."""
        if state.name:
            request = api.CancelOperationRequest(name=state.name)
            call = self._connection.start("Operations", "CancelOperation", request, seconds=_CANCELLING)
            with contextlib.suppress(api.grpc.RpcError):
                await call

    def _explain(self, error: RemoteError, state: _State) -> RemoteError:
        """Return what `error` means for an execution: real servers do not always use the status they should."""
        if error.status == "NOT_FOUND" and state.name:
            return TransientError(f"{self._where}: it no longer knows the execution", status="NOT_FOUND")
        if error.status == "NOT_FOUND":
            return MissingInputsError(error.message)
        return error

    def _late(self, state: _State) -> LateError:
        if state.stage in WAITING and state.queued + state.deadlines.queue <= time.monotonic():
            text = f"no worker took the action within {state.deadlines.queue:g} s"
            return LateError(f"{self._where}: {text}", advice=_QUEUED_ADVICE)
        return LateError(f"{self._where}: the execution did not end within {state.deadlines.whole:g} s")
