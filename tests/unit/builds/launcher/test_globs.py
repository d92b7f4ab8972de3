import fnmatch
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.globs import find_matches


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


@given(st.text("ab*?[]!-x.", min_size=1, max_size=8), st.sets(st.text("abx-", min_size=1, max_size=6), max_size=5))
def test_one_segment_matches_as_fnmatch_does(tmp_path_factory, pattern: str, names: set[str]) -> None:
    if pattern in ("**", ".", ".."):
        return
    folder = tmp_path_factory.mktemp("names")
    for name in names:
        (folder / name).touch()
    expected = sorted(name for name in names if fnmatch.fnmatchcase(name, pattern))
    assert find_matches(str(folder), [pattern]) == expected


SEGMENTS = st.sampled_from(["**", "*", "a", "b", "?", "[ab]", "c*"])
PATHS = st.sets(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), max_size=6)


def matches(path: list[str], pattern: list[str]) -> bool:
    """The meaning of a pattern, plainly."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        if len(pattern) == 1:
            return bool(path)
        return any(matches(path[skipped:], pattern[1:]) for skipped in range(len(path)))
    return bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and matches(path[1:], pattern[1:])


@given(PATHS, st.lists(SEGMENTS, min_size=1, max_size=4))
def test_several_segments_match_what_they_mean(tmp_path_factory, paths: set[str], pattern: list[str]) -> None:
    folder = tmp_path_factory.mktemp("paths")
    for path in paths:
        (folder / path).mkdir(parents=True, exist_ok=True)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    named = {path for path in there if matches(path.split("/"), pattern)}
    expected = {path for path in there if any(path == name or path.startswith(f"{name}/") for name in named)}
    assert set(find_matches(str(folder), ["/".join(pattern)])) == expected


def test_no_folder_is_read_that_need_not_be(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(0o000)
    (tmp_path / "out").touch()
    before = (tmp_path / "locked").stat().st_atime_ns
    assert find_matches(str(tmp_path), ["out", "dist/*.whl"]) == ["out"]
    assert (tmp_path / "locked").stat().st_atime_ns == before
