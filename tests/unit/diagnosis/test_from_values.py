"""Causes that are suspected from values alone."""

import pytest

from pytest_ftc.diagnosis.from_values import guess
from pytest_ftc.model import Field, Place


def cause_of(control, experiment, field=Field.CONTENT):
    return guess("app", Place(field=field, location="x", control=control, experiment=experiment)).cause


@pytest.mark.parametrize(
    ("field", "cause"),
    [
        (Field.MTIME, "time"),
        (Field.MODE, "umask"),
        (Field.OWNER, "user_group"),
        (Field.ORDER, "fileordering"),
    ],
)
def test_the_kind_of_a_place_names_its_usual_cause(field, cause):
    assert cause_of(b"1", b"2", field) == cause


def test_values_that_differ_only_in_a_path_point_to_the_build_path():
    assert cause_of(b"at /home/a/src/x.c;", b"at /tmp/build/x.c;") == "build_path"


def test_what_points_to_nothing_is_unknown_and_a_plain_name():
    cause = cause_of(b"one", b"two!")
    assert cause == "unknown"
    assert type(cause) is str


def test_nothing_is_confirmed_and_the_remedy_names_the_output():
    finding = guess("a.tar", Place(field=Field.MODE, location="x", control=b"0644", experiment=b"0600", format="tar"))
    assert not finding.confirmed
    assert finding.remedy
    assert "{output}" not in finding.remedy.summary
