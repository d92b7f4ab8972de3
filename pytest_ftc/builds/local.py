"""Runs builds on this machine, each by a launcher of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from pytest_ftc.builds.launcher import command, kernel
from pytest_ftc.builds.launcher.processes import GO
from pytest_ftc.builds.launcher.shared_memory import list_shared_memory, remove_stale
from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.builds.slots import Slots
from pytest_ftc.builds.transient_faults import ENDED, UNWANTED
from pytest_ftc.model import Action, BuildResult, BuildStatus, Environment, KernelName, Machine, Output, Trace
from pytest_ftc.model.printable import printable
from pytest_ftc.model.protocols import MayStart, at_once
from pytest_ftc.model.serialization import from_json

_TAIL_BYTES = 16 * 1024
_TAIL_LINES = 40
_PATIENCE = 0.1
_PRIVATE = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))


class LocalExecutor:
    """Runs builds below `work`, at a time as many as `jobs` and the slots in the folder `slots` allow.

    Environments are set up beside that, as many as `run` is called.  Logs go to `logs`.
    """

    def __init__(self, machine: Machine, work: Path, logs: Path, jobs: int, slots: Path | None = None) -> None:
        self._machine = machine
        self._work = work
        self._logs = logs
        self._slots = Slots(jobs, slots, work.parent)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._turns: dict[Path, threading.Lock] = {}
        self._cancelled = threading.Event()

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`."""
        if action.root is None:
            return self._run(action, started, may_start)
        # What shares a folder is set up when its turn comes, and waits outside.
        if not self._await_permission(may_start):
            return _lost(action, UNWANTED)
        with self._turn(action.root):
            return self._run(action, started, at_once)

    def _run(self, action: Action, started: Callable[[float], None], may_start: MayStart) -> BuildResult:
        if self._cancelled.is_set():
            return _lost(action, ENDED)
        folder = self._work / action.id
        try:
            remove_tree(str(folder))  # of an artifact that is verified again
            (folder / "blobs").mkdir(parents=True)
            self._logs.mkdir(parents=True, exist_ok=True)
            return self._launch(action, folder, started, may_start)
        except OSError as error:
            return _lost(action, f"cannot prepare the build in {folder}: {error.strerror}")
        finally:
            for leftover in (folder / "root", folder / "scratch", action.root):
                if leftover:
                    remove_tree(str(leftover))

    @contextlib.contextmanager
    def _turn(self, root: Path) -> Iterator[None]:
        """Wait until no other build works below `root`."""
        with self._lock:
            turn = self._turns.setdefault(root, threading.Lock())
        with turn:
            yield

    def _await_permission(self, may_start: MayStart) -> bool:
        while not self._cancelled.is_set():
            answer = may_start(_PATIENCE)
            if answer is not None:
                return answer
        return False

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
        self, action: Action, folder: Path, started: Callable[[float], None], may_start: MayStart
    ) -> BuildResult:
        logs = self._logs
        if action.confidential:
            # Whatever ends the session before it is masked, this is gone with the work folder.
            logs = self._work / "confidential"
            logs.mkdir(exist_ok=True)
        log = logs / f"{action.id}.log"
        log.unlink(missing_ok=True)
        spec = self._spec(action, folder, log)
        (folder / "spec.json").write_text(json.dumps(spec))
        shared = list_shared_memory()
        with open(folder / "launcher.err", "wb") as errors:
            process = subprocess.Popen(
                command(str(folder / "spec.json")),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env={"LC_ALL": "C.UTF-8"},
                start_new_session=True,
                pass_fds=(action.shell.terminal, action.shell.script) if action.shell else (),
            )
        with self._lock:
            self._running.add(process)
        try:
            if self._cancelled.is_set():
                _cut_lifeline(process)
            assert process.stdout is not None
            with process.stdout as told:
                if told.readline() == b"ready\n":
                    if not self._await_permission(may_start):
                        return _lost(action, UNWANTED)
                    # A slot is taken for the build alone: others run while this one is set up and waits.
                    with self._slots.taken(self._cancelled.is_set, first=action.critical) as slot:
                        if not slot:
                            return _lost(action, ENDED)
                        _let_start(process)
                        _await_end(told, started)
            code = process.wait()
            if action.root and not (folder / "result.json").exists():
                _clean_up_after(action, shared)
            return self._read_result(action, code, folder, log)
        finally:
            _cut_lifeline(process)
            process.wait()
            with self._lock:
                self._running.discard(process)

    def _read_result(self, action: Action, code: int, folder: Path, log: Path) -> BuildResult:
        try:
            result = json.loads((folder / "result.json").read_bytes())
        except (OSError, ValueError):
            words = (folder / "launcher.err").read_text(errors="replace").strip().splitlines()[-1:]
            return _lost(action, f"the launcher ended with status {code}: {' '.join(words) or 'no message'}", log)
        return _result(action, result, log, folder / "blobs")

    def _spec(self, action: Action, folder: Path, log: Path) -> dict[str, Any]:
        environment = action.environment
        return {
            "argv": action.shell.argv if action.shell else action.command,
            "shell": {"terminal": action.shell.terminal} if action.shell else None,
            "keep": str(action.keep) if action.keep else None,
            "env": self._variables(action),
            "snapshot": str(action.snapshot),
            "git_dir": str(action.git_dir) if action.git_dir else None,
            "work": str(folder),
            "build_path": environment.build_path,
            "home": environment.home,
            "temp_dir": environment.temp_dir,
            "umask": environment.umask,
            "timeout": action.timeout,
            "outputs": action.outputs,
            "filesystem": environment.filesystem.value,
            "file_order": environment.file_order.value,
            "mtime_shift": environment.source_mtime_shift,
            "isolation": self._machine.isolation.value,
            "overlay": self._machine.overlay,
            "network": environment.network,
            **_identity(environment),
            "host": environment.host,
            "domain": environment.domain,
            "cpus": environment.cpus,
            "clock_shift": environment.clock_shift,
            "trace": action.trace.value,
            "faketime": self._machine.faketime,
            "first_pid": environment.first_pid,
            "personality": _personality(environment),
            "visible": _hidden_needs(action, self._machine.faketime),
            "log": str(log),
            "blobs": str(folder / "blobs"),
            "result": str(folder / "result.json"),
        }

    def _variables(self, action: Action) -> dict[str, str]:
        environment = action.environment
        variables = {"HOME": environment.home, "TMPDIR": environment.temp_dir, **environment.variables}
        return {**variables, **clock_variables(environment.clock_shift, self._machine.faketime, variables)}


def _identity(environment: Environment) -> dict[str, Any]:
    identity = environment.identity
    if identity is None:
        return {"uid": os.geteuid(), "gid": os.getegid(), "user": "", "group": ""}
    return {"uid": identity.uid, "gid": identity.gid, "user": identity.user, "group": identity.group}


def _personality(environment: Environment) -> int:
    """Return the flags for personality(2)."""
    fixed = 0 if environment.randomised_addresses else kernel.ADDR_NO_RANDOMIZE
    return fixed | (kernel.UNAME26 if environment.kernel is KernelName.OLD else 0)


def clock_variables(shift: int, faketime: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which libfaketime moves the clock `shift` seconds ahead; none for 0.

    File times stay real (NO_FAKE_STAT), since make and its like compare them with each other, and timeouts keep
    working (FAKETIME_DONT_FAKE_MONOTONIC); see libfaketime's README.  A program built with AddressSanitizer refuses to
    start behind another preloaded library unless it is told that this is meant.
    """
    if not shift:
        return {}
    preload = " ".join(filter(None, (faketime, variables.get("LD_PRELOAD"))))
    sanitizer = ":".join(filter(None, (variables.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
    return {
        "LD_PRELOAD": preload,
        "ASAN_OPTIONS": sanitizer,
        "FAKETIME": f"{shift:+d}",
        "NO_FAKE_STAT": "1",
        "FAKE_UTIME": "0",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _hidden_needs(action: Action, faketime: str) -> list[str]:
    """Return the folders below the private temporary folders that the build needs all the same: its tools."""
    entries = [Path(entry) for entry in action.environment.variables.get("PATH", "").split(os.pathsep)]
    needs = [entry.parent if entry.name in ("bin", "sbin") else entry for entry in entries]
    needs += [Path(action.command[0]).parent.parent, Path(sys.prefix), Path(sys.base_prefix), Path(faketime).parent]
    # A build may run `ftc normalize`, also where pytest-ftc is installed from a clone.
    needs.append(Path(__file__).parents[1])
    needs += [action.git_link] if action.git_link else []
    below = [need for need in needs if any(folder in need.parents for folder in _PRIVATE)]
    # Not Path.is_dir, which raises PermissionError below a folder that this user cannot enter.
    hidden = {need for need in below if os.path.isdir(need)}  # noqa: PTH112
    return sorted(str(need) for need in hidden if not hidden.intersection(need.parents))


def _clean_up_after(action: Action, shared: set[str]) -> None:
    """Do what a launcher does at the end of a build that no namespace contains, and could not: it was killed."""
    _kill_orphans(os.fsencode(f"HOME={action.environment.home}\0"))
    # Who was killed just now may need a moment to be gone, and its memory counts as in use until then.
    for _ in range(10):
        remove_stale(shared)
        if not list_shared_memory() - shared:
            break
        time.sleep(0.1)


def _kill_orphans(marker: bytes) -> None:
    """Kill what a launcher left that was killed itself, where no namespace does it; see environ in proc(5)."""
    for _ in range(3):
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if marker in (process / "environ").read_bytes() + b"\0":
                    os.kill(int(process.name), signal.SIGKILL)


def _let_start(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):  # cut meanwhile
        process.stdin.write(GO)
        process.stdin.flush()


def _await_end(told: IO[bytes], started: Callable[[float], None]) -> None:
    line = told.readline()
    if line.startswith(b"started "):
        started(float(line.split()[1]))
    told.read()


def _cut_lifeline(process: subprocess.Popen[bytes]) -> None:
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
        outputs=tuple(from_json(Output, entry) for entry in result.get("outputs", ())),
        log=str(log),
        log_tail="" if status is BuildStatus.OK else read_tail(log),
        blobs=str(blobs),
        not_applied=result.get("not_applied", {}),
        trace=from_json(Trace, result["trace"]) if "trace" in result else None,
        not_followed=result.get("not_followed", ""),
        notes=(
            *([f"{survivors} process(es) that the build left running were killed"] if survivors else []),
            *map(printable, result.get("left_out", ())),
        ),
    )


def _lost(action: Action, reason: str, log: Path | None = None) -> BuildResult:
    return BuildResult(
        id=action.id,
        role=action.role,
        environment=action.described,
        status=BuildStatus.LOST,
        reason=reason,
        started=time.time(),
        log=str(log or ""),
        log_tail=read_tail(log) if log else "",
    )


def read_tail(log: Path) -> str:
    """Return the last lines of a log, however large, whatever bytes it holds."""
    try:
        with open(log, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
