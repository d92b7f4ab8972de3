"""Faults of builds."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path

from pytest_ftc.integrations.kit.game_day.fault import GOOD, Fault, only_configure, work, work_again
from pytest_ftc.integrations.kit.game_day.ground import Ground

_SLOW = f"(ulimit -t 1; while :; do :; done); sleep 2; {GOOD}"
"""A build that uses a second of CPU time on any machine, and takes three."""


def _differ(ground: Ground) -> None:
    ground.configure({"app": "date > out"}, "critical = true")
    ground.verify("--ftc-diagnose=fast")


def _agree(ground: Ground) -> None:
    ground.configure({"app": GOOD}, "critical = true")
    ground.verify()


def _kill_builds(ground: Ground) -> None:
    """Kill a build while it runs, as a worker that dies does."""
    seconds = f"1.{os.getpid():08}"
    ground.configure({"app": f"sleep {seconds} && {GOOD}"})
    ground.change("killed")
    over = threading.Event()
    killer = threading.Thread(target=_kill_one, args=(b"sleep\0%s\0" % seconds.encode(), over), daemon=True)
    killer.start()
    ground.verify()
    over.set()
    killer.join()


def _kill_one(command: bytes, over: threading.Event) -> None:
    """Kill the first process with this `command`, as proc_pid_cmdline(5) has it, unless it is `over` before."""
    while not over.wait(0.1):
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (folder / "cmdline").read_bytes() == command:
                    os.kill(int(folder.name), signal.SIGKILL)
                    return


def _print_the_secret(ground: Ground) -> None:
    ground.configure({"app": 'echo "token: $GAME_DAY_SECRET"; ' + GOOD}, "secrets = ['env:GAME_DAY_SECRET']")
    ground.verify()


def _keep_the_secret(ground: Ground) -> None:
    ground.configure({"app": GOOD}, "secrets = ['env:GAME_DAY_SECRET']")
    ground.verify()


def _be_slow(ground: Ground) -> None:
    ground.configure({"app": _SLOW})
    ground.change("slow")
    ground.verify()


MISMATCH = Fault(
    name="F1",
    title="a build that is not reproducible",
    alerts=("FtcMismatchInCriticalArtifact", "FtcReproducibleShareBurnsFast"),
    prepare=only_configure,
    inject=_differ,
    repair=_agree,
)
KILLED = Fault(
    name="F3",
    title="a worker that kills builds",
    alerts=("FtcBuildsRetried",),
    prepare=only_configure,
    inject=_kill_builds,
    repair=work_again,
)
LEAK = Fault(
    name="F7",
    title="a build that prints a secret",
    alerts=("FtcSecretLeak",),
    prepare=only_configure,
    inject=_print_the_secret,
    repair=_keep_the_secret,
)
SLOW = Fault(
    name="F10",
    title="builds that are slow, and compute much",
    alerts=("FtcBuildsSlower", "FtcCostHigh"),
    prepare=work,
    inject=_be_slow,
    repair=work_again,
)
