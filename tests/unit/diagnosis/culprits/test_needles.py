"""What to search for in what a build wrote."""

import pytest

from pytest_ftc.diagnosis.culprits.needles import find_needles
from pytest_ftc.model import Field


def tiers(data: bytes, other: bytes, value: str = "", field: Field = Field.CONTENT) -> list[str]:
    return [needle for tier in find_needles(data, other, value, field).tiers for needle in tier]


def test_the_value_is_searched_with_the_string_around_it_first():
    assert tiers(b'x = "built 1795 here"\n', b"", "1795") == ["built 1795 here", "1795"]


def test_a_number_of_bytes_is_searched_as_bytes():
    assert tiers(b"\0\0\x43\x0f\x0b\x6b\0", b"", "430f0b6b (1795886915)")[-1] == "\x43\x0f\x0b\x6b"


def test_a_number_of_bytes_is_searched_as_digits_first():
    assert tiers(b"\0\0\x43\x0f\x0b\x6b\0", b"", "430f0b6b (1795886915)")[0] == "1795886915"


def test_what_joins_a_value_to_others_is_no_part_of_it_in_the_end():
    assert tiers(b"tag 1795-30ba717e;", b"tag 1795-c9b68bbb;")[-1] == "30ba717e"
    assert tiers(b"tag-1795", b"tag+18")[-1] == "1795"


def test_a_name_is_searched_as_it_is():
    assert tiers(b"parts/part-x7", b"parts/part-y8", field=Field.NAME) == ["parts/part-x7"]
    assert tiers(b"app-20261129.tar", b"app-20280101.tar", field=Field.NAME) == ["app-20261129.tar", "20261129"]


def test_without_a_value_the_difference_is():
    assert tiers(b"a=1\nid 4f5e6d\n", b"a=1\nid 41526d\n")[-1] == "4f5e6d"
    assert tiers(b"0123456789abcdef", b"0123456XXXXXXdef")[-1] == "789abc"


def test_a_part_without_a_value_is_searched_with_the_rest():
    one, other = b"at 1795 by 12345678 id 4f5e", b"at 1801 by 12345678 id 6f5d"
    assert find_needles(one, other, "", Field.CONTENT).tiers[-1] == ("1795",)
    assert find_needles(one, other, "", Field.CONTENT, entire=True).tiers[-1] == ("795 by 12345678 id 4f5e",)


@pytest.mark.parametrize(
    ("data", "other", "field"),
    [
        (b"1795886915", b"1", Field.MTIME),  # is not written as it is shown
        (b"\0\0\0\0\0\0", b"\1\1\1\1\1\1", Field.CONTENT),  # is everywhere
        (b" 7 ", b" 8 ", Field.CONTENT),
        (b"", b"something", Field.CONTENT),
    ],
)
def test_what_would_be_found_anywhere_is_not_searched(data, other, field):
    assert tiers(data, other, field=field) == []
