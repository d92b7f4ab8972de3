"""What builds write is never read as a command of the service that runs them."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.support.service_commands import defuse, defuse_json

GITHUB = {"GITHUB_ACTIONS": "true"}
pieces = st.lists(
    st.sampled_from(
        ["::", ":", "#", "[", "add-mask", "\n", " ", "\t", "vso[", "teamcity[", "section_", "start:1:a", "x"]
    )
)


def commands_in(text):
    """Return whether a runner would find a command: see ActionCommand.cs of actions/runner."""
    lines = text.split("\n")
    return any(line.lstrip().startswith("::") for line in lines) or re.search(r"##(\[|vso\[|teamcity\[)", text)


@given(pieces)
def test_no_command_is_left(parts):
    text = defuse("".join(parts), GITHUB)
    assert not commands_in(text)
    assert "section_start:" not in text


@given(pieces)
def test_json_means_the_same(parts):
    text = json.dumps(["".join(parts)])
    assert json.loads(defuse_json(text, GITHUB)) == json.loads(text)
    assert not commands_in(defuse_json(text, GITHUB))


@pytest.mark.parametrize("text", ["a::b", "std::string ::x", "# [x]", "## Title", "x::y\n  z: :"])
def test_other_text_is_left_as_it_is(text):
    assert defuse(text, GITHUB) == text


def test_it_is_left_where_nothing_reads_it():
    assert defuse("::error::x ##[x]", {}) == "::error::x ##[x]"


@pytest.mark.parametrize("text", ["  ::error::x", "\x1b[2m  \x1b[0m::error::x", "\u2003::add-mask::x", "a\n::x"])
def test_white_space_and_colours_before_it_do_not_help(text):
    assert "\\x3a:" in defuse(text, {"CI": "1"})
