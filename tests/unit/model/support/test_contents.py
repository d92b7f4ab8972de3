"""Contents that are fetched when they are read."""

from pathlib import Path

import pytest

from pytest_ftc.model.errors import MissingError
from pytest_ftc.model.support.contents import find_content, forget, is_remote, keep_remote


def test_a_content_is_fetched_once(tmp_path):
    asked = []

    def fetch(sha256: str, path: Path) -> None:
        asked.append(sha256)
        path.write_text(sha256)

    keep_remote(tmp_path, fetch)
    assert is_remote(str(tmp_path))
    assert [find_content(str(tmp_path), "ab").read_text() for _ in range(2)] == ["ab", "ab"]
    assert asked == ["ab"]
    forget(tmp_path)
    assert not is_remote(str(tmp_path))
    assert find_content(str(tmp_path), "cd") == tmp_path / "cd"


def test_a_content_that_cannot_be_fetched_is_an_error(tmp_path):
    def fail(sha256: str, path: Path) -> None:
        raise MissingError("gone")

    keep_remote(tmp_path, fail)
    with pytest.raises(MissingError, match="gone"):
        find_content(str(tmp_path), "ab")
    forget(tmp_path)
