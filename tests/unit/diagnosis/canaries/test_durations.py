"""Measured durations among numbers."""

import pytest

from pytest_ftc.diagnosis.canaries.alignment import align
from pytest_ftc.diagnosis.canaries.durations import find_durations
from pytest_ftc.diagnosis.canaries.planted import Planted, Window

LONG = Window(1000.0, 1004.0)
BUILD = Planted(build_path="/b", home="/h", temp_dir="/t", umask=0o22, clock=LONG, real=LONG)


def find(control, experiment, location="line 1"):
    aligned = align(control.encode(), experiment.encode()).places
    found = [one for where in aligned for one in find_durations(where, location, BUILD, BUILD)]
    return {(one.suspicion.control, one.suspicion.experiment) for one in found}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('<testsuite time="{}"/>', ("0.002991", "0.000244")),
        ("Built in {} ms", ("52.6", "24.2")),
        ("Built in {}ms.", ("526", "242")),
        ("duration: {}", ("3", "2")),
        ('"duration_ms": {},', ("1234", "987")),
        ("elapsed={}s", ("1.5", "1.75")),
        ("took {} seconds", ("1", "2")),
        ("42 tests passed in {}s", ("0.12", "0.15")),
        ("<seconds-time>{}</seconds-time>", ("0.5", "0.7")),
        ("real {}", ()),
    ],
)
def test_a_number_with_a_word_or_a_unit_is_one(text, values):
    shown = values or ("a", "b")
    assert find(*(text.format(value) for value in shown)) == ({values} if values else set())


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("time = {}", ("17", "3")),
        ("time = {}", ("1700000001.5", "1800000001.5")),
        ("took {} seconds", ("17", "31")),
        ("time: {}:15", ("1", "2")),
        ("size {}", ("0.5", "0.7")),
        ("seed {}", ("0.12", "0.15")),
        ("version 1.2.{}", ("3", "4")),
    ],
)
def test_other_numbers_are_none(text, values):
    assert find(*(text.format(value) for value in values)) == set()


def test_the_key_of_a_value_may_say_so():
    assert find("0.0831", "0.0256", "key duration") == {("0.0831", "0.0256")}
    assert find("0.0831", "0.0256", "key seed") == set()
