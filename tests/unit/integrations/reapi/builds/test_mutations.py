"""Any change of a true answer: two different builds never become equal, and nothing but our errors is raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from farms import address_of, serving
from hypothesis import given, settings
from hypothesis import strategies as st
from lying_workers import Said, Workers, answer_truly

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.builds.answer import read_answer, read_machine
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.operations import read_outcome
from pytest_ftc.model import Action, BuildResult, BuildStatus, Environment, Metadata, Role, Tracing
from pytest_ftc.model.errors import FtcError

CONTROL = Action(
    id="c" * 32,
    artifact="a",
    role=Role.CONTROL,
    command=("true",),
    snapshot=Path("/nowhere"),
    environment=Environment(build_path="/b", home="/h", temp_dir="/t", variables={}),
    described={},
    outputs=("out*", "dir/**"),
    timeout=9,
    trace=Tracing.USES,
)
EXPERIMENT = replace(CONTROL, id="e" * 32, role=Role.EXPERIMENT)
SAME = {"out": b"same\n", "dir/one": b"one\n"}
TRUTHS = ({**SAME, "out2": b"control\n"}, {**SAME, "out2": b"experiment\n"})
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["ok", "file", "dir", "0644", "out", "out2", "../x", "\x1b[0m", "a" * 64, 10**400]),
    st.just([]),
    st.just({}),
)


@pytest.fixture(scope="module")
def parts() -> Iterator[tuple[Workers, Connection]]:
    with serving() as farm, Connection(address_of(farm)) as connection:
        yield Workers(farm), connection


def read(parts: tuple[Workers, Connection], said: Said, action: Action) -> BuildResult | None:
    """Return the result that is taken from what is said; None if it is refused."""
    workers, connection = parts
    operation = api.Operation(name="o", done=True)
    operation.response.Pack(workers.end(said))

    async def ask() -> BuildResult:
        executed = read_outcome(operation, "farm", may_be_cached=False)
        return (await read_answer(Cas(connection), executed, action)).build

    try:
        return connection.call(ask())
    except FtcError as error:
        assert error.message.isprintable()
        assert len(error.message) < 1500
        return None


def judge_equal(parts: tuple[Workers, Connection], said: Said, other: BuildResult) -> bool:
    found = read(parts, said, EXPERIMENT)
    if found is None or found.status is not BuildStatus.OK:
        return False
    return not compare_manifests(other.outputs, found.outputs, Metadata.CONTENT)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def find(value: Any, path: tuple[Any, ...]) -> Any:
    """Return what is at `path`; `...` for nothing."""
    try:
        for key in path:
            value = value[key]
    except (KeyError, IndexError, TypeError):
        return ...
    return value


def change(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return `value` with `new` at `path`; `...` removes what is there."""
    if not path:
        return value if new is ... else new
    key, *rest = path
    if isinstance(value, list):
        if not rest and new is ...:
            return value[:key] + value[key + 1 :]
        return [*value[:key], change(value[key], tuple(rest), new), *value[key + 1 :]]
    if not rest and new is ...:
        return {name: item for name, item in value.items() if name != key}
    return {**value, key: change(value[key], tuple(rest), new)}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_change_of_a_result_makes_another_build_equal(parts: tuple[Workers, Connection], data: Any) -> None:
    true = read(parts, answer_truly(CONTROL, TRUTHS[0]), CONTROL)
    assert true is not None
    said = answer_truly(EXPERIMENT, TRUTHS[1])
    control = answer_truly(CONTROL, TRUTHS[0]).result
    assert not judge_equal(parts, said, true)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(sorted(places(said.result), key=repr)))
        # Also what the other build has at this place.
        new = data.draw(st.one_of(VALUES, st.just(...), st.just(find(control, path))))
        said.result = change(said.result, path, new)
    assert not judge_equal(parts, said, true)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_change_of_bytes_makes_another_build_equal(parts: tuple[Workers, Connection], data: Any) -> None:
    true = read(parts, answer_truly(CONTROL, TRUTHS[0]), CONTROL)
    said = answer_truly(EXPERIMENT, TRUTHS[1])
    where = data.draw(st.sampled_from(["encode", "tree", "answer", "response"]))
    cut = data.draw(st.tuples(st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=20)))

    def alter(data: bytes) -> bytes:
        start, length, new = cut
        start %= len(data) + 1
        return data[:start] + new + data[start + length :]

    def alter_message(message: Any) -> None:
        try:
            changed = type(message).FromString(alter(api.serialize(message)))
        except api.DecodeError:
            message.Clear()
        else:
            message.CopyFrom(changed)

    if where == "encode":
        said.encode = lambda result: alter(json.dumps(result).encode())
    else:
        setattr(said, where, alter_message)
    assert not judge_equal(parts, said, true)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_machine_raises_anything_but_our_errors(parts: tuple[Workers, Connection], data: Any) -> None:
    workers, connection = parts
    machine: Any = dict(workers.machine)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(places(machine), key=repr)))
        machine = change(machine, path, data.draw(st.one_of(VALUES, st.just(...))))
    response = workers.end(Said(machine, {}))
    operation = api.Operation(name="o", done=True)
    operation.response.Pack(response)

    async def ask() -> Any:
        return await read_machine(Cas(connection), read_outcome(operation, "farm", may_be_cached=False))

    try:
        found = connection.call(ask())
    except FtcError as error:
        assert error.message.isprintable()
    else:
        assert found.cpus >= 1
        assert found.work_dir.startswith("/")
