"""Planted paths."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import CONTROL, EXPERIMENT, look

from pytest_ftc.diagnosis.canaries.paths import forms_of_path
from pytest_ftc.model import Cause, Strength


def test_a_path_that_only_one_side_has_points_to_it_as_what_is_sorted_may_have_moved():
    path = b"/ftc-build-cgpvls/elsewhere/demo-cgpvls\0"
    (first, *_) = look(b"", path)
    assert (first.cause, first.strength, first.control) == ("build_path", Strength.STRONG, "")
    (first, *_) = look(b"a.c\0lib\0", b"a.c\0" + path + b"lib\0")
    assert (first.cause, first.strength) == ("build_path", Strength.STRONG)


@given(st.text(alphabet="abc/", min_size=1, max_size=20), st.text(alphabet="abc/", min_size=1, max_size=20))
def test_all_paths_have_the_same_number_of_forms(one, other):
    assert len(forms_of_path(one)) == len(forms_of_path(other))


@pytest.mark.parametrize("form", ["%s", "C:%s", '"%s"'])
def test_a_path_is_found_with_backslashes_too(form):
    one, other = (form % path.replace("/", "\\") for path in (CONTROL.build_path, EXPERIMENT.build_path))
    assert look(one.encode(), other.encode())[0].cause == Cause.BUILD_PATH


@pytest.mark.parametrize("write", [str, str.upper])
def test_a_path_is_found_in_the_name_of_an_include_guard(write):
    one, other = (
        write(re.sub("[^0-9A-Za-z]", "_", path.lstrip("/"))) for path in (CONTROL.build_path, EXPERIMENT.build_path)
    )
    (first, *_) = look(f"#ifndef YY_{one}_P_H\n".encode(), f"#ifndef YY_{other}_P_H\n".encode())
    assert (first.cause, first.why) == (Cause.BUILD_PATH, "it contains the build path")
