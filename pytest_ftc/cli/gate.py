"""``ftc gate``: verifies a change before a commit and in CI, with the same command everywhere."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_ftc.builds.inputs.changes import names_commit
from pytest_ftc.cli.verify.neutral import neutral_environment, neutral_options
from pytest_ftc.config import SHARD
from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.service_commands import defuse
from pytest_ftc.verification.sharding.shard import read_shard

REPORT = "ftc-report"
_DESCRIPTION = """\
Run pytest --ftc-verify on the declared artifacts and write ftc-report/ with junit.xml.  Artifacts whose sources have
changed are verified first; changes are relative to the target branch of a pull or merge request, the previous push, or
the last commit, whichever is known.  Arguments are passed to pytest: folders of tests that declare artifacts, -x,
-k NAME, --ftc-variations=quick, ...  With --shard 3/8, the third of eight jobs verifies its part of the artifacts, by
the durations in ftc-durations.json, and leaves the others to the other jobs.  Exit status: pytest's."""
_SHARD = "--shard"


def gate_command(
    root: Path, arguments: Sequence[str], environ: Mapping[str, str], *, neutral: bool = False
) -> list[str]:
    """Return the command that verifies the artifacts of the project at `root`, changed ones first.

    `arguments` are passed to pytest, at the end, except ``--shard``.  A `neutral` command ignores the project's pytest
    settings.  Raises ConfigurationError if there is nothing to verify, or no such shard.
    """
    given, arguments = _take_shard(arguments)
    config = load_project(root, {})
    base = next((name for name in _bases(environ) if names_commit(root, name)), "")
    options = ["--ftc-verify", f"--ftc-report={REPORT}", f"--junitxml={REPORT}/junit.xml"]
    options += [f"--ftc-changed-first={base}"] if base else []
    options += [f"{SHARD.flag}={read_shard(given, _SHARD)}"] if given is not None else []
    start = neutral_options(root) if neutral else [f"--rootdir={root}"]
    return [sys.executable, "-m", "pytest", *start, *options, *map(str, config.files), *arguments]


def _take_shard(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the value of ``--shard`` in `arguments`, the last one if there are several, and the other arguments."""
    given, others = None, []
    words = iter(arguments)
    for word in words:
        name, has_value, value = word.partition("=")
        if name == _SHARD:
            given = value if has_value else next(words, "")
        else:
            others.append(word)
    return given, others


def _why_not_started(root: Path) -> str:
    """Return why pytest cannot start in the project at `root`; empty if it can."""
    from pytest_ftc.plugin.headless import ask_plugins

    try:
        with ask_plugins(root) as asked:
            return asked.problem
    except ConfigurationError:
        return ""  # pytest will report it


def _bases(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield candidates for the base commit of this change, best first; a shallow clone may have none of them."""
    if branch := environ.get("GITHUB_BASE_REF"):
        yield f"origin/{branch}"
        # The checkout of a pull request is a merge commit whose first parent is the target branch.
        yield "HEAD^1"
    # GitLab: merge requests, then pushes (forty zeros for a new branch).
    yield from filter(None, (environ.get(name) for name in ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_COMMIT_BEFORE_SHA")))
    # pre-commit: the remote's commit before a push, or the last commit before a new one.
    yield from filter(None, (environ.get("PRE_COMMIT_FROM_REF"), "HEAD" if environ.get("PRE_COMMIT") else None))
    yield "origin/HEAD"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc gate``."""
    parser.usage, parser.description = "ftc gate [--shard K/N] [PYTEST ARGUMENTS]", _DESCRIPTION
    parser.add_argument(_SHARD, metavar="K/N", help="verify only part K of N parts")


def run(options: argparse.Namespace) -> int:
    """Replace this process by the pytest that verifies the artifacts of the project in the current folder."""
    problem = _why_not_started(Path.cwd())
    environment = dict(os.environ)
    if problem:
        print(defuse(f"ftc: {shorten(problem, 1000)}"), file=sys.stderr)
        environment = neutral_environment(environment)
    command = gate_command(Path.cwd(), options.given, os.environ, neutral=bool(problem))
    sys.stdout.flush()
    os.execve(command[0], command, environment)
    raise AssertionError("execve does not return")
