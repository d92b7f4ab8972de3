"""Ending all processes of a build in namespaces that has no PID namespace, whatever it kills or stops.

Two processes supervise it, each of which adopts orphans and kills all its descendants in the end.  If one is killed,
the other ends the build; if both are, the session does, which finds the processes by their user namespace: see
`pytest_ftc.builds.namespace_sweep`.
"""

from __future__ import annotations

import os
import signal

from pytest_ftc.builds.launcher import kernel, processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NAMESPACE = "namespace"
"""File in the build's work folder with device and inode of its user namespace."""


def run_under_two(spec: dict[str, Any], run: Callable[[], None]) -> int:
    """Call `run` in a child process; return its exit code when it and all processes that it started have ended."""
    with open(os.path.join(spec["work"], NAMESPACE), "w") as file:
        file.write(" ".join(map(str, identify_namespace("self"))))
    kernel.adopt_orphans()
    pid = os.fork()
    if pid == 0:
        _run_second(spec, run)
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        # The build may have done that, and a stopped supervisor watches no time limit.
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    processes.kill_rest(namespace=False)
    return os.waitstatus_to_exitcode(status)


def _run_second(spec: dict[str, Any], run: Callable[[], None]) -> None:
    """Call `run` and exit.

    Its parent may die: the session then closes the lifeline, by which this process ends the build.
    """
    code = 1
    try:
        kernel.adopt_orphans()
        processes.limit_cpus(spec["cpus"])
        run()
        code = 0
    finally:
        os._exit(code)


def identify_namespace(process: str) -> tuple[int, int]:
    """Return device and inode of the user namespace of `process`, see namespaces(7).  Raises OSError."""
    status = os.stat(f"/proc/{process}/ns/user")
    return status.st_dev, status.st_ino
