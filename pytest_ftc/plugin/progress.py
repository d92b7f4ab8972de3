"""Progress while pytest waits for a verification: a live status line on a terminal, occasional lines in CI."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_ftc.model.progress import Progress
from pytest_ftc.plugin.observation.load_ahead import loading_ahead
from pytest_ftc.reporting.terminal.progress import progress_line
from pytest_ftc.reporting.terminal.style import fit_encoding

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

Look = Callable[[], Sequence[Progress]]

_FIRST, _NEXT = 10.0, 30.0
"""Seconds until the first line in a log, and between lines: well below the silence after which CI kills a job."""
_WIDTH = 100
"""Columns of a log line."""


class Display(Protocol):
    """Shows progress during a wait."""

    def show(self) -> None:
        """Show the current state; called a few times per second."""

    def clear(self) -> None:
        """Restore the screen at the end of a wait."""


def make_display(config: pytest.Config, look: Look, environ: Mapping[str, str] = os.environ) -> Display:
    """Return the display for pytest's output; it shows nothing with ``-q -q`` or ``-p no:terminal``."""
    if config.getoption("verbose", 0) <= -2:
        return Nothing()
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        arguments = " ".join(worker.get("mainargv", ()))
        return Nothing() if "no:terminal" in arguments else Log(_errors_of(f"[{worker['workerid']}] "), look)
    reporter: TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
    file = getattr(getattr(reporter, "_tw", None), "_file", None)
    if reporter is None or file is None:
        return Nothing()
    descriptor = _terminal(file, environ)
    if descriptor is None:
        return Log(_reporter(config, reporter), look)
    config.add_cleanup(lambda: os.close(descriptor))
    return LiveLine(descriptor, look, colour=reporter._tw.hasmarkup, encoding=getattr(file, "encoding", None))


def _terminal(file: object, environ: Mapping[str, str]) -> int | None:
    """Return a duplicate descriptor of the terminal that `file` writes to, before pytest captures; else None."""
    if environ.get("TERM", "dumb") == "dumb":
        return None
    try:
        descriptor: int = file.fileno()  # type: ignore[attr-defined]
        return os.dup(descriptor) if os.isatty(descriptor) else None
    except (AttributeError, OSError, ValueError):
        return None


def _reporter(config: pytest.Config, reporter: TerminalReporter) -> Callable[[str], None]:
    def write(line: str) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            reporter.write_line(fit_encoding(line, getattr(reporter._tw._file, "encoding", None)))
            reporter.flush()

    return write


def _errors_of(name: str) -> Callable[[str], None]:
    """Return a function that writes lines to standard error, the only way from a pytest-xdist worker to the screen."""
    descriptor = os.dup(2)

    def write(line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(descriptor, f"\n{name}{line}\n".encode(errors="backslashreplace"))

    return write


@contextlib.contextmanager
def shown(display: Display) -> Iterator[Callable[[], None]]:
    """Yield the function to call during a wait; afterwards, the status line is cleared."""
    try:
        yield loading_ahead(display.show)
    finally:
        display.clear()


class Nothing:
    """Shows nothing."""

    def show(self) -> None:
        """See `Display`."""

    def clear(self) -> None:
        """See `Display`."""


class Log:
    """Writes a line from time to time during a long wait, so that the job does not seem to hang."""

    def __init__(self, write: Callable[[str], None], look: Look, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._look = look
        self._clock = clock
        self._due: float | None = None

    def show(self) -> None:
        """See `Display`."""
        now = self._clock()
        if self._due is None:
            self._due = now + _FIRST
        elif now >= self._due:
            self._due = now + _NEXT
            if line := progress_line(self._look(), _WIDTH):
                self._write(line)

    def clear(self) -> None:
        """See `Display`."""
        self._due = None


_MAKE_ROOM = "\x1bD\x1b[A"
"""Index (which scrolls at the bottom) and cursor up: ensures a line below the cursor, which keeps its column."""
_BELOW = "\x1b7\x1b[B\r"
"""Save the cursor and move to the beginning of the next line.  See ECMA-48 and the VT100 manual."""
_BACK = "\x1b[K\x1b8"
"""Erase the rest of the line and restore the cursor."""


class LiveLine:
    """Keeps a status line below pytest's current line up to date; the cursor stays where pytest left it."""

    def __init__(self, descriptor: int, look: Look, *, colour: bool, encoding: str | None = None) -> None:
        self._descriptor = descriptor
        self._look = look
        self._style = ("\x1b[2m", "\x1b[0m") if colour else ("", "")
        self._encoding = encoding or "utf-8"
        self._text = ""
        self._lock = threading.Lock()

    def show(self) -> None:
        """See `Display`."""
        with self._lock:
            text = fit_encoding(progress_line(self._look(), self._width() - 1), self._encoding)
            if text != self._text:
                begin, end = self._style
                self._write(f"{_MAKE_ROOM}{_BELOW}{begin}{text}{end}{_BACK}")
                self._text = text

    def clear(self) -> None:
        """See `Display`."""
        with self._lock:
            if self._text:
                self._write(f"{_BELOW}{_BACK}")
                self._text = ""

    def _width(self) -> int:
        with contextlib.suppress(OSError):
            return os.get_terminal_size(self._descriptor).columns or 80
        return 80

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._descriptor, text.encode(self._encoding, "backslashreplace"))
