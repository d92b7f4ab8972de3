"""Sessions of pytest in processes that are forked from one that has imported pytest and this package.

What a session imports takes it more time than what most tests look at.  Each is a process of its own as before, with its
own folder, environment and arguments; the plugin itself is imported anew, as pytest has to find it.
"""

from __future__ import annotations

import gc
import json
import os
import random
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_AHEAD = (
    "pytest_ftc.verification.session",
    "pytest_ftc.config.project",
    "pytest_ftc.comparison.real_dates",
    "pytest_ftc.reporting.terminal.layout",
    "pytest_ftc.reporting.terminal.summary",
)


class ForkedPytest:
    """Runs sessions one after the other."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def instead_of(self, popen: Callable[..., Any]) -> Callable[..., Any]:
        """Return what `pytester` can call instead of its own `popen`, which runs what is no session of pytest."""

        def start(command: Sequence[str], **how: Any) -> Any:
            is_session = tuple(command[:2]) == (sys.executable, "-mpytest") and hasattr(how.get("stdout"), "name")
            if not is_session or _read_at_start(os.environ) != _read_at_start(self._environment):
                return popen(command, **how)
            self._request(command[2:], [how[name].name for name in ("stdout", "stderr")])
            return _Session(self._process)

        return start

    def _request(self, arguments: Sequence[str], files: Sequence[str]) -> None:
        # As pytester does.
        path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "PYTHONPATH": path}
        request = {"arguments": arguments, "folder": str(Path.cwd()), "environment": environment, "files": files}
        assert self._process.stdin
        print(json.dumps(request), file=self._process.stdin, flush=True)

    def close(self) -> None:
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class _Session:
    """What `pytester` asks of a process."""

    server: subprocess.Popen[str]
    stdin: None = None

    def wait(self) -> int:
        assert self.server.stdout
        return int(self.server.stdout.readline())


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    known = ("LANG", "LC_", "PYTHON", "LD_")
    return {name: value for name, value in environment.items() if name.startswith(known) and name != "PYTHONPATH"}


def _serve() -> dict[str, Any] | None:
    """Fork for each request; return it in the process that is to run it, and None once there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            request: dict[str, Any] = json.loads(line)
            return request
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return None


def _become(request: Mapping[str, Any], packages: Sequence[str]) -> None:
    """Be what `python -m pytest` would be with the arguments, folder, environment and files of `request`."""
    for number, name in enumerate((os.devnull, *request["files"])):
        file = os.open(name, os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    random.seed()
    sys.argv[1:] = request["arguments"]
    sys.path[:] = [request["folder"], *os.environ["PYTHONPATH"].split(os.pathsep), *packages]


def _load() -> None:
    config = import_module("_pytest.config")
    for name in config.default_plugins:
        import_module(f"_pytest.{name}")
    for name in _AHEAD:
        import_module(name)
    # Else pytest warns that it comes too late to rewrite it.
    package = sys.modules["pytest_ftc"]
    package.__doc__ = f"{package.__doc__}PYTEST_DONT_REWRITE"


if __name__ == "__main__":
    del sys.path[0]
    _load()
    gc.collect()
    gc.freeze()
    if received := _serve():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _become(received, list(sys.path))
        runpy.run_module("pytest", run_name="__main__", alter_sys=True)
