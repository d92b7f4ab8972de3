"""``[tool.ftc.remote.replicas]``: control and experiment on different workers of a real farm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from services.buildbox import python_folders
from services.buildgrid_server import BuildGrid
from services.parity import Session, verify

_TOOLS = "/opt/ftc-tools"
_PROJECT = """\
[remote]
endpoint = "ENDPOINT"
properties = {unixUID = "1000", unixGID = "1000"}
replicas = {control = {pool = "a"}, experiment = {pool = "b"}}
[artifacts.plain]
build = "cp a.txt out.txt"
outputs = ["out.txt"]
timeout = 60
[artifacts.stamped]
build = "/opt/ftc-tools/stamp > out.txt; cat a.txt >> out.txt"
outputs = ["out.txt"]
timeout = 60
"""


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildGrid]:
    """A farm whose workers have another version of one tool each."""
    folder = tmp_path_factory.mktemp("tools")
    own = {}
    for pool, version in (("a", "1.0"), ("b", "2.0")):
        tool = folder / pool / "stamp"
        tool.parent.mkdir()
        tool.write_text(f"#!/bin/sh\necho {version}\n")
        tool.chmod(0o755)
        own[pool] = {_TOOLS: tool.parent}
    with BuildGrid(python_folders(), own) as server:
        yield server


def project(folder: Path, text: str = _PROJECT) -> Path:
    folder.mkdir()
    (folder / "a.txt").write_text("hello\n")
    (folder / "ftc.toml").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def workers(session: Session, artifact: str, role: str) -> set[str]:
    return {build["worker"] for build in session.artifacts[artifact]["builds"] if build["role"] == role}


def test_a_tool_that_differs_between_workers_is_named(farm: BuildGrid, tmp_path: Path) -> None:
    session = verify(project(tmp_path / "project"), farm.endpoint, "reapi")
    assert set(session.artifacts) == {"plain", "stamped"}, session.said
    plain, stamped = session.artifacts["plain"], session.artifacts["stamped"]
    assert plain["verdict"] == "reproducible", session.said
    assert "machine" in plain["varied"]
    assert len(plain["varied"]) >= 20
    for artifact in ("plain", "stamped"):
        assert workers(session, artifact, "control") == {"worker-a"}
        assert workers(session, artifact, "experiment") == {"worker-b"}
    for build in plain["builds"]:
        assert build["host"]["kernel"].startswith("Linux ")
        assert build["tools"]
    assert stamped["verdict"] == "unreproducible"
    (finding,) = stamped["findings"]
    assert (finding["cause"], finding["confirmed"]) == ("machine", True), session.said
    assert (finding["evidence"]["control"], finding["evidence"]["experiment"]) == ("1.0", "2.0")
    assert f"{_TOOLS}/stamp is another one on worker-b" in finding["why"]
    assert f"not the same file: {_TOOLS}/stamp" in " ".join(stamped["notes"])


def test_one_machine_in_both_pools_is_not_claimed(farm: BuildGrid, tmp_path: Path) -> None:
    same = _PROJECT.replace('experiment = {pool = "b"}', 'experiment = {hostname = "worker-a"}')
    only = same.partition("[artifacts.stamped]")[0]
    session = verify(project(tmp_path / "project", only), farm.endpoint, "reapi", "--ftc-builds=2")
    plain = session.artifacts["plain"]
    assert plain["verdict"] == "reproducible", session.said
    assert "machine" not in plain["varied"]
    reasons = {entry["variation"]: entry["reason"] for entry in plain["not_varied"]}
    assert reasons["machine"] == "control and experiment ran on the same worker, worker-a"
