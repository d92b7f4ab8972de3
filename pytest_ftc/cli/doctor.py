"""``ftc doctor``: measures which variations work on this machine, and what each one costs."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.cli.output import page_style, write_text
from pytest_ftc.model import (
    Action,
    Artifact,
    BuildResult,
    BuildStatus,
    CheckUp,
    Machine,
    Role,
    Snapshot,
    VariationState,
)
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.protocols import Executor, MayStart, Variation, at_once
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification.plan import BuildSetting, PlannedArtifact, plan_builds, plan_rebuild
from pytest_ftc.verification.self_test.machine import examine_machine
from pytest_ftc.verification.user_folders import search_path

_ROUNDS = 5


_FILES = 20


def examine(added: Sequence[Variation] = ()) -> CheckUp:
    """Examine this machine, including the variations `added` by plugins.  Raises FtcError."""
    with Workspace() as workspace:
        machine, own = examine_machine(workspace, added)
        catalogue = [*CATALOGUE, *(own.replaced.get(variation.name, variation) for variation in added)]
        reasons = {one.name: one.unavailable(machine) or machine.unseen.get(one.name) or "" for one in catalogue}
        possible = [variation for variation in catalogue if not reasons[variation.name]]
        folder = workspace.folder("check-up")
        executor = _Noting(LocalExecutor(machine, folder / "work", folder / "logs", jobs=1))
        costs = _measure(machine, possible, executor, folder)
        reasons |= {name: why for name, why in executor.not_applied.items() if name in reasons}
    plain = costs[()]
    return CheckUp(
        machine=machine,
        control_milliseconds=plain,
        experiment_milliseconds=costs[tuple(variation.name for variation in possible)],
        variations=tuple(
            VariationState(
                name=variation.name,
                in_force=not reasons[variation.name],
                mechanism=variation.mechanism,
                reason=reasons[variation.name],
                milliseconds=None if reasons[variation.name] else max(0.0, costs[(variation.name,)] - plain),
            )
            for variation in catalogue
        ),
    )


class _Noting:
    """An executor that records which variations its builds could not apply, or only partly."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner
        self.not_applied: dict[str, str] = {}

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`."""
        result = self._inner.run(action, started, may_start)
        self.not_applied |= result.not_applied
        return result

    def cancel(self) -> None:
        """See `pytest_ftc.model.protocols.Executor`."""
        self._inner.cancel()


def _measure(
    machine: Machine, variations: Sequence[Variation], executor: Executor, folder: Path
) -> dict[tuple[str, ...], float]:
    """Return the median milliseconds of a build with no variation, each one alone, and all `variations`."""
    source = folder / "source"
    source.mkdir()
    for number in range(_FILES):
        (source / f"file-{number}").write_text("x")
    artifact = Artifact(
        id="check-up", name="check-up", build=("/bin/sh", "-c", "echo > out"), outputs=("out",), source=source
    )
    snapshot = Snapshot(path=source, git_dir=None, git_link=None, commit_time=None)
    setting = BuildSetting(machine=machine, folder=folder / "plain", path=search_path(), environ={})
    plan = plan_builds(artifact, snapshot, variations, setting, builds=2)
    planned = PlannedArtifact(artifact=artifact, source=snapshot, machine=machine, plan=plan)
    every = [(), *((name,) for name in plan.varied), plan.varied]
    times: dict[tuple[str, ...], list[float]] = {names: [] for names in every}
    for turn in range(_ROUNDS):
        # Interleave the measurements, so that a disturbance of the machine affects all of them.
        for number, names in enumerate(times):
            times[names].append(_time(planned, names, executor, f"{turn}-{number}"))
            remove_tree(str(folder / "work"))
    return {names: statistics.median(taken) for names, taken in times.items()}


def _time(planned: PlannedArtifact, names: Sequence[str], executor: Executor, suffix: str) -> float:
    action = plan_rebuild(planned, names, role=Role.REPEAT, suffix=f"-{suffix}")
    begin = time.perf_counter()
    result = executor.run(action, lambda _: None)
    taken = (time.perf_counter() - begin) * 1000
    return taken if result.status is BuildStatus.OK else float("nan")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc doctor``."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Print for each variation whether programs see it on this machine, how it is applied, and its cost."""
    from pytest_ftc.plugin.headless import ask_plugins
    from pytest_ftc.reporting.terminal.doctor import render_check_up

    try:
        with ask_plugins(Path.cwd()) as asked:
            if asked.problem:
                print(f"ftc: variations of plugins are not included: {shorten(asked.problem)}", file=sys.stderr)
            check_up = examine(asked.added.variations)
    except ConfigurationError as error:
        print(f"ftc: variations of plugins are not included: {shorten(str(error))}", file=sys.stderr)
        check_up = examine()
    if options.json:
        import json

        from pytest_ftc.model.support.serialization import to_json

        print(json.dumps(to_json(check_up), indent=1))
        return 0
    write_text(render_check_up(check_up, **page_style()))
    return 0
