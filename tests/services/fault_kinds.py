"""The faults of a real farm that one action goes through, by kind."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from services.bad_line import bad_line_to
from services.farm_faults import PHASES, Outcome, Server, Trial, all_ended, alter, line_trials, try_fault
from services.fault_counts import Counts
from services.supervisor import wait_until

_CODE = """\
import sys
sys.path.insert(0, sys.argv[1])
from services.farm_faults import Trial
print(Trial(sys.argv[2], int(sys.argv[3]), lambda phase: print(phase, flush=True)).run())
"""
Found = Iterator[tuple[str, Counts]]
"""The name of a kind, and what came of faults of it."""


def server_faults(server: Server, seed: int, phases: tuple[str, ...] = PHASES) -> Found:
    """Kill the server in each phase; it comes back with its contents, or without any."""
    for phase in phases:
        for empty in (False, True):
            kind = "server killed, its contents lost" if empty else "server killed"

            def inject(_: Trial, empty: bool = empty) -> None:
                server.kill()
                server.restart(empty=empty)
                held.close()

            with held_in(phase, server) as held:
                yield f"{kind}, {phase}", count(try_fault(server, kind, phase, seed, inject))


def worker_faults(server: Server, seed: int) -> Found:
    """Kill what runs an action."""
    chance = random.Random(seed)
    lost = []
    outcome = try_fault(server, "worker", "executing", seed, lambda _: lost.append(server.lose_worker(chance)))
    yield "worker killed, executing", count(outcome, sum(lost))


def content_faults(server: Server, seed: int) -> Found:
    """Alter or remove what the action made, or remove what it needs."""
    for kind, change in (("altered", alter), ("removed", Path.unlink)):

        def spoil(trial: Trial, change: Callable[[Path], None] = change) -> None:
            assert trial.output
            change(server.file(trial.output))

        yield f"output {kind}", count(try_fault(server, kind, "downloading", seed, spoil))

    def forget(trial: Trial) -> None:
        server.file(random.Random(seed).choice(trial.uploaded)).unlink()

    yield "input removed", count(try_fault(server, "input removed", "queued", seed, forget, waits=True))


def line_faults(server: Server, seed: int) -> Found:
    """Delay, corrupt and cut what passes between the client and the server."""
    for outcome, faults in line_trials(server, seed):
        yield f"line: {outcome.kind}", count(outcome, int(faults > 0))
    for phase in PHASES:
        with bad_line_to(server.target, seed) as line:
            outcome = try_fault(server, "cut", phase, seed, lambda _: line.cut_all(), through=line.target)
            yield f"line: all cut, {phase}", count(outcome, line.faults)


def client_faults(server: Server, seed: int, phases: tuple[str, ...] = PHASES) -> Found:
    """Kill a client in each phase."""
    for phase in phases:
        found = Counts()
        with found.timed():
            with held_in(phase, server):
                kill_client_process(server, phase, seed, found)
            if not all_ended(server):
                found.note("left over: the action of a killed client runs on")
            ended = Trial(server.target, seed).run()
            found.right += ended == "right"
            if ended != "right":
                found.note(f"wrong: {ended}, for the client after a killed one")
        yield f"client killed, {phase}", found


def kill_client_process(server: Server, phase: str, seed: int, found: Counts) -> None:
    """Run a trial in a process of its own, and kill that in a `phase`."""
    command = [sys.executable, "-c", _CODE, str(Path(__file__).parents[1]), server.target, str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.strip() in (phase, "queued" if phase == "executing" else phase):
                break
        if phase == "executing":
            with contextlib.suppress(BaseException):
                wait_until(lambda: bool(server.actions()), "nothing runs", 5.0)
        found.faults += process.poll() is None
        process.kill()


@contextlib.contextmanager
def held_in(phase: str, server: Server) -> Iterator[contextlib.ExitStack]:
    """Keep actions in the queue if that is the `phase`, until what is yielded is closed."""
    with contextlib.ExitStack() as stack:
        if phase == "queued":
            stack.enter_context(server.held())
        yield stack


def count(outcome: Outcome, faults: int = 1) -> Counts:
    """Return what came of one trial."""
    found = Counts(faults=faults if outcome.done else 0, seconds=outcome.seconds)
    if outcome.wrong:
        kinds = {"TOO LATE": "late", "SOMETHING RUNS ON": "left over"}
        found.note(f"{kinds.get(outcome.ended.partition(':')[0], 'wrong')}: {outcome.ended}, {outcome.phase}")
    elif outcome.ended == "right":
        found.right = 1
    else:
        found.errors = 1
    return found
