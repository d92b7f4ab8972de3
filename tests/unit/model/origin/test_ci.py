"""What services of continuous integration say."""

import pytest
from opentelemetry.semconv._incubating.attributes import cicd_attributes, vcs_attributes

from pytest_ftc.model.origin.ci import SERVICES, describe_pipeline

SHA = "0" * 40


def test_names_are_those_of_the_conventions():
    known = {
        value
        for module in (cicd_attributes, vcs_attributes)
        for name, value in vars(module).items()
        if name.startswith(("CICD_", "VCS_"))
    }
    assert {name for service in SERVICES for name in service.attributes} <= known


def test_outside_of_all_of_them_nothing_is_said():
    assert describe_pipeline({"CI": "true", "GITHUB_SHA": SHA, "BUILD_URL": "x"}) == {}


def test_a_pull_request_on_github():
    found = describe_pipeline(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKFLOW": "CI",
            "GITHUB_RUN_ID": "77",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "me/it",
            "GITHUB_JOB": "test",
            "RUNNER_NAME": "r1",
            "GITHUB_SHA": SHA,
            "GITHUB_REF": "refs/pull/12/merge",
            "GITHUB_HEAD_REF": "fix",
            "GITHUB_REF_NAME": "12/merge",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_BASE_REF": "main",
        }
    )
    assert found == {
        "cicd.pipeline.name": "CI",
        "cicd.pipeline.run.id": "77",
        "cicd.pipeline.run.url.full": "https://github.com/me/it/actions/runs/77",
        "cicd.pipeline.task.name": "test",
        "cicd.worker.name": "r1",
        "vcs.repository.url.full": "https://github.com/me/it",
        "vcs.ref.head.revision": SHA,
        "vcs.ref.head.name": "fix",
        "vcs.ref.head.type": "branch",
        "vcs.ref.base.name": "main",
        "vcs.change.id": "12",
    }


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"GITLAB_CI": "true", "CI_PROJECT_PATH": "g/p", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_NAME": "v1"},
            {"cicd.pipeline.name": "g/p", "vcs.ref.head.type": "tag", "vcs.ref.head.name": "v1"},
        ),
        (
            {"JENKINS_URL": "x", "JOB_NAME": "j", "BUILD_NUMBER": "3", "CHANGE_ID": "5", "CHANGE_TARGET": "main"},
            {"cicd.pipeline.run.id": "3", "vcs.change.id": "5", "vcs.ref.base.name": "main"},
        ),
        (
            {
                "TF_BUILD": "True",
                "SYSTEM_COLLECTIONURI": "https://dev.azure.com/o/",
                "SYSTEM_TEAMPROJECT": "p",
                "BUILD_BUILDID": "9",
                "BUILD_SOURCEBRANCH": "refs/heads/feature/x",
            },
            {
                "cicd.pipeline.run.url.full": "https://dev.azure.com/o/p/_build/results?buildId=9",
                "vcs.ref.head.name": "feature/x",
                "vcs.ref.head.type": "branch",
            },
        ),
        ({"CIRCLECI": "true", "CIRCLE_TAG": "v2"}, {"vcs.ref.head.name": "v2", "vcs.ref.head.type": "tag"}),
        ({"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "false"}, {"vcs.ref.head.type": "branch"}),
        ({"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "8"}, {"vcs.change.id": "8"}),
    ],
)
def test_other_services(environ, expected):
    found = describe_pipeline(environ)
    assert found | expected == found
    assert ("vcs.change.id" in found) == ("vcs.change.id" in expected)
