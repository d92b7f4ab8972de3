"""Tests inside a control and an experiment environment whether each variation is active."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

from pytest_ftc.builds.launcher import probe
from pytest_ftc.model import Artifact, BuildResult, BuildStatus, Machine, Snapshot
from pytest_ftc.model.protocols import Executor, Variation
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.verification.plan import BuildSetting, Plan, plan_builds

_DAY = 86400
_FAILED = "the self-test of the environment failed"
_MOST_SEEN = 4 << 20
"""Bytes: all variables are in it."""


def find_unseen(executor: Executor, machine: Machine, variations: Sequence[Variation], folder: Path) -> dict[str, str]:
    """Return the variations that a program in the experiment does not see, and why; `folder` is for temporary files.

    Variations that `machine` does not support are omitted, because the plan names them.
    """
    plan = plan_look("self-test", machine, variations, folder)
    seen = look(executor, plan)
    if isinstance(seen, str):
        return dict.fromkeys(plan.varied, seen)
    unseen = {**_compare(seen.control, seen.experiment, plan.varied), **seen.not_applied}
    if "time" in seen.not_applied and _far_apart(seen.control["time"][:1], seen.experiment["time"][:1]):
        # libfaketime moves the clock of most programs.  Each build says that it does not count.
        del unseen["time"]
    return unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a program sees in two environments, as `pytest_ftc.builds.launcher.probe` reports it."""

    control: Mapping[str, Any]
    experiment: Mapping[str, Any]
    not_applied: Mapping[str, str]
    """Variations that the launcher could not apply, with the reason."""


def plan_look(name: str, machine: Machine, variations: Sequence[Variation], folder: Path) -> Plan:
    """Return the two builds of the probe, with `name` in their IDs; `folder` is for temporary files."""
    source = folder / "source"
    return plan_builds(
        Artifact(
            id="self-test",
            name=name,
            build=(machine.python or sys.executable, "-S", "-B", "probe.py"),
            outputs=("seen.json",),
            source=source,
            timeout=60,
        ),
        Snapshot(path=source, git_dir=None, git_link=None, commit_time=None),
        variations,
        BuildSetting(machine=machine, folder=folder / "plain", path=os.defpath.lstrip(":").split(":"), environ={}),
        builds=2,
    )


def look(executor: Executor, plan: Plan) -> Seen | str:
    """Run the two builds of `plan`, and return what they see, or why that is unknown."""
    _write_source(plan.actions[0].snapshot)
    with ThreadPoolExecutor(2) as pool:
        control, experiment = pool.map(lambda action: executor.run(action, lambda _: None), plan.actions)
    for build in (control, experiment):
        if build.status is not BuildStatus.OK:
            words = build.log_tail.strip().splitlines()[-1:]
            return f"{_FAILED}: {shorten(build.reason)} {shorten(' '.join(words))}".strip()
    one, other = _read(control), _read(experiment)
    if one is None or other is None or one.keys() != other.keys():
        return f"{_FAILED}: its program did not write what it always writes"
    return Seen(control=one, experiment=other, not_applied=experiment.not_applied)


def _write_source(source: Path) -> None:
    source.mkdir(parents=True, exist_ok=True)
    for letter in "abcdef":
        (source / f"file-{letter}").touch()
    copyfile(probe.__file__, source / "probe.py")


def _read(build: BuildResult) -> Mapping[str, Any] | None:
    """Return what the program saw; None if it is not what it writes: on a farm, others may have written it."""
    file = build.outputs[0]
    if len(build.outputs) != 1 or not 0 < file.size <= _MOST_SEEN:
        return None
    try:
        seen = json.loads(find_content(build.blobs, file.sha256).read_bytes())
    except (ValueError, RecursionError):
        return None
    if not isinstance(seen, dict) or not isinstance(seen.get("variables"), dict):
        return None
    times = seen.get("time")
    right = isinstance(times, list) and len(times) == 2 and all(type(time) is int and time >> 40 == 0 for time in times)
    return seen if right else None


def _compare(control: Mapping[str, Any], experiment: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    unseen = {}
    for name in names:
        if name not in control:
            continue
        same = control[name] == experiment[name]
        if same or (name == "time" and not _far_apart(control[name], experiment[name])):
            unseen[name] = f"the self-test saw {str(control[name])[:80]!r} in both environments"
    return unseen


def _far_apart(one: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether all clocks differ by more than real clocks could."""
    return all(abs(a - b) > _DAY for a, b in zip(one, other, strict=True))
