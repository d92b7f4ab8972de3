"""What ``ftc determinize`` prints."""

import subprocess
import sys

import pytest

from pytest_ftc.cli.determinize import render
from pytest_ftc.model import Artifact
from pytest_ftc.verification.determinize import Outcome, Step

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def commit(tmp_path):
    """Return the time of the only commit of a repository, in seconds since 1970."""
    for words in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b.org", "commit", "--allow-empty", "-qm", "a"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=tmp_path, capture_output=True, text=True
    ).stdout.strip()


def printed(folder, *steps, **more):
    artifact = Artifact(id="ftc.toml::ftc::app", name="app", build="make", outputs=("out",), source=folder, **more)
    outcome = Outcome(artifact=artifact, table="artifacts.app", steps=steps, heals=True, left=())
    return tomllib.loads(render(outcome))["artifacts"]["app"]


def test_the_time_of_the_commit_is_not_frozen(tmp_path, commit):
    epoch, zone = Step("set", "SOURCE_DATE_EPOCH", commit), Step("set", "TZ", "UTC")
    assert printed(tmp_path, epoch) == {"source_date_epoch": "git"}
    assert printed(tmp_path, epoch, zone) == {"source_date_epoch": "git", "env": {"TZ": "UTC"}}
    told = printed(tmp_path, epoch, Step("before", "", "umask 022"), preset="python-wheel")
    assert told == {"preset": "wheel", "before": "umask 022", "source_date_epoch": "git"}


def test_another_time_is_printed_as_it_was_proved(tmp_path):
    assert printed(tmp_path, Step("set", "SOURCE_DATE_EPOCH", "1577836800")) == {
        "env": {"SOURCE_DATE_EPOCH": "1577836800"}
    }


def test_options_of_one_variable_are_printed_together(tmp_path):
    steps = (Step("set", "TAR_OPTIONS", "--sort=name"), Step("set", "TAR_OPTIONS", "--mode=u+rw,go=rX"))
    assert printed(tmp_path, *steps) == {"env": {"TAR_OPTIONS": "--sort=name --mode=u+rw,go=rX"}}
