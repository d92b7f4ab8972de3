"""Which program or library two machines do not share."""

from __future__ import annotations

from typing import Any

from pytest_ftc.diagnosis.culprits.machines import explain_machines
from pytest_ftc.model import BuildResult, BuildStatus, Program, Role, Trace
from pytest_ftc.model.build_inputs import Host


def build(worker: str, tools: dict[str, str], **fields: Any) -> BuildResult:
    return BuildResult(
        id="a", role=Role.REPEAT, environment={}, status=BuildStatus.OK, worker=worker, tools=tools, **fields
    )


def program(*argv: str) -> Program:
    return Program(pid=1, argv=argv, folder="/b", program=argv[0], parent=-1, exit_code=0)


def trace(*programs: Program, read: tuple[tuple[int, str], ...] = ()) -> Trace:
    return Trace(programs=programs, read=read, written=(), contents=(), moved=(), connected=(), gaps=())


def test_the_tool_that_differs_is_named_with_both_digests() -> None:
    one, other = build("w1", {"/bin/cc": "a" * 64, "/bin/sh": "c" * 64}), build("w2", {"/bin/cc": "b" * 64})
    other.tools["/bin/sh"] = "c" * 64  # type: ignore[index]
    assert explain_machines(one, other) == (f"/bin/cc is another one on w2 ({'b' * 12}) than on w1 ({'a' * 12})")


def test_what_only_one_machine_has_is_said() -> None:
    assert explain_machines(build("w1", {"/a": "1", "/b": "1"}), build("", {"/a": "1"})) == "/b is used on w1 only"


def test_the_program_that_wrote_the_bytes_comes_first_then_its_libraries() -> None:
    paths = ["/bin/a", "/bin/cc", "/lib/libc.so", "/lib/libother.so", "/usr/z"]
    one = build(
        "w1",
        dict.fromkeys(paths, "1"),
        trace=trace(program("/bin/a"), program("/bin/cc", "-c"), read=((0, "/lib/libother.so"), (1, "/lib/libc.so"))),
    )
    found = explain_machines(one, build("w2", dict.fromkeys(paths, "2")), ["/bin/cc", "-c"])
    assert [part.split()[0] for part in found.split("; ")] == ["/bin/cc", "/lib/libc.so", "/bin/a", "and"]
    assert found.endswith("and 2 more files")


def test_without_a_difference_in_files_the_hardware_is_compared() -> None:
    one = build("w1", {"/a": "1"}, host=Host(kernel="Linux 6", cpu="Xeon"))
    other = build("w2", {"/a": "1"}, host=Host(kernel="Linux 6", cpu=""))
    assert explain_machines(one, other) == (
        "the machines have the same programs and libraries of all that the build uses; "
        "their CPUs differ: Xeon, and unknown"
    )


def test_nothing_is_said_of_builds_that_listed_nothing() -> None:
    assert explain_machines(build("w1", {}), build("w2", {"/a": "1"})) == ""
