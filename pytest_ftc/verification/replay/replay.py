"""replay(build): runs one recorded build again in the same environment, and compares the outputs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.builds.inputs.secrets import Secrets
from pytest_ftc.builds.inputs.source_state import current_commit, digest_capture
from pytest_ftc.builds.launcher.trees import copy_file
from pytest_ftc.builds.local import read_tail
from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.builds.start import Start, plan_start
from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import (
    Action,
    Artifact,
    BuildResult,
    BuildStatus,
    Isolation,
    Recipe,
    Replayed,
    Snapshot,
    Verdict,
    Verification,
)
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ExecutionError, SourceError
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.verification.confidential.guard import SecretGuard
from pytest_ftc.verification.replay.settle import Here, find_gaps, settle
from pytest_ftc.verification.replay.withheld import describe_key, take_anew
from pytest_ftc.verification.site import BuildSite

_LATE = 0.5
"""Seconds by which the clock may start later without a note."""

Enter = Callable[[Action], AbstractContextManager[Action]]
"""Replaces a build's command by a shell, as a context manager."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The parts of this session that a replay needs."""

    root: Path
    """The folder of the project."""
    site: BuildSite
    key: bytes | None
    """The key for digests of values that may be secret."""
    farm: bool = False
    """Whether the build runs on a farm."""


def replay(then: BuildResult, stage: Stage, *, keep: Path | None = None, enter: Enter = nullcontext) -> Replayed:
    """Run the build `then`, which has a recipe, again.

    Its outputs and folders are copied to the empty folder `keep`.  Raises FtcError if it cannot be prepared.
    """
    assert then.recipe is not None
    recipe, machine = then.recipe, stage.site.machine
    source = _find_source(recipe, stage.root)
    secrets = stage.site.read_secrets(recipe.secrets, source)
    snapshot = stage.site.capture(source)
    prepared = _prepare(recipe, source, snapshot, stage)
    root = stage.site.folder / slug(recipe.name) if machine.isolation is Isolation.NONE else None
    settled, unsettled = settle(recipe, _here(root, prepared, stage))
    passed, changed = take_anew(recipe.passed, recipe.key == describe_key(stage.key), stage.key, stage.site.environ)
    settled = _give(settled, {**passed, **(secrets.variables if secrets else {})})
    moment, start = _plan_clock(then, recipe, stage)
    action = replace(
        _action(then, settled, snapshot, root, start, keep),
        secret_files=secrets.files if secrets else {},
        shown=prepared.artifact.shown,
        clock=moment if stage.farm else None,
    )
    with enter(action) as entered:
        now = stage.site.executor.run(entered, lambda _: None, start.wait if start else _at_once)
    now, leaks = _keep_secret(now, secrets, stage.site.logs)
    if keep:
        _keep_outputs(now, keep)
    before = (*_changed_requirements(recipe, prepared), *find_gaps(recipe, machine), *unsettled, *changed)
    runs = BuildStatus.LOST not in (then.status, now.status)
    clock = _clock_of(now, start)
    return Replayed(
        then=then,
        now=now,
        differences=compare_manifests(then.outputs, now.outputs, recipe.metadata) if runs else (),
        sources=_describe_sources(recipe, source, snapshot),
        gaps=(*_moved(then, now, stage), *before, *now.not_applied.values(), *_late(moment, clock, now)),
        leaks=leaks,
        clock=clock if runs else None,
        kept=str(keep or ""),
        shell=entered.shell is not None,
    )


def _at_once(_: float) -> bool:
    return True


def _find_source(recipe: Recipe, root: Path) -> Path:
    source = (root / recipe.source).resolve()
    if not source.is_dir():
        raise SourceError(
            f"the sources of {recipe.name} are missing: {source}",
            advice="Replay in the project in which the build was recorded, or in a clone of it.",
        )
    return source


def _prepare(recipe: Recipe, source: Path, snapshot: Snapshot, stage: Stage) -> Prepared:
    artifact = Artifact(
        id=recipe.artifact,
        name=recipe.name,
        build=recipe.command,
        outputs=recipe.outputs,
        source=source,
        preset=recipe.preset,
    )
    return stage.site.prepare(artifact, snapshot)


def _here(root: Path | None, prepared: Prepared, stage: Stage) -> Here:
    machine = stage.site.machine
    known = (*machine.path, machine.python)
    return Here(
        root=str(root or ""),
        prepared=prepared.path_entries,
        path=stage.site.path,
        python=machine.python or sys.executable,
        exists=lambda path: path in known if stage.farm else Path(path).exists(),
    )


def _give(recipe: Recipe, variables: Mapping[str, str]) -> Recipe:
    return replace(recipe, environment=recipe.environment.with_variables(**variables))


def _action(
    then: BuildResult,
    recipe: Recipe,
    snapshot: Snapshot,
    root: Path | None,
    start: Start | None,
    keep: Path | None,
) -> Action:
    shift = start.shift if start else 0
    return Action(
        id=f"{then.id}-replay",
        role=then.role,
        command=recipe.command,
        snapshot=snapshot.path,
        git_dir=snapshot.git_dir,
        git_link=snapshot.git_link,
        root=root,
        environment=replace(recipe.environment, clock_shift=shift),
        described=then.environment,
        outputs=recipe.outputs,
        timeout=recipe.timeout,
        keep=keep,
        confidential=bool(recipe.secrets),
        pass_sockets=recipe.pass_sockets,
    )


def _keep_secret(now: BuildResult, secrets: Secrets | None, logs: Path | None) -> tuple[BuildResult, tuple[str, ...]]:
    """Return `now` with the end of its log, without the `secrets`, and what it leaked."""
    leaks: tuple[str, ...] = ()
    if secrets:
        guard = SecretGuard(secrets, logs)
        masked = guard.mask(Verification(id="", name="", verdict=Verdict.ERROR, builds=(guard.admit(now),)))
        now, leaks = masked.builds[0], masked.leaks
    return replace(now, log_tail=read_tail(Path(now.log))) if now.log else now, leaks


def _keep_outputs(now: BuildResult, keep: Path) -> None:
    """Copy the output files to the folder ``outputs`` in `keep`, with their paths."""
    try:
        for output in now.outputs:
            if output.sha256:
                target = keep / "outputs" / output.path
                target.parent.mkdir(parents=True, exist_ok=True)
                copy_file(str(find_content(now.blobs, output.sha256)), str(target))
                target.chmod(int(output.mode, 8) & 0o777)
    except OSError as error:
        raise ExecutionError(f"cannot copy the outputs to {keep}: {error.strerror}") from error


def _describe_sources(recipe: Recipe, source: Path, snapshot: Snapshot) -> str:
    digest, commit = digest_capture(snapshot), current_commit(source)
    if not recipe.source_digest:
        return "their earlier state is unknown"
    if digest == recipe.source_digest and commit == recipe.commit:
        return ""
    if digest == recipe.source_digest:
        return f"the same files, but commit {commit[:12] or 'none'} now, {recipe.commit[:12] or 'none'} then"
    commits = f"commit {recipe.commit[:12]} then, {commit[:12] or 'none'} now; " if recipe.commit != commit else ""
    return f"changed: {commits}digest {recipe.source_digest[:12]} then, {digest[:12]} now"


def _changed_requirements(recipe: Recipe, prepared: Prepared) -> tuple[str, ...]:
    if recipe.requirements == prepared.inputs_digest:
        return ()
    then, now = (digest[:12] or "none" for digest in (recipe.requirements, prepared.inputs_digest))
    return (f"the build requirements have changed: sha256 {then} then, {now} now",)


def _plan_clock(then: BuildResult, recipe: Recipe, stage: Stage) -> tuple[float | None, Start | None]:
    """Return when the clock shall start, None for the real one; and how, on this machine."""
    if not (stage.site.machine.faketime and then.started):
        return None, None
    moment = then.started + recipe.environment.clock_shift
    return moment, None if stage.farm else plan_start(moment, 0, time.time())


def _clock_of(now: BuildResult, start: Start | None) -> float | None:
    """Return when the clock of the build `now` started; None if it was not moved."""
    shift = start.shift if start else now.clock_shift
    return None if shift is None else now.started + shift


def _late(moment: float | None, clock: float | None, now: BuildResult) -> tuple[str, ...]:
    if moment is None or now.status is BuildStatus.LOST:
        return ()
    if clock is None:
        return ("the clock is the real one: the worker could not move it",)
    late = clock - moment
    return (f"its clock started {late:.1f} s later than that of the recorded build",) if late > _LATE else ()


def _moved(then: BuildResult, now: BuildResult, stage: Stage) -> tuple[str, ...]:
    """Return where it runs now, if it ran elsewhere."""
    farm = then.recipe is not None and then.recipe.executor != "local"
    if farm is not stage.farm:
        places = ("on a farm", "on this machine")
        here, there = places if stage.farm else places[::-1]
        return (f"it runs {here} now, {there} then",)
    if then.worker and now.worker and then.worker != now.worker:
        return (f"the worker is {now.worker} now, {then.worker} then",)
    return ()
