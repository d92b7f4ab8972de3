"""Warming the local store for a project."""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ftc.cli.project import choose_artifacts, opened_project
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.garbage_collection import take_stats
from pytest_ftc.store.history import History
from pytest_ftc.store.secret_key import load_key
from pytest_ftc.verification.cache.shared_store import read_address
from pytest_ftc.verification.user_folders import key_file, store_folder
from pytest_ftc.verification.warming.actions import Wanted, list_wanted
from pytest_ftc.verification.warming.checkout import checked_out
from pytest_ftc.verification.warming.warmer import Room, State, Warmed, Warmer

if TYPE_CHECKING:
    from pytest_ftc.integrations.reapi.shared_store import SharedStore

_CALL = 30.0
"""Seconds for the answer to a call: nobody waits for this command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmedProject:
    """What became of what the artifacts of a project need."""

    artifacts: Sequence[Warmed]
    seconds: float
    waited: float
    """Seconds that it waited at random before it began."""

    @property
    def failed(self) -> bool:
        """Whether the shared store failed for an artifact."""
        return any(one.state is State.FAILED for one in self.artifacts)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"artifacts": to_json(self.artifacts), "seconds": round(self.seconds, 3), "waited": self.waited}


def warm_project(root: Path, options: argparse.Namespace) -> WarmedProject:
    """Fetch what the project at `root` needs, by the `options` of the command.  Raises FtcError."""
    # Settings are those of the current folder, and artifacts those of the commit.
    settings = load_project(root, {}, needs_artifacts=False)
    folder = options.store or settings.store or store_folder()
    with ExitStack() as stack:
        sources = stack.enter_context(checked_out(root, options.commit)) if options.commit else root
        wanted = _list_wanted(sources, folder, options)
        waited = _wait(0.0 if options.plan else options.jitter)
        local = stack.enter_context(closing(LocalStore(folder)))
        key = load_key(key_file(), os.environ)
        shared = stack.enter_context(closing(_connect(settings, key, options)))
        room = Room(options.max_size - _held(local))
        warmer = Warmer(local=local, shared=shared, key=key, room=room, outputs=options.outputs, plan=options.plan)
        began = time.monotonic()
        warmed = warmer.warm_all(wanted, options.concurrency)
        return WarmedProject(artifacts=warmed, seconds=time.monotonic() - began, waited=waited)


def _list_wanted(root: Path, folder: Path, options: argparse.Namespace) -> list[Wanted]:
    with opened_project(root) as project:
        chosen = choose_artifacts(project.config.artifacts, options.artifacts)
        # Those that matter most come first.
        ordered = sorted(chosen, key=lambda artifact: not artifact.critical)
        return list_wanted(replace(project.config, store=folder), project.added, ordered)


def _wait(most: float, sleep: Callable[[float], None] = time.sleep) -> float:
    """Wait a random time of at most `most` seconds, and return it."""
    seconds = random.SystemRandom().uniform(0, most)
    sleep(seconds)
    return round(seconds, 3)


def _connect(settings: Config, key: bytes, options: argparse.Namespace) -> SharedStore:
    """Return the shared store of `settings`, with the limits of the command.  Raises FtcError."""
    if settings.remote is None:
        raise ConfigurationError(
            f"nothing says where to fetch from: [tool.ftc.remote] is missing in {settings.file or settings.root}"
        )
    # Only now, so that the message above needs no extra.
    from pytest_ftc.integrations.reapi.shared_store import LIMITS, open_shared_store

    slowest = LIMITS.slowest
    if options.rate:
        slowest = min(slowest, options.rate / (2 * options.concurrency))
    limits = replace(LIMITS, call=_CALL, rate=options.rate, slowest=slowest, streams=options.concurrency)
    return open_shared_store(read_address(settings.remote, settings, lambda: False), key, limits=limits)


def _held(local: LocalStore) -> int:
    """Return the bytes that the local store holds."""
    history = History(local.layout)
    try:
        stats = take_stats(local.layout, history)
    finally:
        history.close()
    return stats.blob_bytes + stats.entry_bytes
