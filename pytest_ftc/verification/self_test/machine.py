"""The variations that this machine supports and that programs see: tested once per boot."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pytest_ftc import __version__
from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.machine import survey_machine
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.model import Machine
from pytest_ftc.model.protocols import Executor, RemoteExecutor, Variation
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification.self_test.plugin_variations import Broken, try_effect, why_unseen
from pytest_ftc.verification.self_test.probe import find_unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The results for plugins' variations, by name."""

    effects: Mapping[str, str]
    """Digests of their effects."""
    replaced: Mapping[str, Variation]
    """Replacements for unusable variations."""


def examine_machine(
    workspace: Workspace,
    added: Sequence[Variation] = (),
    *,
    executor: Executor | None = None,
    cache: Path | None = None,
) -> tuple[Machine, Examined]:
    """Return the machine's facilities, including which variations programs would not see, also of those `added`.

    The test runs with the `executor`, by default the local one.  With the local one, the folder `cache` records what
    passed, so that it runs only once per boot.
    """
    machine = executor.survey() if isinstance(executor, RemoteExecutor) else survey_machine(workspace.path)
    effects: dict[str, str] = {}
    replaced: dict[str, Variation] = {}
    for variation in added:
        effect = try_effect(variation, machine)
        if isinstance(effect, Broken):
            replaced[variation.name] = effect
        else:
            effects[variation.name] = effect
    folder = workspace.folder("self-test")
    look = _Look(machine, executor or LocalExecutor(machine, folder / "work", folder / "logs", jobs=2), folder)
    notes = cache if executor is None else None
    try:
        unseen = look.once(notes, "", lambda: find_unseen(look.executor, machine, CATALOGUE, folder))
        for variation in added:
            if effects.get(variation.name):
                unseen |= look.once(notes, effects[variation.name], partial(look.at, variation))
    finally:
        remove_tree(str(folder))
    return replace(machine, unseen=unseen), Examined(effects=effects, replaced=replaced)


@dataclass(frozen=True, slots=True)
class _Look:
    """Inspects environments from inside."""

    machine: Machine
    executor: Executor
    folder: Path

    def at(self, variation: Variation) -> dict[str, str]:
        """Return the `variation` and the reason if a program does not see it; else nothing."""
        why = why_unseen(self.executor, self.machine, variation, self.folder)
        return {variation.name: why} if why else {}

    def once(self, cache: Path | None, effect: str, act: Callable[[], dict[str, str]]) -> dict[str, str]:
        """Return the result of `act`; nothing if the folder `cache` records that it passed."""
        noted = cache / _describe_boot(self.machine, effect) if cache else None
        if noted and os.access(noted, os.F_OK):
            return {}
        unseen = act()
        if noted and not unseen:
            with contextlib.suppress(OSError):
                noted.parent.mkdir(parents=True, exist_ok=True)
                noted.touch()
        return unseen


def _describe_boot(machine: Machine, effect: str = "") -> str:
    """Return a digest of everything on which a self-test depends, including the boot and the `effect`."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        boot = str(time.time())
    offered = to_json(replace(machine, work_dir=str(Path(machine.work_dir).parent), compiled_locales=""))
    facts = [__version__, boot, offered, sys.executable, effect]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
