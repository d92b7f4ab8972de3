"""Names of members that would unpack in one way only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.member_names import check_names, show


@pytest.mark.parametrize(
    "names",
    [
        [(b"a", False), (b"b", False)],
        [(b"a/", True), (b"a/b", False)],
        [(b"a/b", False), (b"a/c", False)],
        [(b"a", False), (b"ab", False)],
        [(b"/a", False), (b"a", False)],
        [(b"..", False)],
    ],
)
def test_names_that_do_not_meet_are_fine(names):
    check_names(names)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([(b"a", False), (b"a", False)], "two members are named 'a'"),
        ([(b"a", False), (b"./a", False)], "two members are named './a'"),
        ([(b"d", True), (b"d//", True)], "two members are named 'd//'"),
        ([(b"a/b", False), (b"a", False)], "member 'a/b' is below 'a', which is not a folder"),
        ([(b"a", False), (b"a/x/y", False)], "member 'a/x/y' is below 'a'"),
        ([(b"a\0b", False)], "has a NUL byte"),
    ],
)
def test_what_unpacks_differently_in_another_order_is_refused(names, problem):
    with pytest.raises(NormalizationError) as raised:
        check_names(names)
    assert problem in str(raised.value)


PARTS = st.lists(st.sampled_from([b"a", b"b", b"."]), min_size=1, max_size=4)
NAMES = st.lists(st.tuples(PARTS.map(b"/".join), st.booleans()), max_size=5)


@given(NAMES, st.randoms())
def test_the_order_of_members_does_not_matter(names, random):
    def is_fine(members):
        try:
            check_names(members)
        except NormalizationError:
            return False
        return True

    shuffled = list(names)
    random.shuffle(shuffled)
    assert is_fine(names) == is_fine(shuffled)


@given(st.binary(max_size=400))
def test_a_name_is_shown_on_one_printable_line(name):
    assert show(name).isprintable()
    assert len(show(name)) <= 302
