"""Faults of services: keys and registries."""

from __future__ import annotations

import shutil
import socket

from pytest_ftc.integrations.kit.game_day.fault import GOOD, Fault, only_configure, work
from pytest_ftc.integrations.kit.game_day.ground import Ground


def _signing(ground: Ground) -> str:
    return f"[attest]\nkeys = ['release']\nfolder = '{ground.folder / 'attestations'}'"


def _have_a_key(ground: Ground) -> None:
    ground.configure({"app": GOOD}, tables=_signing(ground))
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
    """Compare with what a registry has published that is not there, and fetch from it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    names = [f"app{number}" for number in range(6)]
    repository = f"127.0.0.1:{port}/team/app"
    ground.configure(dict.fromkeys(names, GOOD), f"reference = 'oci:{repository}:1'")
    ground.verify()
    ground.run("fetch", f"{repository}@sha256:{'0' * 64}")


NO_KEY = Fault(
    name="F5",
    title="a key that is gone",
    alerts=("FtcSigningKeyFailure",),
    prepare=_have_a_key,
    inject=_lose_the_key,
    repair=_find_the_key,
    extra="sign",
)
NO_REGISTRY = Fault(
    name="F6",
    title="a registry that refuses connections",
    alerts=("FtcBreakerOpen", "FtcRegistryFailures"),
    prepare=only_configure,
    inject=_refuse_connections,
    repair=work,
    extra="oci",
)
