"""What is written as JSON is read again as what it was, and nothing else is taken for it."""

from dataclasses import replace
from typing import Any

import pytest
from samples import build

from pytest_ftc.model import BuildResult, Program, Role, Trace
from pytest_ftc.model.support.serialization import from_json, to_json

TRACE = Trace(
    programs=(Program(pid=1, argv=("a",), folder="/", program="/a", parent=-1, exit_code=None),),
    read=((0, "/x"),),
    written=(),
    contents=((0, "/x", "y"),),
    moved=(),
    connected=(),
    gaps=(),
)


def test_a_build_is_read_again_as_it_was() -> None:
    one = replace(build(Role.CONTROL), trace=TRACE)
    assert from_json(BuildResult, to_json(one)) == one


@pytest.mark.parametrize(
    "change",
    [
        {"id": 3},
        {"seconds": "1"},
        {"exit_code": "0"},
        {"exit_code": [1]},
        {"attempts": True},
        {"status": "fine"},
        {"outputs": [{"path": "x"}]},
        {"environment": []},
        {"trace": {**to_json(TRACE), "read": [[0]]}},
        {"more": 1},
    ],
)
def test_what_is_no_build_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_json(BuildResult, {**to_json(build(Role.CONTROL)), **change})
