"""Real builds by the real launcher, in every way of isolation that this machine has."""

import contextlib
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.machine import survey_machine
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.model import (
    Action,
    BuildResult,
    BuildStatus,
    Environment,
    FileOrder,
    FileSystem,
    Isolation,
    Machine,
    Role,
    Tracing,
)

Build = Callable[..., BuildResult]

pytestmark = pytest.mark.usefixtures("leaves_nothing_behind")


@pytest.fixture(scope="module")
def found() -> Iterator[Machine]:
    with Workspace() as workspace:
        # Where few locales are installed, those that were compiled are in the workspace.
        yield survey_machine(workspace.path)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture(params=[*Isolation, "old proc"], ids=lambda one: getattr(one, "value", one))
def machine(request: pytest.FixtureRequest, found: Machine) -> Machine:
    """The machine, held to one way of isolation; where it lacks that one, the best it has is tested once more."""
    if request.param == "old proc":
        return replace(found, fresh_proc=found.isolation is not Isolation.USER, fresh_proc_reason="a test")
    isolation: Isolation = request.param
    if isolation is Isolation.ROOT and os.geteuid() != 0:
        isolation = found.isolation
    if found.isolation is Isolation.NONE:
        isolation = Isolation.NONE
    return replace(found, isolation=isolation)


@pytest.fixture
def executor(machine: Machine, workspace: Workspace, tmp_path: Path) -> LocalExecutor:
    return LocalExecutor(machine, workspace.folder("builds"), tmp_path / "logs", jobs=2)


@pytest.fixture
def build(executor: LocalExecutor, machine: Machine, workspace: Workspace, tmp_path: Path) -> Build:
    (tmp_path / "source").mkdir()
    for name in "abcdefgh":
        (tmp_path / "source" / name).write_text(name)

    def run(command: str | tuple[str, ...], *, outputs: tuple[str, ...] = ("out",), timeout: float = 20, trace: Tracing = Tracing.NO, keep: Path | None = None, confidential: bool = False, secret_files: Mapping[str, bytes] = MappingProxyType({}), **changes: object) -> BuildResult:  # fmt: skip
        prefix = str(workspace.folder("plain")) if machine.isolation is Isolation.NONE else ""
        environment = Environment(
            build_path=f"{prefix}/ftc-build-test/tree",
            home=f"{prefix}/ftc-home-test",
            temp_dir=f"{prefix}/tmp",
            variables={"PATH": os.defpath, "LC_ALL": "C", "FTC_CANARY": "x"},
        )
        action = Action(
            id="test",
            role=Role.CONTROL,
            command=("/bin/sh", "-c", command) if isinstance(command, str) else command,
            snapshot=tmp_path / "source",
            environment=replace(environment, **changes),  # type: ignore[arg-type]
            described={},
            outputs=outputs,
            timeout=timeout,
            root=workspace.path / "plain" if machine.isolation is Isolation.NONE else None,
            trace=trace,
            keep=keep,
            confidential=confidential,
            secret_files=secret_files,
        )
        return executor.run(action, lambda _: None)

    return run


def text(result: BuildResult, path: str = "out") -> str:
    entry = next(output for output in result.outputs if output.path == path)
    return Path(result.blobs, entry.sha256).read_text(errors="replace")


def test_a_log_that_may_hold_a_secret_goes_with_the_session(build: Build, workspace: Workspace, tmp_path: Path) -> None:
    result = build("echo secret; echo > out", confidential=True)
    assert Path(result.log).read_text() == "secret\n"
    assert workspace.path in Path(result.log).parents
    assert not list((tmp_path / "logs").iterdir())


def test_concealed_files_are_empty_except_for_the_build_that_is_given_one(
    build: Build, executor: LocalExecutor, machine: Machine
) -> None:
    # Not below the temporary folder, which builds do not see anyway.
    own = Path(tempfile.mkdtemp(prefix=".ftc-test-", dir=Path.home()))
    try:
        (own / "keys").mkdir()
        for name in ("keys/key", "file", "given", "others"):
            (own / name).write_text(f"[{name}]")
        executor._concealed = [str(own / name) for name in ("keys", "file", "given", "none")]
        shown = f"cat {own}/keys/key {own}/file {own}/given {own}/others"
        script = f"({shown}; unshare -Urm sh -c 'umount {own}/file {own}/keys; {shown}') > out 2> /dev/null; true"
        result = build(script, variables={"PATH": os.defpath, "GIVEN": str(own / "given"), "FTC_CANARY": "x"})
        seen = set(text(result)[1:-1].split("]["))
    finally:
        shutil.rmtree(own)
    everything = {"keys/key", "file", "given", "others"}
    assert seen == (everything if machine.isolation is Isolation.NONE else {"given", "others"})


def test_a_secret_as_a_file_is_for_the_user_of_the_build(build: Build, machine: Machine) -> None:
    script = "{ cat /ftc-secrets/A && stat -c %a /ftc-secrets/A && test -O /ftc-secrets/A && echo own; } > out; true"
    result = build(script, secret_files={"/ftc-secrets/A": b"s3cr3t\n"})
    assert text(result) == ("" if machine.isolation is Isolation.NONE else "s3cr3t\n400\nown\n")


def test_a_build_sees_its_own_tree_home_and_temporary_folder(build: Build, tmp_path: Path) -> None:
    result = build(
        'cat a b > out; pwd >> out; echo "$HOME" >> out; ls -A "$HOME" "$TMPDIR" >> out; touch "$HOME/x" "$TMPDIR/y"'
    )
    assert result.status is BuildStatus.OK
    lines = text(result).splitlines()
    assert lines[0].endswith("/ftc-build-test/tree")
    assert lines[1].endswith("/ftc-home-test")
    assert not any("x" in line.split("/") for line in lines[2:])
    assert not (tmp_path / "source/out").exists()


def test_the_source_is_the_same_for_the_next_build(build: Build, tmp_path: Path) -> None:
    assert build("rm -rf b; echo changed > a; mkdir out").status is BuildStatus.OK
    assert (tmp_path / "source/a").read_text() == "a"
    assert (tmp_path / "source/b").read_text() == "b"


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        (("no-such-command", "x"), BuildStatus.FAILED, "command not found: no-such-command"),
        (("/etc/passwd",), BuildStatus.FAILED, "cannot execute /etc/passwd"),
        ("exit 7", BuildStatus.FAILED, "exit status 7"),
        ("kill -SEGV $$", BuildStatus.FAILED, "killed by SIGSEGV"),
        ("true", BuildStatus.FAILED, "nothing that matches 'out'"),
        ("mkfifo out", BuildStatus.FAILED, "'out' is a FIFO"),
        ("cat; echo read nothing > out", BuildStatus.OK, ""),
        ("echo 'write error: No space left on device'; exit 1", BuildStatus.LOST, "No space left on device"),
    ],
)
def test_each_end_of_a_build_has_its_name(
    build: Build, command: str | tuple[str, ...], status: BuildStatus, reason: str
) -> None:
    result = build(command)
    assert result.status is status
    assert reason in result.reason


def test_a_timeout_kills_the_whole_tree(build: Build) -> None:
    begin = time.monotonic()
    result = build("trap '' TERM INT HUP; (setsid sleep 1000 &); sleep 1000 & sleep 1000", timeout=0.5)
    assert result.status is BuildStatus.TIMEOUT
    assert result.reason == "still running after 0.5 s"
    assert time.monotonic() - begin < 10


def test_the_cpu_time_of_all_processes_of_a_build_counts(build: Build) -> None:
    busy = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    # The second one is an orphan when it ends.
    used = build(f"python3 -c '{busy}'; (python3 -c '{busy}' &); sleep 2; echo > out").cpu_seconds
    assert used is not None and 0.6 <= used < 10
    slept = build("sleep 0.5; echo > out").cpu_seconds
    assert slept is not None and 0 < slept < 0.4


def test_a_daemon_does_not_survive_its_build(build: Build) -> None:
    daemon = "import os,time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(1000)"
    result = build(f"echo > out; python3 -c '{daemon}'; sleep 0.2")
    assert result.status is BuildStatus.OK
    assert result.notes == ("1 process(es) that the build left running were killed",)


def test_cancelling_ends_running_builds_and_refuses_new_ones(build: Build, executor: LocalExecutor) -> None:
    results: list[BuildResult] = []
    thread = threading.Thread(target=lambda: results.append(build("(setsid sleep 1000 &) ; sleep 1000", timeout=1000)))
    thread.start()
    time.sleep(0.5)
    executor.cancel()
    thread.join(10)
    assert [result.status for result in results] == [BuildStatus.LOST]


def test_a_log_is_kept_in_full_and_its_tail_decoded(build: Build) -> None:
    result = build(r"head -c 100000000 /dev/zero | tr '\0' 'x'; printf '\n\377\033[31mred\n'; exit 1")
    assert Path(result.log).stat().st_size == 100_000_000 + len(b"\n\xff\x1b[31mred\n")
    assert result.log_tail.splitlines()[-1] == "\ufffd\x1b[31mred"


def test_outputs_of_every_name_and_kind_are_taken(build: Build) -> None:
    result = build(
        r"""mkdir out; cd out; touch "$(printf 'new\nline')" "$(printf 'latin-\351')" "$(printf '%255s' | tr ' ' n)"
        ln -s nowhere dangling; ln -s /etc/passwd absolute; echo secret > locked; chmod 000 locked; mkdir -m 000 closed"""
    )
    assert result.status is BuildStatus.OK
    names = {os.fsencode(output.path) for output in result.outputs}
    assert names == {
        b"out", b"out/new\nline", b"out/latin-\xe9", b"out/" + b"n" * 255, b"out/dangling", b"out/absolute",
        b"out/locked", b"out/closed",
    }  # fmt: skip
    assert next(output.target for output in result.outputs if output.path == "out/absolute") == "/etc/passwd"


def test_the_environment_is_what_was_asked_for(build: Build, machine: Machine) -> None:
    result = build(
        "(umask; date +%Y; stat -c %Y a) > out",
        umask=0o007,
        clock_shift=398 * 86400 if machine.faketime else 0,
        source_mtime_shift=-86400,
    )
    umask, year, mtime = text(result).split()
    assert umask == "0007"
    assert (int(year) > time.gmtime().tm_year) == bool(machine.faketime)
    assert 86000 < time.time() - int(mtime) < 86400 + 600


def test_a_clock_stands_still_in_the_present_second_too(build: Build) -> None:
    time.sleep(-time.time() % 1)
    now = int(time.time())
    result = build("date +%s.%N > out; sleep 0.1; date +%s.%N >> out", clock_stop=now)
    one, other = text(result).split()
    assert (one == other and one.startswith(f"{now}.")) == ("time" not in result.not_applied)


def test_folders_list_the_other_way_round(build: Build, machine: Machine, tmp_path: Path) -> None:
    native = os.listdir(tmp_path / "source")
    result = build("ls -U > ../listed; mv ../listed out" if machine.isolation is Isolation.NONE else 'ls -U > "$HOME/listed"; cp "$HOME/listed" out',
                   filesystem=FileSystem.TMPFS, file_order=FileOrder.REVERSED)  # fmt: skip
    if machine.isolation is not Isolation.NONE:
        assert result.not_applied == {}
        assert text(result).split() == native[::-1]


@pytest.mark.parametrize("made", ["made", "/dev/shm/ftc-made-$$", "$TMPDIR/made"])
@pytest.mark.parametrize("order", FileOrder)
def test_folders_that_the_build_made_list_by_name(build: Build, machine: Machine, order: FileOrder, made: str) -> None:
    """Two file systems may list few names alike, so that another file system alone shows nothing."""
    names = ["b", "bin", "c", "z"]
    filesystem = FileSystem.TMPFS if order is FileOrder.REVERSED else FileSystem.DISK
    command = f"mkdir {made}; for n in c bin z b; do : > {made}/$n; done; ls -U {made} > out; rm -r {made}"
    result = build(command, filesystem=filesystem, file_order=order)
    if machine.isolation is not Isolation.NONE:
        assert text(result).split() == (names[::-1] if order is FileOrder.REVERSED else names)


_LISTING = """
import ctypes, os, shutil, signal, threading
libc = ctypes.CDLL(None)
libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p
libc.telldir.restype = ctypes.c_long
for name in ("readdir", "rewinddir", "telldir", "closedir"):
    getattr(libc, name).argtypes = [ctypes.c_void_p]
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
os.mkdir("made"), os.mkdir("big")
assert libc.syscall(217 if os.uname().machine == "x86_64" else 61, os.pipe()[0], ctypes.create_string_buffer(99), 99) < 0
for number in range(40):
    open(f"made/f{number}", "w").close()
for number in range(3000):
    open(f"big/a-long-name-of-a-file-{number}", "w").close()
own = {f"f{number}" for number in range(40)}

def read(folder):
    return list(iter(lambda: (entry := libc.readdir(folder)) and ctypes.string_at(entry + 19).decode(), None))

folder = libc.opendir(b"made")
first = read(folder)
libc.rewinddir(folder)
assert first == read(folder) and set(first) == own | {".", ".."}, first
libc.rewinddir(folder)
[libc.readdir(folder) for _ in range(10)]
position, rest = libc.telldir(folder), read(folder)
libc.seekdir(folder, position)
assert len(rest) == 32 == len(read(folder)), rest
libc.closedir(folder)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
wrong = []

def list_often():
    for _ in range(150):
        if set(os.listdir("made")) != own or len(os.listdir("made")) != 40:
            wrong.append(1)

threads = [threading.Thread(target=list_often) for _ in range(3)]
[each.start() for each in threads], list_often(), [each.join() for each in threads]
signal.setitimer(signal.ITIMER_REAL, 0)
assert not wrong
assert len(os.listdir("big")) == len(set(os.listdir("big"))) == 3000
with os.scandir("made") as entries:
    [os.unlink(each.path) for each in entries]
os.rmdir("made"), shutil.rmtree("big")
print("all well", file=open("out", "w"))
"""


def test_listings_are_whole_whatever_a_program_does_with_them(build: Build) -> None:
    """Signals come, threads list at once, positions are kept, files are deleted, and what is no folder is asked too."""
    assert text(build((os.path.realpath(sys.executable), "-c", _LISTING))) == "all well\n"


_ALARMS = """
import os, signal
os.mkdir("made")
for number in range(40):
    open(f"made/{number}", "w").close()
signal.signal(signal.SIGALRM, lambda *_: None)
folder = os.open("made", os.O_RDONLY)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for _ in range(400):
    os.stat("made/1")
    assert len(os.listdir(folder)) == 40
signal.setitimer(signal.ITIMER_REAL, 0)
print("all well", file=open("out", "w"))
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other kernels do not show a tracer what is interrupted")
def test_no_signal_interrupts_what_the_kernel_never_lets_fail_so(build: Build) -> None:
    """A handler without SA_RESTART would: Python sets none."""
    result = build((os.path.realpath(sys.executable), "-c", _ALARMS), clock_shift=1000)
    assert text(result) == "all well\n"


def test_the_machine_is_read_only_to_a_build_in_namespaces(build: Build, machine: Machine, tmp_path: Path) -> None:
    victim = Path(os.path.expanduser("~")) / f"ftc-test-{os.getpid()}"
    result = build(f"touch {victim} {tmp_path}/written; echo > out")
    assert result.status is BuildStatus.OK
    if machine.isolation is not Isolation.NONE:
        assert not victim.exists()
        assert not (tmp_path / "written").exists()
    victim.unlink(missing_ok=True)


def test_without_network_only_loopback_is_left(build: Build, machine: Machine) -> None:
    result = build("tail -n +3 /proc/net/dev | cut -d: -f1 > out", network=False)
    if machine.isolation is not Isolation.NONE:
        assert text(result).split() == ["lo"]


def test_a_launcher_that_is_killed_loses_the_build_and_leaves_nothing(
    build: Build, machine: Machine, workspace: Workspace
) -> None:
    results: list[BuildResult] = []
    thread = threading.Thread(target=lambda: results.append(build("(setsid sleep 1000 &) ; sleep 1000", timeout=1000)))
    thread.start()
    time.sleep(0.7)
    spec = str(workspace.path)
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command, above = (
                Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace") for pid in (folder.name, parent)
            )
            if spec in command and "pytest_ftc.builds.launcher" in command and spec not in above:
                os.kill(int(folder.name), signal.SIGKILL)
    thread.join(10)
    assert [result.status for result in results] == [BuildStatus.LOST]
    assert "the launcher ended with status -9" in results[0].reason


def test_a_trace_names_who_wrote_what(build: Build) -> None:
    result = build("(echo one; printf two | tee part) > out; mv part renamed", trace=Tracing.CONTENTS)
    assert result.status is BuildStatus.OK, result.reason
    trace = result.trace
    assert trace is not None
    names = [program.argv[0] for program in trace.programs]
    assert names == ["/bin/sh", "tee", "mv"]
    assert all(program.exit_code == 0 for program in trace.programs)
    tree = trace.programs[0].folder
    assert {(names[index], path) for index, path in trace.written} >= {
        ("/bin/sh", f"{tree}/out"),
        ("tee", f"{tree}/out"),
        ("tee", f"{tree}/part"),
    }
    written = {(names[index], path): content for index, path, content in trace.contents}
    assert written["/bin/sh", f"{tree}/out"] == "one\n"
    assert written["tee", f"{tree}/part"] == "two"
    assert (names.index("mv"), f"{tree}/part", f"{tree}/renamed") in trace.moved


@pytest.mark.parametrize("tracing", Tracing)
def test_a_command_that_cannot_be_started_is_told_of_however_it_is_traced(build: Build, tracing: Tracing) -> None:
    result = build(("no-such-command",), trace=tracing)
    assert result.status is BuildStatus.FAILED
    assert result.reason == "command not found: no-such-command"


HOSTILE = """
mkdir -p d/locked; echo secret > d/locked/file; chmod 000 d/locked/file
ln -s /etc/passwd out-of-here; ln -s / root; ln -s nowhere dangling
mkfifo pipe; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
truncate -s 1T sparse; printf end | dd of=sparse bs=1 seek=1000000000000 conv=notrunc 2>/dev/null
cp /bin/sh shell; chmod 4755 shell; printf '\\377' > "$(printf 'name-\\377')"
echo home > "$HOME/h"; echo temp > "$TMPDIR/t"; echo done > out
"""


def test_what_is_kept_of_a_hostile_tree_is_harmless(build: Build, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    result = build(HOSTILE, keep=keep)
    assert result.status is BuildStatus.OK, result.log_tail
    tree = keep / "tree"
    assert (tree / "out").read_text() == "done\n"
    assert ((keep / "home/h").read_text(), (keep / "temp/t").read_text()) == ("home\n", "temp\n")
    assert [os.readlink(tree / name) for name in ("out-of-here", "root", "dangling")] == ["/etc/passwd", "/", "nowhere"]
    assert stat.S_ISFIFO((tree / "pipe").lstat().st_mode)
    assert not os.path.lexists(tree / "socket")
    assert any("socket" in note for note in result.notes)
    sparse = (tree / "sparse").stat()
    assert sparse.st_size == 1 << 40
    assert sparse.st_blocks < 100_000
    with open(tree / "sparse", "rb") as file:
        file.seek(1_000_000_000_000)
        assert file.read(3) == b"end"
    assert stat.S_IMODE((tree / "shell").stat().st_mode) == 0o755
    assert os.path.exists(os.fsencode(tree) + b"/name-\xff")
    assert (tmp_path / "source/a").read_text() == "a"


@pytest.mark.parametrize("end", ["exit 3", "sleep 60"])
def test_a_tree_is_kept_of_a_build_that_fails_and_of_one_that_takes_too_long(
    build: Build, tmp_path: Path, end: str
) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    result = build(f"echo mark > mark; {end}", timeout=1, keep=keep)
    assert result.status is (BuildStatus.TIMEOUT if "sleep" in end else BuildStatus.FAILED)
    assert (keep / "tree/mark").read_text() == "mark\n"
