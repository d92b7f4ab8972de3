from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ftc.model import Action, Artifact, FileOrder, FileSystem, Identity, Isolation, Machine, Role, Snapshot
from pytest_ftc.model.timing.trace_context import parse_traceparent, start_trace
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.variations.specification import Vocabulary, parse_specification
from pytest_ftc.verification.plan import BuildSetting, Plan, PlannedArtifact, plan_builds, plan_rebuild

ALL = tuple(variation.name for variation in CATALOGUE)
MACHINE = Machine(
    isolation=Isolation.USER,
    overlay=True,
    faketime="/lib/libfaketime.so.1",
    locales=("C", "C.utf8", "de_DE.utf8", "POSIX"),
    zoneinfo=True,
    work_dir="/var/tmp/w",
    work_filesystem="ext4",
    cpus=2,
    identity=Identity(uid=1000, gid=1000, user="me", group="us"),
    online=True,
)
BARE = Machine(
    isolation=Isolation.NONE,
    isolation_reason="refused",
    faketime_reason="no libfaketime",
    locales=("C",),
    work_dir="/var/tmp/w",
    work_filesystem="ext4",
    personality_reason="refused",
)
SNAPSHOT = Snapshot(path=Path("/snapshot"), git_dir=None, git_link=None, commit_time=7)
ARTIFACT = Artifact(id="ftc.toml::ftc::app", name="app", build="make", outputs=("app",), source=Path("/project"))


def plan(names: tuple[str, ...] = ALL, **changes: Any) -> Plan:
    artifact = replace(ARTIFACT, **changes.pop("artifact", {}))
    setting: dict[str, Any] = {
        "machine": MACHINE,
        "folder": Path("/var/tmp/w/plain"),
        "path": ("/usr/bin", "/bin"),
        "environ": {"CI": "1", "TOKEN": "secret"},
        "trace": None,
    }
    setting.update({name: changes.pop(name) for name in setting if name in changes})
    arguments: dict[str, Any] = {
        "source": SNAPSHOT,
        "variations": [variation for variation in CATALOGUE if variation.name in names],
        "builds": 2,
        **changes,
    }
    return plan_builds(artifact, setting=BuildSetting(**setting), **arguments)


def test_two_builds_vary_everything_at_once() -> None:
    result = plan()
    control, experiment = result.actions
    assert (control.role, experiment.role) == (Role.CONTROL, Role.EXPERIMENT)
    assert result.varied == ALL
    assert result.not_varied == ()
    assert {name for name in ALL if control.described[name] != experiment.described[name]} == set(ALL)


def test_what_is_not_asked_for_stays_the_same_in_both_builds() -> None:
    for name in ALL:
        result = plan((name,))
        control, experiment = result.actions
        assert result.varied == (name,)
        for other in CATALOGUE:
            if other.name not in (name, "filesystem"):
                assert other.describe(control.environment) == other.describe(experiment.environment), other.name


def test_the_order_of_files_varies_alone_on_two_file_systems_of_one_type() -> None:
    control, experiment = (action.environment for action in plan(("fileordering",)).actions)
    assert control.filesystem is experiment.filesystem is FileSystem.TMPFS
    assert (control.file_order, experiment.file_order) == (FileOrder.NATIVE, FileOrder.REVERSED)


def test_what_a_machine_cannot_vary_is_named_and_not_claimed() -> None:
    result = plan(machine=BARE)
    missing = {entry.variation: entry.reason for entry in result.not_varied}
    assert set(missing) == {
        "time", "locales", "user_group", "domain_host", "kernel", "num_cpus", "aslr", "pid", "fileordering", "filesystem",
        "network",
    }  # fmt: skip
    assert missing["time"] == "no libfaketime"
    assert "refused" in missing["fileordering"]
    assert set(result.varied) == set(ALL) - set(missing)
    assert all(action.environment.build_path.startswith("/var/tmp/w/plain/") for action in result.actions)


@pytest.mark.parametrize(
    ("variable", "variation"),
    [
        ("TZ", "timezone"),
        ("LC_ALL", "locales"),
        ("PYTHONHASHSEED", "hash_seed"),
        ("HOME", "home"),
        ("TMPDIR", "temp_dir"),
        ("PATH", "exec_path"),
    ],
)
def test_a_setting_of_the_artifact_wins_and_is_named(variable: str, variation: str) -> None:
    result = plan(artifact={"env": {variable: "fixed"}})
    assert {action.environment.variables[variable] for action in result.actions} == {"fixed"}
    assert [entry.variation for entry in result.not_varied] == [variation]
    assert variation not in result.varied


@pytest.mark.parametrize(("variable", "variation"), [("HOME", "home"), ("TMPDIR", "temp_dir"), ("TZ", "timezone")])
def test_a_variable_that_is_passed_on_is_not_claimed_to_vary(variable: str, variation: str) -> None:
    result = plan(artifact={"pass_env": (variable,)}, environ={variable: "fixed"})
    assert {action.environment.variables[variable] for action in result.actions} == {"fixed"}
    assert [entry.variation for entry in result.not_varied] == [variation]
    assert variation not in result.varied


def test_secrets_of_the_session_do_not_reach_a_build_unless_passed() -> None:
    assert "TOKEN" not in plan().actions[0].environment.variables
    assert plan(artifact={"pass_env": ("TOK*",)}).actions[1].environment.variables["TOKEN"] == "secret"


@pytest.mark.parametrize(("asked", "expected"), [("unset", None), ("git", "7"), (5, "5")])
def test_source_date_epoch_is_what_the_artifact_asks_for(asked: int | str, expected: str | None) -> None:
    for action in plan(artifact={"source_date_epoch": asked}).actions:
        assert action.environment.variables.get("SOURCE_DATE_EPOCH") == expected


def test_more_builds_are_experiments_with_canaries_of_their_own() -> None:
    actions = plan(builds=4).actions
    assert [action.id for action in actions] == [
        "app-control",
        "app-experiment",
        "app-experiment-2",
        "app-experiment-3",
    ]
    assert len({action.environment.build_path for action in actions}) == 4


def select(specification: str) -> Any:
    return parse_specification(specification, Vocabulary(CATALOGUE)).select(CATALOGUE)


def test_more_experiments_take_other_locales_in_turn_and_a_rebuild_that_of_the_first() -> None:
    machine = replace(MACHINE, locales=(*MACHINE.locales, "et_EE.utf8"))
    variations = select("all,locales.names=de_DE.UTF-8;et_EE.UTF-8")
    result = plan(variations=variations, machine=machine, builds=4)
    seen = [action.environment.variables["LC_ALL"] for action in result.actions]
    assert seen == ["C.utf8", "de_DE.UTF-8", "et_EE.UTF-8", "de_DE.UTF-8"]
    planned = PlannedArtifact(artifact=ARTIFACT, source=SNAPSHOT, machine=machine, plan=result)
    rebuild = plan_rebuild(planned, ("locales",), role=Role.BISECT, suffix="-1")
    assert rebuild.environment.variables["LC_ALL"] == "de_DE.UTF-8"


def test_in_mode_both_no_build_has_a_network_and_none_is_said_to_vary() -> None:
    result = plan(variations=select("all,network.mode=both"))
    assert [action.environment.network for action in result.actions] == [False, False]
    assert [(entry.variation, entry.reason) for entry in result.not_varied] == [
        ("network", "every build of this artifact runs offline")
    ]


@pytest.mark.parametrize(("specification", "control"), [("network", True), ("-network", True), ("network.mode=experiment", True)])  # fmt: skip
def test_in_mode_experiment_the_control_keeps_its_network(specification: str, control: bool) -> None:
    assert plan(variations=select(specification)).actions[0].environment.network is control


@pytest.mark.parametrize("artifact", [{}, {"preset": "wheel"}])
def test_without_namespaces_no_build_is_said_to_run_offline(artifact: dict[str, Any]) -> None:
    result = plan(variations=select("umask,network.mode=both"), machine=BARE, artifact=artifact)
    assert [(entry.variation, entry.reason) for entry in result.not_varied] == [
        ("network", "no build can be kept offline without a network namespace: refused")
    ]


def test_a_named_variable_is_set_in_the_experiment_alone_unless_the_artifact_relies_on_it() -> None:
    variations = select("umask,environment.variables+=CI")
    control, experiment = plan(variations=variations).actions
    assert "CI" not in control.environment.variables
    assert experiment.environment.variables["CI"].startswith("ftc-extra-")
    for artifact in ({"env": {"CI": "yes"}}, {"pass_env": ("CI",)}):
        result = plan(variations=variations, artifact=artifact)
        assert len({action.environment.variables["CI"] for action in result.actions}) == 1
        assert result.varied == ("umask",)
        assert [entry.reason for entry in result.not_varied] == ["the artifact's env sets CI"]


@pytest.mark.parametrize("specification", ["time.offset=0", "num_cpus.experiment=2", "locales.names=C.UTF-8"])
def test_a_parameter_that_makes_both_sides_equal_is_not_claimed_to_vary(specification: str) -> None:
    name = specification.partition(".")[0]
    result = plan(variations=select(f"umask,{specification}"))
    assert result.varied == ("umask",)
    assert [entry.variation for entry in result.not_varied] == [name]


def test_a_string_is_for_the_shell_and_a_list_is_not() -> None:
    assert plan().actions[0].command == ("/bin/sh", "-c", "make")
    assert plan(artifact={"build": ("make", "all")}).actions[0].command == ("make", "all")


def test_builds_of_strange_names_have_plain_and_different_ids() -> None:
    first, second = (plan(artifact={"name": name}).actions[0].id for name in ("a b", "a/b"))
    assert first != second
    assert "/" not in second


TRACE = start_trace({"TRACEPARENT": f"00-{'a' * 32}-{'b' * 16}-00", "BAGGAGE": "token=hush", "TRACESTATE": "theirs=1"})


def carried(action: Action) -> tuple[str, str, str]:
    variables = action.environment.variables
    return variables["TRACEPARENT"], variables["TRACESTATE"], variables["BAGGAGE"]


def test_the_control_is_part_of_the_trace_of_the_session_and_no_experiment_is() -> None:
    control, *experiments = plan(trace=TRACE, builds=3).actions
    assert parse_traceparent(carried(control)[0]) == (TRACE.trace_id, control.span, True)
    foreign = [parse_traceparent(carried(action)[0]) for action in experiments]
    assert all(parent and parent[0] != TRACE.trace_id and not parent[2] for parent in foreign)
    for values in zip(*map(carried, (control, *experiments)), strict=True):
        assert len(set(values)) == 3  # so that a build that embeds any of them is found
    assert not any("hush" in text or "theirs" in text for action in (control, *experiments) for text in carried(action))
    assert [action.span for action in experiments] == ["", ""]


@pytest.mark.parametrize("changes", [{"names": ("umask",)}, {"artifact": {"env": {"TRACEPARENT": "fixed"}}}])
def test_what_is_not_varied_does_not_belong_to_a_trace_either(changes: dict[str, Any]) -> None:
    first, second = (plan(trace=start_trace({}), **changes).actions for _ in range(2))
    assert {carried(action)[0] for action in (*first, *second)} == {carried(first[0])[0]}
    assert first[0].span == ""


def test_who_sets_a_variable_of_a_trace_still_has_the_others_varied() -> None:
    result = plan(artifact={"env": {"TRACEPARENT": "fixed"}}, trace=TRACE)
    assert result.varied == ALL
    assert len({carried(action)[2] for action in result.actions}) == 2


def test_a_repetition_has_the_trace_of_the_control_and_a_bisection_of_the_variables_that_of_the_experiment() -> None:
    result = plan(trace=TRACE)
    planned = PlannedArtifact(artifact=ARTIFACT, source=SNAPSHOT, machine=MACHINE, plan=result)
    repeat = plan_rebuild(planned, (), role=Role.REPEAT, suffix="-1")
    bisect = plan_rebuild(planned, ("environment",), role=Role.BISECT, suffix="-2")
    assert [carried(action) for action in (repeat, bisect)] == [carried(action) for action in result.actions]
    assert repeat.span == ""  # its span is its own, and there is one for each ID
