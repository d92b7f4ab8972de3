"""Hard links, whichever name tar has seen first."""

import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.hard_links import settle_links


def member(name: str, link: str = "", kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = (tarfile.LNKTYPE, link) if link else (kind, "")
    return info


def settled(*members: tarfile.TarInfo) -> list[tuple[str, str, str | None]]:
    return [(name, holder.name, link) for name, holder, link in settle_links(members)]


def test_the_first_name_gets_the_content():
    assert settled(member("a", "b"), member("b"), member("c", "b")) == [
        ("a", "b", None),
        ("b", "b", "a"),
        ("c", "b", "a"),
    ]


@given(st.permutations("abcd"), st.sampled_from("abcd"))
def test_whichever_name_tar_saw_first_the_result_is_the_same(names, first):
    members = {name: member(name, "" if name == first else first) for name in names}
    found = settled(*(members[name] for name in sorted(members)))
    assert [(name, link) for name, _, link in found] == [("a", None), ("b", "a"), ("c", "a"), ("d", "a")]
    assert {holder for _, holder, _ in found} == {first}


def test_a_link_to_a_link_leads_to_the_file():
    assert settled(member("a"), member("b", "a"), member("c", "b"))[2] == ("c", "a", "a")


@pytest.mark.parametrize(
    "members",
    [
        [member("a", "gone")],
        [member("a", "a")],
        [member("a", "b"), member("b", "a")],
        [member("a", "d"), member("d", kind=tarfile.DIRTYPE)],
    ],
    ids=["missing", "itself", "a circle", "a folder"],
)
def test_a_link_to_no_file_is_refused(members):
    with pytest.raises(NormalizationError, match="the target of the hard link 'a' is not a file"):
        settled(*members)
