"""Classifying failed builds: a fault of the machine, where another try may help, or a failure of the build itself."""

from __future__ import annotations

import re
import signal
import threading
import time

from pytest_ftc.model import Action, BuildResult, BuildStatus, FileSystem, Machine
from pytest_ftc.model.protocols import MayStart, at_once
from pytest_ftc.model.timing.collector import timing
from pytest_ftc.model.timing.phase import PhaseKind

ENDED = "the session ended"
"""The reason for a build that was killed or not started because the session ended; the launcher uses it too."""
UNWANTED = "it was no longer wanted"
_PATIENCE = 0.1
"""Seconds between looks at whether a waiting build is to be cancelled."""

_SHELL_ADDS = 128
"""A shell's exit status is this plus the signal that killed its command, see "Exit Status" in sh(1p)."""
_KILLERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGBUS)
"""Signals from outside the build: the out-of-memory killer, a shutdown, a failing or full disk under a mapped file."""

_ANYWHERE = (
    ("out of memory", r"Cannot allocate memory|virtual memory exhausted|\bMemoryError\b|\bout of memory\b"),
    (
        "killed, probably by the out-of-memory killer",
        r"fatal error: Killed signal terminated program|^Killed$|\*\*\* .* Killed$",
    ),
    ("no space left on device", r"No space left on device|\bENOSPC\b"),
    ("an input/output error", r"Input/output error|\bEIO\b"),
)
_WITH_NETWORK = (
    (
        "a name could not be resolved",
        (
            r"Temporary failure in name resolution|Could not resolve host|Name or service not known|\bEAI_AGAIN\b"
            r"|Could not resolve proxy|failed to lookup address information|getaddrinfo failed"
        ),
    ),
    ("a connection was reset", r"Connection reset by peer|\bECONNRESET\b|Connection aborted|\bRemoteDisconnected\b"),
)
_WHILE_FETCHING = (
    (
        "a server was busy or broken",
        (
            r"\bHTTP(?:/[0-9.]+|Error)?:?(?: [Ee]rror:?| status(?: code)?:?| response:?)? (?:429|5[0-9]{2})\b"
            r"|\b(?:429 Too Many Requests|5[0-9]{2} (?:Internal )?Server Error|502 Bad Gateway|503 Service Unavailable"
            r"|504 Gateway Time-?out)|The requested URL returned error: (?:429|5[0-9]{2})|ERROR (?:429|5[0-9]{2}): "
        ),
    ),
)


_ON_OVERLAYFS = re.compile(
    r"Invalid cross-device link|cross-device link not permitted|\bEXDEV\b"  # a folder of the sources is renamed
    # In a user namespace, the first look into a folder that has got hard links to sources changes its ctime.
    r"|file changed as we read it"
)


def lost_build(action: Action, reason: str) -> BuildResult:
    """Return the result of a build that an error of the infrastructure has ended or kept from starting."""
    return BuildResult(
        id=action.id,
        role=action.role,
        environment=action.described,
        status=BuildStatus.LOST,
        reason=reason,
        started=time.time(),
    )


def await_permission(may_start: MayStart, cancelled: threading.Event) -> bool:
    """Wait until it is decided whether a build may start, and return that; it may not once all are `cancelled`."""
    if may_start is at_once:
        return not cancelled.is_set()
    with timing().phase(PhaseKind.GAP):
        while not cancelled.is_set():
            answer = may_start(_PATIENCE)
            if answer is not None:
                return answer
        return False


def why_transient(result: BuildResult, *, network: bool, fetches: bool) -> str | None:
    """Return the transient fault that made the build fail; None if it succeeded or failed for its own reasons.

    Failed name resolution is a fault only if the build had a `network`.  A server's response in the log counts only if
    the artifact `fetches`.  A timeout is a failure of the build itself.
    """
    if result.status is BuildStatus.LOST:
        return None if result.reason in (ENDED, UNWANTED) else result.reason
    if result.status is not BuildStatus.FAILED or result.exit_code == 0:
        return None
    code = result.exit_code or 0
    if code < 0:
        return f"killed by {_name(-code)}"
    if code - _SHELL_ADDS in _KILLERS:
        return f"one of its commands was killed by {_name(code - _SHELL_ADDS)}"
    kinds = (*_ANYWHERE, *(_WITH_NETWORK if network else ()), *(_WHILE_FETCHING if network and fetches else ()))
    return next((text for text, pattern in kinds if re.search(pattern, result.log_tail, re.MULTILINE)), None)


def may_be_due_to_overlayfs(action: Action, result: BuildResult, machine: Machine) -> bool:
    """Return whether a build on `machine` has failed in a way in which overlayfs makes builds fail.

    See "Renaming directories" and "Non-standard behavior" in the kernel's Documentation/filesystems/overlayfs.rst.
    """
    on_overlayfs = machine.overlay and action.environment.filesystem is FileSystem.DISK
    return on_overlayfs and result.status is BuildStatus.FAILED and bool(_ON_OVERLAYFS.search(result.log_tail))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
