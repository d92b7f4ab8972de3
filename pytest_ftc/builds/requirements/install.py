"""Installing build requirements into a new virtual environment, with the available tool."""

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
    """An installer."""

    command: tuple[str, ...]
    """The command without the requirements."""
    needs_pip: bool = False
    """Whether the new environment needs its own pip."""


def install(folder: Path, requirements: Sequence[str], lock: int, cancelled: Cancelled) -> None:
    """Create the virtual environment `folder` with `requirements`; its installers inherit the descriptor `lock`.

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
        "On Debian and derivatives, install python3-venv.",
    )
    run(
        [*installer.command, *requirements],
        f"cannot install the build requirements {', '.join(requirements)}",
        "Check requires in [build-system] of pyproject.toml, and that the package index can be reached: pip's own "
        "settings apply (pip config list).",
    )
    _compile(folder, lock, cancelled)


def digest_installed(folder: Path, python: str = "") -> str:
    """Return the SHA-256 of the packages in the environment `folder`, according to their RECORDs, and of its Python.

    The name of `python` is such as ``CPython 3.11.2``, and by default that of the running one.
    """
    python = python or f"{platform.python_implementation()} {platform.python_version()}"
    digest = hashlib.sha256(f"{python}\n".encode())
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
        # Scripts, which are outside, contain the path of the environment; bytecode is generated from the rest.
        if file.hash and ".." not in file.parts and file.suffix != ".pyc" and file.name not in _HOW_NOT_WHAT
    ]


def _site_packages(folder: Path) -> list[Path]:
    return sorted(folder.glob("lib/python*/site-packages")) + sorted(folder.glob("lib/pypy*/site-packages"))


def _find_installer(folder: Path) -> _Installer:
    """Return the first installer that works here: the running Python's pip, the environment's own pip, or uv."""
    python = str(folder / "bin" / "python")
    if _pip_installs_elsewhere():
        return _Installer((sys.executable, "-m", "pip", "--python", python, "install", *_PIP))
    if importlib.util.find_spec("ensurepip"):
        return _Installer((python, "-m", "pip", "install", *_PIP), needs_pip=True)
    uv = shutil.which("uv")
    if uv:
        return _Installer((uv, "pip", "install", "--python", python, "--quiet"))
    raise PreparationError(
        "cannot install build requirements: found neither pip nor ensurepip nor uv",
        advice="Install pip or uv beside pytest; on Debian and derivatives, python3-venv also works.",
    )


def _pip_installs_elsewhere() -> bool:
    """Return whether the running Python has a pip with ``--python`` (22.3 or later)."""
    try:
        major, minor = metadata.version("pip").split(".")[:2]
        return (int(major), int(minor)) >= (22, 3)
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _compile(folder: Path, lock: int, cancelled: Cancelled) -> None:
    """Write all bytecode now: the environment is read-only in builds, and each should see the same."""
    # "Unchecked" bytecode (PEP 552) stays valid whatever clock and mtimes a build sees.
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
        # Some packages contain templates or old syntax that do not compile; nothing imports those.
        if cancelled():
            raise explain("cannot compile the build requirements", error) from error
