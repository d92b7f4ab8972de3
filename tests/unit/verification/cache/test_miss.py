"""Why an artifact is built again."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.verification.cache.miss import describe_query, explain_query, name_changes, name_some

INPUTS = {"source": "s1", "command": "c1", "platform": "p1"}


def query(*, files=None, tools=None, **inputs):
    return SimpleNamespace(
        inquiry=SimpleNamespace(inputs={**INPUTS, **inputs}),
        tools=tools if tools is not None else {"/usr/bin/gcc": "1"},
        state=SimpleNamespace(files=files if files is not None else {"a.c": "1", "b.c": "1"}),
    )


BEFORE = describe_query(query())


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (query(), ""),
        (query(command="c2"), "its command changed"),
        (query(command="c2", platform="p2"), "its command changed, the platform changed"),
        (query(tools={"/usr/bin/gcc": "2"}), "gcc changed"),
        (query(tools={}), "/usr/bin/gcc was removed"),
        (query(tools={"/usr/bin/gcc": "1", "/opt/gcc": "1"}), "/opt/gcc is new"),
        (query(source="s2", files={"a.c": "2", "c.c": "1"}), "a.c changed, b.c was removed, c.c is new"),
        (query(source="s2"), "the sources changed"),
        (query(source="s2", files={}), "the sources changed"),
        (query(files={"a.c": "2"}), ""),
    ],
)
def test_what_has_changed_is_named(now, told):
    assert explain_query(BEFORE, now) == told


@pytest.mark.parametrize("before", ["", "{", "[]", "3", '{"inputs": 3}', '{"inputs": {}, "files": 3, "tools": {}}'])
def test_what_an_earlier_version_has_written_explains_nothing(before):
    assert explain_query(before, query(source="s2")) == ""


def test_of_very_many_files_none_is_named():
    many = {f"{number}.c": "1" for number in range(6000)}
    assert explain_query(describe_query(query(files=many)), query(source="s2", files={"a.c": "1"})) == (
        "the sources changed"
    )


@given(st.lists(st.text("ab", min_size=1), max_size=8))
def test_the_first_three_are_named_and_the_rest_counted(phrases):
    text = name_some(phrases)
    assert text.startswith(", ".join(phrases[:3]))
    assert text.endswith(f"and {len(phrases) - 3} more") == (len(phrases) > 3)


def test_paths_that_changed():
    assert name_changes(["/etc/hosts", "x"]) == "/etc/hosts changed, x changed"
