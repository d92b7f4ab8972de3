"""Every artifact is in exactly one part, the same one on every machine."""

import json
import random
import subprocess
import sys
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.verification.sharding.shard import Shard
from pytest_ftc.verification.sharding.split import Part, split

IDS = st.sets(st.text(min_size=1, max_size=8), max_size=40)
SECONDS = st.dictionaries(st.text(min_size=1, max_size=8), st.floats(0, 1e6), max_size=40)


@given(IDS, SECONDS, st.integers(1, 12))
def test_the_parts_have_each_artifact_once(ids, seconds, count):
    divided = split(ids, seconds, count)
    assert len(divided.parts) == len(divided.seconds) == count
    assert sorted(chain.from_iterable(divided.parts)) == sorted(ids)


@given(IDS, SECONDS, st.integers(1, 12), st.randoms())
def test_no_order_changes_the_parts(ids, seconds, count, chance: random.Random):
    shuffled, times = list(ids), list(seconds.items())
    chance.shuffle(shuffled)
    chance.shuffle(times)
    one, other = split(ids, seconds, count), split(shuffled, dict(times), count)
    assert (one, one.digest) == (other, other.digest)


@given(IDS, SECONDS, st.integers(1, 12))
def test_no_part_has_more_than_its_share_and_the_longest(ids, seconds, count):
    divided = split(ids, seconds, count)
    costs = [load for load in split(ids, seconds, max(1, len(ids))).seconds if load]
    assert max(divided.seconds) <= sum(costs) / count + max(costs, default=0) + 1e-6


@given(IDS, st.integers(1, 12))
def test_without_durations_the_numbers_differ_by_one_at_most(ids, count):
    numbers = [len(part) for part in split(ids, {}, count).parts]
    assert max(numbers) - min(numbers) <= 1


def test_the_longest_comes_first_and_the_others_fill_up():
    seconds = {"long": 10, "b": 4, "c": 3, "d": 3, "e": 1}
    divided = split(seconds, seconds, 2)
    assert divided.parts == [["e", "long"], ["b", "c", "d"]] or divided.parts == [["long"], ["b", "c", "d", "e"]]
    assert sorted(divided.seconds) == [10, 11]


def test_what_is_not_known_counts_as_the_median_of_what_is():
    divided = split({"a", "b", "c", "new"}, {"a": 1, "b": 4, "c": 100, "gone": 1e6}, 2)
    assert sum(divided.seconds) == 109
    assert divided.known == 3


def test_another_process_with_another_seed_of_hashes_divides_in_the_same_way():
    ids, seconds = [f"ftc.toml::ftc::a{number}" for number in range(50)], {"ftc.toml::ftc::a7": 0.1, "x": 3.0}
    code = (
        "import json, sys; from pytest_ftc.verification.sharding.split import split;"
        "ids, seconds = json.loads(sys.argv[1]); print(split(set(ids), seconds, 7).digest)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps([ids, seconds])],
        env={"PYTHONHASHSEED": "4711"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == split(set(ids), seconds, 7).digest


def test_names_that_are_no_unicode_have_a_digest():
    assert split({"na\udcefve"}, {}, 1).digest != split({"naïve"}, {}, 1).digest


@pytest.mark.parametrize(
    ("ids", "seconds", "number", "line"),
    [
        ("abc", {}, 1, "1 of 2: 2 of 3 artifacts; divided by number, since no durations are known"),
        ("abc", {"a": 70.2, "b": 70.2}, 2, "2 of 2: 1 of 3 artifacts, about 70 s of builds"),
        ("a", {"a": 0}, 1, "1 of 2: 1 of 1 artifact, about 1 s of builds"),
        ("a", {}, 2, "2 of 2: none of 1 artifact; nothing to verify"),
        ("", {}, 1, "1 of 2: none of 0 artifacts; nothing to verify"),
    ],
)
def test_a_part_says_what_it_leaves_to_the_others(ids, seconds, number, line):
    part = Part.of(split(ids, seconds, 2), Shard(number, 2))
    assert part.describe() == line
    assert from_json(Part, to_json(part)) == part
