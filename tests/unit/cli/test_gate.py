"""With what a change is compared, in each CI service."""

import pytest

from pytest_ftc.cli.gate import gate_command
from pytest_ftc.model.errors import ConfigurationError


@pytest.fixture
def project(tmp_path, git):
    (tmp_path / "ftc.toml").write_text('[artifacts.app]\nbuild = "true"\noutputs = ["out"]\n')
    git(tmp_path, "init", "-q", "-b", "main")
    for message in ("first", "second"):
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", message)
    git(tmp_path, "update-ref", "refs/remotes/origin/release", "HEAD^")
    return tmp_path


ZEROS = "0" * 40


@pytest.mark.parametrize(
    ("environ", "base"),
    [
        ({}, ""),
        ({"GITHUB_BASE_REF": "release"}, "origin/release"),
        ({"GITHUB_BASE_REF": "not-fetched"}, "HEAD^1"),
        ({"GITHUB_BASE_REF": ""}, ""),
        ({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD~1", "CI_COMMIT_BEFORE_SHA": ZEROS}, "HEAD~1"),
        ({"CI_COMMIT_BEFORE_SHA": "main"}, "main"),
        ({"CI_COMMIT_BEFORE_SHA": ZEROS}, ""),
        ({"PRE_COMMIT": "1"}, "HEAD"),
        ({"PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": "HEAD^"}, "HEAD^"),
    ],
)
def test_a_change_is_compared_with_what_the_service_names_and_the_clone_has(project, environ, base):
    command = gate_command(project, ["-x"], environ)
    named = [word.removeprefix("--ftc-changed-first=") for word in command if word.startswith("--ftc-changed-first")]
    assert named == ([base] if base else [])
    assert command[-2:] == [str(project / "ftc.toml"), "-x"]


def test_elsewhere_it_is_compared_with_the_default_branch(project, git):
    git(project, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release")
    assert "--ftc-changed-first=origin/HEAD" in gate_command(project, [], {})


@pytest.mark.parametrize("given", [["--shard", "3/8"], ["--shard=3/8"], ["--shard=1/8", "--shard", "3/8"]])
def test_a_shard_is_an_option_of_pytest(project, given):
    command = gate_command(project, ["-x", *given, "-k", "app"], {})
    assert [word for word in command if "-shard" in word] == ["--ftc-shard=3/8"]
    assert command[-4:] == [str(project / "ftc.toml"), "-x", "-k", "app"]


@pytest.mark.parametrize("given", [["--shard"], ["--shard", "0/8"], ["--shard=9/8"], ["--shard", "x"]])
def test_what_is_no_shard_is_one_clear_error(project, given):
    with pytest.raises(ConfigurationError, match="^--shard: expected K/N, such as 3/8, with K from 1 to N, found "):
        gate_command(project, given, {})
