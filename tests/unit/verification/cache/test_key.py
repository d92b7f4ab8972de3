"""Whatever decides the outputs changes the digest of the action, and nothing else does."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model import Artifact, Metadata
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification.cache.key import ActionInputs, Inquiry, describe_inputs, describe_variations

ARTIFACT = Artifact(id="ftc.toml::ftc::app", name="app", build="make", outputs=("out",), source=Path("/p"))
GIVEN = {
    "source": "s", "repository": "", "epoch": "unset", "tools": {"/bin/make": "1"}, "passed": {}, "reference": "",
    "environment": {"a": 1}, "platform": ("Linux",),
}  # fmt: skip


def action(artifact: Artifact = ARTIFACT, **given: object) -> str:
    key = given.pop("key", b"k")
    inputs = describe_inputs(artifact, ActionInputs(**{**GIVEN, **given}), key)  # type: ignore[arg-type]
    return Inquiry(inputs=inputs, asked={}, builds=2, facilities="").action


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},
        {"build": "make all"},
        {"build": ("make",)},
        {"outputs": ("out", "more")},
        {"metadata": Metadata.STRICT},
        {"env": {"A": "1"}},
        {"preset": "python-wheel"},
    ],
)
def test_the_declaration_decides(change):
    assert action(replace(ARTIFACT, **change)) != action()


@pytest.mark.parametrize(
    "change", [{"timeout": 1.0}, {"critical": True}, {"strict": True}, {"variations": "all"}, {"source": Path("/q")}]
)
def test_what_says_nothing_of_the_outputs_does_not(change):
    assert action(replace(ARTIFACT, **change)) == action()


@pytest.mark.parametrize(
    "change",
    [
        {"source": "t"},
        {"repository": "commit"},
        {"epoch": 7},
        {"tools": {"/bin/make": "2"}},
        {"passed": {"A": "1"}},
        {"reference": "digest"},
        {"environment": {"a": 2}},
        {"platform": ("Darwin",)},
        {"key": b"l"},
    ],
)
def test_what_surrounds_it_decides(change):
    assert action(**change) != action()


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=4), st.randoms())
def test_the_order_of_what_is_named_does_not(variables, random):
    names = list(variables)
    random.shuffle(names)
    assert action(passed={name: variables[name] for name in names}) == action(passed=variables)


def test_no_value_of_a_variable_can_be_guessed_without_the_key():
    one, other = (
        describe_inputs(ARTIFACT, ActionInputs(**{**GIVEN, "passed": {"A": "1"}}), key) for key in (b"k", b"l")
    )
    assert {name for name in one if one[name] != other[name]} == {"variables"}


def test_a_variation_is_described_with_its_parameters():
    described = describe_variations(CATALOGUE, {})
    assert list(described) == [variation.name for variation in CATALOGUE]
    clock = next(variation for variation in CATALOGUE if variation.name == "time")
    assert describe_variations([replace(clock, offset=99_999)], {}) != {"time": described["time"]}  # type: ignore[type-var]
