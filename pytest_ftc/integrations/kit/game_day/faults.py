"""The faults of the game day: how each is injected, which alert it has to raise, and how it is repaired."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pytest_ftc.integrations.kit.game_day.ground import Ground
from pytest_ftc.model.errors import FtcError

_GOOD = "echo good > out"
_MANY = 12
"""Artifacts: the alert on the hit rate wants more than ten misses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault."""

    number: str
    """``F1`` to ``F10``."""
    title: str
    alert: str
    """The alert that has to fire."""
    prepare: Callable[[Ground], None]
    """Makes the project, and lets it work."""
    inject: Callable[[Ground], None]
    """Breaks something, and runs the sessions that notice it."""
    repair: Callable[[Ground], None]
    """Undoes that, and runs the session that notices it."""
    extra: str = ""
    """The extra of pytest-ftc that it needs besides `prometheus`."""


_LIBRARIES = {"prometheus": "prometheus_client", "sign": "securesystemslib", "oci": "oras"}


def require_extras(faults: Iterable[Fault]) -> None:
    """Raise FtcError if an extra that `faults` need is not installed."""
    wanted = dict.fromkeys(("prometheus", *(fault.extra for fault in faults if fault.extra)))
    missing = [extra for extra in wanted if find_spec(_LIBRARIES[extra]) is None]
    if missing:
        raise FtcError(
            f"the game day needs the extras {', '.join(missing)}: pip install 'pytest-ftc[{','.join(missing)}]'"
        )


def _works(ground: Ground) -> None:
    ground.configure({"app": _GOOD})
    ground.change("0")
    ground.verify()


def _only_configured(ground: Ground) -> None:
    ground.configure({"app": _GOOD})


def _differ(ground: Ground) -> None:
    ground.configure({"app": "date > out"}, "critical = true")
    ground.verify("--ftc-diagnose=fast")


def _agree(ground: Ground) -> None:
    ground.configure({"app": _GOOD}, "critical = true")
    ground.verify()


def _have_many_cached(ground: Ground) -> None:
    ground.configure({f"app{number}": f"echo {number} > out" for number in range(_MANY)})
    ground.verify()
    ground.verify()


def _lose_the_entries(ground: Ground) -> None:
    shutil.rmtree(ground.store / "actions")
    ground.verify()


def _verify_again(ground: Ground) -> None:
    ground.verify()


def _kill_builds(ground: Ground) -> None:
    """Kill a build while it runs, as a worker that dies does."""
    seconds = f"1.{os.getpid():08}"
    ground.configure({"app": f"sleep {seconds} && {_GOOD}"})
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


def _kill_none(ground: Ground) -> None:
    ground.configure({"app": _GOOD})
    ground.change("alive")
    ground.verify()


def _block_the_store(ground: Ground) -> None:
    """Put a file where the folder of the store is to be: nothing can be written, not even by root."""
    ground.store.write_text("not a folder\n", encoding="utf-8")
    ground.verify()


def _unblock_the_store(ground: Ground) -> None:
    ground.store.unlink()
    ground.verify()


def _signing(ground: Ground) -> str:
    return f"[attest]\nkeys = ['release']\nfolder = '{ground.folder / 'attestations'}'"


def _have_a_key(ground: Ground) -> None:
    ground.configure({"app": _GOOD}, tables=_signing(ground))
    ground.run("keys", "new", "release")


def _lose_the_key(ground: Ground) -> None:
    ground.keys.rename(ground.folder / "keys-away")
    ground.verify()


def _find_the_key(ground: Ground) -> None:
    if ground.keys.exists():
        shutil.rmtree(ground.keys)
    (ground.folder / "keys-away").rename(ground.keys)
    ground.verify()


def _refuse_connections(ground: Ground) -> None:
    """Compare with what a registry has published that is not there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    names = [f"app{number}" for number in range(6)]
    more = f"reference = 'oci:127.0.0.1:{port}/team/app:1'"
    ground.configure(dict.fromkeys(names, _GOOD), more)
    ground.verify()


def _print_the_secret(ground: Ground) -> None:
    ground.configure({"app": 'echo "token: $GAME_DAY_SECRET"; ' + _GOOD}, "secrets = ['env:GAME_DAY_SECRET']")
    ground.verify()


def _keep_the_secret(ground: Ground) -> None:
    ground.configure({"app": _GOOD}, "secrets = ['env:GAME_DAY_SECRET']")
    ground.verify()


_COPIED = "cat source.txt > out"


def _store_something(ground: Ground) -> None:
    ground.configure({"app": _COPIED, "other": _GOOD})
    ground.change("0")
    ground.verify()


def _take_permission(ground: Ground) -> None:
    for folder in (ground.store / "blobs", *(ground.store / "blobs").iterdir()):
        folder.chmod(0o500)
    ground.change("forbidden")
    ground.verify(obeys_modes=True)


def _give_permission(ground: Ground) -> None:
    for folder in (ground.store / "blobs", *(ground.store / "blobs").iterdir()):
        folder.chmod(0o700)
    ground.verify(obeys_modes=True)


def _alter_the_store(ground: Ground) -> None:
    """Change what the cache would answer, as somebody does who wants a bad artifact to pass."""
    entries = sorted(file for file in (ground.store / "actions").rglob("*") if file.is_file())
    for file in (entries[0], *(ground.store / "blobs").rglob("*")):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(file.read_bytes() + b"!")
    ground.run("store", "verify")
    ground.verify()


def _be_quick(ground: Ground) -> None:
    ground.configure({"app": _GOOD})
    ground.change("0")
    ground.verify()


def _be_slow(ground: Ground) -> None:
    ground.configure({"app": f"sleep 3; {_GOOD}"})
    ground.change("slow")
    ground.verify()


def _be_quick_again(ground: Ground) -> None:
    ground.configure({"app": _GOOD})
    ground.change("quick")
    ground.verify()


FAULTS = (
    Fault(
        number="F1",
        title="a build that is not reproducible",
        alert="FtcMismatchInCriticalArtifact",
        prepare=_only_configured,
        inject=_differ,
        repair=_agree,
    ),
    Fault(
        number="F2",
        title="a storm of cache misses",
        alert="FtcCacheHitRateFalls",
        prepare=_have_many_cached,
        inject=_lose_the_entries,
        repair=_verify_again,
    ),
    Fault(
        number="F3",
        title="a worker that kills builds",
        alert="FtcBuildsRetried",
        prepare=_only_configured,
        inject=_kill_builds,
        repair=_kill_none,
    ),
    Fault(
        number="F4",
        title="a store that takes no writes",
        alert="FtcStoreOutage",
        prepare=_only_configured,
        inject=_block_the_store,
        repair=_unblock_the_store,
    ),
    Fault(
        number="F5",
        title="a key that is gone",
        alert="FtcSigningKeyFailure",
        prepare=_have_a_key,
        inject=_lose_the_key,
        repair=_find_the_key,
        extra="sign",
    ),
    Fault(
        number="F6",
        title="a registry that refuses connections",
        alert="FtcBreakerOpen",
        prepare=_only_configured,
        inject=_refuse_connections,
        repair=_works,
        extra="oci",
    ),
    Fault(
        number="F7",
        title="a build that prints a secret",
        alert="FtcSecretLeak",
        prepare=_only_configured,
        inject=_print_the_secret,
        repair=_keep_the_secret,
    ),
    Fault(
        number="F8",
        title="folders of the store without permission",
        alert="FtcPermissionErrors",
        prepare=_store_something,
        inject=_take_permission,
        repair=_give_permission,
    ),
    Fault(
        number="F9",
        title="entries of the store that were altered",
        alert="FtcCacheCorrupt",
        prepare=_store_something,
        inject=_alter_the_store,
        repair=_verify_again,
    ),
    Fault(
        number="F10",
        title="builds that are slow",
        alert="FtcBuildsSlower",
        prepare=_be_quick,
        inject=_be_slow,
        repair=_be_quick_again,
    ),
)
