"""Named pipes and file locks of the machine can decide what a build makes, and no variation reaches who is behind them."""

import contextlib
import fcntl
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import pytest

LOCK = """
import fcntl, sys
file = open(sys.argv[1])
try:
    if sys.argv[2] == "flock":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    print("free")
except OSError:
    print("held")
"""
SEND = """
import ctypes, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
address = ctypes.create_string_buffer(struct.pack("=H", 2) + struct.pack(">H", int(sys.argv[1])) + bytes([127, 0, 0, 1]) + bytes(8), 16)
data = ctypes.create_string_buffer(b"x", 1)
vector = ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(data), 1))
one = struct.pack("=QIxxxxQQQQixxxxIxxxx", ctypes.addressof(address), 16, ctypes.addressof(vector), 1, 0, 0, 0, 0)
print(ctypes.CDLL(None).sendmmsg(s.fileno(), one, 1, 0))
"""
OWN = """
set -e
mkfifo here "$TMPDIR/there"
for pipe in here "$TMPDIR/there" "$PWD/here"; do echo x > $pipe & cat $pipe > out; wait; done
cat <(echo y) >> out
echo z | cat /dev/stdin - >> out
exec 9> lock; flock 9
exec 8> "$TMPDIR/lock"; flock 8; flock -s 8
"""


@pytest.fixture
def folder():
    """A folder where builds see the machine's files, and which is not /run."""
    top = Path("/opt") if os.access("/opt", os.W_OK) else Path.home()
    folder = Path(tempfile.mkdtemp(prefix="ftc-meeting-", dir=top))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def pipe(folder):
    """A named pipe of a daemon that answers all who ask."""
    path, ended = folder / "pipe", threading.Event()
    os.mkfifo(path, 0o666)
    path.chmod(0o666)

    def answer() -> None:
        while not ended.wait(0.05):
            with contextlib.suppress(OSError):  # ENXIO: nobody reads
                descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                os.write(descriptor, b"answer\n")
                os.close(descriptor)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield path
    ended.set()
    thread.join()


def evaded(run):
    return {one["variation"]: one["reason"] for one in run.artifact("app")["not_varied"]}


def assert_taken(run, program, what):
    assert run.verdicts == {"app": "reproducible"}, run.text
    assert f"{program} {what}, which is outside the build" in run.artifact("app")["notes"]
    reasons = evaded(run)
    for variation in ("time", "build_path", "user_group", "locales"):
        assert reasons[variation] == f"it {what}, which no variation reaches"
    assert "source_mtime" in run.artifact("app")["varied"]


def test_what_comes_through_a_named_pipe_of_the_machine_is_not_claimed_nor_remembered(verify_build, pipe):
    for _ in range(2):
        run = verify_build(f"head -n 1 {pipe} > out")
        assert_taken(run, "head", f"opened the named pipe {pipe}")
        assert not run.artifact("app")["cached"]


@pytest.mark.parametrize("kind", ["flock", "lockf"])
def test_what_a_file_lock_of_the_machine_decides_is_not_claimed(project, verify_build, folder, kind):
    (project / "lock.py").write_text(LOCK)
    path = folder / "lock"
    with path.open("w") as held:
        path.chmod(0o644)
        (fcntl.flock if kind == "flock" else fcntl.lockf)(held, fcntl.LOCK_EX)
        run = verify_build(f"python3 lock.py {path} {kind} > out; grep -q held out")
    assert_taken(run, "python3", f"locked {path}")


def test_both_fail_a_strict_artifact(project, verify_build, pipe, folder):
    (project / "lock.py").write_text(LOCK)
    (folder / "lock").write_text("")
    run = verify_build(f"head -n 1 {pipe} > out; python3 lock.py {folder}/lock flock", more="strict = true")
    assert run.status == 1, run.text
    used = run.artifact("app")["hermeticity"]
    assert f"head opened the named pipe {pipe}" in used
    assert f"python3 locked {folder}/lock" in used


def test_pipes_and_locks_of_the_build_itself_take_nothing(project, verify_build):
    (project / "own.sh").write_text(OWN)
    run = verify_build("bash own.sh")
    assert run.verdicts == {"app": "reproducible"}, run.text
    assert {"time", "build_path", "locales"} <= set(run.artifact("app")["varied"])
    assert not [note for note in run.artifact("app")["notes"] if "outside" in note]


def test_messages_that_are_sent_together_are_seen(project, verify_build):
    (project / "send.py").write_text(SEND)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        run = verify_build(f"python3 send.py {port} > out; grep -q 1 out", "--ftc-variations=-network")
    assert_taken(run, "python3", f"talked to 127.0.0.1:{port}")
