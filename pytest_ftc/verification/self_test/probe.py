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
from pytest_ftc.verification.plan import BuildSetting, Plan, plan_builds

_DAY = 86400


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
            return f"the self-test of the environment failed: {build.reason} {' '.join(words)}".strip()
    return Seen(control=_read(control), experiment=_read(experiment), not_applied=experiment.not_applied)


def _write_source(source: Path) -> None:
    source.mkdir(parents=True, exist_ok=True)
    for letter in "abcdef":
        (source / f"file-{letter}").touch()
    copyfile(probe.__file__, source / "probe.py")


def _read(build: BuildResult) -> Mapping[str, Any]:
    seen: Mapping[str, Any] = json.loads(find_content(build.blobs, build.outputs[0].sha256).read_bytes())
    return seen


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
