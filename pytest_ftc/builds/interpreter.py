"""The Python that runs this program, and folders of packages that become virtual environments of it."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from pytest_ftc.model.machine import Interpreter

NEEDS = "ftc-needs.json"
"""The file in such a folder with what its packages need of a Python: `pytest_ftc.model.machine.Needs`."""


def describe_interpreter() -> Interpreter:
    """Return the Python that runs this program."""
    libc = ""
    with contextlib.suppress(AttributeError, ValueError, OSError):  # other systems and other C libraries
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    return Interpreter(
        path=getattr(sys, "_base_executable", None) or sys.executable,
        implementation=platform.python_implementation(),
        version=platform.python_version(),
        abi=EXTENSION_SUFFIXES[0],
        libc=libc,
    )


def complete_environment(folder: Path, python: Interpreter) -> None:
    """Make `folder`, which has packages and scripts, a virtual environment of `python`.

    That is a link to the program, and a file that names its folder: see PEP 405.  The module venv would also write
    the path of the folder, which is not that at which builds see it.  Raises OSError.
    """
    moment = folder.stat().st_mtime_ns
    scripts, settings = folder / "bin", folder / "pyvenv.cfg"
    scripts.mkdir(exist_ok=True)
    links = [scripts / name for name in ("python", "python3")]
    for link in links:
        link.symlink_to(python.path)
    home = os.path.dirname(python.path)  # noqa: PTH120
    settings.write_text(f"home = {home}\ninclude-system-site-packages = false\nversion = {python.version}\n")
    for path in (*links, scripts, settings, folder):
        os.utime(path, ns=(moment, moment), follow_symlinks=False)
