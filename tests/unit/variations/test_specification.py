"""The grammar of specifications: what is selected, with which parameters, and the one error for everything else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ftc.model import Environment, Machine, parameter
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.specification import Specification, Vocabulary, parse_specification


@dataclass(frozen=True)
class Plain:
    """A variation without parameters, of any name."""

    name: str

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return environment

    def describe(self, environment: Environment) -> str:
        return ""


@dataclass(frozen=True)
class Clock(Plain):
    """One with a number for a parameter, and a list that is not empty from the start."""

    name: str = "time"
    offset: int = parameter(398, int, "a number of days")
    zones: tuple[str, ...] = parameter(("UTC",), str, "time zones", many=True, synonym="timezones")


TIME, UMASK, HOME = Clock(), Plain("umask"), Plain("home")
VOCABULARY = Vocabulary((TIME, UMASK, HOME), {"quick": ("home", "umask")})
NAMES = ("time", "umask", "home")


def parse(text: str) -> Specification:
    return parse_specification(text, VOCABULARY)


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("all", NAMES),
        ("none", ()),
        ("", ()),
        ("time", ("time",)),
        ("+time", ("time",)),
        ("+home, +time", ("time", "home")),
        ("all,-umask", ("time", "home")),
        ("-umask", ("time", "home")),
        ("time,-time", ()),
        ("-all,+home", ("home",)),
        ("quick", ("umask", "home")),
        ("-quick", ("time",)),
        ("quick,-home", ("umask",)),
        ("@time", ("time",)),
        ("time.offset=7", ("time",)),
        ("-umask,time.offset=7", ("time", "home")),
    ],
)
def test_a_specification_selects(text: str, selected: tuple[str, ...]) -> None:
    assert parse(text).names == selected


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("all", {}),
        ("time.offset=7", {"offset": 7}),
        ("all, time.offset = -7", {"offset": -7}),
        ("+time.offset=+7", {"offset": 7}),
        ("time.offset=7,time.offset=8", {"offset": 8}),
        ("time.offset=7,all,+time,quick", {"offset": 7}),
        ("time.offset=7,@time", {}),
        ("time.offset=7,@all", {}),
        ("time.offset=7,-time,+time", {}),
        ("time.zones=A", {"zones": ("A",)}),
        ("time.zones=A; B;A", {"zones": ("A", "B", "A")}),
        ("time.zones+=A;UTC", {"zones": ("UTC", "A")}),
        ("time.zones=A;B,time.zones-=A", {"zones": ("B",)}),
        ("time.zones-=UTC", {"zones": ()}),
        ("time.timezones=A=B", {"zones": ("A=B",)}),
    ],
)
def test_parameters_are_set_changed_and_forgotten_as_in_reprotest(text: str, parameters: dict[str, object]) -> None:
    specification = parse(text)
    assert "time" in specification.names
    assert specification.parameters == ({"time": parameters} if parameters else {})


def test_what_is_not_selected_in_the_end_has_no_parameters() -> None:
    assert parse("time.offset=7,-time").parameters == {}


def test_the_variations_selected_have_their_parameters() -> None:
    assert parse("all,time.offset=7").select(VOCABULARY.catalogue) == (Clock(offset=7), UMASK, HOME)
    assert parse("quick").select(VOCABULARY.catalogue) == (UMASK, HOME)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tyme", "unknown variation 'tyme'; did you mean 'time'?  Valid names: all, none, quick, time, umask, home"),
        ("quik", "unknown variation 'quik'; did you mean 'quick'?"),
        ("tyme.offset=7", "unknown variation 'tyme'; did you mean 'time'?  Those with parameters: time"),
        ("time.ofset=7", "unknown parameter 'time.ofset'; did you mean 'time.offset'?  Valid parameters: time.offset, time.zones"),
        ("time.offset=soon", "time.offset: expected a number of days, found 'soon'"),
        ("time.offset=", "time.offset: expected a number of days, found ''"),
        ("time.zones=;", "time.zones: expected time zones, found ';'"),
        ("time.offset", "'time.offset' gives no value; expected 'time.offset=' and a number of days"),
        ("-time.offset", "'-time.offset' gives no value; expected 'time.offset=' and a number of days"),
        ("time.offset++", "'time.offset++' gives no value; expected 'time.offset=' and a number of days"),
        ("time.offset+=7", "time.offset is no list; expected 'time.offset=' and a number of days"),
        ("time=7", "unknown parameter 'time'; did you mean 'time.zones'?  Valid parameters: time.offset, time.zones"),
        ("umask.mask=7", "umask has no parameters, found 'umask.mask'"),
        ("all.offset=7", "unknown variation 'all'"),
        ("-time.offset=7", "unknown variation '-time'; did you mean 'time'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(text)
    assert str(raised.value).startswith(message)


words = st.sampled_from([*NAMES, "all", "none", "quick", "time.offset", "time.zones", "umask.x", ".", ""])
parts = st.lists(words | st.sampled_from([*"+-@=;, ", "+=", "-=", "7"]) | st.text(max_size=3), max_size=12)


@given(parts.map("".join) | st.text(max_size=40))
@example("time.offset=" + "9" * 5000)
@example("=")
def test_no_text_gives_anything_but_a_specification_or_one_error(text: str) -> None:
    try:
        specification = parse(text)
    except ConfigurationError as error:
        assert "\n" not in str(error)
    else:
        assert list(specification.names) == [name for name in NAMES if name in specification.names]
        assert set(specification.parameters) <= set(specification.names)


@given(st.lists(st.tuples(st.sampled_from(["", "+", "-", "@"]), st.sampled_from([*NAMES, "all", "none"])), max_size=6))
def test_the_last_word_on_a_variation_counts(items: list[tuple[str, str]]) -> None:
    selected = parse(",".join(sign + name for sign, name in items)).names
    for name in NAMES:
        for sign, item in reversed(items):
            if item in (name, "all"):
                assert (name in selected) == (sign != "-")
                break


additions = st.sets(st.sampled_from(["time", "+umask", "home", "quick", "all", "time.offset=7", "time.zones=A;B"]))


@given(additions.map(list).flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))))
def test_what_only_adds_may_stand_in_any_order(orders: tuple[list[str], list[str]]) -> None:
    one, other = orders
    assert parse(",".join(one)) == parse(",".join(other))
