"""Executing an action again: as an artifact, verified like any other, and as it is."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.integrations.audit.cached import CachedResult
from pytest_ftc.integrations.audit.contents import Contents, FaultsError
from pytest_ftc.integrations.audit.described import DescribedAction
from pytest_ftc.integrations.audit.executed import (
    LARGEST_SHOWN,
    Executions,
    PlainRun,
    compare_with_cached,
    places_in_cached,
)
from pytest_ftc.integrations.audit.findings import PlaceFound
from pytest_ftc.integrations.audit.inputs import write_inputs
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.merkle import Entry
from pytest_ftc.model import Artifact, Difference, Snapshot, Verdict, Verification
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.limits import MOST_EXAMINED
from pytest_ftc.verification.steps.context import VerificationContext
from pytest_ftc.verification.verify import verify

_IN_FOLDER = 'cd -- "$0" && exec "$@"'

RunPlain = Callable[[DescribedAction, Path], PlainRun]
"""Executes an action, whose inputs are in a folder, as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilder:
    """Executes actions again, each in a folder of its own below `work`."""

    source: Connection
    contents: Contents
    work: Path
    open_context: Callable[[DescribedAction], VerificationContext]
    """Returns what verifies the action, on workers that have its properties.  Raises FtcError."""
    run_plain: RunPlain | None
    """None where actions run on this machine, which is no worker."""
    timeout: float
    """Seconds for actions that have no limit of their own."""

    def execute(self, action: DescribedAction, inputs: Sequence[Entry], cached: CachedResult, name: str) -> Executions:
        """Execute `action` in different environments, and compare with the `cached` result.

        Raises FaultsError, UnfitError, FtcError, OSError.
        """
        context = self.open_context(action)
        folder = self.work / f"{name}-{secrets.token_hex(4)}"
        tree, contents = folder / "inputs", folder / "cached"
        try:
            tree.mkdir(parents=True)
            contents.mkdir()
            self.source.call(write_inputs(self.contents, inputs, tree))
            verification = verify(self._make_artifact(action, cached, name, tree), _over(context, tree))
            return self._compare(action, cached, verification, folder)
        finally:
            remove_tree(str(folder))

    def _make_artifact(self, action: DescribedAction, cached: CachedResult, name: str, tree: Path) -> Artifact:
        words = action.arguments
        return Artifact(
            id=f"audit::ftc::{name}",
            name=name,
            build=("/bin/sh", "-c", _IN_FOLDER, action.folder, *words) if action.folder else words,
            outputs=tuple(map(literally, cached.tops)),
            source=tree,
            timeout=action.timeout or self.timeout,
            env=action.variables,
        )

    def _compare(
        self, action: DescribedAction, cached: CachedResult, verification: Verification, folder: Path
    ) -> Executions:
        differences: tuple[Difference, ...] = ()
        places: list[PlaceFound] = []
        if verification.verdict is Verdict.REPRODUCIBLE and cached.outputs is not None:
            control = verification.builds[0]
            differences = compare_with_cached(cached.outputs, control.outputs)
            self._fetch(differences, folder / "cached")
            places = places_in_cached(differences, folder / "cached", control)
        doubtful = differences or verification.verdict is Verdict.FAILED
        runs = 2 if self.run_plain and doubtful else 0
        plain = tuple(self.run_plain(action, folder / "inputs") for _ in range(runs)) if self.run_plain else ()
        return Executions(verification=verification, differences=differences, places=tuple(places), plain=plain)

    def _fetch(self, differences: Sequence[Difference], folder: Path) -> None:
        """Fetch the cached contents that differ, as far as they can be had."""
        for difference in differences[:MOST_EXAMINED]:
            if not difference.contents or difference.contents[0].size > LARGEST_SHOWN:
                continue
            digest = Digest(difference.contents[0].sha256, difference.contents[0].size)
            path = folder / digest.hash
            if not path.exists():
                try:
                    self.source.call(self.contents.download(digest, path, difference.output))
                except FaultsError:
                    continue  # It is among the faults of the result.


def literally(path: str) -> str:
    """Return the glob that matches only `path`."""
    return re.sub(r"([*?[])", r"[\1]", path)


def why_not_executed(action: DescribedAction, cached: CachedResult) -> str:
    """Return why an execution of `action` would say nothing; empty if it would."""
    if cached.exit_code:
        return f"the cached result is that of a failure, with exit status {cached.exit_code}"
    if not cached.tops:
        return "it has no outputs that could be compared"
    if "" in cached.tops or action.folder in cached.tops:
        return "its output is its whole working directory"
    return ""


def _over(context: VerificationContext, tree: Path) -> VerificationContext:
    """Return `context` with `tree` as it is for the source: no file in it is left out, and nothing is copied."""
    snapshot = Snapshot(path=tree, git_dir=None, git_link=None, commit_time=None)
    return replace(context, site=replace(context.site, capture=lambda _: snapshot), cache=None, inputs=None)
