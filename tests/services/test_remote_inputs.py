"""What a real farm hands to its workers, and which of them it chooses: nothing is built from what was not sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from services.farm_faults import alter
from services.reapi_servers import STANDARD, Casd

from pytest_ftc.builds.machine import faketime_candidates
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.builds.executor import RemoteExecutor
from pytest_ftc.integrations.reapi.builds.program import pack_program
from pytest_ftc.integrations.reapi.builds.workers import Workers
from pytest_ftc.integrations.reapi.dispatch import Policy
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.model import Action, BuildStatus, Environment, Replica, Role
from pytest_ftc.model.digest import Digest


def build_in(folder: Path, **fields: object) -> Action:
    """Return a build of the files below `folder`, which is made."""
    (folder / "source").mkdir()
    (folder / "source" / "file").write_text("of the source\n")
    environment = Environment(
        build_path="/ftc-b/tree", home="/ftc-h", temp_dir="/tmp", host="varied", variables={"PATH": "/usr/bin:/bin"}
    )
    action = Action(
        id="a-control",
        artifact="a",
        role=Role.CONTROL,
        command=("/bin/sh", "-c", "uname -n > out"),
        snapshot=folder / "source",
        environment=environment,
        described={},
        outputs=("out",),
        timeout=60,
    )
    return replace(action, **fields)


def test_each_content_that_a_farm_alters_is_noticed_by_its_worker(own_casd: Casd, tmp_path: Path) -> None:
    library = next(filter(Path.is_file, faketime_candidates()), None)
    action = build_in(tmp_path)
    contents = {"worker.zip": pack_program(), "file": b"of the source\n"}
    if library:
        contents["libfaketime.so.1"] = library.read_bytes()
    remote = RemoteExecutor(
        RemoteAddress(target=own_casd.target), tmp_path, tmp_path / "logs", Workers(STANDARD), Policy()
    )
    try:
        assert remote.run(action, lambda _: None).status is BuildStatus.OK
        for name, data in contents.items():
            file = own_casd.file(Digest.of(data))
            alter(file)
            with pytest.raises(RemoteError, match=f"the farm gave the worker another '{name}' than it was sent"):
                remote.run(action, lambda _: None)
            # The same change again undoes it.
            alter(file)
        assert remote.run(action, lambda _: None).status is BuildStatus.OK
    finally:
        remote.close()


def test_a_worker_that_isolates_builds_in_another_way_than_the_surveyed_one_claims_nothing(
    casd: Casd, tmp_path: Path
) -> None:
    action = build_in(tmp_path)
    kinds = Workers({}, {Replica.CONTROL: STANDARD, Replica.EXPERIMENT: {}})
    remote = RemoteExecutor(RemoteAddress(target=casd.target), tmp_path, tmp_path / "logs", kinds, Policy())
    try:
        remote.survey(Replica.CONTROL)
        on = {kind: replace(action, environment=replace(action.environment, replica=kind)) for kind in Replica}
        assert remote.run(on[Replica.CONTROL], lambda _: None).status is BuildStatus.OK
        with pytest.raises(RemoteError, match="this worker isolates builds by none .* surveyed by user"):
            remote.run(on[Replica.EXPERIMENT], lambda _: None)
    finally:
        remote.close()
