"""Paths that a pattern may match: what the launcher finds in a tree always may."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.globs import find_matches, may_match

NAMES = st.sampled_from(["a", "b", "ab", ".c", "out"])
PARTS = st.sampled_from(["a", "*", "**", "?", "a*", "[ab]", "out", ".", ""])


@given(
    st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=8),
    st.lists(PARTS, min_size=1, max_size=4).map("/".join).filter(lambda pattern: pattern.strip("./")),
)
def test_it_is_true_of_all_that_is_found_and_of_nothing_else(tmp_path_factory, paths, pattern):
    tree = tmp_path_factory.mktemp("tree")
    for path in paths:
        (tree / path).mkdir(parents=True, exist_ok=True)
    there = [str(path.relative_to(tree)) for path in tree.rglob("*")]
    assert sorted(path for path in there if may_match(path, pattern)) == find_matches(str(tree), [pattern])


@pytest.mark.parametrize("pattern", ["*a" * 30, "**/" * 30 + "a", "[" + string.ascii_lowercase * 9 + "]*" * 20])
def test_it_is_quick(pattern):
    assert not may_match("/".join(["a" * 250 + "b"] * 15), pattern + "/c")
