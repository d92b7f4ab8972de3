"""Installing build requirements into a new virtual environment, with the tool there is."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pytest_ftc.builds.requirements.commands import Cancelled, CommandError, clean_environment, explain, run_command
from pytest_ftc.model.errors import PreparationError

_TIMEOUT = 1800.0
_HOW_NOT_WHAT = frozenset({"INSTALLER", "REQUESTED", "direct_url.json"})
"""Files of a .dist-info folder that record how a distribution was installed, not what it is."""
_PIP = ("--no-input", "--disable-pip-version-check", "--quiet", "--no-compile", "--no-warn-script-location")
_PIP_ENVIRONMENT = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}


@dataclass(frozen=True, slots=True)
class _Installer:
    """A way to install."""

    command: tuple[str, ...]
    """All but the requirements."""
    needs_pip: bool = False
    """Whether the new environment has to have a pip of its own."""


def install(folder: Path, requirements: Sequence[str], lock: int, cancelled: Cancelled) -> None:
    """Make the new virtual environment `folder` with `requirements`; its installers inherit the descriptor `lock`.

    Raises PreparationError.
    """

    def run(command: Sequence[str], problem: str, advice: str) -> None:
        environment = clean_environment(**_PIP_ENVIRONMENT)
        try:
            run_command(command, environment=environment, timeout=_TIMEOUT, cancelled=cancelled, inherit=[lock])
        except CommandError as error:
            raise explain(problem, error, advice) from error

    installer = _find_installer(folder)
    pip = () if installer.needs_pip else ("--without-pip",)
    run(
        [sys.executable, "-m", "venv", *pip, str(folder)],
        "cannot create a virtual environment for the build requirements",
        "On Debian and its like, install python3-venv.",
    )
    run(
        [*installer.command, *requirements],
        f"cannot install the build requirements {', '.join(requirements)}",
        "Check requires in [build-system] of pyproject.toml, and that the package index can be reached: the settings "
        "are those that pip itself finds (pip config list).",
    )
    _compile(folder, lock, cancelled)


def digest_installed(folder: Path) -> str:
    """Return the sha256 over what is installed in the environment `folder`, as its records have it, and its Python."""
    digest = hashlib.sha256(f"{platform.python_implementation()} {platform.python_version()}\n".encode())
    for entry in sorted(_list_installed(folder)):
        digest.update(f"{entry}\n".encode())
    return digest.hexdigest()


def _list_installed(folder: Path) -> list[str]:
    """Return a line for each installed file: its path and its digest."""
    distributions = metadata.distributions(path=[str(path) for path in _site_packages(folder)])
    return [
        f"{file.as_posix()} {file.hash.mode}={file.hash.value}"
        for distribution in distributions
        for file in distribution.files or ()
        # Scripts, outside, hold the path of the environment; bytecode is made from the rest.
        if file.hash and ".." not in file.parts and file.suffix != ".pyc" and file.name not in _HOW_NOT_WHAT
    ]


def _site_packages(folder: Path) -> list[Path]:
    return sorted(folder.glob("lib/python*/site-packages")) + sorted(folder.glob("lib/pypy*/site-packages"))


def _find_installer(folder: Path) -> _Installer:
    """Return the first that works here: pip beside the running Python, a pip of the environment's own, or uv."""
    python = str(folder / "bin" / "python")
    if _pip_installs_elsewhere():
        return _Installer((sys.executable, "-m", "pip", "--python", python, "install", *_PIP))
    if importlib.util.find_spec("ensurepip"):
        return _Installer((python, "-m", "pip", "install", *_PIP), needs_pip=True)
    uv = shutil.which("uv")
    if uv:
        return _Installer((uv, "pip", "install", "--python", python, "--quiet"))
    raise PreparationError(
        "cannot install build requirements: there is neither pip nor ensurepip nor uv",
        advice="Install pip or uv beside pytest; on Debian and its like, python3-venv does as well.",
    )


def _pip_installs_elsewhere() -> bool:
    """Return whether the running Python has a pip with ``--python``, which came with 22.3."""
    try:
        major, minor = metadata.version("pip").split(".")[:2]
        return (int(major), int(minor)) >= (22, 3)
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _compile(folder: Path, lock: int, cancelled: Cancelled) -> None:
    """Write all bytecode now: builds see the environment read-only, and each should see the same."""
    # "Unchecked" bytecode (PEP 552) stays valid whatever clock and times a build sees.
    options = ("-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    try:
        run_command(
            [str(folder / "bin" / "python"), "-m", "compileall", *options, *map(str, _site_packages(folder))],
            environment=clean_environment(),
            timeout=_TIMEOUT,
            cancelled=cancelled,
            inherit=[lock],
        )
    except CommandError as error:
        # Some packages carry templates and old syntax that no compiler takes; nobody imports those.
        if cancelled():
            raise explain("cannot compile the build requirements", error) from error
