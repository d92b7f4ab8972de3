"""BuildGrid, a farm with a scheduler, on a PostgreSQL of its own, and two workers in the pools ``a`` and ``b``."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from services.buildbox import find_buildbox, free_port, need_buildbox, write_runner
from services.full_disk import on_small_disk
from services.supervisor import Supervisor, descendants, wait_until

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.file_lock import locked

_VERSION = "0.9.1"
_POOLS = ("a", "b")
_KEEPALIVE = 3
"""Seconds after which the server takes a silent worker for lost."""
_CONFIGURATION = """\
server:
  - !channel {{address: "127.0.0.1:{port}", insecure-mode: true}}
authorization: {{method: none}}
connections:
  - !sql-connection &sql {{connection-string: "{database}", pool-size: 5}}
storages:
  - !disk-storage &cas {{path: {folder}/cas}}
caches:
  - !lru-action-cache &ac {{storage: *cas, max-cached-refs: 4096, allow-updates: true, cache-failed-actions: false}}
schedulers:
  - !sql-scheduler &scheduler
    sql: *sql
    storage: *cas
    action-cache: *ac
    property-set: !dynamic-property-set
      match-property-keys: [pool, hostname]
      wildcard-property-keys: [unixUID, unixGID]
    poll-interval: 0.25
    bot-poll-interval: 0.25
    bot-session-keepalive-timeout: {keepalive}
    session-expiry-timer-interval: 1
    execution-timer-interval: 1
    max-execution-timeout: 7200
    max-job-attempts: 3
    assigners: [!priority-age-assigner {{count: 1, interval: 0.2, priority-assignment-percentage: 100}}]
instances:
  - name: ""
    services:
      - !action-cache {{cache: *ac}}
      - !execution {{scheduler: *scheduler, operation-stream-keepalive-timeout: 10}}
      - !cas {{storage: *cas}}
      - !bytestream {{storage: *cas}}
thread-pool-size: 40
"""


class BuildGrid:
    """A BuildGrid with all that is its own in a new folder.  Use as a context manager.

    Actions see the folders of the system and those in `shown`, and on the worker of each pool its `own`: what is seen,
    and where it is.  The test fails, or is skipped for want of a Python that BuildGrid needs, where it cannot be.
    """

    def __init__(self, shown: Sequence[str | Path] = (), own: Mapping[str, Mapping[str, Path]] | None = None) -> None:
        self._programs = install()
        self._postgres = find_postgres() or pytest.fail("no PostgreSQL (apt-get install postgresql): no BuildGrid")
        # PostgreSQL refuses to be root, and folders of pytest are closed to its user.
        self.folder = Path(tempfile.mkdtemp(prefix="buildgrid-"))
        self.folder.chmod(0o755)
        self._user = _user_of_postgres()
        self.port = free_port()
        self.target = f"127.0.0.1:{self.port}"
        self._database_port = free_port()
        self._database = f"postgresql://postgres@127.0.0.1:{self._database_port}/postgres"
        self._supervisor = Supervisor()
        self._server = 0
        self._workers: dict[str, list[int]] = {}
        self._runners = {
            pool: write_runner(self.folder / f"runner-{pool}.sh", shown, (own or {}).get(pool)) for pool in _POOLS
        }

    def __enter__(self) -> BuildGrid:
        try:
            self._start_database()
            self.start()
            for pool in _POOLS:
                self.start_worker(pool)
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
        """Start the server with what is on its disk and in its database, and wait until it answers.

        With `room`, its contents have an empty disk of so many bytes.
        """
        (self.folder / "cas").mkdir(exist_ok=True)
        text = _CONFIGURATION.format(port=self.port, database=self._database, folder=self.folder, keepalive=_KEEPALIVE)
        (self.folder / "server.yml").write_text(text)
        command = [*on_small_disk(self.folder / "cas", room)] if room else []
        command += [self._programs / "bgd", "server", "start", self.folder / "server.yml"]
        self._server = self._start("server", command)
        self._wait_for(self.port, "server")

    def kill(self) -> None:
        """End the server as by a crash; the database and the workers go on."""
        self._supervisor.kill_all(self._server)

    def restart(self, *, empty: bool = False, room: int = 0) -> None:
        """Start the killed server again, with the contents that it had, with none, or a disk of `room` bytes."""
        if empty:
            shutil.rmtree(self.folder / "cas")
        self.start(room)

    def start_worker(self, pool: str) -> None:
        """Start the worker ``worker-POOL`` in `pool`."""
        folder = self.folder / f"worker-{pool}"
        folder.mkdir(exist_ok=True)
        socket_file = folder / "casd.sock"
        socket_file.unlink(missing_ok=True)
        casd = [need_buildbox() / "buildbox-casd", "--bind", f"unix:{socket_file}", "--cas-remote"]
        cache = self._start(f"casd-{pool}", [*casd, f"http://{self.target}", folder / "cache"])
        wait_until(lambda: _listens(socket_file), lambda: f"no casd for a worker:\n{self._read(f'casd-{pool}')}")
        bot: list[object] = [self._programs / "python", "-P", Path(__file__).with_name("buildgrid_bot.py")]
        bot += [self.target, f"worker-{pool}", pool, folder, self._runners[pool], f"--remote=unix:{socket_file}"]
        self._workers[pool] = [self._start(f"bot-{pool}", bot), cache]

    def kill_worker(self, pool: str) -> None:
        """End a worker with all that it runs, as when its machine is lost."""
        for process in self._workers.pop(pool):
            self._supervisor.kill_all(process)

    def lose_worker(self, chance: random.Random) -> int:
        """Kill a worker, one that runs an action if there is one, start it again, and return how many were killed."""
        pool = chance.choice([pool for pool in _POOLS if self.actions_in(pool)] or _POOLS)
        self.kill_worker(pool)
        self.start_worker(pool)
        return 1

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Yield whether actions stay in the queue meanwhile: the workers take none."""
        bots = [processes[0] for processes in self._workers.values()]
        for bot in bots:
            os.kill(bot, signal.SIGSTOP)
        try:
            yield True
        finally:
            for bot in bots:
                os.kill(bot, signal.SIGCONT)

    def actions(self) -> list[int]:
        """Return the processes of actions that run on the workers, or did on one that is lost."""
        return [each for each in self._supervisor.processes() if _is_of_an_action(each)]

    def actions_in(self, pool: str) -> list[int]:
        """Return the processes of actions that run on the worker of `pool`."""
        return [each for each in descendants(self._workers[pool][0]) if _is_of_an_action(each)]

    def close(self) -> None:
        """End everything, and remove its folder."""
        self._supervisor.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, digest: Digest | str) -> Path:
        """Return the file in which it keeps a content, given by its digest or SHA-256.  Raises FileNotFoundError."""
        name = digest if isinstance(digest, str) else digest.hash
        for found in (self.folder / "cas").rglob(f"{name[:2]}/{name[2:]}"):
            return found
        raise FileNotFoundError(name)

    def files(self) -> list[Path]:
        """Return the files of all contents that it has."""
        return sorted(path for path in (self.folder / "cas").rglob("*") if path.is_file())

    def results(self) -> list[Path]:
        """Return the files of its action cache, which are among those of all contents."""
        return self.files()

    def _start_database(self) -> None:
        folder = self.folder / "database"
        folder.mkdir()
        if self._user >= 0:
            os.chown(folder, self._user, self._user)
        subprocess.run(
            [self._postgres / "initdb", "-A", "trust", "-N", "-U", "postgres", "-D", folder / "data"],
            check=True,
            capture_output=True,
            cwd="/",
            **({"user": self._user, "group": self._user, "extra_groups": []} if self._user >= 0 else {}),  # type: ignore[call-overload]
        )
        command = [self._postgres / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-k", folder]
        options = ["-p", self._database_port, "-c", "fsync=off", "-c", "max_connections=40"]
        # Otherwise, one that is killed leaves files in /dev/shm.
        options += ["-c", "dynamic_shared_memory_type=mmap"]
        self._start("database", [*command, *options], self._user)
        self._wait_for(self._database_port, "database")
        done = subprocess.run(
            [self._programs / "bgd", "migrate", "apply", self._database], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _start(self, name: str, command: Sequence[object], user: int = -1) -> int:
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        return self._supervisor.start(command, self.folder / f"{name}.log", environ, user)

    def _wait_for(self, port: int, name: str) -> None:
        wait_until(lambda: _answers(port), lambda: f"the {name} does not answer:\n{self._read(name)}", 60.0)

    def _read(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()[-2000:]


def find_python() -> str | None:
    """Return a Python with which BuildGrid works: 3.13 or later; None if this machine has none."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [sys.executable, "python3.13", "python3.14", *sorted(root.glob("versions/3.1[3-9]*/bin/python"))]
    for candidate in candidates:
        code = "import sys, venv; sys.exit(sys.version_info < (3, 13))"
        with contextlib.suppress(OSError):
            if subprocess.run([candidate, "-c", code], capture_output=True).returncode == 0:
                return str(candidate)
    return None


def find_postgres() -> Path | None:
    """Return the folder with the programs of PostgreSQL; None if it is not installed."""
    found = [Path(path) for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].resolve().parent if found else None


def why_not() -> str:
    """Return why BuildGrid cannot run on this machine; empty if it can."""
    if find_python() is None:
        return "needs Python 3.13 or later"
    if find_postgres() is None:
        return "needs PostgreSQL"
    return "" if find_buildbox() else "needs BuildBox for its workers"


def install() -> Path:
    """Return the folder with the programs of BuildGrid, which is installed in this virtual environment's own cache."""
    python = find_python()
    if python is None:
        pytest.skip("BuildGrid needs Python 3.13 or later, which is not here")
    folder = Path(sys.prefix) / f"buildgrid-{_VERSION}"
    with locked(f"{folder}.lock"):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", f"buildgrid=={_VERSION}"]
            for command in ([python, "-m", "venv", folder], pip):
                done = subprocess.run(command, capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
            (folder / "complete").touch()
    return folder / "bin"


def _user_of_postgres() -> int:
    """Return the user that runs PostgreSQL, -1 for ours: it refuses to be root."""
    if os.geteuid():
        return -1
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_uid
    return pwd.getpwnam("nobody").pw_uid


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def _listens(file: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.connect(str(file))
        return True
    return False


def _is_of_an_action(process: int) -> bool:
    """Return whether a process runs an action, or is part of one: those have a PID namespace of their own."""
    with contextlib.suppress(OSError):
        program = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0]
        if os.path.basename(program) in (b"buildbox-run", b"bwrap"):
            return True
        return os.readlink(f"/proc/{process}/ns/pid") != os.readlink("/proc/self/ns/pid")
    return False
