"""What a session's processes have done so far, in files.

Each process appends to a file of its own, one line for each span, as the span ends.  The operating system keeps what
was written when a process is killed, so that only the spans are lost that had not ended.  A queue in memory that is
sent every few seconds would lose more, and every process would have to wait for the collector at its end.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pytest_ftc.model.timing.phase import Phase, Value

_ENDING = ".spans"
_MOST_READ = 1 << 20
"""Bytes that are read at once: files may be large when a collector was away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span that has ended."""

    id: str
    parent: str
    """The ID of its parent; empty if it has none."""
    kind: str
    name: str
    started: float
    """Seconds since 1970."""
    seconds: float
    attributes: Mapping[str, Value] = field(default_factory=dict)
    problem: str = ""
    """Why it failed; empty if it did not."""
    process: int = 0
    """The ID of the process that it was in."""


_FIELDS = tuple(one.name for one in fields(Span))


class Spool:
    """The file of this process in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._process = os.getpid()
        self._path = folder / f"{self._process}-{os.urandom(4).hex()}{_ENDING}"
        self._descriptor = -1
        self._failed = self._closed = False

    def add_phase(self, phase: Phase) -> None:
        """Add the span of `phase`.  Never raises OSError: without the folder, spans are lost, and nothing else."""
        self.add(
            Span(
                id=phase.id,
                parent=phase.parent,
                kind=phase.kind.value,
                name=phase.name,
                started=phase.started,
                seconds=phase.seconds,
                attributes=phase.attributes,
                problem=phase.problem,
                process=self._process,
            )
        )

    def add(self, span: Span) -> None:
        """Add `span`.  See `add_phase`."""
        if self._closed:
            return
        # Much quicker than `asdict`, which copies all values.
        document = {name: getattr(span, name) for name in _FIELDS}
        line = json.dumps(document).encode() + b"\n"
        try:
            if self._descriptor < 0:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o600)
            # One call for each line: threads need no lock, and a killed process leaves whole lines.
            os.write(self._descriptor, line)
        except OSError:
            self._failed = True

    def close(self) -> bool:
        """Add nothing more; return whether nothing was lost."""
        self._closed = True
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        return not self._failed


class SpoolReader:
    """Reads what was added to all spools in `folder` since it last looked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}

    def take(self, most: int) -> list[Span]:
        """Return at most so many of the next spans; fewer only if there are no more."""
        found: list[Span] = []
        for path in sorted(self._folder.glob(f"*{_ENDING}")):
            for line in self._lines(path):
                with contextlib.suppress(ValueError, TypeError):
                    found.append(_read_span(json.loads(line)))
                self._read[path] = self._read.get(path, 0) + len(line)
                if len(found) >= most:
                    return found
        return found

    def count(self) -> int:
        """Return how many spans are left."""
        return sum(1 for path in self._folder.glob(f"*{_ENDING}") for _ in self._lines(path))

    def _lines(self, path: Path) -> Iterator[bytes]:
        """Yield the whole lines that were not taken yet."""
        with contextlib.suppress(OSError), path.open("rb", buffering=_MOST_READ) as file:
            file.seek(self._read.get(path, 0))
            for line in file:
                if line.endswith(b"\n"):
                    yield line


def _read_span(document: Any) -> Span:
    return Span(**document)
