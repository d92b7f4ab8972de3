"""What this machine can vary, and what of it a program sees: looked at once per boot."""

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
from pytest_ftc.model.protocols import Executor, Variation
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification.self_test.plugin_variations import Broken, try_effect, why_unseen
from pytest_ftc.verification.self_test.probe import find_unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What is known of the variations of plugins, by name."""

    effects: Mapping[str, str]
    """Digests of what they do."""
    replaced: Mapping[str, Variation]
    """Replacements for those that cannot be used."""


def examine_machine(
    workspace: Workspace,
    added: Sequence[Variation] = (),
    *,
    executor: Executor | None = None,
    cache: Path | None = None,
) -> tuple[Machine, Examined]:
    """Return what this machine offers and which variations a program would not see, also of those `added` by plugins.

    The look is taken with the `executor`, by default our own.  With that it is noted in the folder `cache` what was
    seen, so that it is taken once per boot.
    """
    machine = survey_machine(workspace.path)
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
    """Looks at environments from inside."""

    machine: Machine
    executor: Executor
    folder: Path

    def at(self, variation: Variation) -> dict[str, str]:
        """Return the `variation` if a program does not see it, and why."""
        why = why_unseen(self.executor, self.machine, variation, self.folder)
        return {variation.name: why} if why else {}

    def once(self, cache: Path | None, effect: str, act: Callable[[], dict[str, str]]) -> dict[str, str]:
        """Return what `act` finds unseen; nothing if it is noted in the folder `cache` that there is nothing."""
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
    """Return a digest of all on which the outcome of a self-test depends; the boot and the `effect` among it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        boot = str(time.time())
    offered = to_json(replace(machine, work_dir=str(Path(machine.work_dir).parent), compiled_locales=""))
    facts = [__version__, boot, offered, sys.executable, effect]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
