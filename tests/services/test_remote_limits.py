"""The limits of a session on a farm."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from services.buildgrid_server import BuildGrid
from services.reapi_servers import STANDARD, Casd, count_sleepers, run_inside
from services.supervisor import wait_until

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.attempts import Attempt
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.dispatch import Dispatcher, Policy
from pytest_ftc.integrations.reapi.errors import LateError
from pytest_ftc.integrations.reapi.execution import Deadlines, Execution
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.model.digest import Digest


def describe(command, **properties):
    """Return an action and its contents."""
    tree = build_tree([Entry.of("in", b"in")])
    platform = api.Platform(properties=[{"name": name, "value": properties[name]} for name in sorted(properties)])
    sh = api.serialize(api.Command(arguments=["/bin/sh", "-c", command], output_paths=["out"], platform=platform))
    action = api.serialize(
        api.Action(
            command_digest=api.to_message(Digest.of(sh)),
            input_root_digest=api.to_message(tree.root),
            platform=platform,
            do_not_cache=True,
            salt=os.urandom(16),
        )
    )
    return {**tree.contents, Digest.of(sh): sh, Digest.of(action): action}, Digest.of(action)


COMMAND = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-executor=reapi", "--ftc-json=report.json", "ftc.toml"]


def write_project(folder, target, limits, build):
    folder.mkdir()
    properties = ", ".join(f'{name} = "{value}"' for name, value in STANDARD.items())
    (folder / "ftc.toml").write_text(
        f'[remote]\nendpoint = "grpc://{target}"\nproperties = {{{properties}}}\n{limits}\n'
        f'[artifacts.one]\nbuild = "{build} > out"\noutputs = ["out"]\n'
        '[artifacts.two]\nbuild = "echo 2 > out"\noutputs = ["out"]\n'
    )
    (folder / "pytest.ini").write_text("[pytest]\n")


def environment(folder):
    return {**os.environ, "FTC_STORE": str(folder / "store"), "COLUMNS": "160"}


def run_session(folder, target, limits, build="echo 1"):
    write_project(folder, target, limits, build)
    done = subprocess.run(
        COMMAND,
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if not (folder / "report.json").is_file():
        return {}, done.stdout + done.stderr
    report = json.loads((folder / "report.json").read_text())
    return {artifact["name"]: artifact["verdict"] for artifact in report["artifacts"]}, done.stdout


def test_one_build_at_a_time_is_enough(casd: Casd, tmp_path) -> None:
    verdicts, said = run_session(tmp_path / "project", casd.target, "max_in_flight = 1")
    assert verdicts == {"one": "reproducible", "two": "reproducible"}, said
    # The next session knows how long builds take.
    (file,) = (tmp_path / "project" / "store" / "farm").glob("*.json")
    times = json.loads(file.read_text())
    assert all(len(times[name]) >= 2 and 0 < min(times[name]) < 120 for name in verdicts)


def test_a_session_beyond_its_quota_has_no_verdict(casd: Casd, tmp_path) -> None:
    verdicts, said = run_session(tmp_path / "project", casd.target, "max_cpu_seconds = 15", "sleep 50; echo 1")
    assert verdicts["one"] == "error", said
    assert re.search(r"the session has used \d+\.\d s of workers; it may use 15 s", said)


def test_a_quota_that_does_not_allow_the_self_test_ends_the_session(casd: Casd, tmp_path) -> None:
    verdicts, said = run_session(tmp_path / "project", casd.target, "max_cpu_seconds = 0.001")
    assert verdicts == {}
    assert re.search(
        r"^ERROR: --ftc-executor=reapi: the session has used \S+ s of workers; it may use 0.001 s$", said, re.M
    )
    assert "INTERNALERROR" not in said


def test_a_farm_that_is_away_ends_the_session_with_one_line(tmp_path) -> None:
    verdicts, said = run_session(tmp_path / "project", "127.0.0.1:1", "")
    assert verdicts == {}
    assert re.search(r"^ERROR: --ftc-executor=reapi: grpc://127.0.0.1:1: UNAVAILABLE: .*refused", said, re.M)
    assert "INTERNALERROR" not in said


def test_a_queue_that_no_worker_serves_ends_by_our_deadline(buildgrid: BuildGrid) -> None:
    contents, action = describe("true > out", pool="nowhere")
    with Connection(RemoteAddress(target=buildgrid.target)) as connection:
        connection.call(Cas(connection).upload(contents))
        with pytest.raises(LateError, match="no worker took the action within 2 s"):
            connection.call(Execution(connection).execute(action, deadlines=Deadlines(2, 60)))


def test_a_straggler_is_given_to_a_second_worker_and_cancelled(buildgrid: BuildGrid) -> None:
    """The first attempt needs the slow pool, as if its worker were."""

    async def run(connection: Connection):
        cas, execution = Cas(connection), Execution(connection)

        async def launch(attempt: Attempt):
            slow = "sleep 50; " if attempt.number == 0 else ""
            contents, action = describe(f"{slow}echo {attempt.number} > out", pool="b" if attempt.second else "a")
            await cas.upload(contents)
            return await execution.execute(action, on_stage=attempt.enter)

        return await Dispatcher(Policy(), lambda artifact: [0.5] * 5).run("artifact", launch)

    with Connection(RemoteAddress(target=buildgrid.target)) as connection:
        found = connection.call(run(connection))
    assert found.value.worker == "worker-b"
    assert [attempt.outcome for attempt in found.attempts] == ["cancelled", "answered"]
    assert [attempt.stage for attempt in found.attempts] == ["EXECUTING", "COMPLETED"]
    # The slow worker is free again, long before 50 s are over.
    assert run_inside(buildgrid.target, "echo free", properties={"pool": "a"}).output == "free\n"


def test_an_interrupted_session_ends_its_builds_on_the_farm(casd: Casd, tmp_path) -> None:
    folder = tmp_path / "project"
    write_project(folder, casd.target, "", "sleep 60; echo 1")
    with subprocess.Popen(
        COMMAND, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as session:
        wait_until(lambda: count_sleepers(casd) > 0, "no build runs", 120)
        session.send_signal(signal.SIGINT)
        said = session.communicate(timeout=60)[0]
    assert session.returncode == 2, said
    wait_until(lambda: count_sleepers(casd) == 0, "a build goes on", 10)
