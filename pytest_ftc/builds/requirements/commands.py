"""Running the tools of a preparation: quietly, in limited time, and to the end of every process they start."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from pytest_ftc.model.errors import PreparationError

Cancelled = Callable[[], bool]
"""Says whether the session has ended, so that a preparation should too."""

_SHOWN_LINES = 15
_POLL_SECONDS = 0.1
# The password of an address may hold an unescaped "@" itself, so everything up to the last one goes.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s'\"]+@")


class CommandError(Exception):
    """A command failed: how, and what it said."""

    def __init__(self, reason: str, output: str) -> None:
        super().__init__(reason)
        self.output = output


def never() -> bool:
    """Return False: a preparation that nothing cancels."""
    return False


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment and `variables`, without what is meant for the running Python only."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "__PYVENV"))}
    return {**kept, **variables}


def run_command(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    timeout: float,
    cancelled: Cancelled,
    folder: str | Path | None = None,
    inherit: Collection[int] = (),
) -> str:
    """Return what `command`, run in `folder`, wrote to stdout and stderr; no process of its group survives it.

    `inherit` are open descriptors that the command gets too.  Raises CommandError.
    """
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=inherit,
            )
        except OSError as error:
            raise CommandError(f"cannot start {command[0]}: {error.strerror}", "") from error
        with process:
            try:
                reason = _await(process, timeout, cancelled)
            finally:
                _kill_group(process)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if reason:
        raise CommandError(reason, text)
    return text


def explain(what: str, error: CommandError, advice: str | None = None) -> PreparationError:
    """Return the error that `what` could not be done, with the end of the command's output."""
    lines = [f"{what}: {error}", *(f"  {line}" for line in error.output.strip().splitlines()[-_SHOWN_LINES:])]
    return PreparationError(mask_credentials("\n".join(lines)), advice=advice)


def mask_credentials(text: str) -> str:
    """Return `text` with the user and password of every address in it made unreadable."""
    return _CREDENTIALS.sub("****@", text)


def _await(process: subprocess.Popen[bytes], timeout: float, cancelled: Cancelled) -> str:
    """Return why the process is no success, or nothing."""
    deadline = time.monotonic() + timeout
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(_POLL_SECONDS)
            return _describe_exit(code) if code else ""
        if cancelled():
            return "the session ended"
        if time.monotonic() > deadline:
            return f"still running after {timeout:g} s"


def _describe_exit(code: int) -> str:
    return f"exit status {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # macOS answers EPERM for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
