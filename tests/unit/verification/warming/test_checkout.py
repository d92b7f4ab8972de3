"""The sources of a commit, as the next run would see them."""

import subprocess

import pytest

from pytest_ftc.builds.inputs.source_state import Sources
from pytest_ftc.model.errors import SourceError
from pytest_ftc.verification.warming.checkout import checked_out


@pytest.fixture
def project(tmp_path):
    def git(*words):
        who = ("-c", "user.name=n", "-c", "user.email=e@x")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    tmp_path.chmod(0o755)
    git("init", "-q", "-b", "main")
    (tmp_path / "below").mkdir()
    for text in ("one", "two"):
        (tmp_path / "below" / "file").write_text(text)
        git("add", ".")
        git("commit", "-qm", text)
    git("tag", "v1")
    git("branch", "side", "HEAD^")
    return tmp_path


@pytest.mark.parametrize(("commit", "text"), [("HEAD", "two"), ("main", "two"), ("HEAD^", "one"), ("side", "one"), ("v1", "two")])  # fmt: skip
def test_a_commit_is_checked_out_and_removed(project, commit, text):
    (project / "below" / "file").write_text("not committed")
    with checked_out(project, commit) as root:
        assert (root / "below" / "file").read_text() == text
    assert not root.exists()
    assert (project / "below" / "file").read_text() == "not committed"


@pytest.mark.parametrize("commit", ["HEAD", "main"])
def test_its_state_is_that_of_the_project_there(project, commit):
    here = Sources(project, [project]).state(project)
    with checked_out(project, commit) as root:
        assert Sources(root, [root]).state(root) == here


def test_a_project_may_be_below_the_repository(project):
    with checked_out(project / "below", "HEAD") as root:
        assert (root / "file").read_text() == "two"


@pytest.mark.parametrize("commit", ["none", "--help", "", "HEAD:below", "main..side"])
def test_what_is_no_commit_is_named(project, commit):
    with pytest.raises(SourceError, match="is not a commit"), checked_out(project, commit):
        pass


def test_a_commit_without_the_project_is_named(project):
    (project / "new").mkdir()
    with pytest.raises(SourceError, match="has no folder 'new/'"), checked_out(project / "new", "HEAD"):
        pass
