"""Which members of two containers belong together."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.contents import Member
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.pairing import group_renamed, pair_members
from pytest_ftc.comparison.members.span import span_of

NAMES = st.lists(st.sampled_from("abcde"), max_size=8)


def members(**contents: str) -> list[Member]:
    return [Member(name=name, stored=span_of(content.encode())) for name, content in contents.items()]


def pair(control: list[Member], experiment: list[Member]):
    return pair_members(control, experiment, Budget(Limits()))


@given(NAMES, NAMES)
def test_each_member_is_in_one_pair_or_alone(one, other):
    control, experiment = ([Member(name=name) for name in names] for names in (one, other))
    found = pair(control, experiment)
    left = [*(each.control for each in found.pairs), *found.control_only]
    right = [*(each.experiment for each in found.pairs), *found.experiment_only]
    assert sorted(map(id, left)) == sorted(map(id, control))
    assert sorted(map(id, right)) == sorted(map(id, experiment))
    assert all(each.control.name == each.experiment.name for each in found.pairs)
    assert not {each.name for each in found.control_only} & {each.name for each in found.experiment_only}


@given(st.permutations("abcde"), st.permutations("abcde"))
def test_the_order_is_told_only_if_it_differs(one, other):
    found = pair([Member(name=name) for name in one], [Member(name=name) for name in other])
    lists = tuple("".join(f"{name}\n" for name in names).encode() for names in (one, other))
    assert found.order == (lists if one != other else None)


def test_repeated_names_are_paired_in_their_order():
    control, experiment = ([Member(name="x", item=str(n)) for n in range(3)] for _ in range(2))
    assert [(each.control.item, each.experiment.item) for each in pair(control, experiment).pairs] == [
        ("0", "0"),
        ("1", "1"),
        ("2", "2"),
    ]


def test_a_member_with_another_name_is_known_by_its_content():
    found = pair(members(a="same", old="content"), members(a="same", new="content", more="other"))
    assert [(each.control.name, each.experiment.name) for each in found.pairs] == [("old", "new"), ("a", "a")]
    assert [each.name for each in found.experiment_only] == ["more"]


def test_empty_members_are_not_paired_by_content():
    found = pair(members(old=""), members(new=""))
    assert (found.pairs, len(found.control_only), len(found.experiment_only)) == ((), 1, 1)


def test_members_that_follow_from_others_come_last():
    control, experiment = ([Member(name="table", follows=True), Member(name="data")] for _ in range(2))
    assert [each.control.name for each in pair(control, experiment).pairs] == ["data", "table"]


def test_members_named_by_a_digest_are_paired_by_likeness():
    one = members(**{"blobs/1a15114f": '{"created": "one"}', "blobs/2b260d5e": "#!/bin/sh\n"})
    other = members(**{"blobs/9f3e2d1c": "#!/bin/bash\n", "blobs/8e4f5a6b": '{"created": "two"}'})
    found = pair(one, other)
    assert {(each.control.name, each.experiment.name) for each in found.pairs} == {
        ("blobs/1a15114f", "blobs/8e4f5a6b"),
        ("blobs/2b260d5e", "blobs/9f3e2d1c"),
    }
    assert found.order is None


def test_names_with_the_same_words_differing_are_one_group():
    one = members(**{".lto.a.634410ffa8376a2d": "a", ".lto.b.634410ffa8376a2d": "b", ".x.11111111": "x"})
    other = members(**{".lto.a.0123456789abcdef": "a", ".lto.b.0123456789abcdef": "b", ".x.22222222": "x"})
    assert [len(group) for group in group_renamed(pair(one, other).pairs)] == [2, 1]


def dated(date, names, content="{name}"):
    return members(**{f"pkg-{date}/{name}": content.format(name=name) for name in names})


def test_the_order_counts_below_a_folder_whose_name_differs_too():
    found = pair(dated("2026.12.01", "abc"), dated("2028.01.03", "cba"))
    assert found.order == tuple(
        "".join(f"pkg-2026.12.01/{name}\n" for name in order).encode() for order in ("abc", "cba")
    )


def test_the_order_of_members_whose_own_names_differ_says_nothing():
    assert pair(members(xa="1", xb="2", xc="3"), members(yc="1", yb="2", ya="3")).order is None


def test_equal_contents_are_paired_by_their_names():
    found = pair(dated(2026, "abc", "same"), dated(2028, "cab", "same"))
    assert all(each.control.name[-1] == each.experiment.name[-1] for each in found.pairs)
