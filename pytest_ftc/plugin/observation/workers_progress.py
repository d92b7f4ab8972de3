"""Progress with pytest-xdist: workers write what they do to files, and the controller shows it on its terminal."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ftc.model.progress import Progress
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.plugin.progress import Display, LiveLine, Look, Nothing, make_display

_FOLDER = "ftc_progress"
_PERIOD = 0.25
"""Seconds between two looks at the files."""
_MOST_BYTES = 1 << 20


class WrittenProgress:
    """The display of a worker: a file for the controller."""

    def __init__(self, file: Path, look: Look) -> None:
        self._file = file
        self._look = look
        self._written: Sequence[Progress] = ()

    def show(self) -> None:
        """See `Display`."""
        states = [replace(one, seconds=float(int(one.seconds))) for one in self._look()]
        if states != self._written:
            self._written = states
            with contextlib.suppress(OSError):
                part = self._file.with_suffix(".part")
                part.write_text(json.dumps(to_json(states)), encoding="ascii")
                part.replace(self._file)

    def clear(self) -> None:
        """See `Display`."""
        self._written = ()
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)


def display_of(config: pytest.Config, look: Look) -> Display:
    """Return the display for a session, which for a worker is that of its controller if that has a terminal."""
    worker = getattr(config, "workerinput", {})
    folder = Path(worker.get(_FOLDER, "") or os.devnull)
    return WrittenProgress(folder / worker["workerid"], look) if folder.is_dir() else make_display(config, look)


class WorkersProgress:
    """Shows in the controller what its workers do, whenever pytest does not write."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._folder = ""
        self._line: Display = Nothing()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ftc-progress", daemon=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if not self._folder and isinstance(line := make_display(self._config, self._read), LiveLine):
            self._folder, self._line = tempfile.mkdtemp(prefix="ftc-progress-"), line
            self._thread.start()
        node.workerinput[_FOLDER] = self._folder

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None, object, object]:
        with self._hidden():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self) -> Generator[None, object, object]:
        with self._hidden():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self) -> Generator[None, object, object]:
        with self._hidden():
            return (yield)

    @pytest.hookimpl(optionalhook=True, wrapper=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any) -> Generator[None, object, object]:
        if self._folder:
            # A worker that crashed has left it.
            Path(self._folder, node.gateway.id).unlink(missing_ok=True)
        with self._hidden():
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._end()

    def pytest_unconfigure(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._folder:
            self._ended.set()
            self._thread.join()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    @contextlib.contextmanager
    def _hidden(self) -> Iterator[None]:
        """Keep the line off the screen, where pytest writes."""
        with self._lock:
            self._line.clear()
            yield

    def _run(self) -> None:
        while not self._ended.wait(_PERIOD):
            with self._lock:
                self._line.show()
        self._line.clear()

    def _read(self) -> Sequence[Progress]:
        """Return what the workers do; what is not complete or no longer there does not count."""
        states: list[Progress] = []
        for file in sorted(Path(self._folder).glob("gw*[0-9]")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError), file.open(encoding="ascii") as text:
                states += (from_json(Progress, one) for one in json.loads(text.read(_MOST_BYTES)))
        return states
