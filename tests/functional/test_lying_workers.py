"""A session on a farm whose workers lie: no verdict is better than the truth, and nothing reaches the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from farms import Farm, serving
from lying_workers import Said, Workers, environment_seen

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.builds.executor import RemoteExecutor
from pytest_ftc.integrations.reapi.builds.workers import Workers as Kinds
from pytest_ftc.integrations.reapi.dispatch import Policy
from pytest_ftc.model import Action, Role
from pytest_ftc.model.digest import Digest
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification.self_test.probe import find_unseen

ESCAPE = "\x1b]0;title\x07\x9b31m\u202e"
GONE = api.to_message(Digest("1" * 64, 5))


def make(action: Action) -> dict[str, bytes]:
    if action.outputs == ("seen.json",):
        return {"seen.json": environment_seen(action)}
    if action.artifact in ("differs", "hides"):
        return {"out": b"same\n", "out2": action.role.value.encode()}
    return {"out": b"lost\n" if action.artifact == "output" else b"same\n"}


def hide(said: Said, action: Action) -> None:
    said.result["outputs"].pop()


def escape_all(said: Said, action: Action) -> None:
    said.result |= {
        "reason": ESCAPE,
        "notes": [ESCAPE],
        "not_applied": {"time": ESCAPE, ESCAPE: ESCAPE},
        "not_followed": ESCAPE,
        "peers": [[ESCAPE, f"/{ESCAPE}"]],
        "shared": [f"/tmp/{ESCAPE}"],
        "host": {"kernel": ESCAPE, "image": ESCAPE, "cpu": ESCAPE, "machine": "", "boot": ""},
    }


def escape_names(said: Said, action: Action) -> None:
    link = {"type": "symlink", "mode": "0777", "target": f"{action.role.value}{ESCAPE}"}
    said.result["outputs"].append({"path": f"out-{ESCAPE}", **link})


def fail(said: Said, action: Action) -> None:
    said.result |= {"status": "failed", "exit_code": 1, "outputs": [], "reason": ESCAPE, "log_tail": f"{ESCAPE}\n" * 50}
    said.blobs.clear()
    said.log = f"{ESCAPE}\n".encode() * 10_000


def lose_log(said: Said, action: Action) -> None:
    said.answer = lambda answer: answer.output_files[1].digest.CopyFrom(GONE)


def lose_answer(said: Said, action: Action) -> None:
    said.answer = lambda answer: answer.ClearField("output_files")


def link_answer(said: Said, action: Action) -> None:
    def change(answer: Any) -> None:
        answer.ClearField("output_files")
        answer.output_symlinks.add(path="result.json", target="/etc/passwd")

    said.answer = change


def die(said: Said, action: Action) -> None:
    def change(answer: Any) -> None:
        answer.exit_code = 1
        answer.stderr_raw = ESCAPE.encode()

    said.answer = change


def end_without_result(said: Said, action: Action) -> None:
    said.response = lambda response: response.ClearField("result")


def refuse(said: Said, action: Action) -> None:
    def change(response: Any) -> None:
        response.status.code, response.status.message = 9, ESCAPE
        response.status.details.add(type_url=f"x/{ESCAPE}", value=b"\xff\xff")

    said.response = change


def start_never(said: Said, action: Action) -> None:
    said.result["started"] = float("inf")


def claim_reference(said: Said, action: Action) -> None:
    said.result["notes"] = ["equal to what was published: out"]


def send_garbage(said: Said, action: Action) -> None:
    said.encode = lambda result: b"\xff" * 1000


def lose_output(said: Said, action: Action) -> None:
    said.missing.add(Digest.of(b"lost\n"))


def point_elsewhere(said: Said, action: Action) -> None:
    said.result["outputs"][0]["sha256"] = "../../../../../../etc/passwd"


LIES = {
    "honest": lambda said, action: None,
    "differs": lambda said, action: None,
    "hides": hide,
    "escapes": escape_all,
    "names": escape_names,
    "fails": fail,
    "log": lose_log,
    "answer": lose_answer,
    "link": link_answer,
    "dies": die,
    "ends": end_without_result,
    "refuses": refuse,
    "never": start_never,
    "reference": claim_reference,
    "garbage": send_garbage,
    "output": lose_output,
    "elsewhere": point_elsewhere,
}
VERDICTS = {
    "honest": "reproducible",
    "escapes": "reproducible",
    "differs": "unreproducible",
    "names": "unreproducible",
    "fails": "failed",
}


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with serving() as farm:
        yield farm


def run(farm: Farm, folder: Path, artifacts: list[str]) -> tuple[dict[str, Any], str, int]:
    """Run a session, and return the report's artifacts by name, everything that it wrote, and its exit status."""
    lines = [f'[remote]\nendpoint = "grpc://{farm.target}"']
    lines += [f'[artifacts.{name}]\nbuild = "true"\noutputs = ["out*"]' for name in artifacts]
    (folder / "ftc.toml").write_text("\n".join(lines) + "\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-executor=reapi", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--color=no", "-v", "--ftc-json=report.json", "--ftc-report=report", "ftc.toml"],
        cwd=folder,
        env={**os.environ, "FTC_STORE": str(folder / "store"), "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
    )
    written = [done.stdout.decode(errors="surrogateescape")]
    # Logs, diffs and the names in report.json are as they are.
    pages = [*(folder / "report").glob("*.html"), *(folder / "report").glob("*.sarif")]
    written += [path.read_text(errors="surrogateescape") for path in pages]
    report = folder / "report.json"
    entries = json.loads(report.read_text())["artifacts"] if report.exists() else []
    return {entry["name"]: entry for entry in entries}, "\n".join(written), done.returncode


def assert_harmless(written: str) -> None:
    assert "Traceback" not in written
    assert "internal error" not in written
    harmful = {character for character in ESCAPE if not character.isprintable()}
    assert [line for line in written.splitlines() if harmful & set(line)] == []


def test_no_verdict_is_better_than_the_truth_and_nothing_reaches_the_terminal(farm: Farm, tmp_path: Path) -> None:
    workers = Workers(farm, make)
    workers.lie = lambda said, action: LIES.get(action.artifact, LIES["honest"])(said, action)
    artifacts, written, _ = run(farm, tmp_path, list(LIES))
    assert {name: entry["verdict"] for name, entry in artifacts.items()} == {
        **dict.fromkeys(LIES, "error"),
        **VERDICTS,
    }, written
    assert_harmless(written)
    assert all(entry["reason"].strip() for entry in artifacts.values() if entry["verdict"] == "error")


@pytest.mark.parametrize(
    "seen",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"time": 1}',
        b'{"time": ["\\u001b]0;x"], "variables": 1, "umask": "\\u001b]0;x"}',
        b'{"time": [1, 2, 3]}',
        b'{"time": [NaN, Infinity]}',
        b" " * (70 << 20),
    ],
    ids=["empty", "list", "binary", "deep", "number", "texts", "longer", "no numbers", "huge"],
)
@pytest.mark.parametrize("role", list(Role)[:2])
def test_a_self_test_that_is_garbage_is_named(farm: Farm, tmp_path: Path, seen: bytes, role: Role) -> None:
    def make_garbage(action: Action) -> dict[str, bytes]:
        return {"seen.json": seen} if action.outputs == ("seen.json",) and action.role is role else make(action)

    Workers(farm, make_garbage)
    address = RemoteAddress(target=farm.target)
    remote = RemoteExecutor(address, tmp_path / "work", tmp_path / "logs", Kinds(), Policy())
    try:
        machine = remote.survey()
        unseen = find_unseen(remote, machine, CATALOGUE, tmp_path / "self-test")
    finally:
        remote.close()
    assert unseen
    assert all(why.isprintable() and len(why) < 500 for why in unseen.values())
