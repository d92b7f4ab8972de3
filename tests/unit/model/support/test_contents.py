"""Contents that are fetched when they are read."""

from pathlib import Path

import pytest

from pytest_ftc.model.errors import MissingError
from pytest_ftc.model.support.contents import find_content, forget, is_remote, keep_remote

AB, CD = "ab" * 32, "cd" * 32


def test_a_content_is_fetched_once(tmp_path):
    asked = []

    def fetch(sha256: str, path: Path) -> None:
        asked.append(sha256)
        path.write_text(sha256)

    keep_remote(tmp_path, fetch)
    assert is_remote(str(tmp_path))
    assert [find_content(str(tmp_path), AB).read_text() for _ in range(2)] == [AB, AB]
    assert asked == [AB]
    forget(tmp_path)
    assert not is_remote(str(tmp_path))
    assert find_content(str(tmp_path), CD) == tmp_path / CD


@pytest.mark.parametrize("name", ["", "ab", "../private", "/etc/passwd", AB.upper(), f"{AB}\n", f"../{AB}", "a" * 65])
@pytest.mark.parametrize("remote", [False, True])
def test_a_name_that_is_no_digest_is_not_read_as_a_path(tmp_path, name, remote):
    folder = tmp_path / "blobs"
    folder.mkdir()
    (tmp_path / "private").write_text("private")
    asked = []
    if remote:
        keep_remote(folder, lambda sha256, path: asked.append(sha256))
    with pytest.raises(MissingError, match="no content has the name") as caught:
        find_content(str(folder), name)
    assert caught.value.message.isprintable()
    assert asked == []
    forget(folder)


def test_a_content_that_cannot_be_fetched_is_an_error(tmp_path):
    def fail(sha256: str, path: Path) -> None:
        raise MissingError("gone")

    keep_remote(tmp_path, fail)
    with pytest.raises(MissingError, match="gone"):
        find_content(str(tmp_path), AB)
    forget(tmp_path)
