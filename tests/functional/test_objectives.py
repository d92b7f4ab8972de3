"""What sessions leave for ``ftc objectives``, and what it says of them."""

import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

TWO = """
[artifacts.good]
build = "echo > good"
outputs = ["good"]
source = "src"
[artifacts.bad]
build = "date +%N > bad"
outputs = ["bad"]
source = "src"
"""


@pytest.fixture
def objectives(project):
    def run(*arguments, status):
        done = subprocess.run([sys.executable, "-m", "pytest_ftc", "objectives", *arguments], capture_output=True, text=True, cwd=project)  # fmt: skip
        assert (done.returncode, done.stderr) == (status, ""), done.stdout
        return done.stdout

    return run


def rows(query):
    with sqlite3.connect(f"{os.environ['FTC_STORE']}/observations.sqlite") as connection:
        return connection.execute(query).fetchall()


def test_the_controller_records_the_session_once(verify, project, objectives):
    (project / "src").mkdir()
    assert "no data" in objectives("--check", status=0)
    verify(TWO, "-n2", "--ftc-builds=2")
    verify(None, "-p", "no:xdist", "--ftc-builds=2", "-k", "good")
    found = rows("select artifact, verdict, cached from verified order by artifact, ended")
    assert found == [("ftc.toml::ftc::bad", "unreproducible", 0), ("ftc.toml::ftc::good", "reproducible", 0), ("ftc.toml::ftc::good", "reproducible", 1)]  # fmt: skip
    assert rows("select writes, failed_writes from sessions") == [(6, 0), (0, 0)]
    known = {one["name"]: one for one in json.loads(objectives("--check", "--json", status=1))}
    assert known["reproducible_share"]["value"] == pytest.approx(2 / 3)
    assert (known["reproducible_share"]["spent"], known["reproducible_share"]["burn"]["1h"]) == (True, "inf")
    assert known["build_success"]["value"] == 1.0
    assert known["store_write_success"]["value"] == 1.0
    assert 0 < known["build_time_p95"]["value"] < known["verification_time_p95"]["value"]
    assert "✘ reproducible_share" in objectives(status=0)


def test_an_interrupted_build_is_no_failed_one(verify, project):
    verify("[artifacts.quick]\nbuild = 'echo > out'\noutputs = ['out']\n[artifacts.slow]\nbuild = 'sleep 60'\noutputs = ['out']\n", "--collect-only")  # fmt: skip
    command = [
        sys.executable,
        "-u",
        "-m",
        "pytest",
        "-p",
        "no:hypothesispytest",
        "--ftc-verify",
        "--ftc-builds=2",
        "-v",
    ]
    session = subprocess.Popen(
        command,
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in session.stdout:
        if "quick PASSED" in line:
            break
    os.killpg(session.pid, signal.SIGINT)
    session.communicate(timeout=30)
    assert session.returncode == 2
    assert rows("select artifact, verdict from verified") == [("ftc.toml::ftc::quick", "reproducible")]
