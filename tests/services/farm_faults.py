"""Faults of real farms while an action, or a whole session, goes through them, and whether what came of it is right."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.bad_line import bad_line_to
from services.supervisor import wait_until

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import Limits, RemoteAddress
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.execution import Deadlines, Execution
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.integrations.retry import Persistence
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError

PHASES = ("uploading", "queued", "executing", "downloading")
_LIMITS = Limits(call=3.0, persistence=Persistence(attempts=4, first_wait=0.1, longest_wait=0.5, failures=50, rest=0.2))
_BOUND = 60.0
"""Seconds within which everything has to end."""
_HANGING = 10.0
"""Seconds after which a process that could run an action, but does not, will not."""


class Server(Protocol):
    """A real server, `Casd` or `BuildGrid`."""

    @property
    def target(self) -> str: ...
    def kill(self) -> None: ...
    def restart(self, *, empty: bool = False, room: int = 0) -> None: ...
    def actions(self) -> list[int]: ...
    def lose_worker(self, chance: random.Random, /) -> int: ...
    def held(self) -> AbstractContextManager[bool]: ...
    def file(self, digest: Digest, /) -> Path: ...
    def files(self) -> list[Path]: ...
    def results(self) -> list[Path]: ...


@dataclass(frozen=True)
class Outcome:
    """What came of one trial."""

    kind: str
    phase: str
    ended: str
    """``right``, an error, or what is wrong: in capitals."""
    seconds: float
    done: bool = True
    """Whether the fault was; not if an error, after an earlier fault, ended the trial before."""

    @property
    def wrong(self) -> bool:
        return self.ended.partition(":")[0].isupper()


class Trial:
    """Takes one action through a farm: uploads, executes, downloads; `on` is called as each phase begins."""

    def __init__(self, target: str, seed: int, on: Callable[[str], None] = lambda phase: None) -> None:
        self._random = random.Random(seed)
        self._address = RemoteAddress(target=target, limits=_LIMITS)
        self._on = on
        # Above what a batch takes, so that it is streamed.
        self._large = self._random.randbytes(5 << 20)
        self.uploaded: list[Digest] = []
        """What the action needs."""
        self.output: Digest | None = None
        """Of what the action made, once it has."""

    def run(self) -> str:
        """Return ``right`` or the error; in capitals what should never be."""
        try:
            with Connection(self._address) as connection:
                found = connection.call(self._go(connection))
        except FtcError as error:
            return f"error: {type(error).__name__}" if error.message.strip() else "NO REASON"
        except Exception as error:
            return f"TRACEBACK OF {type(error).__name__.upper()}"
        return "right" if found == b"small\n" + self._large[::-1] else "OTHER CONTENT"

    async def _go(self, connection: Connection) -> bytes:
        cas = Cas(connection)
        code = "import sys; d = open('large', 'rb').read(); sys.stdout.buffer.write(d[::-1])"
        script = f'cat small > out; sleep 0.3; /usr/bin/python3 -c "{code}" >> out'
        tree = build_tree([Entry.of("small", b"small\n"), Entry.of("large", self._large)])
        command = api.serialize(
            api.Command(
                arguments=["/bin/sh", "-c", script],
                environment_variables=[{"name": "PATH", "value": "/usr/bin:/bin"}],
                output_paths=["out"],
            )
        )
        action = api.serialize(
            api.Action(
                command_digest=api.to_message(Digest.of(command)),
                input_root_digest=api.to_message(tree.root),
                do_not_cache=True,
                salt=self._random.randbytes(16),
                timeout={"seconds": 20},
            )
        )
        self._on("uploading")
        contents = {**tree.contents, Digest.of(command): command, Digest.of(action): action}
        self.uploaded = list(contents)
        await cas.upload(contents)
        self._on("queued")
        executed = await Execution(connection).execute(
            Digest.of(action), deadlines=Deadlines(queue=20.0, whole=30.0), on_stage=self._enter
        )
        if executed.result.exit_code:
            raise FtcError(f"the action ended with status {executed.result.exit_code}")
        (output,) = executed.result.output_files
        self.output = api.to_digest(output.digest)
        self._on("downloading")
        return await cas.read(self.output, 8 << 20)

    def _enter(self, stage: str) -> None:
        if stage == "EXECUTING":
            self._on("executing")


def try_fault(
    server: Server,
    kind: str,
    phase: str,
    seed: int,
    inject: Callable[[Trial], None],
    *,
    through: str = "",
    waits: bool = False,
) -> Outcome:
    """Have `inject` do its work in a phase of a trial, and say what came of it; it ends with all actions ended.

    `through` is the address of a line to the server.  The trial `waits` for the fault, and always before a download.
    """
    waits = waits or phase == "downloading"
    delays = random.Random(seed)
    reached, injected = threading.Event(), threading.Event()
    injecting: list[threading.Thread] = []
    failed: list[BaseException] = []

    def on(found: str) -> None:
        # A server that never says that it executes is in the phase as long as it is asked to.
        if found == phase or (phase == "executing" and found == "queued"):
            if reached.is_set():
                return
            reached.set()
            injecting.append(threading.Thread(target=act, args=(found,), daemon=True))
            injecting[-1].start()
            if waits:
                injected.wait(20)

    def act(found: str) -> None:
        if phase == "executing":
            with contextlib.suppress(BaseException):
                wait_until(lambda: bool(server.actions()), "nothing runs", 5.0)
        elif not waits:
            time.sleep(delays.uniform(0, 0.05))
        try:
            inject(trial)
        except BaseException as error:  # also that of a test that fails
            failed.append(error)
        injected.set()

    trial = Trial(through or server.target, seed, on)
    started = time.monotonic()
    ended = trial.run()
    seconds = time.monotonic() - started
    for thread in injecting:
        thread.join(_BOUND)
    if not reached.is_set():
        ended = ended if ended.startswith("error") else f"THE PHASE NEVER CAME: {ended}"
    elif failed:
        ended = f"THE FAULT FAILED: {failed[0]!r}"
    elif seconds > _BOUND:
        ended = "TOO LATE"
    elif not all_ended(server):
        ended = f"SOMETHING RUNS ON: {describe_processes(server.actions())}"
    return Outcome(kind, phase, ended, seconds, reached.is_set())


def all_ended(server: Server, seconds: float = 30.0) -> bool:
    """Return whether no action runs any more, or soon.

    What the server has started to run an action in, but runs none, is not ours.  Such a process can hang when the
    server is killed at the wrong moment; it is ended here.
    """
    end, alone = time.monotonic() + seconds, time.monotonic()
    while found := server.actions():
        if not all(map(_is_runner, found)):
            alone = time.monotonic()
        if time.monotonic() > min(end, alone + _HANGING):
            break
        time.sleep(0.05)
    if not all(map(_is_runner, found)):
        return False
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return True


def _is_runner(process: int) -> bool:
    """Return whether a process is a program of BuildBox that runs actions, or is gone."""
    try:
        program = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return True
    return os.path.basename(program) in (b"bwrap", b"buildbox-run", b"buildbox-casd")


def describe_processes(processes: list[int]) -> str:
    """Return what these processes are."""
    found = []
    for process in processes:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:2]
            found.append(f"{process} {state} {words[:100]}…{words[-60:]}")
    return "; ".join(found)


def alter(file: Path) -> None:
    """Change one byte in the middle of a file, which may be read-only."""
    file.chmod(0o644)
    with open(file, "r+b") as stream:
        stream.seek(os.path.getsize(file) // 2)
        old = stream.read(1) or b"\0"
        stream.seek(os.path.getsize(file) // 2)
        stream.write(bytes([old[0] ^ 1]))


def line_trials(server: Server, seed: int) -> Iterator[tuple[Outcome, int]]:
    """Yield the outcome of a trial through each kind of bad line, and how many faults the line had."""
    for kind, value in (("delay", 0.005), ("cut", 0.003), ("corrupt", 0.003)):
        with bad_line_to(server.target, seed) as line:
            setattr(line, kind, value)
            yield try_fault(server, kind, "uploading", seed, lambda trial: None, through=line.target), line.faults
