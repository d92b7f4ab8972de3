"""What provenance lists of an artifact's inputs."""

import subprocess
from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.model.build_inputs import Host
from pytest_ftc.model.errors import SourceError
from pytest_ftc.verification.build_inputs import InputsRecorder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a").write_text("a")
    return folder


def record(source: Path, digest=lambda snapshot: "d/1", **settings):
    artifact = Artifact(id="i", name="n", build="cat a > o", outputs=("o",), source=source, **settings)
    snapshot = Snapshot(path=source, git_dir=None, git_link=None, commit_time=1_700_000_000)
    recorder = InputsRecorder(Toolchain(["/usr/bin", "/bin"]), digest, ("Linux",), Host(kernel="Linux 6"))
    return recorder.record(artifact, Prepared(artifact=artifact, inputs_digest="r"), snapshot)


def git(source: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=n", "-c", "user.email=e", *arguments]
    return subprocess.run(command, cwd=source, check=True, capture_output=True, text=True).stdout.strip()


def test_what_decides_the_outputs(source):
    inputs = record(source, env={"CFLAGS": "-O2"}, before="umask 022")
    assert (inputs.source, inputs.requirements, inputs.platform) == ("d/1", "r", ("Linux",))
    assert inputs.host == Host(kernel="Linux 6")
    assert inputs.command == ("/bin/sh", "-c", "cat a > o")
    assert (inputs.before, inputs.outputs, inputs.variables) == ("umask 022", ("o",), {"CFLAGS": "-O2"})
    assert any(path.endswith("/cat") and len(digest) == 64 for path, digest in inputs.tools.items())


def test_outside_a_repository_there_is_no_commit(source):
    assert (record(source).commit, record(source).dirty) == ("", False)


def test_the_commit_and_whether_the_sources_differ_from_it(source):
    git(source, "init", "-q")
    git(source, "add", "-A")
    git(source, "commit", "-qm", "x")
    assert (record(source).commit, record(source).dirty) == (git(source, "rev-parse", "HEAD"), False)
    (source / "a").write_text("b")
    assert record(source).dirty


@pytest.mark.parametrize(("given", "said"), [("git", "1700000000"), (5, "5"), ("unset", "unset")])
def test_the_source_date(source, given, said):
    assert record(source, source_date_epoch=given).source_date_epoch == said


def test_values_that_are_passed_through_are_left_out(source, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cr3t-value")
    assert "s3cr3t-value" not in repr(record(source, pass_env=("TOKEN",), secrets=("env:TOKEN",)))


def test_sources_that_cannot_be_read_cost_no_verdict(source):
    def fail(snapshot: Snapshot) -> str:
        raise SourceError("gone")

    assert record(source, digest=fail) is None
