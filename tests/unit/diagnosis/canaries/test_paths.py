"""Planted paths."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import CONTROL, EXPERIMENT, look

from pytest_ftc.diagnosis.canaries.paths import forms_of_path
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.model import Cause, Field, Place, Strength


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


def _relative(more: int, rest: str = "opt/tools/index.js", quote: str = '"') -> tuple[bytes, bytes]:
    """Return a path to the same file from the build path of the control, and from one with `more` folders."""
    return tuple(f"{quote}{'../' * (2 + deeper)}{rest}{quote}".encode() for deeper in (0, more))  # type: ignore[return-value]


def test_a_path_that_leads_out_of_a_deeper_folder_has_the_build_path():
    (first, *_) = look(*_relative(1))
    assert (first.cause, first.strength) == (Cause.BUILD_PATH, Strength.STRONG)
    assert first.why == "it leads out of the build path, which has 1 folder more there"
    # Without the rest, which another may have appended to it.
    assert (first.control, first.experiment) == ("../../opt", "../../../opt")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        _relative(2),
        _relative(-1),
        (_relative(1)[0], _relative(1, "opt/tools/other.js")[1]),
        (b'"../../opt/a ../../opt/b"', b'"../../opt/a ../opt/b"'),
    ],
)
def test_a_path_that_differs_by_more_than_its_depth_is_not_told_to_have_it(one, other):
    assert not [found for found in look(one, other) if "leads out" in found.why]


def test_where_another_folder_is_as_much_deeper_it_is_weak():
    deeper = replace(EXPERIMENT, temp_dir=f"{CONTROL.temp_dir}/more")
    found = suspect(
        Place(field=Field.CONTENT, location="line 1", control=b"../../opt/a", experiment=b"../../../opt/a"),
        CONTROL,
        deeper,
    )
    assert [(one.cause, one.strength) for one in found if "leads out" in one.why] == [("build_path", Strength.WEAK)]
