"""``ftc drift``: what differs is named before a build, and in the report of one that could not be left out."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def outside():
    """A folder outside the project that builds see: they have another /tmp."""
    folder = Path(tempfile.mkdtemp(prefix="ftc-outside-", dir=pwd.getpwuid(os.getuid()).pw_dir))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def drift(project):
    def run(*arguments, status):
        done = subprocess.run([sys.executable, "-m", "pytest_ftc", "drift", *arguments], capture_output=True, text=True, cwd=project)  # fmt: skip
        assert (done.returncode, done.stderr) == (status, ""), done.stdout
        return done.stdout

    return run


def test_a_changed_tool_and_a_changed_file_are_named(verify, project, outside, drift):
    tool, data, used = outside / "tool", outside / "data", outside / "usxx"
    tool.write_text(f"#!/bin/sh\ncat $(echo {outside}/da)ta $(echo {outside}/us)xx\n")
    tool.chmod(0o755)
    data.write_text("one")
    used.write_text("two")
    (project / "src").mkdir()
    toml = f"[artifacts.app]\nbuild = '{tool} > out'\noutputs = ['out']\nsource = 'src'\n"
    (project / "ftc.toml").write_text(toml)
    assert "nothing to compare with: no build of it is recorded" in drift("--check", status=0)
    verify(toml, "--ftc-builds=2")
    assert "nothing differs from its last build" in drift("app", "--check", status=0)

    data.write_text("another")
    used.unlink()
    tool.write_text(f"#!/bin/sh\ncat $(echo {outside}/da)ta\n")
    (found,) = json.loads(drift("--json", "--check", status=1))
    assert (found["artifact"], found["verdict"]) == ("app", "reproducible")
    named = {one["name"]: (one["kind"], bool(one["then"]), bool(one["now"])) for one in found["drift"]}
    assert named == {str(tool): ("tool", True, True), str(data): ("file", False, False), str(used): ("file", True, False)}  # fmt: skip
    text = drift(status=0)
    assert f"{tool} changed" in text
    assert f"{used} was removed" in text

    run = verify(toml, "--ftc-builds=2")
    again = next(note for note in run.artifact()["notes"] if note.startswith("built again: "))
    assert again.startswith("built again: tool changed; this machine differs from that of the last build: file ")
    assert f"file {data} changed, file {used} was removed" in again
    assert "nothing differs" in drift(status=0)
