"""``ftc gate``: what stands between a change and the main branch, the same in every CI service and before a commit."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_ftc.builds.inputs.changes import names_commit
from pytest_ftc.config.project import load_project

REPORT = "ftc-report"


def gate_command(root: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Return the command that verifies the artifacts of the project at `root`, those that have changed first.

    `arguments` are pytest's, and come last.  Raises ConfigurationError where there is nothing to verify.
    """
    config = load_project(root, {})
    assert config.file is not None, "a project that has artifacts has a file"
    base = next((name for name in _bases(environ) if names_commit(root, name)), "")
    options = ["--ftc-verify", f"--ftc-report={REPORT}", f"--junitxml={REPORT}/junit.xml"]
    options += [f"--ftc-changed-first={base}"] if base else []
    return [sys.executable, "-m", "pytest", f"--rootdir={root}", *options, str(config.file), *arguments]


def _bases(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what this change may be compared with, the best first; a shallow clone has few of them, or none."""
    if branch := environ.get("GITHUB_BASE_REF"):
        yield f"origin/{branch}"
        # A pull request is checked out merged into the branch that it asks to join: that is the first parent.
        yield "HEAD^1"
    # GitLab: merge requests, then pushes (forty zeros for a new branch).
    yield from filter(None, (environ.get(name) for name in ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_COMMIT_BEFORE_SHA")))
    # pre-commit: what the remote has before a push, or the last commit before a new one.
    yield from filter(None, (environ.get("PRE_COMMIT_FROM_REF"), "HEAD" if environ.get("PRE_COMMIT") else None))
    yield "origin/HEAD"


def run(options: argparse.Namespace) -> int:
    """Become the pytest that verifies the artifacts of the project in the current folder."""

    command = gate_command(Path.cwd(), options.given, os.environ)
    sys.stdout.flush()
    os.execv(command[0], command)
    raise AssertionError("execv does not return")
