"""A trial build in a copy of the project, to find the files that a command creates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pytest_ftc.builds.inputs.snapshot import capture_source
from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.machine import survey_machine
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.model import Action, Environment, Isolation, Role

_INTERMEDIATE = frozenset({".d", ".dep", ".dwo", ".lo", ".o", ".obj", ".stamp", ".tmp"})
"""Suffixes of intermediate files."""
_MOST_SINGLE = 6
"""A folder with more new files than this is named instead of the files."""


def find_new_files(root: Path, command: str, *, seconds: float, path: str) -> tuple[str, ...]:
    """Return globs for the files that the shell `command` creates in the project at `root`; none if it fails.

    It runs once in a copy, isolated like all builds, with the search `path`.  Without namespaces it is not run, because
    it could write elsewhere.  Raises FtcError.
    """
    with Workspace() as workspace:
        machine = survey_machine(workspace.path)
        if machine.isolation is Isolation.NONE:
            return ()
        source = workspace.folder("source")
        snapshot = capture_source(root, source)
        kept = workspace.folder("kept")
        folder = workspace.folder("trial")
        action = Action(
            id="trial",
            role=Role.CONTROL,
            command=("/bin/sh", "-c", command),
            snapshot=snapshot.path,
            git_dir=snapshot.git_dir,
            git_link=snapshot.git_link,
            environment=Environment(
                build_path="/ftc-trial/tree",
                home="/ftc-trial-home",
                temp_dir="/tmp",
                variables={"PATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                network=False,
            ),
            described={},
            outputs=("*",),
            timeout=seconds,
            keep=kept,
        )
        result = LocalExecutor(machine, folder / "work", folder / "logs", jobs=1).run(action, lambda _: None)
        if result.exit_code != 0:
            return ()
        before, after = set(_list_files(snapshot.path)), set(_list_files(kept / "tree"))
        return summarize_files(sorted(after - before))


def _list_files(folder: Path) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (str(Path(parent, name).relative_to(folder)) for name in names)


def summarize_files(files: list[str]) -> tuple[str, ...]:
    """Return globs for those new `files` that look like results; a folder of many new files is one glob."""
    results = [file for file in files if PurePosixPath(file).suffix not in _INTERMEDIATE and not file.startswith(".")]
    tops: dict[str, list[str]] = {}
    for file in results:
        tops.setdefault(file.partition("/")[0] if "/" in file else "", []).append(file)
    named = []
    for top, members in tops.items():
        named += members if not top or len(members) <= _MOST_SINGLE else [top]
    return tuple(_escape(name) for name in sorted(named)) if len(named) <= 3 * _MOST_SINGLE else ()


def _escape(name: str) -> str:
    """Return a glob that matches only `name`."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in name)
