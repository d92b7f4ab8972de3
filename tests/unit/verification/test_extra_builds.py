"""Further experiments of quick builds: how many, when, and which of them count."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.model import (
    Action,
    BuildResult,
    BuildStatus,
    Environment,
    Metadata,
    Output,
    OutputType,
    Program,
    Role,
    Trace,
)
from pytest_ftc.verification.extra_builds import ExtraBuildOptions, ExtraBuilds, may_be_chance

ACTIONS = [
    Action(
        id=f"a-experiment-{number}",
        role=Role.EXPERIMENT,
        command=("true",),
        snapshot=Path("/nowhere"),
        environment=Environment(build_path="/b", home="/h", temp_dir="/t"),
        described={},
        outputs=("out",),
        timeout=9,
    )
    for number in range(2, 7)
]


def trace(*programs: str, read: Iterable[str] = ()) -> Trace:
    return Trace(
        programs=tuple(
            Program(pid=1, argv=(path,), folder="/", program=path, parent=-1, exit_code=0) for path in programs
        ),
        read=tuple((0, path) for path in read),
        written=(),
        contents=(),
        moved=(),
        connected=(),
        gaps=(),
    )


def built(sha256: str = "a", *, seconds: float = 0.1, seen: Trace | None = None, status=BuildStatus.OK) -> BuildResult:
    out = Output(path="out", type=OutputType.FILE, mode="0644", size=1, sha256=sha256)
    return BuildResult(
        id="x", role=Role.EXPERIMENT, environment={}, status=status, seconds=seconds, outputs=(out,), trace=seen
    )


class Answers:
    """An executor that has an answer for each build."""

    def __init__(self, answers: Iterable[BuildResult]) -> None:
        self.answers = iter(answers)
        self.ids: list[str] = []

    def run(self, action: Action, started: Callable[[float], None], may_start: object = None) -> BuildResult:
        self.ids.append(action.id)
        return next(self.answers)

    def cancel(self) -> None: ...


def run(control: BuildResult, answers: Iterable[BuildResult], *, idle: bool) -> tuple[ExtraBuilds, Answers]:
    executor = Answers(answers)
    options = ExtraBuildOptions(metadata=Metadata.CONTENT, is_idle=lambda: idle)
    extra = ExtraBuilds(executor, ACTIONS, options)
    extra.run(control)
    return extra, executor


@pytest.mark.parametrize(
    ("programs", "read", "expected"),
    [
        (("/bin/sh", "/usr/bin/gcc", "/usr/bin/tar"), (), False),
        (("/usr/bin/python3.12",), (), True),
        (("/usr/bin/perl",), (), True),
        (("/usr/lib/jvm/bin/javac",), (), True),
        (("/ftc-build/tree/generate",), (), True),
        (("/usr/bin/head",), ("/dev/urandom",), True),
        (("/usr/bin/cat",), ("/proc/sys/kernel/random/uuid",), True),
        (("/usr/bin/pythonish-tool",), (), False),
    ],
)
def test_chance_is_possible_where_interpreters_and_unknown_programs_run(programs, read, expected) -> None:
    assert may_be_chance(built(seen=trace(*programs, read=read))) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("-R", "a"), True), (("-uR",), True), (("--random-sort",), True), (("-r", "R"), False), (("--reverse",), False)],
)
def test_sorting_in_random_order_is_chance(arguments, expected) -> None:
    seen = trace("/usr/bin/sort")
    program = replace(seen.programs[0], argv=("sort", *arguments))
    assert may_be_chance(built(seen=replace(seen, programs=(program,)))) == expected


def test_what_was_not_traced_may_be_chance() -> None:
    assert may_be_chance(built(seen=None))


@pytest.mark.parametrize(
    ("seconds", "program", "idle", "expected"),
    [
        (0.1, "/usr/bin/tar", True, 5),
        (0.1, "/usr/bin/tar", False, 1),
        (1.5, "/usr/bin/tar", False, 0),
        (0.1, "/usr/bin/python3", False, 5),
        (2.5, "/usr/bin/python3", False, 3),
        (9.0, "/usr/bin/python3", True, 0),
        (2.5, "/usr/bin/tar", True, 0),
    ],
)
def test_the_number_follows_from_time_idle_cpus_and_programs(seconds, program, idle, expected) -> None:
    extra, executor = run(built(seconds=seconds, seen=trace(program)), itertools.repeat(built()), idle=idle)
    assert len(extra.results) == len(executor.ids) == expected
    assert executor.ids == [action.id for action in ACTIONS[:expected]]


@pytest.mark.parametrize("telling", [built("b"), built(status=BuildStatus.FAILED)])
def test_one_that_differs_or_breaks_is_the_last(telling: BuildResult) -> None:
    extra, executor = run(built(seen=trace("/usr/bin/perl")), [built(), telling, built()], idle=True)
    assert [result is telling for result in extra.results] == [False, True]
    assert len(executor.ids) == 2


def test_one_that_was_lost_counts_no_more_than_one_that_did_not_run() -> None:
    extra, _ = run(built(seen=None), [built(), built(status=BuildStatus.LOST)], idle=True)
    assert len(extra.results) == 1


def test_one_that_breaks_in_an_unusual_path_is_repeated_in_a_plain_one() -> None:
    plain = replace(ACTIONS[1], id="a-experiment-3-plain")
    answers = [built(), built(status=BuildStatus.FAILED), built(), built(), built(), built()]
    executor = Answers(answers)
    options = ExtraBuildOptions(
        metadata=Metadata.CONTENT,
        is_idle=lambda: True,
        plainer=lambda index: plain if index == 1 else None,
    )
    extra = ExtraBuilds(executor, ACTIONS, options)
    extra.run(built(seen=trace("/usr/bin/perl")))
    assert executor.ids[:3] == [ACTIONS[0].id, ACTIONS[1].id, plain.id]
    assert [result.status for result in extra.results] == [BuildStatus.OK] * 5
    assert extra.results[1].notes == ("the build fails in the path '/b': ",)
    assert extra.replaced == {1: plain}


def test_one_that_breaks_in_a_plain_path_too_is_broken() -> None:
    executor = Answers([built(status=BuildStatus.FAILED), built(status=BuildStatus.FAILED)])
    options = ExtraBuildOptions(metadata=Metadata.CONTENT, is_idle=lambda: True, plainer=lambda _: ACTIONS[0])
    extra = ExtraBuilds(executor, ACTIONS, options)
    extra.run(built(seen=trace("/usr/bin/perl")))
    assert [result.status for result in extra.results] == [BuildStatus.FAILED]
    assert extra.replaced == {}
