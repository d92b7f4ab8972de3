"""What services of continuous integration say in their variables, by the names of the semantic conventions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PIPELINE, RUN_ID, RUN_URL = "cicd.pipeline.name", "cicd.pipeline.run.id", "cicd.pipeline.run.url.full"
WORKER_ID, WORKER_NAME = "cicd.worker.id", "cicd.worker.name"
REPOSITORY, REVISION = "vcs.repository.url.full", "vcs.ref.head.revision"
HEAD_NAME, HEAD_TYPE, BASE_NAME = "vcs.ref.head.name", "vcs.ref.head.type", "vcs.ref.base.name"
CHANGE = "vcs.change.id"
JOB, JOB_ID, JOB_URL = "cicd.pipeline.task.name", "cicd.pipeline.task.run.id", "cicd.pipeline.task.run.url.full"

Variables = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Service:
    """A service of continuous integration."""

    name: str
    mark: str
    """The variable by which it is known."""
    attributes: Mapping[str, str | Callable[[Variables], str]]
    """The variable of each attribute, the first that is set of several separated by spaces, or what makes it."""


def _github_repository(given: Variables) -> str:
    server, name = given.get("GITHUB_SERVER_URL", ""), given.get("GITHUB_REPOSITORY", "")
    return f"{server}/{name}" if server and name else ""


def _github_run(given: Variables) -> str:
    repository, run = _github_repository(given), given.get("GITHUB_RUN_ID", "")
    return f"{repository}/actions/runs/{run}" if repository and run else ""


def _github_change(given: Variables) -> str:
    match = re.fullmatch(r"refs/pull/([0-9]+)/merge", given.get("GITHUB_REF", ""))
    return match[1] if match else ""


def _azure_run(given: Variables) -> str:
    server, project = given.get("SYSTEM_COLLECTIONURI", ""), given.get("SYSTEM_TEAMPROJECT", "")
    run = given.get("BUILD_BUILDID", "")
    return f"{server.rstrip('/')}/{project}/_build/results?buildId={run}" if server and project and run else ""


def _azure_branch(given: Variables) -> str:
    return re.sub("^refs/(heads|tags)/", "", given.get("BUILD_SOURCEBRANCH", ""))


def _azure_type(given: Variables) -> str:
    return "tag" if given.get("BUILD_SOURCEBRANCH", "").startswith("refs/tags/") else "branch"


def _buildkite_change(given: Variables) -> str:
    change = given.get("BUILDKITE_PULL_REQUEST", "")
    return "" if change == "false" else change


def _tag_of(*names: str) -> Callable[[Variables], str]:
    """Return what tells by the variables `names`, which are set for tags only, whether the head is a tag."""
    return lambda given: "tag" if any(given.get(name) for name in names) else "branch"


SERVICES = (
    Service(
        "GitHub Actions",
        "GITHUB_ACTIONS",
        {
            PIPELINE: "GITHUB_WORKFLOW",
            RUN_ID: "GITHUB_RUN_ID",
            RUN_URL: _github_run,
            JOB: "GITHUB_JOB",
            WORKER_NAME: "RUNNER_NAME",
            REPOSITORY: _github_repository,
            REVISION: "GITHUB_SHA",
            HEAD_NAME: "GITHUB_HEAD_REF GITHUB_REF_NAME",
            HEAD_TYPE: "GITHUB_REF_TYPE",
            BASE_NAME: "GITHUB_BASE_REF",
            CHANGE: _github_change,
        },
    ),
    Service(
        "GitLab CI",
        "GITLAB_CI",
        {
            PIPELINE: "CI_PIPELINE_NAME CI_PROJECT_PATH",
            RUN_ID: "CI_PIPELINE_ID",
            RUN_URL: "CI_PIPELINE_URL",
            JOB: "CI_JOB_NAME",
            JOB_ID: "CI_JOB_ID",
            JOB_URL: "CI_JOB_URL",
            WORKER_ID: "CI_RUNNER_ID",
            WORKER_NAME: "CI_RUNNER_DESCRIPTION",
            REPOSITORY: "CI_PROJECT_URL",
            REVISION: "CI_COMMIT_SHA",
            HEAD_NAME: "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME CI_COMMIT_REF_NAME",
            HEAD_TYPE: _tag_of("CI_COMMIT_TAG"),
            BASE_NAME: "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
            CHANGE: "CI_MERGE_REQUEST_IID",
        },
    ),
    Service(
        "Jenkins",
        "JENKINS_URL",
        {
            PIPELINE: "JOB_NAME",
            RUN_ID: "BUILD_NUMBER",
            RUN_URL: "BUILD_URL",
            JOB: "STAGE_NAME",
            WORKER_NAME: "NODE_NAME",
            REPOSITORY: "GIT_URL",
            REVISION: "GIT_COMMIT",
            HEAD_NAME: "CHANGE_BRANCH BRANCH_NAME GIT_LOCAL_BRANCH GIT_BRANCH",
            HEAD_TYPE: _tag_of("TAG_NAME"),
            BASE_NAME: "CHANGE_TARGET",
            CHANGE: "CHANGE_ID",
        },
    ),
    Service(
        "Azure Pipelines",
        "TF_BUILD",
        {
            PIPELINE: "BUILD_DEFINITIONNAME",
            RUN_ID: "BUILD_BUILDID",
            RUN_URL: _azure_run,
            JOB: "SYSTEM_JOBDISPLAYNAME",
            JOB_ID: "SYSTEM_JOBID",
            WORKER_ID: "AGENT_ID",
            WORKER_NAME: "AGENT_NAME",
            REPOSITORY: "BUILD_REPOSITORY_URI",
            REVISION: "BUILD_SOURCEVERSION",
            HEAD_NAME: _azure_branch,
            HEAD_TYPE: _azure_type,
            CHANGE: "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER SYSTEM_PULLREQUEST_PULLREQUESTID",
        },
    ),
    Service(
        "CircleCI",
        "CIRCLECI",
        {
            PIPELINE: "CIRCLE_PROJECT_REPONAME",
            RUN_ID: "CIRCLE_WORKFLOW_ID",
            JOB: "CIRCLE_JOB",
            JOB_ID: "CIRCLE_BUILD_NUM",
            JOB_URL: "CIRCLE_BUILD_URL",
            REPOSITORY: "CIRCLE_REPOSITORY_URL",
            REVISION: "CIRCLE_SHA1",
            HEAD_NAME: "CIRCLE_BRANCH CIRCLE_TAG",
            HEAD_TYPE: _tag_of("CIRCLE_TAG"),
            CHANGE: "CIRCLE_PR_NUMBER",
        },
    ),
    Service(
        "Buildkite",
        "BUILDKITE",
        {
            PIPELINE: "BUILDKITE_PIPELINE_SLUG",
            RUN_ID: "BUILDKITE_BUILD_ID",
            RUN_URL: "BUILDKITE_BUILD_URL",
            JOB: "BUILDKITE_STEP_KEY BUILDKITE_LABEL",
            JOB_ID: "BUILDKITE_JOB_ID",
            WORKER_ID: "BUILDKITE_AGENT_ID",
            WORKER_NAME: "BUILDKITE_AGENT_NAME",
            REPOSITORY: "BUILDKITE_REPO",
            REVISION: "BUILDKITE_COMMIT",
            HEAD_NAME: "BUILDKITE_TAG BUILDKITE_BRANCH",
            HEAD_TYPE: _tag_of("BUILDKITE_TAG"),
            CHANGE: _buildkite_change,
        },
    ),
)
"""The services that are known."""


def find_service(environ: Variables) -> Service | None:
    """Return the service that this runs in; None outside of all `SERVICES`."""
    return next((service for service in SERVICES if environ.get(service.mark)), None)


def describe_pipeline(environ: Variables) -> dict[str, str]:
    """Return what the service that this runs in says; nothing outside of all `SERVICES`."""
    service = find_service(environ)
    found = {name: _find(source, environ) for name, source in service.attributes.items()} if service else {}
    return {name: value for name, value in found.items() if value}


def _find(source: str | Callable[[Variables], str], environ: Variables) -> str:
    if isinstance(source, str):
        return next((value for name in source.split() if (value := environ.get(name, ""))), "")
    return source(environ)
