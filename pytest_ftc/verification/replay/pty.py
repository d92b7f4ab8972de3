"""A separate terminal for a shell inside a build environment, connected to the user's terminal.

Processes inside never have the user's terminal open, so they cannot inject input (TIOCSTI in ioctl_tty(2)).  Keys such
as Ctrl-C go to the shell, not to this process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import termios
import threading
import tty
from types import FrameType, TracebackType
from typing import Any

_CHUNK = 1 << 16
_END_OF_FILE = b"\x04"
_INTERRUPTED = (signal.SIGTERM, signal.SIGHUP)


class JoinedTerminal:
    """Between enter and exit, copies input from `keyboard` to `inside`, and output from there to `screen`.

    Enter it in the main thread: it handles signals, to follow the window's size and to restore the terminal at the end.
    """

    def __init__(self, keyboard: int = 0, screen: int = 1) -> None:
        self._keyboard = keyboard
        self._screen = screen

    def __enter__(self) -> JoinedTerminal:
        self._saved = termios.tcgetattr(self._keyboard)
        self._outside, self.inside = os.openpty()
        self._wake_read, self._wake_write = os.pipe()
        self._copy_size()
        self._handlers: dict[int, Any] = {
            signal.SIGWINCH: signal.signal(signal.SIGWINCH, lambda *_: self._copy_size()),
            **{number: signal.signal(number, _interrupt) for number in _INTERRUPTED},
        }
        tty.setraw(self._keyboard)
        self._thread = threading.Thread(target=self._copy, name="ftc-terminal", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._wake_write, b"+")
        self._thread.join()
        termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._saved)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for descriptor in (self._outside, self.inside, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _copy_size(self) -> None:
        """Set the size of the inner terminal to that of the outer one."""
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(self._screen, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
            fcntl.ioctl(self._outside, termios.TIOCSWINSZ, size)

    def _copy(self) -> None:
        sources = [self._keyboard, self._outside, self._wake_read]
        while True:
            ready, _, _ = select.select(sources, [], [])
            if self._outside in ready:
                _write(self._screen, _read(self._outside))
            elif self._wake_read in ready:
                return  # and all output has been shown
            if self._keyboard in ready:
                typed = _read(self._keyboard)
                if not typed:
                    sources.remove(self._keyboard)
                _write(self._outside, typed or _END_OF_FILE)


def _read(descriptor: int) -> bytes:
    with contextlib.suppress(OSError):  # EIO: the terminal is gone
        return os.read(descriptor, _CHUNK)
    return b""


def _write(descriptor: int, data: bytes) -> None:
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(descriptor, data) :]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
