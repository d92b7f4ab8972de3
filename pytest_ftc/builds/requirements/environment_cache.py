"""The cache of build environments: each is created once and never modified afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.builds.requirements.commands import Cancelled, mask_credentials, never
from pytest_ftc.builds.requirements.install import digest_installed, install
from pytest_ftc.model.errors import PreparationError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.file_lock import try_lock

_MARKER = "ftc-complete.json"
_LAYOUT = "python-1"
"""Changes if environments created by earlier versions of this package can no longer be used."""
_LOCK_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class BuildEnvironment:
    """A complete environment, which is not modified any more."""

    python: Path
    digest: str
    """SHA-256 of everything installed."""


def default_cache() -> Path:
    """Return the folder of the environments for all projects of this user."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("pytest-ftc"), "build-environments")


def provide_environment(cache: Path, requirements: Sequence[str], cancelled: Cancelled = never) -> BuildEnvironment:
    """Return an environment with `requirements` and PyPA's ``build``, created unless it exists below `cache`.

    Concurrent sessions that need the same environment create it once; an incomplete one is created again.
    Raises PreparationError.
    """
    wanted = sorted({*requirements, "build"})
    folder = cache / _key(wanted)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        ready = _read_marker(folder)
        if ready is None:
            with _hold_lock(folder.with_suffix(".lock"), cancelled) as lock:
                ready = _read_marker(folder) or _make(folder, wanted, lock, cancelled)
    except OSError as error:
        raise PreparationError(
            f"cannot store a build environment in {cache}: {error.strerror or error}",
            advice="Set XDG_CACHE_HOME to a writable folder.",
        ) from error
    return ready


def installed_digests(cache: Path) -> set[str]:
    """Return the digests of the complete environments in `cache`."""
    ready = (_read_marker(folder) for folder in cache.iterdir()) if cache.is_dir() else ()
    return {environment.digest for environment in ready if environment}


def _key(wanted: Sequence[str]) -> str:
    """Return the name of the environment: a digest of the requirements, the Python and the kind of machine."""
    # Not sys.executable, which may be in a venv: all venvs of one Python share the environment.
    base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    python = [sys.implementation.name, platform.python_version(), base, sysconfig.get_platform(), *platform.libc_ver()]
    return hashlib.sha256(json.dumps([_LAYOUT, python, list(wanted), _constraints()]).encode()).hexdigest()[:32]


def _constraints() -> list[str]:
    """Return the contents of pip's and uv's constraint files: a newly pinned version needs a new environment."""
    words = [word for name in ("PIP_CONSTRAINT", "UV_CONSTRAINT") for word in os.environ.get(name, "").split()]
    return [Path(word).read_text(errors="replace") if Path(word).is_file() else word for word in words]


def _read_marker(folder: Path) -> BuildEnvironment | None:
    """Return the environment in `folder` if it is complete, and its base Python is still there."""
    python = folder / "bin" / "python"
    try:
        digest = json.loads((folder / _MARKER).read_text())["digest"]
    except (OSError, ValueError, KeyError):
        return None
    return BuildEnvironment(python, digest) if os.access(python, os.X_OK) else None


def _make(folder: Path, wanted: Sequence[str], lock: int, cancelled: Cancelled) -> BuildEnvironment:
    # Not renamed into place, because scripts of a virtual environment contain its path; the marker is written last.
    remove_tree(str(folder))
    install(folder, wanted, lock, cancelled)
    digest = digest_installed(folder)
    _write_marker(folder, {"digest": digest, "requirements": [mask_credentials(item) for item in wanted]})
    return BuildEnvironment(folder / "bin" / "python", digest)


def _write_marker(folder: Path, content: dict[str, object]) -> None:
    replace_file(folder / _MARKER, json.dumps(content, indent=1).encode())


@contextlib.contextmanager
def _hold_lock(path: Path, cancelled: Cancelled) -> Iterator[int]:
    """Hold the lock file `path`, and yield its descriptor.

    An installer inherits the descriptor, and thus the lock if this process is killed (flock(2)), so that no other
    session starts while an orphaned installer is still writing.
    """
    with open(path, "w") as file:
        while not try_lock(file.fileno()):
            if cancelled():
                raise PreparationError("the session ended while another one created the build environment")
            time.sleep(_LOCK_POLL_SECONDS)
        yield file.fileno()
