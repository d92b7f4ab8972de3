"""Builds see in which order sources were changed, and no other times of them."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.builds.inputs.snapshot import capture_source, list_changed
from pytest_ftc.builds.inputs.source_state import look_at
from pytest_ftc.builds.inputs.source_times import ONE_TIME, describe_order, settle_times

NAMES = ("a", "b", "d/c", "d/e")


@pytest.fixture
def tree(tmp_path):
    tree = tmp_path / "tree"
    (tree / "d").mkdir(parents=True)
    for name in NAMES:
        (tree / name).write_text(name)
    return tree


def set_times(tree: Path, *times: float) -> None:
    for name, time in zip(NAMES, times, strict=True):
        os.utime(tree / name, (time, time))


def times(tree: Path) -> list[int]:
    return [(tree / name).stat().st_mtime_ns for name in NAMES]


def test_the_order_counts_and_the_times_do_not(tree):
    set_times(tree, 1e9, 1.1e9, 1.2e9, 1.2e9)
    order = describe_order(tree)
    set_times(tree, 5e8, 1.3e9, 1.7e9, 1.7e9)
    assert describe_order(tree) == order
    set_times(tree, 1.2e9, 1.1e9, 1.2e9, 1.2e9)
    assert describe_order(tree) != order
    set_times(tree, 1e9, 1.1e9, 1.2e9, 1.3e9)
    assert describe_order(tree) != order


@given(st.lists(st.integers(0, 5), min_size=4, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_settled_times_are_in_the_same_order(tree, ranks):
    set_times(tree, *(1e9 + rank for rank in ranks))
    order = describe_order(tree)
    settle_times(tree, order)
    assert describe_order(tree) == order
    settled = times(tree)
    assert [[one < other for other in settled] for one in settled] == [[a < b for b in ranks] for a in ranks]
    assert (tree / "d").stat().st_mtime_ns == max(settled[2:])
    assert all(time % 2_000_000_000 == 0 for time in settled)


def test_settled_times_depend_on_the_order_alone(tree):
    set_times(tree, 1e9, 1.1e9, 1.2e9, 1.2e9)
    settle_times(tree, describe_order(tree))
    first = times(tree)
    set_times(tree, 1.5e9, 1.6e9, 1.7e9, 1.7e9)
    settle_times(tree, describe_order(tree))
    assert times(tree) == first


def test_in_a_clone_that_nobody_has_changed_all_files_have_one_time(tree, tmp_path, git):
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "first")
    set_times(tree, 1e9, 1.1e9, 1.2e9, 1.3e9)
    assert list_changed(tree) == []
    (tmp_path / "copy").mkdir()
    snapshot = capture_source(tree, tmp_path / "copy")
    assert snapshot.order == look_at(tree).order == ONE_TIME
    assert len({(tmp_path / "copy" / name).stat().st_mtime_ns for name in (*NAMES, "d")}) == 1


@pytest.mark.parametrize("change", ["an edit", "a new file", "no git"])
def test_where_somebody_works_the_order_is_kept(tree, tmp_path, git, change):
    if change != "no git":
        git(tree, "init", "-q")
        git(tree, "add", "-A")
        git(tree, "commit", "-qm", "first")
    if change == "an edit":
        (tree / "a").write_text("edited")
    elif change == "a new file":
        (tree / "new").write_text("")
    set_times(tree, 1.3e9, 1.2e9, 1.1e9, 1e9)
    (tmp_path / "copy").mkdir()
    snapshot = capture_source(tree, tmp_path / "copy")
    assert snapshot.order == look_at(tree).order != ONE_TIME
    assert times(tmp_path / "copy") == sorted(times(tmp_path / "copy"), reverse=True)


def test_changes_in_a_submodule_count(tree, tmp_path, git):
    other = tmp_path / "other"
    other.mkdir()
    (other / "f").write_text("x")
    for folder in (other, tree):
        git(folder, "init", "-q")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "first")
    git(tree, "submodule", "add", "-q", str(other), "sub")
    git(tree, "commit", "-qm", "second")
    assert list_changed(tree) == []
    (tree / "sub" / "f").write_text("edited")
    assert list_changed(tree) == ["sub/f"]
