"""Sources in git repositories, worktrees and submodules on a farm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from services.parity import as_toml
from services.reapi_servers import STANDARD, Casd

BUILD = "git describe --tags > out; git status --short >> out; git config remote.origin.url >> out"
TOKEN = "gh0-token-of-test"
OUTPUT = b"v1.2\n?? out\nhttps://example.org/a.git\n"


def git(folder: Path, *arguments: str) -> None:
    given = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *given, *arguments], cwd=folder, check=True, capture_output=True)


def set_remote(folder: Path) -> None:
    """Let the remote of the repository at `folder` need a password, which is in its settings."""
    git(folder, "config", "remote.origin.url", f"https://user:{TOKEN}@example.org/a.git")
    git(folder, "config", "http.https://example.org/.extraheader", f"AUTHORIZATION: basic {TOKEN}")


@pytest.fixture
def project(casd: Casd, tmp_path: Path) -> Path:
    """A project with three sources: a repository, one of its worktrees, and it as a submodule of another."""
    sources = {name: tmp_path / name for name in ("repository", "worktree", "outer", "project")}
    for name in ("repository", "outer", "project"):
        sources[name].mkdir()
    repository, outer = sources["repository"], sources["outer"]
    for folder in (repository, outer):
        git(folder, "init", "-q")
    (repository / "file").write_text("content\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "first")
    git(repository, "tag", "v1.2")
    git(outer, "submodule", "--quiet", "add", str(repository), "inner")
    git(repository, "worktree", "add", "-q", str(sources["worktree"]))
    set_remote(repository)
    set_remote(outer / "inner")
    lines = ["builds = 2", "[remote]", f'endpoint = "{casd.endpoint}"', f"properties = {as_toml(STANDARD)}"]
    for name, folder in {
        "repository": repository,
        "worktree": sources["worktree"],
        "submodule": outer / "inner",
    }.items():
        lines += [f"[artifacts.{name}]", f'source = "{folder}"', f'build = "{BUILD}"', 'outputs = ["out"]']
    (sources["project"] / "ftc.toml").write_text("\n".join(lines) + "\n")
    (sources["project"] / "pytest.ini").write_text("[pytest]\n")
    return sources["project"]


def test_builds_ask_git_as_on_this_machine_and_credentials_stay(casd: Casd, project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "--ftc-verify", "--ftc-executor=reapi"]
    done = subprocess.run(
        [*command, "--ftc-diagnose=off", "--ftc-json=report.json", "ftc.toml"],
        cwd=project,
        env={**os.environ, "FTC_STORE": str(project.parent / "store"), "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    artifacts = json.loads((project / "report.json").read_text())["artifacts"]
    verdicts = {artifact["name"]: artifact["verdict"] for artifact in artifacts}
    assert verdicts == dict.fromkeys(("repository", "worktree", "submodule"), "reproducible"), done.stdout
    outputs = [output for artifact in artifacts for build in artifact["builds"] for output in build["outputs"]]
    assert [output["sha256"] for output in outputs] == [sha256(OUTPUT).hexdigest()] * 6
    assert not [path for path in casd.files() if TOKEN.encode() in path.read_bytes()]
