"""The faults of a real farm that whole sessions go through, by kind."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.bad_line import BadLine, bad_line_to
from services.farm_faults import Server, alter
from services.fault_counts import Counts
from services.fault_kinds import Found, held_in
from services.session_faults import FEW, LARGE, TRUTH, Faulty, kill_client, own_folder, run_session, write_project

_SLOW = 0.005
"""Seconds that each 16 KiB are late at most, so that a transfer takes long enough to be met by a fault."""
_OTHER = 1_000_000
"""Added to the seed of one kind, whose source no farm has from another."""
_PROGRAM = 200 << 10
"""Bytes that a session sends before its source, nearly."""
_MOMENT = 0.5
"""Seconds after which an action is in the queue."""
_BURST = 0.3
"""Seconds for which a line corrupts."""


@dataclass
class Chaos:
    """Does one fault after another to a session whose line to the server is `line`."""

    server: Server
    line: BadLine
    random: random.Random
    steps: list[tuple[str, str]]
    """Which fault at which phase, in the order of the phases."""
    done: dict[str, int] = field(default_factory=dict)
    """How many of each kind were done."""
    started: float = field(default_factory=time.time)

    def inject(self) -> int:
        """See `run_session`."""
        if not self.steps:
            return 0
        phase, fault = self.steps[0]
        if not is_in(phase, self.server, self.line):
            return -1
        time.sleep(self.random.uniform(0, 0.3))
        if count := int(FAULTS[fault](self)):
            self.steps.pop(0)
            self.done[f"session: {fault}"] = self.done.get(f"session: {fault}", 0) + count
        return count or -1

    def kill_server(self) -> int:
        self.server.kill()
        self.server.restart()
        return 1

    def empty_server(self) -> int:
        self.server.kill()
        self.server.restart(empty=True)
        return 1

    def lose_worker(self) -> int:
        return self.server.lose_worker(self.random)

    def cut(self) -> int:
        self.line.cut_all()
        return 1

    def corrupt(self) -> int:
        before = self.line.faults
        self.line.delay, self.line.corrupt = 0.0, 0.05
        time.sleep(_BURST)
        self.line.delay, self.line.corrupt = _SLOW, 0.0
        return int(self.line.faults > before)

    def alter(self) -> int:
        return self._spoil(alter)

    def remove(self) -> int:
        return self._spoil(Path.unlink)

    def _spoil(self, change: Callable[[Path], None]) -> int:
        """Change a content that came in this session: a source, a request, an output, an answer."""
        with contextlib.suppress(OSError):
            files = [file for file in self.server.files() if file.stat().st_mtime >= self.started - 1]
            change(self.random.choice(files or self.server.files()))
            return 1
        return 0


FAULTS: dict[str, Callable[[Chaos], int]] = {
    "server killed": Chaos.kill_server,
    "server killed, its contents lost": Chaos.empty_server,
    "worker killed": Chaos.lose_worker,
    "line cut": Chaos.cut,
    "line corrupt": Chaos.corrupt,
    "content altered": Chaos.alter,
    "content removed": Chaos.remove,
}


STORE_FAULTS = ("server killed", "server killed, its contents lost", "content altered", "content removed")


def is_in(phase: str, server: Server, line: BadLine) -> bool:
    """Return whether the session behind `line` has come to a phase."""
    if phase == "downloading":
        # Little else but the large outputs comes from the server.
        return line.received > 1 << 20
    if phase == "executing":
        return line.sent > LARGE and bool(server.actions())
    if phase == "queued":
        # Where workers take no action, a session has sent what its first one needs, the survey.
        return line.sent > _PROGRAM
    return line.sent > 1 << 20


def _has_come(phase: str, server: Server, line: BadLine) -> bool:
    """Return whether the session is in a phase, and stays in it if nothing ends it."""
    if not is_in(phase, server, line):
        return False
    if phase == "queued":
        time.sleep(_MOMENT)
    return True


def mixed_session(folder: Path, server: Server, seed: int, many: int = 6) -> Found:
    """Run a session with `many` faults; the verdicts are counted with the last kind."""
    chance = random.Random(seed)
    phases = sorted(chance.choices(range(3), k=many))
    steps = [(("uploading", "executing", "downloading")[phase], chance.choice(list(FAULTS))) for phase in phases]
    planned = list(steps)
    with _project(folder, server, seed) as (project, line):
        chaos = Chaos(server, line, chance, steps)
        found = run_session(project, server, "mixed", chaos.inject, diagnose=False)
    for kind, faults in chaos.done.items():
        yield kind, Counts(faults=faults)
    yield "session: its verdicts", judge(found, f"seed {seed}: {planned}")


def killed_session(folder: Path, server: Server, seed: int, phase: str) -> Found:
    """Kill a session in a phase; the next one has to be right, and to clear away what the first one left."""
    result = Counts()
    with _project(folder, server, seed + _OTHER) as (project, line), result.timed():
        with held_in(phase, server):
            found = kill_client(project, server, lambda: _has_come(phase, server, line))
        again = run_session(project, server, "again", lambda: 0, diagnose=False)
    for problem in (*found.problems, *again.problems):
        result.note(problem)
    result.faults = found.faults
    result.note_verdicts(again.verdicts.values())
    for name in FEW:
        if again.verdicts.get(name) != TRUTH[name]:
            verdict = again.verdicts.get(name)
            result.note(f"wrong: {name} is {verdict} in the session after a killed one, which said:\n{again.said}")
    yield f"session killed, {phase}", result


def store_session(folder: Path, server: Server, seed: int) -> Found:
    """Verify on this machine, with the store in the farm; do a fault there, and verify as on another machine."""
    fault = random.Random(seed).choice(STORE_FAULTS)
    with _project(folder, server, seed + _OTHER, "store = true") as (project, line):
        chaos = Chaos(server, line, random.Random(seed), [])
        first = run_session(project, server, "first", lambda: 0, diagnose=False, options=())
        shutil.move(own_folder(project), folder / "first")
        done = FAULTS[fault](chaos)
        again = run_session(project, server, "again", lambda: 0, diagnose=False, options=())
    result = judge(again, f"seed {seed}: {fault}", done)
    for session in (first, again):
        for name in FEW:
            if session.verdicts.get(name) != TRUTH[name]:
                result.note(f"wrong: {name} is {session.verdicts.get(name)} with a shared store ({seed}: {fault})")
    yield f"session with a shared store: {fault}", result


def judge(found: Faulty, plan: str, faults: int = 0) -> Counts:
    """Return what came of a session."""
    result = Counts(faults=faults, seconds=found.seconds)
    result.note_verdicts(found.verdicts.values())
    # One clear error for the whole session.
    result.errors += not found.verdicts and not found.problems
    for problem in found.problems:
        result.note(f"{problem} ({plan})")
    return result


@contextlib.contextmanager
def _project(folder: Path, server: Server, seed: int, more: str = "") -> Iterator[tuple[Path, BadLine]]:
    """Yield a project in `folder` and its slow line to the server."""
    shutil.rmtree(folder, ignore_errors=True)
    with bad_line_to(server.target, seed) as line:
        line.delay = _SLOW
        write_project(folder / "project", f"grpc://{line.target}", seed, artifacts=FEW, more=more)
        yield folder / "project", line
    shutil.rmtree(folder)
