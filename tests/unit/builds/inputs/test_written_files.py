"""What a session writes is no source, unless git tracks it."""

from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.snapshot import capture_source, list_changed, without_caches
from pytest_ftc.builds.inputs.source_state import look_at
from pytest_ftc.builds.inputs.written_files import WrittenFiles


@pytest.fixture
def project(tmp_path):
    project = tmp_path / "project"
    for name in ("a", "junit.xml", "htmlcov/index.html", "sub/.coverage.host.1", "store/actions/ab/c"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    return project


def written(project: Path) -> WrittenFiles:
    names = ("junit.xml", "htmlcov", "sub/.coverage", "sub/.coverage.*", "store", "not/there")
    return WrittenFiles([project / name for name in names])


def captured(project: Path, target: Path) -> set[str]:
    target.mkdir()
    capture_source(project, target, written(project))
    return {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}


def test_without_git_it_is_left_out(project, tmp_path):
    assert captured(project, tmp_path / "copy") == {"a"}
    before = look_at(project, written(project))
    (project / "junit.xml").write_text("new")
    (project / "store" / "new").write_text("new")
    assert look_at(project, written(project)) == before


def test_with_git_it_is_left_out_unless_it_is_tracked(project, tmp_path, git):
    git(project, "init", "-q")
    git(project, "add", "a", "store")
    git(project, "commit", "-qm", "first")
    assert captured(project, tmp_path / "copy") == {"a", "store/actions/ab/c"}
    assert list_changed(project, written(project)) == []
    assert "junit.xml" in list_changed(project)


def test_a_place_that_holds_the_source_leaves_nothing_out(project, tmp_path):
    around = WrittenFiles([tmp_path, project, project / "junit.xml"])
    assert set(around.without(project, without_caches)(str(project))) == {"a", "htmlcov", "store", "sub"}
    assert around.leave_out(project, ["a", "junit.xml"]) == ["a"]


def test_a_link_to_the_project_makes_no_difference(project, tmp_path):
    (tmp_path / "link").symlink_to(project)
    assert written(tmp_path / "link").leave_out(project, ["a", "junit.xml", "htmlcov/index.html"]) == ["a"]
    assert written(project).leave_out(tmp_path / "link", ["a", "junit.xml"]) == ["a"]
