"""The trees that the worker of a build is given."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.builds.worker_request import MODES
from pytest_ftc.integrations.reapi.builds import sources
from pytest_ftc.integrations.reapi.builds.sources import Sources
from pytest_ftc.integrations.reapi.merkle import build_tree
from pytest_ftc.model import Action, Environment, Role
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import ExecutionError

LINK = b"gitdir: /ftc-repository/worktrees/one\n"


@pytest.fixture
def worktree(tmp_path: Path) -> Action:
    """A build of a worktree."""
    source, repository = tmp_path / "source", tmp_path / "repository"
    source.mkdir()
    (repository / "worktrees" / "one").mkdir(parents=True)
    (repository / "config").write_text("[core]\n\tbare = false\n\tsshCommand = secret\n")
    (source / ".git").write_text(f"gitdir: {repository}/worktrees/one\n")
    (source / "file").write_text("content")
    return Action(
        id="a-control",
        role=Role.CONTROL,
        command=("true",),
        snapshot=source,
        git_link=repository,
        environment=Environment(build_path="/b", home="/h", temp_dir="/t", variables={}),
        described={},
        outputs=("out",),
        timeout=9,
    )


def test_a_worktree_is_sent_with_its_repository_and_points_to_it(worktree: Action) -> None:
    trees = Sources()
    shown, folders = trees.shown(worktree)
    entries = [*trees.entries(worktree), *folders]
    assert shown == {"/ftc-repository": "shown-0"}
    assert build_tree(entries).root == build_tree([*trees.entries(worktree), *trees.shown(worktree)[1]]).root
    found = {entry.path: entry for entry in entries}
    assert found["source/.git"].content == LINK
    assert b"secret" not in bytes(found["shown-0/config"].content)  # type: ignore[arg-type]
    listed = json.loads(found[MODES].content)  # type: ignore[arg-type]
    assert listed[".git"][2] == Digest.of(LINK).hash
    assert json.loads(found["shown-0.json"].content)["config"][2] == found["shown-0/config"].digest.hash  # type: ignore


def test_without_namespaces_it_is_beside_the_tree(worktree: Action) -> None:
    shown, _ = Sources().shown(replace(worktree, root=Path("/tmp/plain/a")))
    assert shown == {"/tmp/plain/a/ftc-repository": "shown-0"}


def test_a_large_repository_stays_on_this_machine(worktree: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_LARGEST_REPOSITORY", 10)
    with pytest.raises(ExecutionError, match="the repository of its worktree or submodule, .* has more than 0 MiB"):
        Sources().shown(worktree)
