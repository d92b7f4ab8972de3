"""A virtual environment with build requirements, made once and used by every build after."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.errors import PreparationError
from pytest_ftc.launcher.trees import remove_tree

_MARKER = "ftc-complete.json"
_SHOWN_LINES = 15
_INSTALL_TIMEOUT = 1800.0
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True, slots=True)
class BuildEnvironment:
    """A complete environment."""

    python: Path
    digest: str
    """sha256 over the records of everything installed."""


def default_cache() -> Path:
    """Return the folder in which environments are kept for all projects of this user."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("pytest-ftc"), "build-environments")


def provide_environment(cache: Path, requirements: Sequence[str]) -> BuildEnvironment:
    """Return an environment with `requirements` and PyPA's ``build``, made now unless it exists below `cache`.

    Sessions that need the same one at the same time make it once; one whose making was interrupted is made anew.
    Raises PreparationError.
    """
    from filelock import FileLock

    wanted = sorted({*requirements, "build"})
    folder = cache / _key(wanted)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        ready = _read_marker(folder)
        if ready is None:
            with FileLock(f"{folder}.lock"):
                ready = _read_marker(folder) or _make(folder, wanted)
    except OSError as error:
        raise PreparationError(
            f"cannot keep a build environment in {cache}: {error.strerror or error}",
            advice="Set XDG_CACHE_HOME to a folder that can be written.",
        ) from error
    return ready


def explain_failure(what: str, output: bytes) -> str:
    """Return `what` with the end of a tool's output, credentials in addresses masked."""
    lines = output.decode(errors="replace").strip().splitlines()[-_SHOWN_LINES:]
    return _CREDENTIALS.sub("****@", "\n".join([f"{what}:", *(f"  {line}" for line in lines)]))


def _key(wanted: Sequence[str]) -> str:
    python = [sys.implementation.name, platform.python_version(), sys.base_prefix, platform.platform()]
    return hashlib.sha256(json.dumps([python, list(wanted)]).encode()).hexdigest()[:32]


def _read_marker(folder: Path) -> BuildEnvironment | None:
    try:
        digest = json.loads((folder / _MARKER).read_text())["digest"]
    except (OSError, ValueError, KeyError):
        return None
    return BuildEnvironment(folder / "bin" / "python", digest)


def _make(folder: Path, wanted: Sequence[str]) -> BuildEnvironment:
    remove_tree(str(folder))
    python = folder / "bin" / "python"
    _run(
        [sys.executable, "-m", "venv", str(folder)],
        "cannot create a virtual environment for the build requirements",
        "On Debian and its like, install python3-venv.",
    )
    _run(
        [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet", *wanted],
        f"cannot install the build requirements {', '.join(wanted)}",
        "Check [build-system] requires, and that pip reaches its index.",
    )
    digest = _digest(folder)
    partial = folder / f"{_MARKER}.part"
    with open(partial, "w") as marker:
        json.dump({"digest": digest, "requirements": list(wanted)}, marker)
        marker.flush()
        os.fsync(marker.fileno())
    partial.rename(folder / _MARKER)
    return BuildEnvironment(python, digest)


def _run(command: Sequence[str], problem: str, advice: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    # Bytecode is written now, since the environment is read-only to builds.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_INSTALL_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise PreparationError(f"{problem}: still running after {_INSTALL_TIMEOUT:g} s", advice=advice) from None
    if done.returncode:
        raise PreparationError(explain_failure(problem, done.stdout), advice=advice)


def _digest(folder: Path) -> str:
    """Return the sha256 over what is installed: each distribution's RECORD holds the digests of its files."""
    digest = hashlib.sha256()
    for record in sorted(folder.glob("lib*/python*/site-packages/*.dist-info/RECORD")):
        lines = sorted(line for line in record.read_text().splitlines() if ".pyc," not in line and "/bin/" not in line)
        digest.update("\n".join([record.parent.name, *lines, ""]).encode())
    return digest.hexdigest()
