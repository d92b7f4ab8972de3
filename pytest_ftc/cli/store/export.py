"""``ftc store export``: writes a store that has only what the next run of the project needs."""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from pytest_ftc.cli.output import print_rows
from pytest_ftc.cli.project import opened_project
from pytest_ftc.cli.quantities import size
from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import SourceError
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History
from pytest_ftc.store.secret_key import VARIABLE, load_key
from pytest_ftc.verification.exporting.export import Exported, Exporter
from pytest_ftc.verification.exporting.project import list_tested, new_folder
from pytest_ftc.verification.user_folders import key_file, store_folder
from pytest_ftc.verification.warming.actions import Wanted, list_wanted
from pytest_ftc.verification.warming.checkout import checked_out

_WORKTREE = "worktree"
_MOST_NAMED = 5
_LEFT_OUT = "verdicts are reused without them; where later builds differ, it is not shown inside which member"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc store export``, except those of all actions."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the new store; it must not exist, or be empty")
    parser.add_argument(
        "--for",
        dest="ref",
        metavar="REF",
        default="HEAD",
        help="for the sources of this commit or branch, or worktree for those that are here; default: HEAD",
    )
    parser.add_argument(
        "--max-size", metavar="SIZE", type=size, default="500M", help="of contents of outputs; default: 500M"
    )


def run(options: argparse.Namespace) -> int:
    """Write the store and print what it has."""
    exported = export_project(Path.cwd(), options)
    print_rows(options, exported, _describe(exported))
    return 0


def export_project(root: Path, options: argparse.Namespace) -> Exported:
    """Export what the project at `root` needs, by the `options` of the command.  Raises FtcError."""
    settings = load_project(root, {}, needs_artifacts=False)
    folder = options.store or settings.store or store_folder()
    with ExitStack() as stack:
        part = stack.enter_context(new_folder(options.folder, folder))
        sources = root if options.ref == _WORKTREE else _check_out(stack, root, options.ref)
        wanted = _list_declared(sources, folder)
        key = load_key(key_file(), os.environ)
        local = stack.enter_context(closing(LocalStore(folder)))
        local.layout.make()
        history = stack.enter_context(closing(History(local.layout, key)))
        wanted += list_tested(history, root, sources)
        shared = settings.remote is not None and bool(settings.remote.store)
        return Exporter(local, history, key, str(root), shared=shared).export(wanted, part, options.max_size)


def _check_out(stack: ExitStack, root: Path, ref: str) -> Path:
    try:
        return stack.enter_context(checked_out(root, ref))
    except SourceError as error:
        raise SourceError(error.message, advice=f"--for {_WORKTREE} takes the sources as they are here.") from error


def _list_declared(sources: Path, folder: Path) -> list[Wanted]:
    with opened_project(sources, needs_artifacts=False) as project:
        return list_wanted(replace(project.config, store=folder), project.added, project.config.artifacts)


def _describe(exported: Exported) -> list[tuple[str, str]]:
    """Return the rows of the command."""
    from pytest_ftc.reporting.terminal.store import counted, show_size

    what = f"{counted(exported.verdicts, 'verdict')}, {counted(exported.blobs, 'blob')}, {show_size(exported.bytes)}"
    rows = [("written", what), ("history", counted(exported.builds, "build"))]
    rows += [("no verdict", f"{one.artifact}: {one.why}") for one in exported.unknown[:_MOST_NAMED]]
    if (more := len(exported.unknown) - _MOST_NAMED) > 0:
        rows.append(("no verdict", counted(more, "further artifact")))
    if exported.left_out:
        blobs = f"{counted(exported.left_out, 'blob')}, {show_size(exported.left_out_bytes)}"
        rows.append(("left out", f"{blobs}: {_LEFT_OUT}"))
    if not os.environ.get(VARIABLE):
        rows.append(("note", f"no other machine can use it: set {VARIABLE} wherever the store is written and read"))
    return rows
