"""The farms that other tests use do what is said of them."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from services.buildgrid_server import BuildGrid
from services.reapi_servers import STANDARD, Casd, count_sleepers, run_doctor, run_inside
from services.supervisor import Supervisor, wait_until

from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import TransientError
from pytest_ftc.model.digest import Digest

DATA = os.urandom(1000)


def _upload(server: Casd, data: bytes = DATA) -> Digest:
    with Connection(RemoteAddress(target=server.target)) as connection:
        connection.call(Cas(connection).upload({Digest.of(data): data}))
    return Digest.of(data)


def _has(server: Casd, digest: Digest) -> bool:
    with Connection(RemoteAddress(target=server.target)) as connection:
        return not connection.call(Cas(connection).find_missing([digest]))


def test_casd_stores_and_executes(casd: Casd) -> None:
    with Connection(RemoteAddress(target=casd.target)) as connection:
        found = connection.call(connection.capabilities())
    assert found.executes
    assert casd.file(_upload(casd)).read_bytes() == DATA
    ran = run_inside(casd.target, "cat greeting; id -u; exit 3", files={"greeting": b"hello\n"})
    assert (ran.status, ran.output) == (3, "hello\n1000\n")


def test_its_worker_has_this_python_and_the_package(casd: Casd) -> None:
    ran = run_doctor(casd.target, properties={**STANDARD, "network": "on"})
    assert ran.status == 0, ran.output
    assert re.search(r"varied +21 of 22 variations, active inside", ran.output), ran.output
    assert re.search(r"! not varied +pid +needs a PID namespace", ran.output), ran.output
    assert re.search(r"/proc +the machine's, no new one", ran.output), ran.output


def test_casd_comes_back_with_its_disk_or_without(own_casd: Casd) -> None:
    digest = _upload(own_casd)
    own_casd.kill()
    own_casd.restart()
    assert _has(own_casd, digest)
    own_casd.kill()
    own_casd.restart(empty=True)
    assert not _has(own_casd, digest)


def test_an_action_ends_with_its_casd(own_casd: Casd) -> None:
    def run() -> None:
        with pytest.raises(TransientError, match="no longer knows the execution|UNAVAILABLE"):
            run_inside(own_casd.target, "sleep 60 & sleep 60")

    with ThreadPoolExecutor() as pool:
        ran = pool.submit(run)
        wait_until(lambda: count_sleepers(own_casd) == 2, "the action does not run")
        own_casd.kill()
        wait_until(lambda: not own_casd.actions(), "the action goes on")
        own_casd.restart()
        ran.result()


@pytest.mark.parametrize("pool", ["a", "b"])
def test_buildgrid_executes_where_it_is_told_to(buildgrid: BuildGrid, pool: str) -> None:
    ran = run_inside(buildgrid.target, "cat greeting", files={"greeting": b"hi\n"}, properties={"pool": pool})
    assert (ran.status, ran.output, ran.worker) == (0, "hi\n", f"worker-{pool}")


def test_an_action_of_a_lost_worker_goes_to_another_one(buildgrid: BuildGrid) -> None:
    with ThreadPoolExecutor() as pool:
        ran = pool.submit(run_inside, buildgrid.target, "sleep 2; echo done")
        wait_until(lambda: any(map(buildgrid.actions_in, "ab")), "the action does not run")
        (lost,) = [each for each in "ab" if buildgrid.actions_in(each)]
        buildgrid.kill_worker(lost)
        assert not buildgrid.actions()
        assert ran.result().output == "done\n"
        assert ran.result().worker == f"worker-{'ab'.replace(lost, '')}"
    buildgrid.start_worker(lost)
    assert run_inside(buildgrid.target, "true", properties={"pool": lost}).status == 0


def test_nothing_that_a_supervisor_started_outlives_it(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        orphan = ["/bin/sh", "-c", "setsid sh -c 'sleep 60 & sleep 60' & sleep 60"]
        process = supervisor.start(orphan, tmp_path / "log", os.environ)
        wait_until(lambda: len(supervisor.processes()) == 5, "it did not start them")
        supervisor.kill(process)
        left = supervisor.processes()
        assert len(left) == 4
    assert not [process for process in left if os.path.exists(f"/proc/{process}")]
