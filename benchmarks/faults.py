"""Injects faults into the store and into sessions, and counts the consequences that must not occur.

    python benchmarks/faults.py [STORE_FAULTS [SESSION_FAULTS]]

Faults of the store (9,900 by default): a writer, reader or collector in its own process is killed at a random step,
gets the error of a full or broken disk there, or reads a file with a flipped bit, or one that was truncated, emptied or
removed.  Faults of sessions (100): SIGKILL for the session, a launcher, or a process of a build, at a random moment of
`pytest --ftc-verify` on a project with a good and a bad artifact, and then the same session again.

- wrong: a verification or content from the store that is not what was stored; a verdict that is not the artifact's;
- lost: what the store has confirmed as written, and no fault has damaged, is missing; the next session repeats what a
  killed session had finished;
- left over: processes, mounts, work folders; files of the store that a collector does not clear away.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from pytest_ftc.model import BuildRecord
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, MissingError
from pytest_ftc.store import crash_points as faults
from pytest_ftc.store.action_cache import Entry, SealedCache
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.garbage_collection import collect_garbage, verify_store
from pytest_ftc.store.history import History

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from leftovers import find_leftovers, wait_until_gone

KEY = bytes(32)
ACTIONS, CONTENTS = 200, 400
STEPS = 24
"""A worker has about as many."""


def content(number: int) -> bytes:
    """Return what the content `number` is: the truth that reads are compared with."""
    return b"%d " % number * (1 + number % 50)


def entry(number: int) -> Entry:
    """Return what is true of the action `number`."""
    blobs = tuple(str(Digest.of(content((number * 7 + one) % CONTENTS))) for one in range(3))
    return Entry(
        action=Digest.of(b"action %d" % number).hash, asked={}, facilities="", environment="", builds=2, machine="m",
        made=0.0, traced=False, diagnose="off", verification={"number": number}, blobs=blobs,
    )  # fmt: skip


class Shelf:
    """A store and what belongs to it."""

    def __init__(self, root: Path) -> None:
        self.store = LocalStore(root)
        self.cache = SealedCache(self.store, KEY)
        self.history = History(self.store.layout)

    def publish(self, number: int) -> None:
        """Keep what is true of the action `number`, and its contents."""
        one = entry(number)
        with self.store.batch() as batch:
            for index in range(3):
                batch.put(content((number * 7 + index) % CONTENTS))
        self.cache.put(one)
        record = BuildRecord(
            action=one.action, artifact="a", project="/p", role="control", machine="m", user="u", session="s",
            started=1.0, seconds=1.0, digest="d", verdict="reproducible",
        )  # fmt: skip
        self.history.add([record])

    def leave(self) -> None:
        """Let go of it."""
        self.history.close()
        self.store.close()


def work(root: Path, chance: random.Random, told: int) -> None:
    """Publish two actions and tell of each when it is kept; sometimes collect garbage."""
    shelf = Shelf(root)
    for _ in range(2):
        number = chance.randrange(ACTIONS)
        with contextlib.suppress(FtcError):
            shelf.publish(number)
            os.write(told, b"%d\n" % number)
    if chance.random() < 0.05:
        with contextlib.suppress(FtcError):
            collect_garbage(shelf.store.layout, max_size=1 << 30, max_age=1e9)
    shelf.leave()


def injected(kind: str, step: int) -> None:
    """Have the fault happen at the crash point number `step` of this process."""
    count = iter(range(1 << 30))

    def hook(_: str) -> None:
        if next(count) == step:
            if kind == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(errno.ENOSPC if kind == "disk full" else errno.EIO, "injected")

    faults.inject(hook)


class StoreFaults:
    """Injects faults into one store and remembers what has to be there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kept: set[int] = set()
        self.counts: Counter[str] = Counter()
        self.wrong = 0
        self.lost = 0

    def inject(self, seed: int) -> None:
        """Inject one fault, and look at what came of it."""
        chance = random.Random(seed)
        kind = chance.choice(["killed"] * 6 + ["disk full", "disk broken", "bit flipped", "cut", "emptied", "removed"])
        self.counts[kind] += 1
        if kind in ("killed", "disk full", "disk broken"):
            self._run_worker(kind, chance)
        else:
            self._spoil(kind, chance)
        for number in {chance.randrange(ACTIONS), *chance.sample(sorted(self.kept), min(2, len(self.kept)))}:
            self._look(number)

    def _run_worker(self, kind: str, chance: random.Random) -> None:
        read, write = os.pipe()
        step = chance.randrange(STEPS)
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                injected(kind, step)
                work(self.root, chance, write)
            os._exit(0)
        os.close(write)
        with open(read, "rb") as told:
            self.kept.update(map(int, told.read().split()))
        os.waitpid(pid, 0)

    def _spoil(self, kind: str, chance: random.Random) -> None:
        """Damage one file, and take what depends on it from what has to be there."""
        files = [path for name in ("blobs", "actions") for path in (self.root / name).glob("*/*")]
        if not files:
            return
        path = chance.choice(files)
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        if kind == "removed" or not data:
            path.unlink()
        elif kind == "bit flipped":
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
        else:
            path.write_bytes(data[: chance.randrange(len(data))] if kind == "cut" else b"")
        hit = [number for number in self.kept if self._needs(number, path.name)]
        self.kept.difference_update(hit)

    def _needs(self, number: int, name: str) -> bool:
        one = entry(number)
        return name == one.action or any(blob.startswith(name) for blob in one.blobs)

    def _look(self, number: int) -> None:
        """Compare what the store says of an action with the truth."""
        shelf, one = Shelf(self.root), entry(number)
        found = shelf.cache.get(one.action)
        self.wrong += found is not None and found != one
        here = found is not None
        for index in range(3):
            data = content((number * 7 + index) % CONTENTS)
            try:
                self.wrong += shelf.store.get(Digest.of(data)) != data
            except MissingError:
                here = False
        self.lost += number in self.kept and not here
        shelf.leave()

    def left_over(self) -> int:
        """Collect garbage, and return how many files of dead processes are still there."""
        shelf = Shelf(self.root)
        collect_garbage(shelf.store.layout, max_size=1 << 30, max_age=1e9)
        found = verify_store(shelf.store.layout, shelf.history, KEY)
        self.wrong += len(found.history)
        shelf.leave()
        layout = shelf.store.layout
        return sum(len(os.listdir(folder)) for folder in (layout.parts, layout.trash, layout.leases))  # noqa: PTH208


PROJECT = """
retries = 2
diagnose = "off"
variations = "quick"
[artifacts.good]
build = "sleep 0.5; echo good > out"
outputs = ["out"]
[artifacts.bad]
build = "echo $HOME > out"
outputs = ["out"]
"""
TRUTH = {"good": "reproducible", "bad": "unreproducible"}


class SessionFaults:
    """Injects faults into sessions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counts: Counter[str] = Counter()
        self.wrong = 0
        self.lost = 0
        (folder / "project").mkdir()
        (folder / "project" / "ftc.toml").write_text(PROJECT)
        (folder / "project" / "pytest.ini").write_text("[pytest]\n")

    def inject(self, seed: int) -> None:
        """Kill something at a random moment, then run the session again."""
        chance = random.Random(seed)
        store = self.folder / f"store-{seed}"
        wrong = self.wrong
        kind = chance.choice(["session killed", "launcher killed", "build killed"])
        self.counts[kind] += 1
        session = self._start(store)
        moment = time.monotonic() + chance.uniform(0.3, 4.5)
        while session.poll() is None and time.monotonic() < moment:
            time.sleep(0.02)
        victims = [session.pid] if kind == "session killed" else self._below(session.pid, kind)
        what = "nothing"
        if victims and session.poll() is None:
            with contextlib.suppress(OSError):
                victim = chance.choice(victims)
                what = Path(f"/proc/{victim}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                os.kill(victim, signal.SIGKILL)
        session.wait()
        finished = {path.name for path in (store / "actions").glob("*/*")} if store.exists() else set()
        # A build that was killed is tried again; a session that was killed has no verdicts.
        self._judge(needs_all=kind != "session killed")
        self._start(store).wait()
        again = self._judge(needs_all=True)
        lost = max(0, len(finished) - sum(bool(one["cached"]) for one in again))
        self.lost += lost
        if lost or self.wrong > wrong:
            print(f"seed {seed}: lost {lost}, wrong {self.wrong - wrong}; killed was {what}", file=sys.stderr)

    def _start(self, store: Path) -> subprocess.Popen[bytes]:
        self._report.unlink(missing_ok=True)
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "--ftc-verify",
                f"--ftc-json={self._report}",
                f"--ftc-store={store}",
            ],
            cwd=self.folder / "project",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def _report(self) -> Path:
        return self.folder / "report.json"

    def _judge(self, *, needs_all: bool) -> list[dict[str, object]]:
        """Count verdicts that are not true; an error says that nothing is known, and is no verdict."""
        if not self._report.exists():
            self.wrong += needs_all
            return []
        found: list[dict[str, object]] = json.loads(self._report.read_bytes())["artifacts"]
        self.wrong += sum(one["verdict"] not in (TRUTH[str(one["name"])], "error") for one in found)
        return found

    @staticmethod
    def _below(session: int, kind: str) -> list[int]:
        """Return the launchers of a session, or the processes of its builds."""
        parents = {}
        launchers = set()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if b"pytest_ftc.builds.launcher" in (folder / "cmdline").read_bytes():
                    launchers.add(int(folder.name))

        def is_below(pid: int) -> bool:
            while pid in parents and pid != session:
                pid = parents[pid]
            return pid == session

        return [pid for pid in parents if pid != session and is_below(pid) and (pid in launchers) == (kind[0] == "l")]


def main() -> None:
    """Inject them all, and print the counts."""
    store_faults, session_faults = (*map(int, sys.argv[1:]), *(9900, 100)[len(sys.argv) - 1 :])
    before = find_leftovers()
    with tempfile.TemporaryDirectory(prefix="faults-benchmark-") as name:
        folder = Path(name)
        begin = time.monotonic()
        store = StoreFaults(folder / "store")
        for seed in range(store_faults):
            store.inject(seed)
        left = store.left_over()
        print(f"store:    {store_faults} faults in {time.monotonic() - begin:.0f} s: {describe(store.counts)}")
        begin = time.monotonic()
        sessions = SessionFaults(folder)
        for seed in range(session_faults):
            sessions.inject(seed)
        print(f"sessions: {session_faults} faults in {time.monotonic() - begin:.0f} s: {describe(sessions.counts)}")
        left += len(wait_until_gone(before))
    print(f"wrong verdicts and contents   {store.wrong + sessions.wrong}")
    print(f"lost finished results         {store.lost + sessions.lost}")
    print(f"left over                     {left}")
    sys.exit(bool(store.wrong + sessions.wrong + store.lost + sessions.lost + left))


def describe(counts: Counter[str]) -> str:
    """Return how many of each kind there were."""
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())


if __name__ == "__main__":
    main()
