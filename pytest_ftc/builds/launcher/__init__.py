"""The program that sets up a build environment and runs the build in it.

It runs as a separate program (see `command`), reads one JSON spec, and writes one JSON result.  It uses only the
standard library, so that it starts in milliseconds and can be sent to remote workers as a zip.
"""

from __future__ import annotations

import os
import sys

BOOTSTRAP = """
import sys
sys.path.append(sys.argv.pop(1))
from pytest_ftc.builds.launcher.main import main
sys.exit(main(sys.argv[1]))
"""

SERVE = """
import os, sys
if os.fork():
    os._exit(0)
sys.path.append(sys.argv.pop(1))
from pytest_ftc.builds.launcher.serve import serve
serve()
"""
_ROOM = 4096
"""Bytes of an argument that is only there so that launchers can show their work folder in its place."""


def command(spec: int, work: str) -> list[str]:
    """Return the argv that launches the build described by the JSON behind the inherited descriptor `spec`.

    The folder `work` is there for those who list processes.

    The package's folder goes last on the path, so that nothing beside it can shadow the standard library.
    """
    return [sys.executable, "-I", "-S", "-c", BOOTSTRAP, _root(), str(spec), work]


def command_to_serve() -> list[str]:
    """Return the argv of what starts a process that launches what the socket asks for that is its standard input.

    It ends at once: that process is no child of ours, for which a test may wait.
    """
    return [sys.executable, "-I", "-S", "-c", SERVE, _root(), "-" * _ROOM]


def _root() -> str:
    return os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
