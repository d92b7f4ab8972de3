"""The changed vDSO answers later by the shift, and leaves all other answers alone: run in memory of this process."""

import ctypes
import mmap
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.clocks.shown import Shown, stopped_at
from pytest_ftc.builds.launcher.clocks.vdso import find_patches, read_own_vdso
from pytest_ftc.builds.launcher.cpu_abi import this_processor

SHIFT = 398 * 86400
FORMS = {"clock_gettime": (ctypes.c_int, (ctypes.c_int, ctypes.c_void_p)), "time": (ctypes.c_long, (ctypes.c_void_p,))}
FORMS["gettimeofday"] = (ctypes.c_int, (ctypes.c_void_p, ctypes.c_void_p))
PATCHES = this_processor().can_patch


def symbols(image: bytes) -> dict[str, int]:
    """Return the addresses of the functions, found by the section headers, as another reader of ELF files would."""
    start, size, count = struct.unpack_from("=Q", image, 40)[0], *struct.unpack_from("=HH", image, 58)
    sections = [struct.unpack_from("=IIQQQQIIQQ", image, start + size * index) for index in range(count)]
    table = next(section for section in sections if section[1] == 11)
    strings = sections[table[6]][4]
    found = {}
    for at in range(table[4], table[4] + table[5], 24):
        name, _, _, _, value, _ = struct.unpack_from("=IBBHQQ", image, at)
        found[image[strings + name :].partition(b"\0")[0].decode()] = value
    return found


def patched(clock: Shown) -> bytes:
    image = bytearray(read_own_vdso())
    for patch in find_patches(bytes(image), clock):
        image[patch.offset : patch.offset + len(patch.data)] = patch.data
    assert len(image) == len(read_own_vdso())
    return bytes(image)


@pytest.fixture(scope="module")
def functions():
    yield from added(Shown(SHIFT))


@pytest.fixture(scope="module")
def standing():
    yield from added(stopped_at(SHIFT))


def added(clock: Shown):
    """The added functions, behind functions in place of the originals, which only say what they were asked."""
    assert PATCHES, "known for x86-64 only"
    image = bytearray(patched(clock))
    before = symbols(read_own_vdso())
    # Each stores 1000 at its pointer and returns 0, but clock 0x63 is an error; time stores nothing and returns 1000.
    stubs = {
        "clock_gettime": b"\x83\xff\x63\x74\x0a\x48\xc7\x06\xe8\x03\x00\x00\x31\xc0\xc3\xb8\xea\xff\xff\xff\xc3",
        "gettimeofday": b"\x48\x85\xff\x74\x07\x48\xc7\x07\xe8\x03\x00\x00\x31\xc0\xc3",
        "time": b"\xb8\xe8\x03\x00\x00\xc3",
    }
    for name, code in stubs.items():
        image[before[name] : before[name] + len(code)] = code
    memory = mmap.mmap(-1, len(image), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory[:] = bytes(image)
    held = ctypes.c_char.from_buffer(memory)  # keeps the memory mapped
    base, after = ctypes.addressof(held), symbols(bytes(image))
    yield {name: ctypes.CFUNCTYPE(FORMS[name][0], *FORMS[name][1])(base + after[name]) for name in stubs}


@pytest.mark.parametrize(("clock", "moved"), [(0, True), (5, True), (11, True), (1, False), (6, False), (7, False)])
def test_only_clocks_that_tell_the_date_are_moved(functions, clock, moved):
    buffer = (ctypes.c_long * 2)(0, 5)
    assert functions["clock_gettime"](clock, buffer) == 0
    assert list(buffer) == [1000 + SHIFT * moved, 5]


def test_an_error_stays_one(functions):
    buffer = (ctypes.c_long * 2)(7, 7)
    assert functions["clock_gettime"](0x63, buffer) == -22
    assert list(buffer) == [7, 7]


def test_the_time_of_day_is_moved_where_it_is_asked_for(functions):
    buffer = (ctypes.c_long * 2)(0, 5)
    assert functions["gettimeofday"](buffer, None) == 0
    assert list(buffer) == [1000 + SHIFT, 5]
    assert functions["gettimeofday"](None, None) == 0


def test_the_time_is_returned_and_stored_alike(functions):
    buffer = (ctypes.c_long * 1)(0)
    assert functions["time"](buffer) == buffer[0] == 1000 + SHIFT
    assert functions["time"](None) == 1000 + SHIFT


@pytest.mark.parametrize(("clock", "stands"), [(0, True), (5, True), (11, True), (1, False), (6, False), (7, False)])
def test_only_clocks_that_tell_the_date_stand_still(standing, clock, stands):
    buffer = (ctypes.c_long * 2)(0, 5)
    assert standing["clock_gettime"](clock, buffer) == 0
    assert list(buffer) == ([SHIFT, 123_456_789] if stands else [1000, 5])


def test_an_error_stays_one_where_the_clock_stands_still(standing):
    assert standing["clock_gettime"](0x63, (ctypes.c_long * 2)(7, 7)) == -22


def test_a_clock_that_stands_still_shows_the_same_by_all_functions(standing):
    buffer, zone = (ctypes.c_long * 2)(0, 5), (ctypes.c_int * 2)(9, 9)
    assert standing["gettimeofday"](buffer, zone) == standing["gettimeofday"](None, None) == 0
    assert (list(buffer), list(zone)) == ([SHIFT, 123_456], [0, 0])
    assert standing["time"](buffer) == buffer[0] == standing["time"](None) == SHIFT


@given(shift=st.integers(-(40 * 365 * 86400), 40 * 365 * 86400))
def test_both_names_of_a_function_lead_to_the_same_place_behind_the_code(shift):
    before, after = symbols(read_own_vdso()), symbols(patched(Shown(shift)))
    length = len(read_own_vdso().rstrip(b"\0"))
    for name in FORMS:
        assert after[name] == after[f"__vdso_{name}"] >= length
    others = {name for name in before if name.removeprefix("__vdso_") not in FORMS}
    assert {name: before[name] for name in others} == {name: after[name] for name in others}


@pytest.mark.parametrize("image", [b"", b"\x7fELF", bytes(8192)])
def test_what_is_no_vdso_is_refused(image):
    with pytest.raises(ValueError, match="vDSO"):
        find_patches(image, Shown(1))


def test_a_full_vdso_is_refused():
    image = read_own_vdso()
    with pytest.raises(ValueError, match="no space"):
        find_patches(image[:-1] + b"\1", Shown(1))


def test_the_image_is_the_one_that_this_process_uses():
    assert read_own_vdso()[:4] == b"\x7fELF"
    assert abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 10
