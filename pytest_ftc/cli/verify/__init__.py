"""``ftc verify``: verifies artifacts of the project, or any command, independent of the project's pytest settings."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_ftc.cli.verify.neutral import neutral_environment, neutral_options
from pytest_ftc.cli.verify.words import Words, read_words
from pytest_ftc.config import AD_HOC
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.model.artifact import declared_id, declared_name
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.verification.user_folders import user_cache

_USAGE = "ftc verify [ARTIFACT ... | 'CMD' OUTPUT ...] [PYTEST OPTIONS] [REPROTEST FLAGS]"
_DESCRIPTION = """\
Verify the artifacts of the project in the current folder, or only those named, without the project's tests,
conftest.py, addopts and pytest plugins.  This also works if pytest itself cannot start.  Options are those of
pytest --ftc-verify, such as --ftc-report=DIR, -x or -v.  Contributions of plugins and conftest.py are not available.
Or verify what a shell command leaves in the OUTPUTs, which are globs: no file is needed, and none of the project is
read or written.  Flags of reprotest are understood, such as --vary=-time and --extra-build=+all,-kernel.
Exit status: pytest's."""
_VERBOSITY = re.compile("-[qv]+$|--(?:quiet|verbose|verbosity)")
_PLACE = re.compile(r"ftc\.toml:[0-9]*:? \[[^\]]*\] ")


def verify_command(root: Path, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the command that verifies the project at `root`, or what is named in `arguments`: artifacts, or a command.

    With it are the variables that it needs.  Other arguments are passed to pytest.  Raises ConfigurationError if there
    is nothing to verify.
    """
    words = read_words(arguments)
    if _is_ad_hoc(root, words):
        return _ad_hoc_command(words), {AD_HOC: shlex.join(("ftc", "verify", *arguments))}
    for flag in words.flags:
        raise ConfigurationError(
            f"{flag} is for a command: ftc verify 'COMMAND' OUTPUT...  For artifacts of the "
            "project, --ftc-variations=SPEC says what to vary"
        )
    config = load_project(root, {}, needs_artifacts=not words.targets)
    _check_names(config, words.targets)
    targets = [_node_id(config, name) for name in words.targets] or [str(file) for file in config.files]
    return [*_pytest(root), *words.passed, *targets], {}


def _node_id(config: Config, name: str) -> str:
    id_ = next(artifact.id for artifact in config.artifacts if artifact.name == name)
    return declared_id(str(config.file_of(id_)), declared_name(id_))


def _pytest(root: Path) -> list[str]:
    return [sys.executable, "-m", "pytest", *neutral_options(root), "--ftc-verify"]


def _is_ad_hoc(root: Path, words: Words) -> bool:
    """Return whether `words` give a command instead of artifacts of the project at `root`."""
    if "--build-command" in words.flags or not words.targets:
        return bool(words.flags or words.server)
    first = words.targets[0]
    folder, colon, _ = first.rpartition(":")
    if colon and folder and (root / folder).is_dir():
        return False  # an artifact of a folder below, perhaps misspelt
    looks_like = any(letter in first for letter in " \t\n;&|<>$/") or Path(first).is_dir() or shutil.which(first)
    return (bool(looks_like) or first == "auto") and first not in _artifacts(root)


def _artifacts(root: Path) -> list[str]:
    """Return the names of the artifacts of the project at `root`; a project that cannot be read has none here."""
    try:
        return [artifact.name for artifact in load_project(root, {}, needs_artifacts=False).artifacts]
    except ConfigurationError:
        return []


def _ad_hoc_command(words: Words) -> list[str]:
    from pytest_ftc.cli.verify.ad_hoc import read_ad_hoc
    from pytest_ftc.cli.verify.folder import write_folder

    asked = read_ad_hoc(words)
    folder = write_folder(asked, user_cache("commands"))
    try:
        load_project(folder, {})
    except ConfigurationError as error:
        # Without the place in a file that the user has not written.
        raise ConfigurationError(_PLACE.sub("", str(error), count=1)) from None
    # No header of a project tells something here, and the panel has what a short summary says.
    loud = any(_VERBOSITY.match(word) for word in words.passed)
    quiet = ["--no-header", "-rN", *(() if loud else ("-q",))]
    return [*_pytest(folder), *quiet, *asked.options, str(folder / "ftc.toml")]


def _check_names(config: Config, names: Sequence[str]) -> None:
    known = [artifact.name for artifact in config.artifacts]
    for name in names:
        if not known:
            raise ConfigurationError(
                f"{shorten(name)!r} is neither a program nor an artifact of {config.root}.  To verify a "
                "command: ftc verify 'COMMAND' OUTPUT..."
            )
        if name not in known:
            raise ConfigurationError(
                f"there is no artifact {name!r}{did_you_mean(name, known)}  Artifacts: {', '.join(known)}.  To "
                "verify a command: ftc verify 'COMMAND' OUTPUT..."
            )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc verify``."""
    parser.usage, parser.description = _USAGE, _DESCRIPTION


def run(options: argparse.Namespace) -> int:
    """Replace this process by the pytest that verifies what is asked for."""
    command, variables = verify_command(Path.cwd(), options.given)
    sys.stdout.flush()
    os.execve(command[0], command, {**neutral_environment(os.environ), **variables})
    raise AssertionError("execve does not return")
