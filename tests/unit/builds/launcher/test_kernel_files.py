"""What the files of the kernel show of some processors only."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.kernel_files import _make_mask, _parse_ids, limit_cpuinfo, limit_stat

NUMBERS = st.lists(st.integers(0, 127), unique=True, min_size=1, max_size=20).map(sorted)


def cpuinfo(numbers):
    return "".join(f"processor\t: {number}\nmodel name\t: x\n\n" for number in numbers)


def stat(numbers):
    return "cpu  1 2 3\n" + "".join(f"cpu{number} 1 2 3\n" for number in numbers) + "intr 1 2\nbtime 7\n"


@given(numbers=NUMBERS, data=st.data())
def test_only_allowed_processors_remain(numbers, data):
    allowed = sorted(data.draw(st.sets(st.sampled_from(numbers), min_size=1)))
    assert limit_cpuinfo(cpuinfo(numbers), allowed) == cpuinfo(allowed)
    assert limit_stat(stat(numbers), allowed) == stat(allowed)


def test_what_is_of_no_processor_remains():
    text = cpuinfo([0, 1]) + "Hardware\t: board\nRevision\t: 1\n"
    assert limit_cpuinfo(text, [0]) == cpuinfo([0]) + "Hardware\t: board\nRevision\t: 1\n"


def test_lists_of_numbers_are_read():
    assert _parse_ids("0-3,8,10-11\n") == {0, 1, 2, 3, 8, 10, 11}
    assert _parse_ids("\n") == set()


@given(numbers=NUMBERS)
def test_masks_keep_their_form(numbers):
    mask = _make_mask(numbers, "ffffffff,ffffffff,ffffffff,ffffffff\n")
    assert [len(group) for group in mask.strip().split(",")] == [8, 8, 8, 8]
    assert int(mask.replace(",", ""), 16) == sum(1 << number for number in numbers)
    assert _make_mask([0], "f\n") == "1\n"
