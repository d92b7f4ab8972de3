"""Where a session ran: its repository, its pipeline, its machine."""

import subprocess

import pytest

from pytest_ftc.integrations.opentelemetry.conventions import SCHEMA_URL
from pytest_ftc.integrations.opentelemetry.resource import describe_session, make_resource
from pytest_ftc.model.origin.repository import browsable, describe_repository, describe_url


@pytest.fixture
def repository(tmp_path):
    def git(*arguments):
        settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=trunk")
        done = subprocess.run(["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "x")
    git("remote", "add", "origin", "https://me:token-1@github.com/me/it.git")
    return git


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("git@github.com:a/b/c.git", "https://github.com/a/b/c"),
        ("https://u:p@gitlab.com:8443/x/y.git?q=1#z", "https://gitlab.com:8443/x/y"),
        ("ssh://git@example.org:22/a/b", "https://example.org/a/b"),
        ("http://[::1]:3/a/", "http://[::1]:3/a"),
        ("/srv/x.git", ""),
        ("../x", ""),
        ("file:///srv/x", ""),
        ("https://exa mple:x/a", ""),
    ],
)
def test_a_url_is_one_for_a_browser_and_holds_no_password(url, shown):
    assert browsable(url) == shown


def test_what_follows_from_a_url():
    assert describe_url("git@gitlab.example.org:group/sub/it.git") == {
        "vcs.repository.url.full": "https://gitlab.example.org/group/sub/it",
        "vcs.repository.name": "it",
        "vcs.owner.name": "group/sub",
        "vcs.provider.name": "gitlab",
    }
    assert describe_url("/srv/it") == {}


def test_a_repository_says_its_commit_and_its_branch(repository, tmp_path):
    found = describe_session(tmp_path, {})
    head = repository("rev-parse", "HEAD")
    assert (found["vcs.ref.head.revision"], found["vcs.ref.head.name"], found["vcs.ref.head.type"]) == (
        head,
        "trunk",
        "branch",
    )
    assert found["vcs.repository.url.full"] == "https://github.com/me/it"
    assert "token-1" not in str(found)


def test_the_service_knows_the_branch_of_a_detached_commit(repository, tmp_path):
    repository("checkout", "-q", "--detach")
    assert "vcs.ref.head.name" not in describe_session(tmp_path, {})
    found = describe_session(
        tmp_path,
        {
            "GITLAB_CI": "1",
            "CI_COMMIT_REF_NAME": "main",
            "CI_PIPELINE_URL": "https://u:secret@h/p/1",
            "CI_RUNNER_ID": "4",
        },
    )
    assert (found["vcs.ref.head.name"], found["cicd.worker.id"]) == ("main", "4")
    assert found["cicd.pipeline.run.url.full"] == "https://h/p/1"


def test_outside_of_a_repository_only_the_machine_is_known(tmp_path):
    assert describe_repository(tmp_path) == {}
    assert not [name for name in describe_session(tmp_path, {}) if name.startswith(("vcs.", "cicd."))]


def test_the_users_variables_win(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=h,team=build%20x")
    resource = make_resource(tmp_path)
    found = resource.attributes
    assert (found["service.name"], found["host.name"], found["team"]) == ("mine", "h", "build x")
    assert (found["telemetry.sdk.name"], resource.schema_url) == ("opentelemetry", SCHEMA_URL)


def test_without_variables_the_service_is_this_package(tmp_path, monkeypatch):
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    assert make_resource(tmp_path).attributes["service.name"] == "pytest-ftc"
