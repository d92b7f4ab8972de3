"""Contents of outputs: copied only where they must be."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pytest_ftc.builds.launcher.collecting.blobs import Blobs

CONTENT = bytes(range(256)) * 1024
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/out").write_bytes(CONTENT)
    (tmp_path / "tree/out").chmod(0o400)
    (tmp_path / "blobs").mkdir()
    return tmp_path / "tree"


def opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def keep(tree: Path, *names: str, upper: int | None = None, known: int | None = None) -> list[tuple[str, int]]:
    blobs = Blobs(str(tree.parent / "blobs"), upper=upper, known=known)
    kept = [blobs.keep(str(tree), name, (tree / name).lstat()) for name in names]
    blobs.settle()
    for descriptor in (upper, known):
        if descriptor is not None:
            os.close(descriptor)
    return kept


def is_taken(tree: Path, digest: str = DIGEST) -> bool:
    """Whether the file in the tree is the content that was kept."""
    return (tree / "out").samefile(tree.parent / "blobs" / digest)


def test_a_file_of_the_upper_layer_is_taken_as_it_is(tree):
    assert keep(tree, "out", upper=opened(tree)) == [(DIGEST, len(CONTENT))]
    assert is_taken(tree)
    assert (tree.parent / "blobs" / DIGEST).stat().st_mode & 0o777 == 0o644


def test_two_outputs_with_one_content_are_kept_once(tree):
    (tree / "other").write_bytes(CONTENT)
    assert keep(tree, "out", "other", upper=opened(tree)) == [(DIGEST, len(CONTENT))] * 2
    assert os.listdir(tree.parent / "blobs") == [DIGEST]


@pytest.mark.parametrize("why", ["no layer", "another name", "of the lower layer", "changed in the layer"])
def test_any_other_file_is_copied(tree, tmp_path, why):
    upper = tmp_path / "upper"
    upper.mkdir()
    if why == "another name":
        os.link(tree / "out", tree / "second")
        upper = tree
    if why == "changed in the layer":
        (upper / "out").write_bytes(b"x" * len(CONTENT))
    assert keep(tree, "out", upper=None if why == "no layer" else opened(upper)) == [(DIGEST, len(CONTENT))]
    assert not is_taken(tree)
    assert (tree.parent / "blobs" / DIGEST).read_bytes() == CONTENT
    assert (tree / "out").stat().st_mode & 0o777 == 0o400


def test_what_another_build_has_left_is_not_copied_again(tree, tmp_path):
    known = tmp_path / "known"
    known.mkdir()
    (known / DIGEST).write_bytes(CONTENT)
    assert keep(tree, "out", known=opened(known)) == [(DIGEST, len(CONTENT))]
    assert (known / DIGEST).samefile(tmp_path / "blobs" / DIGEST)


@pytest.mark.parametrize("has_upper", [False, True])
def test_what_no_other_build_has_left_is_taken_or_copied(tree, tmp_path, has_upper):
    (tmp_path / "known").mkdir()
    upper = opened(tree) if has_upper else None
    assert keep(tree, "out", upper=upper, known=opened(tmp_path / "known")) == [(DIGEST, len(CONTENT))]
    assert is_taken(tree) == has_upper
    assert (tmp_path / "blobs" / DIGEST).read_bytes() == CONTENT


def test_a_content_that_changes_before_it_is_copied_is_an_error(tree, tmp_path):
    (tmp_path / "known").mkdir()
    known = opened(tmp_path / "known")
    blobs = Blobs(str(tmp_path / "blobs"), known=known)
    blobs.keep(str(tree), "out", (tree / "out").lstat())
    (tree / "out").chmod(0o600)
    (tree / "out").write_bytes(CONTENT[::-1])
    with pytest.raises(OSError, match="changed while it was taken"):
        blobs.settle()
    os.close(known)


def test_links_out_of_the_layer_are_not_followed(tree, tmp_path):
    upper = tmp_path / "upper"
    upper.mkdir()
    (upper / "out").symlink_to(tree / "out")
    assert keep(tree, "out", upper=opened(upper)) == [(DIGEST, len(CONTENT))]
    assert not is_taken(tree)
    assert not (tmp_path / "blobs" / DIGEST).is_symlink()
