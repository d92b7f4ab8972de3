"""What was applied and does not count as varied: here, the hash seed of interpreters that do not take it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ftc.model import (
    Action,
    Artifact,
    BuildResult,
    BuildStatus,
    Environment,
    Isolation,
    Machine,
    Program,
    Role,
    Snapshot,
    Trace,
)
from pytest_ftc.model.support.contents import forget, keep_remote
from pytest_ftc.variations.hash_seed import HashSeed
from pytest_ftc.variations.time import Time
from pytest_ftc.variations.umask import Umask
from pytest_ftc.verification.claims.unclaimed import find_unclaimed
from pytest_ftc.verification.plan import Plan, PlannedArtifact

ENVIRONMENT = Environment(
    build_path="/b", home="/h", temp_dir="/t", variables={"PYTHONHASHSEED": "0", "PERL_HASH_SEED": "0"}
)


def claims(*programs: Program, tmp_path: Path) -> dict[str, str]:
    action = Action(
        id="a-control",
        role=Role.CONTROL,
        command=("true",),
        snapshot=tmp_path,
        environment=ENVIRONMENT,
        described={},
        outputs=("out",),
        timeout=9,
    )
    trace = Trace(programs=programs, read=(), written=(), contents=(), moved=(), connected=(), gaps=())
    control = BuildResult(id="a-control", role=Role.CONTROL, environment={}, status=BuildStatus.OK, trace=trace)
    planned = PlannedArtifact(
        artifact=Artifact(id="a", name="a", source=tmp_path, build="true", outputs=("out",)),
        source=Snapshot(path=tmp_path, git_dir=None, git_link=None, commit_time=None),
        machine=Machine(isolation=Isolation.USER),
        plan=Plan(actions=(action,), variations=(Umask(), HashSeed()), not_varied=()),
    )
    return find_unclaimed(planned, control)


def ran(path: str, *arguments: str, hash_seed: str | None = "0") -> Program:
    argv = (path, *arguments)
    return Program(pid=1, argv=argv, folder="/", program=path, parent=-1, exit_code=0, hash_seed=hash_seed)


@pytest.mark.parametrize(
    ("program", "how"),
    [
        (ran("/usr/bin/python3.12", "-I", "make.py"), "python3.12 ran with -I"),
        (ran("/usr/bin/python3", "-sE", "make.py"), "python3 ran with -sE"),
        (ran("/usr/bin/python3", "-B", "-I", "-c", "print()"), "python3 ran with -I"),
        (ran("/usr/bin/perl", "-wT", "make.pl"), "perl ran with -wT"),
        (ran("/usr/bin/python3", "make.py", hash_seed=""), "python3 ran without the variable"),
        (ran("/usr/bin/perl", "make.pl", hash_seed="7"), "perl ran without the variable"),
    ],
)
def test_an_interpreter_that_ignores_the_seed_takes_the_claim_away(program: Program, how: str, tmp_path: Path) -> None:
    found = claims(ran("/bin/sh", hash_seed=None), program, tmp_path=tmp_path)
    assert list(found) == ["hash_seed"]
    assert found["hash_seed"].startswith(how)


@pytest.mark.parametrize(
    "program",
    [
        ran("/bin/sh", "-eI", hash_seed=None),
        ran("/usr/bin/python3", "make.py", "-I"),
        ran("/usr/bin/python3", "-c", "-E"),
        ran("/usr/bin/python3", "-m", "build", "-I"),
        ran("/usr/bin/perl", "-pe", "s/T/I/", "-T"),
        ran("/usr/bin/python3", "-I", "-m", "build", "--wheel", hash_seed="0"),
    ],
)
def test_others_keep_it(program: Program, tmp_path: Path) -> None:
    assert claims(program, tmp_path=tmp_path) == {}


def claims_of_starts(*starts: float, blobs: Path) -> dict[str, str]:
    first = Action(
        id="a-control",
        role=Role.CONTROL,
        command=("true",),
        snapshot=blobs,
        environment=ENVIRONMENT,
        described={},
        outputs=("out",),
        timeout=9,
    )
    control, *experiments = (
        BuildResult(
            id=f"a-{number}",
            role=Role.EXPERIMENT if number else Role.CONTROL,
            environment={},
            status=BuildStatus.OK,
            started=started,
            blobs=str(blobs),
        )
        for number, started in enumerate(starts)
    )
    planned = PlannedArtifact(
        artifact=Artifact(id="a", name="a", source=blobs, build="true", outputs=("out",)),
        source=Snapshot(path=blobs, git_dir=None, git_link=None, commit_time=None),
        machine=Machine(isolation=Isolation.USER, faketime=("/usr/lib/libfaketime.so.1",)),
        plan=Plan(actions=(first,), variations=(Time(),), not_varied=()),
    )
    return find_unclaimed(planned, control, experiments)


def test_builds_that_started_at_the_same_moment_by_their_workers_clocks_do_not_vary_the_time(tmp_path: Path) -> None:
    keep_remote(tmp_path, lambda sha256, path: None)
    try:
        # The control's worker took long to set it up, or the clock of the other one is behind.
        near = claims_of_starts(1000.0, 1000.4, blobs=tmp_path)
        assert near == {"time": "by the clocks of their workers, the builds started only 0.4 s apart"}
        assert list(claims_of_starts(1000.0, 998.5, 1001.9, blobs=tmp_path)) == ["time"]
        assert claims_of_starts(1000.0, 1002.1, blobs=tmp_path) == {}
        assert claims_of_starts(1000.0, 900.0, blobs=tmp_path) == {}
        assert claims_of_starts(1000.0, 1000.4, 1002.5, blobs=tmp_path) == {}
    finally:
        forget(tmp_path)


def test_starts_on_this_machine_are_apart_by_its_own_gap(tmp_path: Path) -> None:
    assert claims_of_starts(1000.0, 1000.4, blobs=tmp_path) == {}
