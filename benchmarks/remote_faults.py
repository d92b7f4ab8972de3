"""Injects faults into real farms, and counts the consequences that must not occur.

    python benchmarks/remote_faults.py [FAULTS]

The farms are a buildbox-casd, and a BuildGrid with PostgreSQL and two workers where this machine has what it needs.
At least FAULTS faults (300 by default) are divided between them, in rounds.  One part of a round takes single actions
through a farm: uploads, executes, downloads; and verdicts and outputs through the store that machines share there.  The
other runs `pytest --ftc-verify --ftc-executor=reapi` on a project with a reproducible, an unreproducible and a failing
artifact.  Ctrl-C ends it early, with the counts so far.

- right: a verdict, or a content, that is the truth; error: one clear error instead;
- wrong: another verdict or content, a traceback, an error without a reason, a store that is not sound afterwards;
- late: what did not end in its time: a minute for an action, a quarter of an hour for a session;
- left over: processes of ours on workers or on this machine, folders in the temporary folder.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from services.buildbox import python_folders
from services.buildgrid_server import BuildGrid, why_not
from services.disk_faults import client_full, server_full
from services.farm_faults import PHASES, Server
from services.fault_counts import Counts
from services.fault_kinds import Found, client_faults, content_faults, line_faults, server_faults, worker_faults
from services.reapi_servers import Casd
from services.session_kinds import killed_session, mixed_session, store_session
from services.shared_store_faults import store_faults

ENDED = threading.Event()
"""Set when the rest is left."""
_SESSIONS = 2
"""Sessions of a round, beside the one with faults of many kinds."""
_MOST_FAILURES = 3
"""After so many errors of this program, the rest is left."""


def main() -> int:
    """Inject them all, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faults", nargs="?", type=int, default=300, metavar="FAULTS")
    parser.add_argument("--seed", type=int, default=0, help="of the first round; another one has other faults")
    parser.add_argument("--farm", choices=("casd", "buildgrid"), help="only this one")
    options = parser.parse_args()
    reason = why_not()
    farms = [each for each in ("casd", "buildgrid") if options.farm in (None, each)]
    if reason and "buildgrid" in farms:
        farms.remove("buildgrid")
        print(f"BuildGrid is left out: it {reason}")
    begin = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ENDED.set())
    with tempfile.TemporaryDirectory(prefix="remote-faults-") as name:
        # Sessions have no part in what this user has.
        for variable in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = str(Path(name, variable))
        with ThreadPoolExecutor() as pool:
            many = -(-options.faults // max(1, len(farms)))
            works = [pool.submit(torment, farm, Path(name, farm), many, options.seed) for farm in farms]
            totals = [work.result() for work in works]
    return report(dict(zip(farms, totals, strict=True)), time.monotonic() - begin)


def torment(farm: str, folder: Path, many: int, seed: int) -> dict[str, Counts]:
    """Inject `many` faults into a farm of its own, in rounds; return the counts by kind."""
    found: dict[str, Counts] = {}
    rounds, failures = itertools.count(seed), 0
    while not is_done(found, many) and failures < _MOST_FAILURES:
        with start(farm, folder / f"farm-{failures}") as server:
            try:
                for seed in rounds:
                    for part in parts(server, folder / "work", seed):
                        run_part(f"{farm}, seed {seed}", part, found)
                        print(f"{farm}: {total(found)} of {many} faults", file=sys.stderr, flush=True)
                        if is_done(found, many):
                            return found
            except (Exception, pytest.fail.Exception):
                # The next round has a new farm.
                failures += 1
                found.setdefault("faults that could not be", Counts()).note(f"wrong: {traceback.format_exc()}")
                traceback.print_exc()
    return found


def run_part(name: str, part: Callable[[], Found], found: dict[str, Counts]) -> None:
    """Run one part of a round, add what came of it to `found`, and print what should never be."""
    for kind, counts in part():
        found.setdefault(kind, Counts()).add(counts)
        for problem in counts.problems:
            print(f"{name}, {kind}: {problem}", file=sys.stderr, flush=True)


def total(found: dict[str, Counts]) -> int:
    """Return how many faults there were."""
    return sum(each.faults for each in found.values())


def is_done(found: dict[str, Counts], many: int) -> bool:
    """Return whether there were as many faults, or no more are wanted."""
    return total(found) >= many or ENDED.is_set()


def start(farm: str, folder: Path) -> AbstractContextManager[Server]:
    """Return a farm that starts when it is entered."""
    return Casd(folder, python_folders()) if farm == "casd" else BuildGrid(python_folders())


def parts(server: Server, folder: Path, seed: int) -> list[Callable[[], Found]]:
    """Return the parts of one round: some of the sessions, which take the longest, and all others."""
    turns: list[Callable[[], Found]] = [
        *(partial(killed_session, folder, server, seed, phase) for phase in PHASES),
        partial(server_full, folder, server, seed),
        partial(client_full, folder, server, seed),
        partial(store_session, folder, server, seed),
    ]
    return [
        partial(mixed_session, folder, server, seed),
        *(turns[(_SESSIONS * seed + number) % len(turns)] for number in range(_SESSIONS)),
        partial(store_faults, folder, server, seed),
        *(partial(each, server, seed) for each in (content_faults, worker_faults, line_faults, client_faults)),
        partial(server_faults, server, seed),
    ]


def report(totals: dict[str, dict[str, Counts]], seconds: float) -> int:
    """Print a table and the sums; return the exit status: 1 if anything was that should never be."""
    whole = Counts()
    print(f"{'':58}{'faults':>7}{'right':>7}{'error':>7}{'wrong':>7}{'late':>7}{'left over':>11}{'s':>8}")
    for farm, found in totals.items():
        for kind, counts in sorted(found.items()):
            whole.add(counts)
            print_row(f"{farm}: {kind}", counts)
    print_row("all", whole)
    print(f"{whole.faults} faults in {seconds:.0f} s")
    print(f"wrong verdicts and contents   {whole.wrong}")
    print(f"unbounded                     {whole.late}")
    print(f"left over                     {whole.left}")
    return int(bool(whole.wrong + whole.late + whole.left))


def print_row(name: str, counts: Counts) -> None:
    """Print what came of the faults of one kind."""
    numbers = (counts.faults, counts.right, counts.errors, counts.wrong, counts.late)
    print(f"{name:58}{''.join(f'{number:7}' for number in numbers)}{counts.left:11}{counts.seconds:8.0f}")


if __name__ == "__main__":
    sys.exit(main())
