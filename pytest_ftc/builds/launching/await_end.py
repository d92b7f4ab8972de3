"""Waiting for the end of a launcher, which must not wait for ever."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Callable
from typing import IO, TypeAlias

from pytest_ftc.builds.launching.forks import Forked
from pytest_ftc.builds.launching.stopped import is_stopped

Launcher: TypeAlias = "subprocess.Popen[bytes] | Forked"
_BETWEEN_LOOKS = 1000
"""Milliseconds."""


def await_end(process: Launcher, messages: IO[bytes], started: Callable[[float], None]) -> None:
    """Wait until the launcher closes its `messages`; call `started` with the time it writes when the build starts.

    Without a PID namespace a build may stop the launcher by SIGSTOP, which then watches no time limit.  Such a launcher
    is killed.
    """
    poll, text = select.poll(), b""
    poll.register(messages)
    while True:
        if not poll.poll(_BETWEEN_LOOKS):
            if is_stopped(process.pid):
                process.kill()
            if process.poll() is not None:
                return  # killed: what it started may keep the messages open
            continue
        data = os.read(messages.fileno(), 4096)
        if not data:
            return
        begun, text = b"\n" in text, text + data
        if not begun and b"\n" in text and text.startswith(b"started "):
            started(float(text.split()[1]))
