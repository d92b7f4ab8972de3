"""Numbers and addresses."""

import struct

import pytest
from planted import look

from pytest_ftc.model import Cause, Strength


def test_an_address_stored_in_binary_is_certain_enough_where_only_one_build_randomises_them():
    one, other = (b"ent\0" + struct.pack("<Q", address) + b"ok\0\0" for address in (0x555555559480, 0x558EE16D6610))
    assert [(found.cause, found.strength) for found in look(one, other)] == [("aslr", Strength.STRONG)]


@pytest.mark.parametrize(
    ("control", "experiment", "strength"), [(b"cpus: 4", b"cpus: 1", Strength.STRONG), (b"x 4", b"x 1", Strength.WEAK)]
)
def test_a_number_of_processors_is_strong_beside_a_word_that_says_so(control, experiment, strength):
    found = {one.cause: one.strength for one in look(control, experiment)}
    assert found[Cause.NUM_CPUS] is strength


def test_process_ids_may_be_those_of_the_builds():
    assert Cause.PID in {one.cause for one in look(b"pid 17", b"pid 30011")}
    assert Cause.PID not in {one.cause for one in look(b"pid 17", b"pid 40000")}


def test_a_folder_of_a_block_points_to_the_file_system():
    found = {one.cause: one.strength for one in look(b"d 4096", b"d 120")}
    assert found[Cause.FILESYSTEM] is Strength.STRONG


def test_an_address_in_decimal_is_certain_enough_if_the_control_has_the_one_that_is_never_random():
    def strength(one: bytes, other: bytes) -> Strength:
        return {found.cause: found.strength for found in look(one, other)}[Cause.ASLR]

    assert strength(b"_static_140737328793824 = x", b"_static_139645073115360 = x") is Strength.STRONG
    assert strength(b"_static_139737328793824 = x", b"_static_139645073115360 = x") is Strength.WEAK
    assert strength(b"_static_140737328793824 = x", b"_static_139645073115361 = x") is Strength.WEAK
