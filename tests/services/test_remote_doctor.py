"""``ftc doctor --executor=reapi``: what a worker of a farm can vary, and what is wrong with a farm."""

import json
import os
import re
import subprocess
import sys
import time

import pytest
from farms import serving
from services.buildgrid_server import BuildGrid
from services.reapi_servers import STANDARD, Casd

from pytest_ftc.variations import CATALOGUE

NAMES = [variation.name for variation in CATALOGUE]


def doctor(folder, farm, *options, properties=None):
    """Run the command in a project whose table ``remote`` is `farm`; return its status, output and errors."""
    folder.mkdir(exist_ok=True)
    asked = ", ".join(f'{name} = "{value}"' for name, value in (properties or {}).items())
    (folder / "ftc.toml").write_text(f"[remote]\n{farm}\nproperties = {{{asked}}}\n" if farm else "")
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ftc", "doctor", "--executor=reapi", *options],
        cwd=folder,
        env={**os.environ, "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_a_worker_is_examined_from_inside(casd: Casd, tmp_path) -> None:
    farm = f'endpoint = "{casd.endpoint}"'
    status, table, said = doctor(tmp_path / "project", farm, properties=STANDARD)
    assert (status, said) == (0, "")
    lines = {line.split()[2 if line[0] == "✔" else 3]: line for line in table.splitlines() if line[:1] in ("✔", "!")}
    assert list(lines) == NAMES
    assert {name for name, line in lines.items() if line.startswith("!")} == {"pid", "network"}, table
    assert re.search(r"varied +20 of 22 variations, active inside", table), table
    assert re.search(r"/proc +the machine's, no new one", table), table
    assert re.search(rf"farm +{casd.endpoint}, Remote Execution API 2\.", table), table
    assert re.search(r"worker +the farm gives no names of workers", table), table
    assert " ms for a control's environment" in table
    assert re.search(r"properties +unixUID=1000, unixGID=1000", table), table
    assert re.search(r"storage +reachable: a content was stored and read back", table), table
    assert re.search(r"cache +reachable", table), table
    assert not casd.actions()


def test_two_kinds_of_workers_are_examined_and_told_by_their_names(buildgrid: BuildGrid, tmp_path) -> None:
    """Without the properties for a user, its workers let nobody make namespaces."""
    farm = f'endpoint = "{buildgrid.endpoint}"\nreplicas = {{control = {{pool = "a"}}, experiment = {{pool = "b"}}}}'
    status, printed, said = doctor(tmp_path / "project", farm, "--json")
    assert (status, said) == (0, "")
    found = json.loads(printed)
    assert found["farm"]["workers"] == ["worker-a", "worker-b"]
    assert found["farm"]["replicas"] == {"control": {"pool": "a"}, "experiment": {"pool": "b"}}
    assert found["farm"]["server"] == buildgrid.endpoint
    assert found["farm"]["digest_functions"] == ["SHA256"]
    assert found["farm"]["storage_problem"] == found["farm"]["action_cache_problem"] == ""
    assert 0 < found["farm"]["batch_bytes"] < 4 << 20
    assert [state["name"] for state in found["variations"]] == [*NAMES, "machine"]
    for state in found["variations"]:
        assert state["in_force"] == (not state["reason"])
        assert state["milliseconds"] is None
    assert found["variations"][-1]["in_force"]
    assert found["machine"]["isolation"] == "none"
    assert 1 < found["control_milliseconds"] < 60_000


@pytest.mark.parametrize(
    ("farm", "expected"),
    [
        ("", "expected a farm in [tool.ftc.remote], found no such table"),
        ('endpoint = "http://x:1"', "[remote] endpoint: expected grpc://HOST:PORT"),
        ('endpoint = "grpc://127.0.0.1:1"', "--executor=reapi: grpc://127.0.0.1:1: UNAVAILABLE: "),
    ],
)
def test_a_wrong_farm_is_one_clear_error(tmp_path, farm, expected):
    begin = time.monotonic()
    status, printed, said = doctor(tmp_path / "project", farm)
    assert (status, printed) == (2, "")
    assert said.startswith("ftc: ")
    assert expected in said
    assert time.monotonic() - begin < 60


def test_a_farm_without_tls_is_named_as_such(casd: Casd, tmp_path):
    status, printed, said = doctor(tmp_path / "project", f'endpoint = "grpcs://{casd.target}"')
    assert (status, printed) == (2, "")
    assert f"ftc: --executor=reapi: grpcs://{casd.target}: UNAVAILABLE: " in said
    assert "grpcs:// is with TLS, grpc:// without" in said


def test_a_wrong_instance_is_what_the_server_says_of_it(casd: Casd, tmp_path):
    farm = f'endpoint = "{casd.endpoint}"\ninstance = "nowhere"'
    status, printed, said = doctor(tmp_path / "project", farm)
    assert (status, printed) == (2, "")
    assert "nowhere" in said
    assert "Check endpoint, instance" in said


def test_no_worker_is_an_error_after_the_time_in_the_queue(buildgrid: BuildGrid, tmp_path):
    farm = f'endpoint = "{buildgrid.endpoint}"\nqueue = 2'
    status, printed, said = doctor(tmp_path / "project", farm, properties={"pool": "nowhere"})
    assert (status, printed) == (2, "")
    assert "no worker took the action within 2 s" in said
    assert "Check that the farm has workers with the properties" in said


def test_what_a_server_says_cannot_forge_a_line(tmp_path):
    with serving() as farm:
        farm.fail("GetCapabilities", "PERMISSION_DENIED", text="no\x1b[2Jentry\nftc: all is well")
        status, printed, said = doctor(tmp_path / "project", f'endpoint = "grpc://{farm.target}"')
    assert (status, printed) == (2, "")
    assert "PERMISSION_DENIED" in said
    assert "\x1b" not in said
    assert not re.search("^ftc: all", said, re.M)
