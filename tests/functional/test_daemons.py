"""A process outside the builds answers them all alike: sockets are hidden, and what is reached all the same is no proof."""

import os
import shutil
import socket
import socketserver
import tempfile
import threading
import time
from pathlib import Path

import pytest

ASK = """
import socket, sys, time
kind, where, what = sys.argv[1:]
if kind == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(what.replace("NOW", str(time.time())).encode(), ("127.0.0.1", int(where)))
else:
    if kind == "tcp":
        s = socket.create_connection(("127.0.0.1", int(where)))
    elif kind == "6":
        s = socket.create_connection(("::1", int(where)))
    else:
        s = socket.socket(socket.AF_UNIX)
        s.connect("\\0" + where if kind == "abstract" else where)
    s.sendall(what.replace("NOW", str(time.time())).encode())
print(s.recv(4096).decode())
"""
OWN = """
import os, socket
tcp = socket.create_server(("127.0.0.1", 0))
path = socket.socket(socket.AF_UNIX)
path.bind("here.sock")
path.listen()
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\\0ftc-own-%d" % os.getpid())
abstract.listen()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
socket.create_connection(tcp.getsockname())
udp.sendto(b"x", udp.getsockname())
for one in (path, abstract):
    socket.socket(socket.AF_UNIX).connect(one.getsockname())
os.unlink("here.sock")
"""


class Daemon:
    """Listens in each way, and remembers: the same answer to the same question, and the month as it is here."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "s.sock"
        self.abstract = f"ftc-test-{os.getpid()}-{time.monotonic_ns()}"
        self.known: dict[str, str] = {}
        daemon = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                datagram = isinstance(self.request, tuple)
                asked = (self.request[0] if datagram else self.request.recv(4096)).decode()
                key, _, value = asked.partition("=")
                month = str(int(time.time() // 86400 // 30))
                answer = daemon.known.setdefault(key, value) if value else month
                if datagram:
                    self.request[1].sendto(answer.encode(), self.client_address)
                else:
                    self.request.sendall(answer.encode())

        class SixServer(socketserver.TCPServer):
            address_family = socket.AF_INET6

        self.servers = [
            socketserver.UnixStreamServer(str(self.path), Handler),
            socketserver.UnixStreamServer("\0" + self.abstract, Handler),
            socketserver.TCPServer(("127.0.0.1", 0), Handler),
            socketserver.UDPServer(("127.0.0.1", 0), Handler),
            SixServer(("::1", 0), Handler),
        ]
        self.path.chmod(0o777)
        self.places = {
            "path": str(self.path),
            "abstract": self.abstract,
            "tcp": str(self.servers[2].server_address[1]),
            "udp": str(self.servers[3].server_address[1]),
            "6": str(self.servers[4].server_address[1]),
        }
        for server in self.servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def daemon():
    """A daemon whose socket lies where builds see the machine's files: in /run, for who may write there."""
    top = Path("/run") if os.access("/run", os.W_OK) else Path.home()
    folder = Path(tempfile.mkdtemp(prefix="ftc-daemon-", dir=top))
    folder.chmod(0o755)
    daemon = Daemon(folder)
    yield daemon
    daemon.close()
    shutil.rmtree(folder)


@pytest.fixture
def ask(project, verify_build, daemon):
    """Verify a build that asks the daemon `what` in the way `kind`."""
    (project / "ask.py").write_text(ASK)

    def run(kind, what, *arguments, more=""):
        return verify_build(f"python3 ask.py {kind} {daemon.places[kind]} {what} > out", *arguments, more=more)

    return run


def evaded(run):
    return {one["variation"]: one["reason"] for one in run.artifact("app")["not_varied"]}


@pytest.mark.parametrize("what", ["MONTH", "k=NOW"])
def test_a_socket_of_the_machine_is_hidden(ask, daemon, what):
    run = ask("path", what)
    assert run.verdicts == {"app": "failed"}, run.text
    (note,) = (note for note in run.artifact("app")["notes"] if "python3 tried to access" in note)
    assert f'pass_sockets = ["{daemon.path}"]' in note
    assert f'pass_sockets = ["{daemon.path}"]' in run.flat


@pytest.mark.parametrize("what", ["MONTH", "k=NOW"])
def test_what_a_passed_socket_could_decide_is_not_claimed_nor_remembered(ask, daemon, what):
    more = f'pass_sockets = ["{daemon.path}"]'
    for _ in range(2):
        run = ask("path", what, more=more)
        app = run.artifact("app")
        assert app["verdict"] == "reproducible", run.text
        assert not app["cached"]
        assert set(app["varied"]) <= {"fileordering", "source_mtime", "source_mode", "filesystem"}
        assert evaded(run)["time"] == f"it talked to the daemon at {daemon.path}, which no variation reaches"
        assert f"python3 talked to the daemon at {daemon.path}, which is outside the build" in app["notes"]
    strict = ask("path", what, more=f"{more}\nstrict = true")
    assert strict.status == 1
    assert f"python3 talked to the daemon at {daemon.path}" in strict.artifact("app")["hermeticity"]


@pytest.mark.parametrize("kind", ["abstract", "tcp", "udp", "6"])
def test_a_daemon_on_loopback_takes_the_claims_where_the_network_is_not_varied(ask, daemon, kind):
    run = ask(kind, "k=NOW", more='variations = "standard"')
    app = run.artifact("app")
    assert app["verdict"] == "reproducible", run.text
    assert {"time", "domain_host", "build_path", "user_group"} <= set(evaded(run))
    assert daemon.places[kind] in evaded(run)["time"]
    assert not ask(kind, "k=NOW", more='variations = "standard"').artifact("app")["cached"]
    strict = ask(kind, "k=NOW", more='variations = "standard"\nstrict = true')
    assert strict.status == 1
    assert any(daemon.places[kind] in use for use in strict.artifact("app")["hermeticity"])


def test_what_a_build_finds_only_in_an_experiment_is_seen_too(project, verify_build, daemon):
    """A build that knows the control by its umask asks nobody there."""
    (project / "ask.py").write_text(ASK)
    asks = f"python3 ask.py tcp {daemon.places['tcp']} x=1 > /dev/null"
    run = verify_build(f"[ $(umask) = 0022 ] || {asks}; echo > out", more='variations = "standard"')
    assert daemon.places["tcp"] in evaded(run)["time"], run.text


def test_where_the_experiment_can_do_without_the_daemon_nothing_is_taken(project, verify_build, daemon):
    (project / "ask.py").write_text(ASK)
    run = verify_build(f"python3 ask.py tcp {daemon.places['tcp']} x=1 > /dev/null 2>&1; echo > out")
    assert run.verdicts == {"app": "reproducible"}
    assert "it talked to" not in run.text


@pytest.mark.parametrize("more", ["", 'variations = "standard"'])
def test_sockets_of_the_build_itself_are_inside(project, verify_build, more):
    (project / "own.py").write_text(OWN)
    run = verify_build("python3 own.py && echo > out", more=f"strict = true\n{more}")
    assert run.status == 0, run.text
    assert not run.artifact("app")["hermeticity"]


def test_users_are_looked_up_and_files_of_run_are_read_as_ever(verify_build):
    build = "python3 -c 'import pwd, os; pwd.getpwuid(os.getuid())' && ls /run > /dev/null && echo > out"
    run = verify_build(build, more="strict = true")
    assert run.artifact("app")["hermeticity"] == ["the build listed /run"]
    assert run.artifact("app")["verdict"] == "reproducible"
    assert not [note for note in run.artifact("app")["notes"] if "socket" in note]


def test_io_uring_cannot_make_calls_unseen(project, verify_build):
    code = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nprint(libc.syscall(425, 8, bytes(256)))"
    (project / "ring.py").write_text(code)
    run = verify_build("python3 ring.py > out && grep -qx -- -1 out")
    assert run.verdicts == {"app": "reproducible"}, run.text


def test_pass_sockets_may_be_set_for_all(project, verify, daemon):
    (project / "ask.py").write_text(ASK)
    run = verify(
        f"""
        pass_sockets = ["{daemon.path}"]
        [artifacts.app]
        build = "python3 ask.py path {daemon.path} MONTH > out"
        outputs = ["out"]
        [artifacts.without]
        build = "python3 ask.py path {daemon.path} MONTH > out"
        outputs = ["out"]
        pass_sockets = []
        """
    )
    assert run.verdicts == {"app": "reproducible", "without": "failed"}, run.text
