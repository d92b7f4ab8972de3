"""A build that does all it can to outlive its end, or that of its launcher or session, does not."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from kinds_of_machine import MASKED_PROC

NO_NAMESPACES = ("unshare", "-Urm", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --no-new-privs "$@"', "sh")  # fmt: skip
MASKED = ("unshare", "-Urm", "sh", "-c", MASKED_PROC, "sh")
DAEMON = """
import os, signal, sys
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.chdir("/")
os.closerange(0, 3)
os.execve("/bin/sleep", ["sleep", sys.argv[1]], {})
"""


class Build:
    """A build whose daemons are recognised by the seconds they sleep."""

    def __init__(self, folder: Path, prefix: tuple[str, ...], *, then: str, timeout: float = 60) -> None:
        self.mark = f"9{secrets.randbelow(10**9)}"
        (folder / "daemon.py").write_text(DAEMON)
        (folder / "pytest.ini").write_text("[pytest]\n")
        build = (
            f"python3 daemon.py {self.mark}; env -i setsid python3 daemon.py {self.mark}; sleep 0.3; echo > out; {then}"
        )
        (folder / "ftc.toml").write_text(
            f"retries = 0\n[artifacts.daemons]\nbuild = '''{build}'''\noutputs = ['out']\ntimeout = {timeout}\n"
        )
        self.session = subprocess.Popen(
            [*prefix, sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", "-p", "no:cacheprovider"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def daemons(self) -> list[int]:
        return [pid for pid, line in commands() if line == f"sleep {self.mark} "]

    def launchers(self) -> list[int]:
        """The launchers of the session, those that were started first first."""
        below = {self.session.pid}
        below.update(pid for pid, _ in sorted(commands()) if parent(pid) in below and not below.add(pid))
        pipes = {pipe for pid in below for pipe in links_of(pid)}
        found = []
        for pid, line in sorted(commands()):
            is_launcher = "pytest_ftc.builds.launcher" in line and not line.strip().endswith(" serve")
            # The session holds the other end of its standard input.
            if is_launcher and (parent(pid) in found or pipes.intersection(links_of(pid, "0"))):
                found.append(pid)
        return found

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)


def commands() -> list[tuple[int, str]]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            found.append((int(folder.name), line))
    return found


def links_of(pid: int, name: str = "*") -> list[str]:
    """Return what the descriptors of a process are."""
    found = []
    for path in Path(f"/proc/{pid}/fd").glob(name):
        with contextlib.suppress(OSError):
            found.append(os.readlink(path))
    return found


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.fixture(params=["namespaces", "no namespaces", "a masked /proc"])
def start(request, tmp_path) -> Iterator[Callable[..., Build]]:
    prefix = {"no namespaces": NO_NAMESPACES, "a masked /proc": MASKED}.get(request.param, ())
    tmp_path.chmod(0o755)
    builds = []

    def start(**settings) -> Build:
        builds.append(Build(tmp_path, prefix, **settings))
        return builds[-1]

    yield start
    for build in builds:
        build.session.kill()
        build.session.wait()
        for pid in build.daemons():
            os.kill(pid, signal.SIGKILL)


def test_none_survives_the_end_of_its_build(start):
    build = start(then="true")
    build.wait_until(lambda: len(build.daemons()) >= 2)
    assert build.session.wait(30) == 0
    assert build.daemons() == []


def test_none_survives_a_timeout(start):
    build = start(then="sleep 1000", timeout=1.5)
    build.wait_until(lambda: len(build.daemons()) >= 2)
    assert build.session.wait(30) == 1
    assert build.daemons() == []


@pytest.mark.parametrize("which", ["outer", "inner", "both"])
def test_none_survives_a_launcher_that_is_killed(start, which):
    build = start(then="sleep 1000")
    build.wait_until(lambda: len(build.daemons()) >= 2)
    outer, *others = build.launchers()
    inner = [pid for pid in others if parent(pid) == outer]
    victims = {"outer": [outer], "inner": inner or [outer], "both": [outer, *inner]}[which]
    for pid in victims[1:]:
        os.kill(pid, signal.SIGSTOP)  # so that it does nothing between the two
    for pid in victims:
        # The inner one may end with the outer one before it is killed.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert build.session.wait(30) == 1
    assert build.daemons() == []


def test_none_survives_a_session_that_is_killed(start):
    build = start(then="sleep 1000")
    build.wait_until(lambda: len(build.daemons()) >= 2)
    build.session.kill()
    build.session.wait()
    build.wait_until(lambda: not build.daemons())
    # Its work folder stays until the next session begins.
    assert start(then="true").session.wait(30) == 0


STOPS = {
    "alone": (NO_NAMESPACES, "kill -STOP $PPID", "-9"),
    "the inner": (MASKED, "kill -STOP $PPID", "247"),
    "both": (MASKED, "kill -STOP $(ps -o ppid= $PPID) $PPID", "-9"),
}


@pytest.mark.parametrize("which", STOPS)
def test_a_build_that_stops_its_launcher_is_lost_and_the_session_goes_on(tmp_path, which):
    """Without a PID namespace it can; the launcher then watches no time limit."""
    prefix, stop, status = STOPS[which]
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "ftc.toml").write_text(
        f"retries = 0\n[artifacts.stops]\nbuild = '{stop}; sleep 600'\noutputs = ['out']\ntimeout = 5\n"
        "[artifacts.other]\nbuild = 'echo > out'\noutputs = ['out']\n"
    )
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "error         stops" in done.stdout, done.stdout
    assert f"the launcher ended with status {status}" in " ".join(done.stdout.split())
    assert "reproducible  other" in done.stdout
