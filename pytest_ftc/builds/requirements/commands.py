"""Running the tools of a preparation: without output, in limited time, leaving no process behind."""

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
from pytest_ftc.model.support.credentials import without_credentials

Cancelled = Callable[[], bool]
"""Returns whether the session has ended, and the preparation should too."""

_SHOWN_LINES = 15
_POLL_SECONDS = 0.1
# A password in a URL may contain an unescaped "@", so everything up to the last one is masked.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s'\"]+@")


class CommandError(Exception):
    """A command failed; the message says how, and includes its output."""

    def __init__(self, reason: str, output: str) -> None:
        super().__init__(reason)
        self.output = output


def never() -> bool:
    """Return False: a preparation that nothing cancels."""
    return False


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment and `variables`, without settings of the running Python and credentials."""
    kept = without_credentials(os.environ)
    kept = {name: value for name, value in kept.items() if not name.startswith(("PYTHON", "__PYVENV"))}
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
    """Return the output of `command`, run in `folder`; no process of its group survives it.

    The command inherits the open descriptors `inherit`.  Raises CommandError.
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
    """Return an error with the message `what` and the end of the command's output."""
    lines = [f"{what}: {error}", *(f"  {line}" for line in error.output.strip().splitlines()[-_SHOWN_LINES:])]
    return PreparationError(mask_credentials("\n".join(lines)), advice=advice)


def mask_credentials(text: str) -> str:
    """Return `text` with user and password masked in every URL."""
    return _CREDENTIALS.sub("****@", text)


def _await(process: subprocess.Popen[bytes], timeout: float, cancelled: Cancelled) -> str:
    """Return why the process failed, or an empty text."""
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
    # macOS returns EPERM for a group that contains only zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
