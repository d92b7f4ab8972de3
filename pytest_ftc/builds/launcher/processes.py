"""Starting the build, and ending all of its processes."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import sys
import time

from pytest_ftc.builds.launcher import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LIFELINE = 0
"""Standard input: the session writes `GO` to start the build; end of file means that the session has ended."""

GO = b"g"
_LAST_WORDS = 126
_ALSO_THREADS = 0x40000000 if sys.platform == "linux" else 0
"""__WALL of waitpid(2): also report traced threads, which are not children of this process."""


def in_pid_namespace(spec: dict[str, Any]) -> bool:
    """Return whether the build of `spec` has a PID namespace, which ends all of its processes."""
    return bool(spec["isolation"] != "none" and spec["fresh_proc"])


def await_turn() -> bool:
    """Wait until the session lets the build start; return False if the session has ended instead."""
    return os.read(LIFELINE, 1) == GO


class Ended:
    """The end of a build's main process: with an exit code, by a signal, or killed by the launcher."""

    def __init__(self, exit_code: int | None, *, timed_out: bool = False, abandoned: bool = False) -> None:
        self.exit_code = exit_code
        """As in subprocess: negative for a signal; None if the launcher killed the build."""
        self.timed_out = timed_out
        self.abandoned = abandoned


class Alone:
    """A build that is not followed: does nothing.  See `attach.Following` for the other kind."""

    refusal = ""
    """Why a build that should be followed is not."""

    @property
    def descriptors(self) -> list[int]:
        """What to wait for, to call `handle_call` when it is readable."""
        return []

    def submit(self) -> bool:
        """In the process that becomes the build: come under supervision; return whether it is followed now."""
        return False

    def begin(self, pid: int) -> None:
        """In the watching process: follow `pid`, which is about to `submit`.  Raises OSError."""

    def handle_call(self) -> None:
        """Answer a call of the build."""

    def handle_stop(self, pid: int, status: int) -> None:
        """Let a thread of the build go on."""

    def handle_end(self, pid: int, status: int) -> None:
        """Handle the end of a process or thread."""


def start_build(spec: dict[str, Any], log: int, started: Callable[[], None], following: Alone) -> int:
    """Fork and exec the build; return its PID once it runs.  Raises OSError if the command cannot be started."""
    error_read, error_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _become_build(spec, log, following)
        except OSError as error:
            os.write(error_write, str(error.errno).encode())
        finally:
            os._exit(_LAST_WORDS)
    os.close(error_write)
    kernel.forbid_tracing()
    started()
    following.begin(pid)
    code = _read_failure(error_read, following)
    if code:
        os.waitpid(pid, 0)
        number = int(code)
        raise OSError(number, os.strerror(number), spec["argv"][0])
    return pid


def _read_failure(error_read: int, following: Alone) -> bytes:
    """Return why the build could not be executed, empty if it was; answer its calls meanwhile.

    The pipe is close-on-exec, so a successful execve(2) closes it.  That call may itself be intercepted and wait for
    an answer from here.
    """
    code = b""
    while True:
        ready, _, _ = select.select([error_read, *following.descriptors], [], [])
        if error_read not in ready:
            following.handle_call()
            continue
        data = os.read(error_read, 64)
        code += data
        if not data:
            os.close(error_read)
            return code


def _become_build(spec: dict[str, Any], log: int, following: Alone) -> None:
    os.setsid()
    if not in_pid_namespace(spec):
        with contextlib.suppress(OSError, AttributeError):
            kernel.die_with_parent(signal.SIGKILL)
    renounce(spec)
    with contextlib.suppress(OSError):  # containers may refuse it
        kernel.leave_keyring()
    limit_cpus(spec["cpus"])
    with contextlib.suppress(OSError):  # seccomp profiles of containers may refuse it; then neither is varied
        kernel.set_personality(spec["personality"])
    _connect(spec, log)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.chdir(spec["build_path"])
    os.umask(spec["umask"])
    # libfaketime is for builds that nobody follows: those that are get a moved clock from their supervisor.
    followed = following.submit()
    if spec["as_root"] and not followed:
        _refuse_cgroups()
    variables = spec["env"] if followed else {**spec["env"], **spec["clock_env"]}
    os.execvpe(spec["argv"][0], spec["argv"], variables)


def renounce(spec: dict[str, Any]) -> None:
    """Permanently give up the privileges that the build of `spec` does not get.  Raises OSError."""
    if spec["isolation"] != "none":
        kernel.limit_capabilities()
    kernel.renounce_privileges()


def _refuse_cgroups() -> None:
    from pytest_ftc.builds.launcher.tracing.guard import refuse_cgroups

    with contextlib.suppress(OSError):  # no seccomp(2) here
        refuse_cgroups()


def _connect(spec: dict[str, Any], log: int) -> None:
    """Set up the build's standard streams: /dev/null and the log, or the terminal of a shell."""
    if spec["shell"]:
        from pytest_ftc.builds.launcher.terminal import take_terminal

        take_terminal(spec["shell"]["terminal"])
        return
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, target)


def limit_cpus(count: int) -> None:
    """Restrict this process and its children to the first `count` of its CPUs; 0 means all."""
    if count and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def wait_for(pid: int, timeout: float, following: Alone) -> Ended:
    """Wait until the process `pid` ends, `timeout` seconds pass or the session ends; reap other processes meanwhile.

    select(2) would miss a SIGCHLD that arrives just before it; Python's wakeup descriptor makes the signal readable.
    """
    deadline = time.monotonic() + timeout
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        while True:
            status = _reap(pid, following)
            if status is not None:
                return Ended(os.waitstatus_to_exitcode(status))
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return Ended(None, timed_out=True)
            watched = [wake_read, LIFELINE, *following.descriptors]
            ready, _, _ = select.select(watched, [], [], min(remaining, 3600))
            if wake_read in ready:
                os.read(wake_read, 4096)
            if LIFELINE in ready:
                return Ended(None, abandoned=True)
            if following.descriptors and following.descriptors[0] in ready:
                following.handle_call()
    finally:
        signal.set_wakeup_fd(-1)
        os.close(wake_read)
        os.close(wake_write)


def _reap(wanted: int, following: Alone) -> int | None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | _ALSO_THREADS)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if os.WIFSTOPPED(status):
            following.handle_stop(pid, status)
            continue
        following.handle_end(pid, status)
        if pid == wanted:
            return status


def kill_rest(*, namespace: bool) -> int:
    """Kill and reap all other processes of the build; return how many were still running."""
    survivors = len(living(namespace))
    for _ in range(1000):
        victims = living(namespace)
        for pid in victims:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _reap(-1, Alone())
        if not victims:
            break
        time.sleep(0.001)
    return survivors


def count_cpu_seconds() -> float:
    """Return the CPU time of all processes of the build that have been reaped, see getrusage(2)."""
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def living(namespace: bool) -> list[int]:
    """Return the PIDs of the build's live processes: all in the PID namespace, or all descendants of this process."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                state, parent = _read_state(int(name))
                if state not in "ZX":
                    parents[int(name)] = parent
    own = os.getpid()
    if namespace:
        return [pid for pid in parents if pid != own]
    return [pid for pid in parents if _descends(pid, own, parents)]


def _read_state(pid: int) -> tuple[str, int]:
    with open(f"/proc/{pid}/stat", "rb") as stat:
        # The command's name, in parentheses, may contain spaces and parentheses, see proc_pid_stat(5).
        fields = stat.read().rpartition(b")")[2].split()
    return fields[0].decode(), int(fields[1])


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    seen = set()
    while pid in parents and pid not in seen:
        seen.add(pid)
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False


def explain_start(error: OSError) -> str:
    """Return why a command could not be started, as text for the report."""
    if error.errno == errno.ENOENT:
        return f"command not found: {error.filename}"
    if error.errno in (errno.EACCES, errno.ENOEXEC):
        return f"cannot execute {error.filename}: {error.strerror}"
    return f"cannot start {error.filename}: {error.strerror}"
