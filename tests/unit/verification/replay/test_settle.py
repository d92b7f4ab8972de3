"""What a recipe becomes on this machine, and what is told of it."""

import subprocess
from dataclasses import replace

import pytest

from pytest_ftc.builds.start import plan_start
from pytest_ftc.model import Environment, Isolation, Machine, Recipe
from pytest_ftc.verification.replay.settle import Here, find_gaps, settle
from pytest_ftc.verification.replay.shell import build_line
from pytest_ftc.verification.replay.withheld import describe_key, take_anew, withhold

KEY, OTHER = bytes(32), bytes(31) + b"1"
HERE = Here(
    root="", prepared=(), path=("/here/bin",), python="/here/bin/python", exists=lambda path: "then" not in path
)
MACHINE = Machine(isolation=Isolation.USER, faketime="/lib", locales=("C.utf8", "de_DE.utf8"), cpus=4)


def recipe(**changes: object) -> Recipe:
    environment = Environment(
        build_path="/ftc-build-x/app",
        home="/ftc-home-x",
        temp_dir="/tmp",
        variables={"PATH": "/then/env/bin:/then/bin:/ftc-path-x", "LC_ALL": "de_DE.UTF-8", "F": "-I/ftc-build-x/app/i"},
    )
    plain = Recipe(
        artifact="ftc.toml::ftc::app",
        name="app",
        command=("/then/bin/python", "build.py"),
        source=".",
        source_digest="d",
        commit="",
        environment=environment,
        outputs=("out",),
        timeout=1.0,
        path=("/then/bin",),
        python="/then/bin/python",
        isolation=Isolation.USER,
        cpus=4,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("shift", [0, 34_413_180, -7])
def test_a_clock_begins_at_the_same_moment_and_soon(shift: int) -> None:
    start = plan_start(1_000_000.25, shift, 2_000_000.7)
    assert start.at + start.shift == 1_000_000.25 + shift
    assert 0.4 < start.at - 2_000_000.7 < 2


def test_on_the_machine_it_was_recorded_on_nothing_is_another() -> None:
    same = recipe(path=("/bin",), python="/bin/python")
    here = replace(HERE, path=("/bin",), exists=lambda path: True)
    assert settle(same, here) == (same, ())
    assert find_gaps(same, MACHINE) == ()


def test_elsewhere_the_session_s_own_tools_take_the_place_and_that_is_told() -> None:
    there = replace(recipe(), prepared=("/then/env/bin",))
    settled, told = settle(there, replace(HERE, prepared=("/cache/env/bin",)))
    assert settled.command[0] == "/here/bin/python"
    assert settled.environment.variables["PATH"] == "/cache/env/bin:/here/bin:/ftc-path-x"
    assert len(told) == 3


def test_without_namespaces_all_folders_move_below_the_session_s_own() -> None:
    settled, _ = settle(recipe(), replace(HERE, root="/work/app"))
    environment = settled.environment
    assert (environment.build_path, environment.home, environment.temp_dir) == (
        "/work/app/ftc-build-x/app",
        "/work/app/ftc-home-x",
        "/work/app/tmp",
    )
    assert environment.variables["F"] == "-I/work/app/ftc-build-x/app/i"


def test_what_this_machine_cannot_do_is_told() -> None:
    poor = Machine(isolation=Isolation.NONE, isolation_reason="refused", faketime_reason="no libfaketime", cpus=1)
    gaps = find_gaps(recipe(), replace(poor, locales=("C",)))
    assert [word for gap in gaps for word in ("refused", "no libfaketime", "de_DE", "CPUs") if word in gap] == [
        "refused",
        "no libfaketime",
        "de_DE",
        "CPUs",
    ]


def test_what_may_be_secret_is_withheld_and_compared_by_a_keyed_digest() -> None:
    variables = {"TOKEN": "t", "CI": "yes", "OWN": "set", "PATH": "/bin"}
    parted = withhold(variables, {"CI": "yes", "OWN": "of pytest", "TOKEN": "t"}, ["TOKEN"], KEY)
    assert parted.shown == {"OWN": "set", "PATH": "/bin"}
    assert list(parted.passed) == ["CI"]
    assert "yes" not in parted.passed["CI"]
    assert withhold(variables, {"CI": "yes"}, [], OTHER).passed != parted.passed
    assert describe_key(KEY) != describe_key(OTHER)
    assert take_anew(parted.passed, True, KEY, {"CI": "yes"}) == ({"CI": "yes"}, ())
    for environ, same, word in (({"CI": "no"}, True, "different value"), ({"CI": "yes"}, False, "recorded one is unknown"), ({}, True, "is not set now")):  # fmt: skip
        assert word in take_anew(parted.passed, same, KEY, environ)[1][0]


def test_the_build_in_a_shell_sees_the_variables_of_a_build(tmp_path) -> None:
    folder = tmp_path / "a folder's"
    folder.mkdir()
    command = ("/bin/sh", "-c", 'env | grep -v "^PWD=\\|^_=" | sort; pwd; cat')
    line = build_line(str(folder), command, {"COLUMNS": "80", "PATH": "/usr/bin:/bin"})
    environ = {"PATH": "/usr/bin:/bin", "COLUMNS": "111", "LINES": "33", "MINE": "1"}
    done = subprocess.run(["bash", "-c", line], env=environ, input=b"no", capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == ["COLUMNS=80", "MINE=1", "PATH=/usr/bin:/bin", str(folder)]
