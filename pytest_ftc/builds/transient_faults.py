"""Whether a build that did not end well might, run again unchanged: a fault around it, or the build's own failure?"""

from __future__ import annotations

import re
import signal

from pytest_ftc.model import BuildResult, BuildStatus

ENDED = "the session ended"
"""Why a build is lost that was killed, or not begun, at the end of the session; the launcher says so too."""
UNWANTED = "it was no longer wanted"

_SHELL_ADDS = 128
"""What a shell adds to the signal that killed its command, see Exit Status in sh(1p)."""
_KILLERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGBUS)
"""The signals that reach a command from outside: the out-of-memory killer, a shutdown, a disk that fails on a map."""

_ANYWHERE = (
    ("out of memory", r"Cannot allocate memory|virtual memory exhausted|\bMemoryError\b|\bout of memory\b"),
    ("killed, as when memory runs out", r"fatal error: Killed signal terminated program|^Killed$|\*\*\* .* Killed$"),
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


def why_transient(result: BuildResult, *, network: bool, fetches: bool) -> str | None:
    """Return the fault around the build that made it end badly; None when it ended well or the failure is its own.

    `network` says whether the build had one (without, a name that cannot be resolved is no fault), `fetches` whether
    it is declared to download: only then does a server's answer in its log count.  A timeout is the build's own.
    """
    if result.status is BuildStatus.LOST:
        return None if result.reason in (ENDED, UNWANTED) else result.reason
    if result.status is not BuildStatus.FAILED or result.exit_code == 0:
        return None
    code = result.exit_code or 0
    if code < 0:
        return f"killed by {_name(-code)}"
    if code - _SHELL_ADDS in _KILLERS:
        return f"a command of it was killed by {_name(code - _SHELL_ADDS)}"
    kinds = (*_ANYWHERE, *(_WITH_NETWORK if network else ()), *(_WHILE_FETCHING if network and fetches else ()))
    return next((text for text, pattern in kinds if re.search(pattern, result.log_tail, re.MULTILINE)), None)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
