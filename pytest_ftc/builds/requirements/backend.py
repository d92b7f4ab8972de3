"""Getting the build requirements from a project's backend, with PyPA's ``build``."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from pytest_ftc.builds.launcher.trees import copy_tree, list_folder
from pytest_ftc.builds.requirements.commands import Cancelled, CommandError, clean_environment, explain, run_command
from pytest_ftc.model import Snapshot
from pytest_ftc.model.errors import ConfigurationError

Kind = Literal["sdist", "wheel"]

_TIMEOUT = 300.0
_PROGRAM = Path(__file__).with_name("ask_backend.py")
_NOT_LENT = frozenset({"objects", "modules", "lfs"})


def static_requirements(source: Path) -> set[str]:
    """Return ``requires`` in ``[build-system]`` of the project `source`, or the default of PEP 518.

    Raises ConfigurationError.
    """
    import build

    try:
        return build.ProjectBuilder(source).build_system_requires
    except (build.BuildException, build.TypoWarning, ValueError) as error:
        raise ConfigurationError(str(error).replace(f"{source}{os.sep}", "")) from error


def dynamic_requirements(
    source: Snapshot, kind: Kind, python: Path, variables: Mapping[str, str], cancelled: Cancelled
) -> set[str]:
    """Return the dynamic requirements of the backend, run by `python` with `variables` set.

    It runs in a copy of `source`, because it may write there.  Raises PreparationError.
    """
    with tempfile.TemporaryDirectory(prefix="pytest-ftc-backend-", ignore_cleanup_errors=True) as folder:
        copy, answer = Path(folder, "source"), Path(folder, "answer.json")
        _copy_source(source, copy)
        try:
            run_command(
                [str(python), "-I", str(_PROGRAM), kind, str(answer)],
                folder=copy,
                environment=_environment(python, variables),
                timeout=_TIMEOUT,
                cancelled=cancelled,
            )
        except CommandError as error:
            raise explain(
                f"the build backend does not report the requirements of a {kind}",
                error,
                f"Check that `python -m build --{kind}` works in the project; build-backend must name a module "
                "that requires or backend-path provides.",
            ) from error
        return set(json.loads(answer.read_bytes()))


def _environment(python: Path, variables: Mapping[str, str]) -> dict[str, str]:
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    inherited = clean_environment(PYTHONDONTWRITEBYTECODE="1")
    # Variables that git sets for its hooks would direct the backend to another repository.
    kept = {name: value for name, value in inherited.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "PATH": path, **variables}


def _copy_source(source: Snapshot, target: Path) -> None:
    target.mkdir()
    copy_tree(str(source.path), str(target))
    if source.git_dir:
        _lend_repository(source.git_dir, target / ".git")


def _lend_repository(git_dir: Path, target: Path) -> None:
    """Copy the repository `git_dir` to `target` without its objects, which the copy borrows from the original.

    Backends that take the version from a tag need it.  See gitrepository-layout(5), objects/info/alternates.
    """

    def entries(folder: str) -> Collection[str]:
        names = list_folder(folder)
        return [name for name in names if name not in _NOT_LENT] if folder == str(git_dir) else names

    target.mkdir()
    copy_tree(str(git_dir), str(target), entries=entries)
    (target / "objects" / "info").mkdir(parents=True)
    (target / "objects" / "info" / "alternates").write_text(f"{git_dir / 'objects'}\n")
