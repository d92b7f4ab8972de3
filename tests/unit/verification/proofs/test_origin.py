"""Where a report says it comes from, without anything confidential."""

from __future__ import annotations

import pytest

from pytest_ftc.verification.proofs.origin import at, describe_run, mask_command


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["pytest", "--ftc-verify"], ["pytest", "--ftc-verify"]),
        (["--api-token=abc", "x"], ["--api-token=***", "x"]),
        (["--db-password", "abc", "x"], ["--db-password", "***", "x"]),
        (["--with-token", "--quiet"], ["--with-token", "--quiet"]),
        (["--store=https://me:abc@example.org/x"], ["--store=https://***@example.org/x"]),
        (["-o", "key=hunter22"], ["-o", "key=***"]),
        (["hunter22/hunter2"], ["***/hunter2"]),
        (["declared-one"], ["***"]),
        (["tests/test_token.py::test_secret"], ["tests/test_token.py::test_secret"]),
    ],
)
def test_nothing_confidential_is_in_the_command(command, shown):
    environ = {"API_TOKEN": "hunter22", "OTHER": "tests", "SHORT_SECRET": "x", "MINE": "declared-one"}
    assert list(mask_command(command, environ, {"MINE"})) == shown


def test_the_run_of_a_service_is_named():
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "7",
        "GITHUB_REF": "refs/pull/3/merge",
    }
    run = describe_run(environ)
    assert run == {
        "service": "GitHub Actions",
        "run_id": "7",
        "run_url": "https://github.com/a/b/actions/runs/7",
        "change": "3",
    }
    assert describe_run({}) == {}


def test_a_url_of_a_run_has_no_user():
    environ = {"JENKINS_URL": "x", "BUILD_URL": "https://me:abc@ci.example.org/job/1"}
    assert describe_run(environ)["run_url"] == "https://ci.example.org/job/1"


def test_times_are_in_utc():
    assert at(0) == "1970-01-01T00:00:00Z"
    assert at(1_700_000_000.9) == "2023-11-14T22:13:20Z"
