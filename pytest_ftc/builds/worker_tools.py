"""What a build uses of its worker: digests that tell which tool or library two workers do not share."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.model import Action, Trace

_NOT_INSTALLED = ("/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp")
_MOST_FILES, _MOST_SECONDS = 20_000, 60.0
_CHUNK = 1 << 20
_DIGEST = re.compile("[0-9a-f]{64}")


def list_tools(action: Action) -> dict[str, str]:
    """Return the sha256 of the programs that the command names, and of package databases, by path."""
    variables = action.environment.variables
    toolchain = Toolchain(variables.get("PATH", "").split(os.pathsep))
    described = toolchain.describe(action.command, variables, action.snapshot)
    return {path: digest for path, digest in described.items() if _DIGEST.fullmatch(digest)}


def list_used(action: Action, trace: Trace) -> dict[str, str]:
    """Return the sha256 of the files of the worker that a traced build has executed or read, by path.

    Files that are there no longer, or too many to read in a minute, are left out.
    """
    environment = action.environment
    own = [environment.build_path, environment.home, environment.temp_dir, str(action.root or "")]
    outside = tuple(f"{folder}/" for folder in (*_NOT_INSTALLED, *own) if folder)
    end = time.monotonic() + _MOST_SECONDS
    found: dict[str, str] = {}
    for path in _paths(trace):
        if len(found) == _MOST_FILES or time.monotonic() > end:
            break
        if not path.startswith(outside) and (digest := _hash(_place(path, action.shown))):
            found[path] = digest
    return found


def _paths(trace: Trace) -> Iterator[str]:
    executed = (os.path.join(program.folder, program.program) for program in trace.programs)  # noqa: PTH118
    yield from sorted({*executed, *(path for _, path in trace.read)})


def _place(path: str, shown: Mapping[str, Path]) -> str:
    """Return where the worker has a file that the build sees at `path`."""
    for at, folder in shown.items():
        if path.startswith(f"{at}/"):
            return f"{folder}{path[len(at) :]}"
    return path


def _hash(path: str) -> str:
    """Return the digest of a regular file; empty if it is none or cannot be read."""
    hashed = hashlib.sha256()
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return ""
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
    except (OSError, ValueError):
        return ""
    return hashed.hexdigest()
