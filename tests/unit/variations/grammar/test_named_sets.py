"""Names that a project gives to sets of variations."""

import pytest

from pytest_ftc.config.contributions import NOTHING
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.grammar.named_sets import expand_sets, name_set
from pytest_ftc.variations.specification import parse_specification

PLAIN = NOTHING.vocabulary
ALL = PLAIN.sets["all"]


@pytest.fixture(scope="module")
def vocabulary():
    named = name_set("two", "time.offset=+30d,umask", PLAIN)
    named = name_set("most", "-umask", named)
    return name_set("three", "two,locales", named)


def selected(text, vocabulary):
    found = parse_specification(expand_sets(text, vocabulary), PLAIN)
    return set(found.names), {name: dict(values) for name, values in found.parameters.items()}


LONG = {"time": {"offset": 30 * 86400}}


@pytest.mark.parametrize(
    ("text", "names", "parameters"),
    [
        ("two", {"time", "umask"}, LONG),
        ("+two,home", {"time", "umask", "home"}, LONG),
        ("home, @two", {"time", "umask", "home"}, LONG),
        ("three", {"time", "umask", "locales"}, LONG),
        ("three,-two", {"locales"}, {}),
        ("-two", set(ALL) - {"time", "umask"}, {}),
        ("most", set(ALL) - {"umask"}, {}),
        # A set adds: what is selected already stays.
        ("umask,most", set(ALL), {}),
        ("two,time.offset=+5d", {"time", "umask"}, {"time": {"offset": 5 * 86400}}),
        ("-umask", set(ALL) - {"umask"}, {}),
    ],
)
def test_a_name_stands_for_its_set(vocabulary, text, names, parameters):
    assert selected(text, vocabulary) == (names, parameters)


def test_a_specification_without_names_stays_as_it_is(vocabulary):
    assert expand_sets("-umask, time", vocabulary) == "-umask, time"


@pytest.mark.parametrize(
    ("name", "specification", "message"),
    [
        ("umask", "time", "'umask' is the name of a variation or of a preset"),
        ("all", "time", "'all' is the name of a variation or of a preset"),
        ("a,b", "time", "expected a name of letters"),
        ("-a", "time", "expected a name of letters"),
        ("a", "none", "expected a specification that selects a variation"),
        ("a", "tiem", "unknown variation 'tiem'; did you mean 'time'?"),
        ("a", "later", "unknown variation 'later'"),
        ("a", ["time"], "expected text such as"),
    ],
)
def test_mistakes(name, specification, message):
    with pytest.raises(ConfigurationError) as caught:
        name_set(name, specification, PLAIN)
    assert message in str(caught.value)


def test_an_unknown_name_is_compared_with_those_of_sets_too(vocabulary):
    with pytest.raises(ConfigurationError, match="did you mean 'three'"):
        parse_specification(expand_sets("thre", vocabulary), vocabulary)
