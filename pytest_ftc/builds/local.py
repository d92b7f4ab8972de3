"""Runs builds on this machine, each in its own launcher process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_ftc.builds.launcher import command
from pytest_ftc.builds.launcher.processes import GO
from pytest_ftc.builds.launcher.shared_folders import list_shared_memory, remove_stale
from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.builds.launching import forks
from pytest_ftc.builds.launching.await_end import Launcher, await_end
from pytest_ftc.builds.launching.spec import describe_build, open_in_memory
from pytest_ftc.builds.namespace_sweep import kill_namespace
from pytest_ftc.builds.slots import Slots
from pytest_ftc.builds.transient_faults import ENDED, UNWANTED, await_permission, lost_build, may_be_due_to_overlayfs
from pytest_ftc.model import Action, BuildResult, BuildStatus, Machine, Output, Role, Trace
from pytest_ftc.model.notes import note_hidden_socket
from pytest_ftc.model.protocols import Executor, MayStart, at_once
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.support.serialization import from_json
from pytest_ftc.model.timing.collector import Stopwatch, timing
from pytest_ftc.model.timing.phase import PhaseKind

_TAIL_BYTES = 16 * 1024
_TAIL_LINES = 40


class LocalExecutor:
    """Runs builds below `work`, as many at a time as `jobs` and the slots in the folder `slots` allow.

    Environments are set up without that limit, one for each call of `run`.  Logs go to `logs`.
    """

    def __init__(
        self,
        machine: Machine,
        work: Path,
        logs: Path,
        jobs: int,
        slots: Path | None = None,
        concealed: Sequence[str] = (),
    ) -> None:
        """With namespaces, builds do not see the `concealed` paths, except those that are values of their variables."""
        self._machine = machine
        self._work = work
        self._logs = logs
        self.slots = Slots(jobs, slots, work.parent)
        self._concealed = concealed
        self._running: set[Launcher] = set()
        self._lock = threading.Lock()
        self._turns: dict[Path, threading.Lock] = {}
        self._cancelled = threading.Event()
        self._copied: set[str] = set()
        """Artifacts that are built in copies of their sources, since overlayfs may be why their builds failed."""
        self._controls: dict[str, str] = {}
        """The last control of each artifact: other builds need not copy what it has left already."""

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`."""
        if action.root is None:
            return self._run(action, started, may_start)
        # Builds that share a folder are set up one after another.
        if not await_permission(may_start, self._cancelled):
            return lost_build(action, UNWANTED)
        watch = Stopwatch()
        with self._turn(action.root):
            waited = _note_queue(watch)
            result = self._run(action, started, at_once)
            return replace(result, queue_seconds=result.queue_seconds + waited)

    def _run(self, action: Action, started: Callable[[float], None], may_start: MayStart) -> BuildResult:
        if self._cancelled.is_set():
            return lost_build(action, ENDED)
        folder = self._work / action.id
        # Another build of the artifact may fail while this one runs.
        machine = replace(self._machine, overlay=False) if action.artifact in self._copied else self._machine
        try:
            remove_tree(str(folder))  # if the same artifact is verified again
            (folder / "blobs").mkdir(parents=True)
            self._logs.mkdir(parents=True, exist_ok=True)
            result = self._launch(action, machine, folder, started, may_start)
            if not may_be_due_to_overlayfs(action, result, machine):
                return result
            self._copied.add(action.artifact)
        except OSError as error:
            return lost_build(action, f"cannot prepare the build in {folder}: {error.strerror}")
        finally:
            for leftover in (folder / "root", folder / "scratch", action.root):
                if leftover:
                    remove_tree(str(leftover))
        return self._run(action, started, may_start)

    @contextlib.contextmanager
    def _turn(self, root: Path) -> Iterator[None]:
        """Wait until no other build runs below `root`."""
        with self._lock:
            turn = self._turns.setdefault(root, threading.Lock())
        with turn:
            yield

    def cancel(self) -> None:
        """Kill every running build and refuse new ones."""
        self._cancelled.set()
        with self._lock:
            running = list(self._running)
        for process in running:
            _cut_lifeline(process)
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)

    def _launch(
        self, action: Action, machine: Machine, folder: Path, started: Callable[[float], None], may_start: MayStart
    ) -> BuildResult:
        watch = Stopwatch()
        log = self._make_log(action)
        spec = describe_build(action, machine, folder, log, self._concealed)
        spec["control"] = self._controls.get(action.artifact, "")
        if action.role is Role.CONTROL:
            self._controls[action.artifact] = action.id
        shared = list_shared_memory()
        process = _start_launcher(action, spec, folder)
        with self._lock:
            self._running.add(process)
        try:
            if self._cancelled.is_set():
                _cut_lifeline(process)
            refused, waited = self._build(process, action, watch, started, may_start)
            if refused:
                return lost_build(action, refused)
            code = process.wait()
            if code != 0:
                _clean_up_after(action, shared, folder)
            return replace(self._read_result(action, code, folder, log), queue_seconds=waited)
        finally:
            _cut_lifeline(process)
            process.wait()
            with self._lock:
                self._running.discard(process)

    def _make_log(self, action: Action) -> Path:
        logs = self._logs
        if action.confidential:
            # In the work folder, so that it is removed even if the session ends before the log is masked.
            logs = self._work / "confidential"
            logs.mkdir(exist_ok=True)
        log = logs / f"{action.id}.log"
        log.unlink(missing_ok=True)
        return log

    def _build(
        self,
        process: Launcher,
        action: Action,
        setup: Stopwatch,
        started: Callable[[float], None],
        may_start: MayStart,
    ) -> tuple[str, float]:
        """Let the launcher build once permitted, and wait for its end.

        Return why it was not permitted, else empty, and the seconds for which it waited for a slot.
        """
        assert process.stdout is not None
        with process.stdout as messages:
            is_ready = messages.readline() == b"ready\n"
            timing().add(PhaseKind.SETUP, "", setup.started, setup.seconds)
            if not is_ready:
                return "", 0.0
            if not await_permission(may_start, self._cancelled):
                return UNWANTED, 0.0
            # A slot is taken only for the build, so that others run while this one is set up and waits.
            queue = Stopwatch()
            with self.slots.taken(self._cancelled.is_set, first=action.critical) as slot:
                waited = _note_queue(queue)
                if not slot:
                    return ENDED, waited
                _let_start(process)
                await_end(process, messages, started)
        return "", waited

    def _read_result(self, action: Action, code: int, folder: Path, log: Path) -> BuildResult:
        try:
            result = json.loads((folder / "result.json").read_bytes())
        except (OSError, ValueError):
            words = (folder / "launcher.err").read_text(errors="replace").strip().splitlines()[-1:]
            lost = lost_build(action, f"the launcher ended with status {code}: {' '.join(words) or 'no message'}")
            return replace(lost, log=str(log), log_tail=read_tail(log))
        return _result(action, result, log, folder / "blobs")


def _note_queue(watch: Stopwatch) -> float:
    """Add the phase since `watch` was made, in which a build waited for others; return its seconds."""
    seconds = watch.seconds
    timing().add(PhaseKind.QUEUE, "", watch.started, seconds)
    return seconds


def _start_launcher(action: Action, spec: Mapping[str, Any], folder: Path) -> Launcher:
    with open_in_memory(json.dumps(spec).encode()) as given, open(folder / "launcher.err", "wb") as errors:
        # A shell has descriptors of its own.
        forked = None if action.shell else forks.launch(folder, given.fileno(), errors.fileno())
        return forked or subprocess.Popen(
            command(given.fileno(), str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env={"LC_ALL": "C.UTF-8"},
            start_new_session=True,
            pass_fds=(given.fileno(), *((action.shell.terminal, action.shell.script) if action.shell else ())),
        )


def _clean_up_after(action: Action, shared: set[str], folder: Path) -> None:
    """Clean up after a killed launcher whose build was not contained in a PID namespace."""
    kill_namespace(folder)
    if not action.root:
        return
    _kill_orphans(os.fsencode(f"HOME={action.environment.home}\0"))
    # A process killed just now may need a moment to end, and its memory counts as used until then.
    for _ in range(10):
        remove_stale(shared)
        if not list_shared_memory() - shared:
            break
        time.sleep(0.1)


def _kill_orphans(marker: bytes) -> None:
    """Kill the processes of a killed launcher, if no namespace does it; they have `marker` in environ, see proc(5)."""
    for _ in range(3):
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if marker in (process / "environ").read_bytes() + b"\0":
                    os.kill(int(process.name), signal.SIGKILL)


def _let_start(process: Launcher) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):  # truncated meanwhile
        process.stdin.write(GO)
        process.stdin.flush()


def _cut_lifeline(process: Launcher) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()


def _result(action: Action, result: Mapping[str, Any], log: Path, blobs: Path) -> BuildResult:
    status = BuildStatus(result["status"])
    survivors = result.get("survivors", 0)
    return BuildResult(
        id=action.id,
        role=action.role,
        environment=action.described,
        status=status,
        exit_code=result.get("exit_code"),
        reason=result.get("reason", ""),
        started=result.get("started", 0.0),
        seconds=result.get("seconds", 0.0),
        cpu_seconds=result.get("cpu_seconds"),
        outputs=tuple(from_json(Output, entry) for entry in result.get("outputs", ())),
        log=str(log),
        log_tail="" if status is BuildStatus.OK else read_tail(log),
        blobs=str(blobs),
        not_applied=result.get("not_applied", {}),
        trace=from_json(Trace, result["trace"]) if "trace" in result else None,
        peers=tuple((printable(program), printable(address)) for program, address in result.get("peers", ())),
        shared=tuple(map(printable, result.get("shared", ()))),
        not_followed=result.get("not_followed", ""),
        notes=(
            *([f"{survivors} process(es) that the build left running were killed"] if survivors else []),
            *_describe_covered(result.get("covered", ())),
            *map(printable, result.get("left_out", ())),
            *map(printable, result.get("notes", ())),
        ),
    )


def _describe_covered(covered: Iterable[tuple[str, str]]) -> list[str]:
    return [printable(note_hidden_socket(program, path)) for program, path in covered]


def read_tail(log: Path) -> str:
    """Return the last lines of a log of any size and content."""
    try:
        with open(log, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def watch_slots(executor: Executor) -> Callable[[], bool]:
    """Return a function that returns whether builds of `executor` wait for other sessions of this machine."""
    slots = executor.slots if isinstance(executor, LocalExecutor) else None
    return lambda: slots is not None and slots.held_by_others
