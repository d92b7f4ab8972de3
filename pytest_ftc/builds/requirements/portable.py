"""Installed build requirements, copied so that another machine can use them at another path."""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.builds.interpreter import NEEDS, describe_interpreter
from pytest_ftc.builds.launcher.trees import copy_tree, list_folder
from pytest_ftc.model.errors import PreparationError
from pytest_ftc.model.machine import Needs
from pytest_ftc.model.support.serialization import to_json

_OF_THIS_MACHINE = re.compile(r"pyvenv\.cfg|ftc-complete\.json|bin/((python|pypy)[0-9.]*|activate.*|Activate\.ps1)")
"""What has this machine's paths, and what the other machine makes anew."""
_ELF = b"\x7fELF"
_GLIBC = re.compile(rb"GLIBC_([0-9]+)\.([0-9]+)")


@dataclass(frozen=True, slots=True)
class Portable:
    """Build requirements for another machine."""

    folder: Path
    """What it needs of the virtual environment."""
    needs: Needs


class PortableEnvironments:
    """Copies of virtual environments below `folder`, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[Path, str], Portable] = {}
        self._lock = threading.Lock()

    def provide(self, environment: Path, at: str) -> Portable:
        """Return a copy of the virtual `environment` for builds that see it at the path `at`.

        Raises PreparationError.
        """
        with self._lock:
            key = environment, at
            if key not in self._known:
                try:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    self._known[key] = _copy(environment, at, Path(tempfile.mkdtemp(dir=self._folder)))
                except OSError as error:
                    raise PreparationError(f"cannot copy the build requirements: {error}") from error
            return self._known[key]


def _copy(environment: Path, at: str, target: Path) -> Portable:
    """Copy the `environment` to the empty folder `target`.  Raises OSError."""
    start = len(f"{environment}/")

    def entries(folder: str) -> list[str]:
        below = f"{folder}/"[start:]
        return [name for name in list_folder(folder) if not _OF_THIS_MACHINE.fullmatch(f"{below}{name}")]

    copy_tree(str(environment), str(target), entries=entries)
    needs = _find_needs(target)
    (target / NEEDS).write_text(json.dumps(to_json(needs), sort_keys=True))
    _set_time(environment.stat().st_mtime_ns, target / NEEDS, target)
    _rewrite_scripts(environment, at, target / "bin")
    return Portable(target, needs)


def _rewrite_scripts(environment: Path, at: str, folder: Path) -> None:
    """Have the scripts in `folder` start the Python of the environment where it will be."""
    for script in folder.iterdir():
        if script.is_file() and not script.is_symlink() and (data := script.read_bytes()).startswith(b"#!"):
            moment = script.stat().st_mtime_ns
            script.write_bytes(data.replace(bytes(environment), at.encode()))
            _set_time(moment, script)


def _set_time(moment: int, *paths: Path) -> None:
    """Set the times of `paths`, which tools may copy: the same in each session."""
    for path in paths:
        os.utime(path, ns=(moment, moment))


def _find_needs(folder: Path) -> Needs:
    """Return what the packages in `folder`, installed for the running Python, need."""
    python = describe_interpreter()
    plain = Needs(implementation=python.implementation, series=".".join(python.version.split(".")[:2]))
    versions = [_glibc_of(data) for data in _compiled(folder)]
    if not versions:
        return plain
    major, minor = max(versions)
    return Needs(
        implementation=plain.implementation,
        series=plain.series,
        abi=python.abi,
        libc=f"glibc {major}.{minor}" if major else "",
    )


def _compiled(folder: Path) -> Iterator[bytes]:
    """Yield the contents of the files that are compiled for a machine."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                begin = file.read(len(_ELF))
                if begin == _ELF:
                    yield begin + file.read()


def _glibc_of(data: bytes) -> tuple[int, int]:
    """Return the newest version of glibc whose symbols an ELF file uses; zeros if it uses none."""
    found = [(int(major), int(minor)) for major, minor in _GLIBC.findall(data)]
    return max(found, default=(0, 0))
