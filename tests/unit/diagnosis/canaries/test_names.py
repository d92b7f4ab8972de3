"""Planted names."""

from dataclasses import replace

import pytest
from planted import CONTROL, EXPERIMENT, LATER, look

from pytest_ftc.diagnosis.canaries.alignment import whole
from pytest_ftc.diagnosis.canaries.names import find_names, find_owner
from pytest_ftc.diagnosis.canaries.planted import Window
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.model import Cause, Field, Place, Strength
from pytest_ftc.model.timing.trace_context import foreign_trace


@pytest.mark.parametrize("form", [b'<html lang="%s">', b'"locale": "%s"', b"LANGUAGE=%s"])
def test_a_code_of_a_language_that_says_so_points_to_the_locale(form):
    estonian = replace(EXPERIMENT, variables={**EXPERIMENT.variables, "LC_ALL": "et_EE.UTF-8"})
    leaf = Place(field=Field.CONTENT, location="line 1", control=form % b"en", experiment=form % b"et")
    assert [found.cause for found in suspect(leaf, CONTROL, estonian)] == ["locales"]
    assert not suspect(leaf, CONTROL, EXPERIMENT)


def test_owners_point_to_the_user():
    assert look(b"0", b"52741", Field.OWNER)[0].cause == "user_group"


@pytest.mark.parametrize(
    ("control", "experiment", "what"),
    [
        (b"0", b"52741", "UID"),
        (b"0", b"52742", "GID"),
        (b"root", b"user-cgpvls", "user name"),
        (b"root", b"group-cgpvls", "group name"),
    ],
)
def test_an_owner_says_which_of_its_names_it_is(control, experiment, what):
    (sighting,) = find_owner(whole(control, experiment), CONTROL, EXPERIMENT)
    assert sighting.suspicion.why == f"it contains the build's {what}"


def test_a_variable_set_by_a_variation_of_a_plugin_points_to_it():
    control = replace(CONTROL, variables={"COLOUR": "crimson-lflfdc"})
    experiment = replace(EXPERIMENT, variables={"COLOUR": "orange-cgpvls"}, owners={"COLOUR": "colour"})
    place = whole(b"crimson-lflfdc", b"orange-cgpvls")
    assert "colour" in {found.suspicion.cause for found in find_names(place, control, experiment)}


def test_the_library_that_moves_a_clock_points_to_the_clock():
    moved = replace(EXPERIMENT, clock=Window(LATER, LATER + 20))
    still = replace(CONTROL, real=CONTROL.clock)
    (sighting,) = find_names(whole(b"", b"FAKETIME"), still, moved)
    assert sighting.suspicion.cause == Cause.TIME


def test_the_model_of_the_cpu_points_to_the_machine():
    control, experiment = replace(CONTROL, cpu="Intel Xeon"), replace(EXPERIMENT, cpu="AMD EPYC")
    (sighting,) = find_names(whole(b"on Intel Xeon", b"on AMD EPYC"), control, experiment)
    assert sighting.suspicion.cause == Cause.MACHINE


@pytest.mark.parametrize(
    ("form", "what"),
    [
        (lambda variables: variables["TRACEPARENT"], "the value of TRACEPARENT"),
        (lambda variables: variables["TRACEPARENT"].split("-")[1], "the ID of the trace in TRACEPARENT"),
        (lambda variables: variables["TRACEPARENT"].split("-")[2].upper(), "the ID of the span in TRACEPARENT"),
        (lambda variables: bytes.fromhex(variables["TRACEPARENT"].split("-")[1]), "the ID of the trace in TRACEPARENT"),
        (lambda variables: variables["TRACESTATE"], "the value of TRACESTATE"),
        (lambda variables: variables["BAGGAGE"], "the value of BAGGAGE"),
    ],
)
def test_what_names_a_trace_points_to_its_variable(form, what):
    sides = [foreign_trace(token) for token in ("lflfdc", "cgpvls")]
    control, experiment = (
        replace(one, variables={**one.variables, **added})
        for one, added in zip((CONTROL, EXPERIMENT), sides, strict=True)
    )
    values = [value if isinstance(value := form(side), bytes) else value.encode() for side in sides]
    leaf = Place(field=Field.CONTENT, location="line 1", control=b"by " + values[0], experiment=b"by " + values[1])
    first = suspect(leaf, control, experiment)[0]
    assert (first.cause, first.strength) == (Cause.ENVIRONMENT, Strength.CERTAIN)
    assert first.why.startswith(f"it contains {what}")
    assert "must not be embedded" in first.why
