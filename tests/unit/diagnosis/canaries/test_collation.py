"""Orders of languages."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.diagnosis.canaries.collation import is_sorted_by_bytes, is_sorted_by_language


@given(st.lists(st.binary(max_size=5), max_size=8))
def test_what_is_sorted_is_sorted_by_bytes_either_way(items):
    assert is_sorted_by_bytes(sorted(items))
    assert is_sorted_by_bytes(sorted(items, reverse=True))


def test_a_language_ignores_case_and_bytes_do_not():
    items = [b"a", b"B", b"c"]
    assert not is_sorted_by_bytes(items)
    assert is_sorted_by_language(items, "en_US")


def test_estonian_has_z_before_t():
    items = ["s", "z", "t"]
    assert is_sorted_by_language([item.encode() for item in items], "et_EE")
    assert not is_sorted_by_language([item.encode() for item in items], "de_DE")
