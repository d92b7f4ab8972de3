"""What the tests of normalizing share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ftc.normalize.replace import normalize_file
from pytest_ftc.normalize.rules import Rules

EPOCH = 1_600_000_000
"""2020-09-13 12:26:40 UTC."""


@pytest.fixture
def normalize() -> Callable[..., bytes]:
    """Normalize a file and return its new bytes."""

    def run(path: Path, *, epoch: int = EPOCH, max_size: int = 1 << 30) -> bytes:
        normalize_file(path, Rules(epoch=epoch, max_size=max_size))
        return path.read_bytes()

    return run


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with one of each kind of member."""
    root = tmp_path / "tree"
    (root / "sub" / "empty").mkdir(parents=True)
    (root / "sub" / "words.txt").write_text("one\ntwo\n" * 500)
    (root / "tool").write_text("#!/bin/sh\necho hello\n")
    (root / "tool").chmod(0o755)
    (root / "link").symlink_to("sub/words.txt")
    (root / "naïve.txt").write_text("ï")
    (root / ("long" * 30)).write_text("x")
    (root / "same").hardlink_to(root / "tool")
    return root


@pytest.fixture
def other_tree(tree: Path, tmp_path: Path) -> Path:
    """The same tree made in another order, at another time, under another umask."""
    import os
    import shutil

    root = tmp_path / "other" / "tree"
    shutil.copytree(tree, root, symlinks=True)
    (root / "same").unlink()
    (root / "tool").rename(root / "same")
    (root / "tool").hardlink_to(root / "same")
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
            os.utime(path, (1_000_000_000, 1_000_000_000))
    return root
