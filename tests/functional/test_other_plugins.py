"""Artifacts among the plugins that people have: nothing is built twice, and nothing turns green without a build."""

import shutil
import socketserver
import threading
from collections import Counter
from pathlib import Path

import pytest
from leftovers import find_leftovers, wait_until_gone
from other_plugins import environment_with

BUILDS = """
builds = 2
variations = "home,source_mode"
[artifacts.good]
build = "{count} good && echo > good"
outputs = ["good"]
[artifacts.bad]
build = "{count} bad && echo $HOME > bad"
outputs = ["bad"]
"""
TESTS = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_verified(ftc, number):
    ftc.verify(build=f"{count} verified-{{number}} && echo > out", outputs=["out"])

@pytest.mark.ftc(outputs=["out"], pass_env=["PYTHONPATH"])
def test_marked(ftc_output):
    import socket
    with socket.create_connection(("127.0.0.1", {port})) as told:
        told.sendall(b"marked\\n")
        told.recv(10)
    (ftc_output / "out").write_text("x")

def test_ordinary():
    pass
"""
ALL = {"good": 2, "bad": 2, "verified-1": 2, "verified-2": 2, "marked": 2}


class Counting(socketserver.ThreadingTCPServer):
    """Counts the builds that tell their name, and answers each whether it is to fail."""

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.seen, self.failures = Counter(), Counter()
        self.lock = threading.Lock()

    @property
    def command(self):
        port = self.server_address[1]
        return f"count() {{ exec 3<>/dev/tcp/127.0.0.1/{port}; echo $1 >&3; read x <&3; test $x = go; }}; count"


class Answering(socketserver.StreamRequestHandler):
    def handle(self):
        name = self.rfile.readline().decode().strip()
        with self.server.lock:
            self.server.seen[name] += 1
            fails = self.server.failures[name] > 0
            self.server.failures[name] -= fails
        self.wfile.write(b"stop\n" if fails else b"go\n")


@pytest.fixture
def counting():
    with Counting() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def session(verify, project, counting, monkeypatch):
    """Run artifacts, a test that verifies, one that is rebuilt and an ordinary one, with the plugins `friends`."""
    (project / "bin").mkdir()
    shell = f"#!/bin/bash\n{counting.command} $1\n"
    (project / "bin/count").write_text(shell)
    (project / "bin/count").chmod(0o755)
    (project / "test_it.py").write_text(TESTS.format(count="bin/count", port=counting.server_address[1]))

    def run(*arguments, friends=(), toml=BUILDS):
        for name, value in environment_with(*friends).items():
            monkeypatch.setenv(name, value)
        return verify(toml.format(count="bin/count"), *arguments)

    return run


def names(run):
    return {name.rpartition("::")[2]: verdict for name, verdict in run.verdicts.items()}


VERDICTS = {
    "good": "reproducible",
    "bad": "unreproducible",
    "test_verified[1]": "reproducible",
    "test_verified[2]": "reproducible",
    "test_marked": "reproducible",
}


@pytest.mark.parametrize("dist", ["load", "loadscope", "loadfile", "worksteal"])
def test_workers_build_each_artifact_exactly_twice(session, counting, dist):
    run = session("-n3", f"--dist={dist}")
    assert "INTERNALERROR" not in run.text
    assert (names(run), dict(counting.seen), run.status) == (VERDICTS, ALL, 1), run.text


@pytest.mark.parametrize(
    ("arguments", "verdicts"),
    [
        (["--sw"], {"bad": "unreproducible"}),
        (["--maxfail=1", "--ff"], {"bad": "unreproducible"}),
        (["--pyargs", "package"], {}),
        (["--pyargs", "package", "ftc.toml"], {"good": "reproducible", "bad": "unreproducible"}),
        (["-s", "--durations=1", "--junitxml=junit.xml", "-p", "no:cacheprovider", "-k", "good"], {"good": "reproducible"}),
        (["-p", "no:terminal", "-k", "bad"], {"bad": "unreproducible"}),
    ],
    ids=" ".join,
)  # fmt: skip
def test_options_of_pytest(session, project, arguments, verdicts):
    (project / "test_it.py").unlink()
    (project / "package").mkdir()
    (project / "package/__init__.py").touch()
    (project / "package/test_in_package.py").write_text("def test_in_package(): pass\n")
    run = session(*arguments, toml=BUILDS if "--pyargs" in arguments or "-k" in arguments else BAD_FIRST)
    assert "INTERNALERROR" not in run.text
    assert (names(run), run.status > 0) == (verdicts, "bad" in verdicts), run.text


BAD_FIRST = """
variations = "home,source_mode"
[artifacts.bad]
build = "echo $HOME > bad"
outputs = ["bad"]
[artifacts.good]
build = "echo > good"
outputs = ["good"]
"""

FLAKY = """
builds = 2
variations = "home,source_mode"
[artifacts.bad]
build = "{count} bad && echo $HOME > bad"
outputs = ["bad"]
[artifacts.flaky]
build = "{count} flaky && echo > out"
outputs = ["out"]
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_rerun_builds_again_what_failed_and_never_forgets_a_difference(session, counting, workers):
    counting.failures["flaky"] = 1
    run = session("--reruns=2", "ftc.toml", *workers, friends=["rerunfailures"], toml=FLAKY)
    assert names(run) == {"bad": "unreproducible", "flaky": "reproducible"}, run.text
    assert (counting.seen["bad"], counting.seen["flaky"]) == (2, 3)
    assert "3 rerun" in run.text
    assert "the control build failed once (exit status 1), then passed unchanged" in run.flat


def test_an_order_and_seed_at_random_change_no_verdict(session, counting):
    run = session(friends=["randomly"])
    assert "Using --randomly-seed" in run.text
    assert (names(run), dict(counting.seen)) == (VERDICTS, ALL), run.text


COVERED = """
variations = "home,source_mode"
[artifacts.environment]
build = "ls -a > out; env | grep -i cov; python -c 'import sys; print(*sys.modules)'; ls -a"
outputs = ["out"]
"""


def test_coverage_stays_out_of_builds(session, project):
    (project / "pyproject.toml").write_text('[tool.coverage.run]\npatch = ["subprocess"]\nparallel = true\n')
    run = session(
        "--cov=.", "--cov-report=term", "ftc.toml", "test_it.py::test_ordinary", friends=["pytest_cov"], toml=COVERED
    )
    assert run.verdicts == {"environment": "reproducible"}, run.text
    assert "TOTAL" in run.text
    log = (project / ".pytest_cache/d/ftc/logs/environment-control.log").read_text()
    assert "COV" not in log.upper()


SLOW = """
variations = "home,source_mode"
[artifacts.slow]
build = "sleep 1000"
outputs = ["out"]
"""


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_timeout_leaves_no_build_behind(session, method):
    before = find_leftovers()
    run = session(
        "--timeout=4",
        f"--timeout-method={method}",
        "ftc.toml",
        "test_it.py::test_ordinary",
        friends=["timeout"],
        toml=SLOW,
    )
    assert "Timeout" in run.text
    assert run.status == 1
    if method == "signal":
        assert "1 failed, 1 passed" in run.text
    else:
        # It ends pytest on the spot; what stays is the folder, which the next session removes.
        folders = {path for path in find_leftovers() - before if Path(path).name.startswith("pytest-ftc-")}
        assert wait_until_gone(before | folders) == set()
        for folder in folders:
            shutil.rmtree(folder)


ASYNC = """
import asyncio, pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.asyncio
async def test_good(ftc):
    assert ftc.verify(build="echo > out", outputs=["out"]).reproducible
    await asyncio.sleep(0)

@pytest.mark.asyncio
async def test_in_a_thread(ftc):
    assert (await asyncio.to_thread(ftc.verify, build="echo > out", outputs=["out"])).reproducible

@pytest.mark.anyio
async def test_bad(ftc):
    ftc.verify(build="echo $HOME > out", outputs=["out"])

@pytest.mark.asyncio
@pytest.mark.ftc(outputs=["out"], pass_env=["PYTHONPATH"])
async def test_marked(ftc_output):
    await asyncio.sleep(0)
    (ftc_output / "out").write_text("x")
"""


def test_coroutines_verify_too(session, project):
    (project / "test_it.py").write_text(ASYNC)
    (project / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    run = session("test_it.py", "-k", "test_it", friends=["asyncio", "anyio"])
    assert names(run) == {
        "test_good": "reproducible",
        "test_in_a_thread": "reproducible",
        "test_bad": "unreproducible",
        "test_marked": "reproducible",
    }, run.text


def test_a_progress_bar_of_another_plugin(session, counting):
    run = session("--force-sugar", "ftc.toml", friends=["sugar"])
    assert "INTERNALERROR" not in run.text
    assert names(run) == {"good": "reproducible", "bad": "unreproducible"}, run.text
