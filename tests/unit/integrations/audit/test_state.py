"""The state of audits: what is settled is found again, whatever else is in the file."""

from dataclasses import replace

import pytest

from pytest_ftc.integrations.audit.findings import AuditedAction, PlaceFound, Standing
from pytest_ftc.integrations.audit.state import State
from pytest_ftc.model.errors import ConfigurationError

PLACE = PlaceFound(output="out", place="line 1", cause="time", confirmed=True, control="1", experiment="2")
FOUND = AuditedAction(
    action="a/1",
    label="x",
    command="date",
    standing=Standing.UNREPRODUCIBLE,
    result="r/1",
    found=(PLACE,),
    not_varied=(("time", "why"),),
)


def test_what_was_found_is_known_later(tmp_path):
    State(tmp_path / "state", "one").add(FOUND)
    known = State(tmp_path / "state", "one").find("a/1", "r/1", executes=True)
    assert known == replace(FOUND, resumed=True)


def test_another_result_or_another_audit_is_not_known(tmp_path):
    State(tmp_path / "state", "one").add(FOUND)
    assert State(tmp_path / "state", "one").find("a/1", "r/2", executes=True) is None
    assert State(tmp_path / "state", "two").find("a/1", "r/1", executes=True) is None


def test_what_was_only_checked_is_executed_if_it_is_in_the_sample(tmp_path):
    State(tmp_path / "state", "one").add(replace(FOUND, standing=Standing.INTACT))
    state = State(tmp_path / "state", "one")
    assert state.find("a/1", "r/1", executes=True) is None
    assert state.find("a/1", "r/1", executes=False) is not None


@pytest.mark.parametrize("standing", [Standing.INCONCLUSIVE, Standing.ABSENT])
def test_what_is_not_settled_is_tried_again(tmp_path, standing):
    State(tmp_path / "state", "one").add(replace(FOUND, standing=standing))
    assert State(tmp_path / "state", "one").find("a/1", "r/1", executes=False) is None


@pytest.mark.parametrize("junk", [b'{"settings": "one"', b"[]\n", b"\xff\n", b"[" * 100_000, b"null\n", b"7\n"])
def test_damage_costs_only_what_is_damaged(tmp_path, junk):
    State(tmp_path / "state", "one").add(FOUND)
    with open(tmp_path / "state", "ab") as file:
        file.write(junk)
    assert State(tmp_path / "state", "one").find("a/1", "r/1", executes=True) is not None
    # What follows a line that was cut is not lost with it.
    State(tmp_path / "state", "one").add(replace(FOUND, action="b/1"))
    assert State(tmp_path / "state", "one").find("b/1", "r/1", executes=True) is not None


def test_a_file_that_cannot_be_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used as the state of audits"):
        State(tmp_path / "file" / "state", "one")
