"""Parameters of variations."""

from dataclasses import dataclass

import pytest

from pytest_ftc.model.parameter import parameter, parameters_of


@dataclass(frozen=True)
class Varies:
    name: str = "mine"
    offset: int = parameter(3, int, "a number", synonym="shift", meaning="by how much")
    values: tuple[str, ...] = parameter((), str, "a word", many=True, written="none")


def test_only_fields_that_are_parameters_are_listed_with_how_they_are_read():
    found = parameters_of(Varies())
    assert list(found) == ["offset", "values"]
    assert (found["offset"].read("7"), found["offset"].expected, found["offset"].synonym) == (7, "a number", "shift")
    assert (found["values"].many, found["values"].written, found["offset"].many) == (True, "none", False)
    with pytest.raises(ValueError, match="invalid literal"):
        found["offset"].read("x")


def test_the_default_is_that_of_the_field():
    assert (Varies().offset, Varies().values) == (3, ())


def test_a_variation_that_is_no_dataclass_has_none():
    assert parameters_of(object()) == {}
