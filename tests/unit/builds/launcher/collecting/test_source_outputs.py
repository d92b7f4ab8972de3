import os
import time
from pathlib import Path

import pytest

from pytest_ftc.builds.launcher.collecting.blobs import Blobs
from pytest_ftc.builds.launcher.collecting.outputs import Traces, collect_outputs, trace_files
from pytest_ftc.builds.launcher.collecting.source_outputs import SourceOutputs, describe_doubtful, describe_unwritten
from pytest_ftc.builds.launcher.trees import copy_tree

_SHIFT = -86_400


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """A snapshot, and the tree of a build that sees its times shifted."""
    snapshot, tree = tmp_path / "snapshot", tmp_path / "tree"
    for folder in (snapshot, tree, tmp_path / "blobs"):
        folder.mkdir()
    (snapshot / "out").write_text("content")
    (snapshot / "link").symlink_to("out")
    copy_tree(str(snapshot), str(tree), mtime_shift=_SHIFT)
    time.sleep(0.02)
    return snapshot, tree


def compare(trees: tuple[Path, Path], before: Traces) -> SourceOutputs:
    snapshot, tree = trees
    entries = collect_outputs(str(tree), ["*"], Blobs(str(tree.parent / "blobs")), {})
    sources = SourceOutputs(str(snapshot), _SHIFT)
    sources.compare(str(tree), entries, None, before)
    return sources


def test_without_a_trace_the_times_and_inodes_tell_what_was_not_written(trees):
    before = trace_files(str(trees[1]), ["*"])
    (trees[1] / "out").chmod(0o600)
    sources = compare(trees, before)
    assert sorted(sources.unwritten) == ["link", "out"]
    assert not sources.doubtful


def test_without_a_trace_a_write_changes_the_modification_time_alone(trees):
    before = trace_files(str(trees[1]), ["*"])
    (trees[1] / "out").write_text("content")
    (trees[1] / "link").unlink()
    (trees[1] / "link").symlink_to("elsewhere")
    sources = compare(trees, before)
    assert not sources.unwritten
    assert not sources.doubtful


def test_without_a_trace_it_is_said_where_only_the_times_may_have_been_set(trees):
    before = trace_files(str(trees[1]), ["*"])
    now = time.time_ns()
    os.utime(trees[1] / "out", ns=(now, now))
    (trees[1] / "link").unlink()
    sources = compare(trees, before)
    assert not sources.unwritten
    assert sources.doubtful == ["out"]


def test_other_content_is_built_whatever_its_time(trees):
    before = trace_files(str(trees[1]), ["*"])
    status = (trees[1] / "out").stat()
    (trees[1] / "out").write_text("CONTENT")
    os.utime(trees[1] / "out", ns=(status.st_atime_ns, status.st_mtime_ns))
    (trees[1] / "link").unlink()
    assert not compare(trees, before).unwritten


def test_another_file_may_have_been_given_the_time_of_the_source(trees):
    before = trace_files(str(trees[1]), ["*"])
    status = (trees[1] / "out").stat()
    (trees[1] / "new").write_text("content")
    os.utime(trees[1] / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
    (trees[1] / "new").rename(trees[1] / "out")
    (trees[1] / "link").unlink()
    sources = compare(trees, before)
    assert not sources.unwritten
    assert sources.doubtful == ["out"]


def test_the_first_names_are_shown():
    assert describe_unwritten(["a", "b", "c", "d"]).endswith("did not write: 'a', 'b', 'c', ...")
    assert describe_unwritten(["a"]).startswith("an output is a source file whose content")
    assert describe_doubtful(["a"]).endswith(": 'a'")
