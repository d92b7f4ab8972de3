import fnmatch
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.launcher.globs import compile_glob, find_matches, literal_prefix


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path in ("dist/a.whl", "dist/.hidden", "dist/deep/b.whl", "x.bin", "y.bin", "[z].bin"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    (tmp_path / "dist/link").symlink_to("/etc")
    (tmp_path / "out").symlink_to("/etc")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("dist/*.whl", ["dist/a.whl"]),
        ("dist/**/*.whl", ["dist/a.whl", "dist/deep/b.whl"]),
        ("**/*.whl", ["dist/a.whl", "dist/deep/b.whl"]),
        ("./dist//a.whl", ["dist/a.whl"]),
        ("?.bin", ["x.bin", "y.bin"]),
        ("[xy].bin", ["x.bin", "y.bin"]),
        ("[!x].bin", ["y.bin"]),
        ("[[]z].bin", ["[z].bin"]),
        ("dist/deep", ["dist/deep", "dist/deep/b.whl"]),
        ("dist", ["dist", "dist/.hidden", "dist/a.whl", "dist/deep", "dist/deep/b.whl", "dist/link"]),
        ("dist/**", ["dist/.hidden", "dist/a.whl", "dist/deep", "dist/deep/b.whl", "dist/link"]),
        ("nothing/*", []),
    ],
)
def test_a_glob_names_what_a_person_expects(tree: Path, pattern: str, expected: list[str]) -> None:
    assert find_matches(str(tree), [pattern]) == expected


@pytest.mark.parametrize("pattern", ["out/*", "out/**", "dist/link/*", "**/passwd"])
def test_a_symlink_never_leads_out_of_the_tree(tree: Path, pattern: str) -> None:
    assert find_matches(str(tree), [pattern]) == []


def test_names_that_are_not_unicode_or_hold_newlines_are_found(tmp_path: Path) -> None:
    for name in (b"new\nline", b"latin-\xe9", b"n" * 255):
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(b"")
    found = {os.fsencode(path) for path in find_matches(str(tmp_path), ["*"])}
    assert found == {b"new\nline", b"latin-\xe9", b"n" * 255}


@given(st.text("ab*?[]!-x.", min_size=1, max_size=8), st.text("abx.-", min_size=1, max_size=6))
def test_one_segment_matches_as_fnmatch_does(pattern: str, name: str) -> None:
    if pattern in ("**", ".") or name == ".":
        return
    assert compile_glob(pattern)(name) == fnmatch.fnmatchcase(name, pattern)


def test_only_leading_folders_without_wildcards_are_literal() -> None:
    assert literal_prefix("a/b/*.c") == "a/b"
    assert literal_prefix("a/b") == "a"
    assert literal_prefix("*/b/c") == ""
