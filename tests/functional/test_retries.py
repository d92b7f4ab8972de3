"""A build that fails for a fault around it is run again, and what then passes is said to be flaky."""

import http.server
import threading
from typing import ClassVar

import pytest

FAILS_ONCE = """
answer=$(python3 -c "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())" {address}$PWD) || exit 1
if [ "$answer" = no ]; then echo '{message}' >&2; exit 1; fi
echo good > out
"""
SAME_NETWORK = "--ftc-variations=all,-network"


class Moody(http.server.BaseHTTPRequestHandler):
    """Says no to the first who asks for a path, and yes to all others; below /busy it is overloaded the first time."""

    asked: ClassVar[set[str]] = set()

    def do_GET(self):
        first = self.path not in self.asked
        self.asked.add(self.path)
        self.send_response(503 if first and self.path.startswith("/busy") else 200)
        self.end_headers()
        self.wfile.write(b"no" if first else b"yes")

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    Moody.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Moody) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_disk_that_fails_once_is_survived_and_told(verify_build, address):
    build = FAILS_ONCE.format(address=address, message="cp: read error: Input/output error")
    run = verify_build(build, SAME_NETWORK, "--ftc-builds=2")
    assert run.verdicts == {"app": "reproducible"}
    assert [build["attempts"] for build in run.artifact()["builds"]] == [2, 2]
    assert len(run.artifact()["flaky"]) == 2
    assert "flaky" in run.text
    assert "then passed unchanged" in run.flat


def test_a_failure_of_the_build_itself_is_not(verify_build, address):
    run = verify_build(FAILS_ONCE.format(address=address, message="error: no such function"), SAME_NETWORK)
    assert run.verdicts == {"app": "failed"}
    assert run.artifact()["builds"][0]["attempts"] == 1


def test_retries_can_be_switched_off(verify, address):
    build = FAILS_ONCE.format(address=address, message="Input/output error")
    run = verify(f"retries = 0\n[artifacts.app]\nbuild = '''{build}'''\noutputs = ['out']\n", SAME_NETWORK)
    assert run.verdicts == {"app": "failed"}


@pytest.mark.parametrize(("more", "verdict"), [("fetches = true", "reproducible"), ("", "failed")])
def test_a_servers_bad_answer_counts_where_a_build_is_declared_to_download(verify_build, address, more, verdict):
    build = FAILS_ONCE.format(address=f"{address}/busy", message="")
    assert verify_build(build, SAME_NETWORK, more=more).verdicts == {"app": verdict}


def test_a_build_that_kills_itself_each_time_fails_in_the_end(verify_build):
    run = verify_build("kill -9 $$")
    assert run.verdicts == {"app": "failed"}
    assert run.artifact()["builds"][0]["attempts"] == 3


@pytest.mark.parametrize(("value", "found"), [("-1", "-1"), ('"two"', "'two'")])
def test_a_wrong_number_of_retries_is_a_usage_error(verify, value, found):
    run = verify(f"retries = {value}\n[artifacts.app]\nbuild = 'true'\noutputs = ['out']\n")
    assert run.status == 4
    assert "retries" in run.text
    assert found in run.text


@pytest.mark.parametrize("memory", ["ulimit -v 200000; ", "prlimit --as=200000000 "])
def test_a_build_that_eats_all_memory_has_no_good_verdict(verify_build, memory):
    run = verify_build(memory + 'python3 -c "x = bytearray(1 << 29)" && echo > out')
    assert run.verdicts == {"app": "failed"}
    (build,) = run.artifact()["builds"]
    assert (build["attempts"], build["failed_before"]) == (3, ["exit status 1"] * 2)
