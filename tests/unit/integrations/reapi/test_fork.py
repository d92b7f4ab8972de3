"""Tests of a project may fork while a session has calls in flight."""

import subprocess
import sys

_SCRIPT = """\
import multiprocessing, os, sys, threading
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.action_cache import RemoteActionCache
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.model.digest import Digest

assert "GRPC_ENABLE_FORK_SUPPORT" not in os.environ
connection = Connection(RemoteAddress(target=sys.argv[1]))
cache, ended = RemoteActionCache(connection), threading.Event()

def ask():
    while not ended.is_set():
        connection.call(cache.get(Digest.of(b"")))

asking = threading.Thread(target=ask)
asking.start()
for _ in range(30):
    child = multiprocessing.get_context("fork").Process(target=os.getpid)
    child.start()
    child.join(20)
    assert child.exitcode == 0, child.exitcode
ended.set()
asking.join()
connection.close()
print("done")
"""


def test_a_fork_neither_hangs_nor_prints(farm):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _SCRIPT, farm.target],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
