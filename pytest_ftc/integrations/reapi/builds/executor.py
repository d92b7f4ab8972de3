"""Runs builds on the workers of a farm.  See `pytest_ftc.model.protocols.Executor`."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_ftc.builds.transient_faults import ENDED, UNWANTED, await_permission, lost_build
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.attempts import Attempt
from pytest_ftc.integrations.reapi.builds.action import SET_UP, describe_build, describe_survey
from pytest_ftc.integrations.reapi.builds.answer import Answer, read_answer, read_machine
from pytest_ftc.integrations.reapi.builds.sources import Sources
from pytest_ftc.integrations.reapi.builds.workers import Workers
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.contents import Content
from pytest_ftc.integrations.reapi.dispatch import Dispatcher, Policy
from pytest_ftc.integrations.reapi.errors import CancelledError, MissingInputsError, TransientError
from pytest_ftc.integrations.reapi.execution import Deadlines, Execution
from pytest_ftc.integrations.reapi.operations import EXECUTING, Executed
from pytest_ftc.integrations.reapi.past_times import PastTimes
from pytest_ftc.model import Action, BuildResult, Machine, Replica, Role
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import ExecutionError, MissingError
from pytest_ftc.model.protocols import MayStart, at_once
from pytest_ftc.model.support.contents import keep_remote
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.timing.collector import Stopwatch, timing
from pytest_ftc.model.timing.phase import PhaseKind

_SLACK = 0.5
"""Seconds by which setting up a control on its worker may take longer than setting up an experiment."""
_LARGEST_LOG = 64 << 20
"""Bytes; a larger log stays on the farm."""
_HERE_ALONE = "it cannot be built on a farm"


class RemoteExecutor:
    """Runs builds on the farm at `address`, on its `workers`.

    Logs go to `logs`.  The contents of outputs stay on the farm until somebody reads them.
    """

    def __init__(
        self,
        address: RemoteAddress,
        work: Path,
        logs: Path,
        workers: Workers,
        policy: Policy,
        past: PastTimes | None = None,
    ) -> None:
        """Builds wait for their turn, and end, by `policy`, with what `past` says of earlier sessions."""
        self._cancelled = threading.Event()
        self._connection = Connection(address, self._cancelled.is_set)
        self._cas = Cas(self._connection)
        self._execution = Execution(self._connection)
        self._past = past
        self._dispatcher = Dispatcher(policy, past.of) if past else Dispatcher(policy)
        self._sources = Sources()
        self._work = work
        self._logs = logs
        self._workers = workers
        self._queue = policy.queue
        self._surveyed: dict[Replica | None, Machine] = {}

    @property
    def replicas(self) -> Sequence[Replica]:
        """The kinds of workers that environments choose from; empty if all are alike."""
        return tuple(self._workers.replicas)

    @property
    def is_paused(self) -> bool:
        """Whether the farm is not called now because it failed too often."""
        return self._connection.is_paused

    def survey(self, replica: Replica | None = None) -> Machine:
        """Return what a worker, or one of this kind, can do.  Raises RemoteError, MissingError."""

        async def ask(_: Attempt) -> Machine:
            digest, contents = describe_survey(self._workers.properties_for(replica))
            return await read_machine(self._cas, await self._execute(digest, contents, SET_UP, lambda _: None))

        # A farm that is away is said to be, before it is asked so often that it counts as paused.
        self._connection.call(self._connection.capabilities())
        # The session has nobody else who would ask again.
        machine = self._connection.call(Dispatcher(Policy()).run("", ask)).value
        self._surveyed[replica] = machine
        return machine

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`.

        Raises ExecutionError for a build that needs what only this machine has, and RemoteError for what a retry would
        not change.
        """
        _check(action)
        if not await_permission(may_start, self._cancelled):
            return lost_build(action, ENDED if self._cancelled.is_set() else UNWANTED)
        if action.role is Role.EXPERIMENT:
            # A farm says when it begins with an action, not when the command starts, and the gap is between commands.
            self._cancelled.wait(_SLACK)
        try:
            # Were a control repeated because it is late, an experiment could start less than the gap after it.
            may_repeat = action.role is not Role.CONTROL
            work = self._dispatcher.run(action.artifact, partial(self._build, action, started), may_repeat=may_repeat)
            with timing().phase(PhaseKind.EXECUTE) as opened:
                watch, asked = Stopwatch(), time.monotonic()
                done = self._connection.call(work)
                queued = done.queued_since(asked)
                timing().add(PhaseKind.QUEUE, "", watch.started, queued)
                kept = self._keep(action, *done.value, done.tell())
                opened.set(worker=kept.worker, executions=len(done.attempts))
            return replace(kept, queue_seconds=queued)
        except CancelledError:
            return lost_build(action, ENDED)
        except (TransientError, MissingError) as error:
            return lost_build(action, printable(error.message))
        except OSError as error:
            raise ExecutionError(f"cannot read or write {error.filename}: {error.strerror}") from None

    def cancel(self) -> None:
        """Cancel every build on the farm and refuse new ones."""
        self._cancelled.set()

    def close(self) -> None:
        """Disconnect; contents that were not fetched cannot be any more."""
        self._cancelled.set()
        self._connection.close()
        past, self._past = self._past, None
        if past:
            past.add(self._dispatcher.times)

    async def _build(self, action: Action, started: Callable[[float], None], attempt: Attempt) -> tuple[Answer, str]:
        begun = False

        def enter(stage: str) -> None:
            nonlocal begun
            attempt.enter(stage)
            if stage == EXECUTING and not begun:
                begun = True
                started(time.time())

        # The worker repeats the ID, and a session before this one had a build of the same name.
        asked = replace(action, id=secrets.token_hex(16))
        replica = action.environment.replica
        properties = self._workers.properties_for(replica)
        # Of builds that run anywhere, where there are two kinds of workers, that of the control.
        surveyed = self._surveyed.get(replica, self._surveyed.get(Replica.CONTROL))
        digest, contents = await asyncio.to_thread(describe_build, asked, self._sources, properties, surveyed)
        executed = await self._execute(digest, contents, action.timeout + SET_UP, enter)
        answer = await read_answer(self._cas, executed, asked)
        attempt.cpu_seconds = answer.build.cpu_seconds
        if not begun:
            started(answer.build.started)
        return answer, executed.worker

    async def _execute(
        self, digest: Digest, contents: Mapping[Digest, Content], seconds: float, on_stage: Callable[[str], None]
    ) -> Executed:
        """Upload what the farm lacks, and execute; twice, if the farm has lost some of it meanwhile."""
        deadlines = Deadlines(queue=self._queue, whole=self._queue + 2 * seconds)
        await self._cas.upload(contents)
        try:
            return await self._execution.execute(digest, deadlines=deadlines, on_stage=on_stage)
        except MissingInputsError:
            await self._cas.upload(contents)
            return await self._execution.execute(digest, deadlines=deadlines, on_stage=on_stage)

    def _keep(self, action: Action, answer: Answer, worker: str, told: tuple[str, ...]) -> BuildResult:
        """Return the result of a build, whose contents are fetched when they are read."""
        folder, build = self._work / action.id / "blobs", answer.build
        folder.mkdir(parents=True, exist_ok=True)
        keep_remote(folder, partial(self._fetch_output, answer.contents))
        return replace(
            build,
            id=action.id,
            log=str(self._save_log(action, answer.log)),
            blobs=str(folder),
            notes=(*build.notes, *told),
            worker=printable(worker),
        )

    def _fetch_output(self, contents: Mapping[str, Digest], sha256: str, path: Path) -> None:
        if sha256 not in contents:
            raise MissingError(f"the build on the farm has no output with the content {sha256}")
        self._fetch(contents[sha256], path)

    def _fetch(self, digest: Digest, path: Path) -> None:
        try:
            self._connection.call(self._cas.download(digest, path), cancelled=lambda: False)
        except OSError as error:
            raise ExecutionError(f"cannot write {digest.size} bytes of the farm to {path}: {error.strerror}") from None

    def _save_log(self, action: Action, log: Digest) -> Path:
        self._logs.mkdir(parents=True, exist_ok=True)
        path = self._logs / f"{action.id}.log"
        path.unlink(missing_ok=True)
        if log.size > _LARGEST_LOG:
            path.write_text(f"The log of {log.size} bytes stayed on the farm: {log}\n")
        else:
            self._fetch(log, path)
        return path


def _check(action: Action) -> None:
    """Raise ExecutionError if the build needs what only this machine has."""
    if action.confidential or action.secret_files:
        problem = "it uses secrets, which do not leave this machine"
    elif action.pass_sockets:
        problem = f"it uses the socket {action.pass_sockets[0]} of this machine"
    elif action.shell or action.keep:
        problem = "a shell, or a folder that is kept, is on this machine"
    else:
        return
    raise ExecutionError(f"{_HERE_ALONE}: {problem}", advice="Build it with --ftc-executor=local.")
