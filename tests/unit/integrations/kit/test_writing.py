"""Writing the kit: what the user has changed is kept."""

import json
import os

import pytest

from pytest_ftc.integrations.kit.writing import RECORD, Fate, write_kit
from pytest_ftc.model.errors import FtcError

FIRST, SECOND = {"a.md": "one\n", "below/b.json": "{}\n"}, {"a.md": "two\n", "below/b.json": "{}\n"}


def test_the_same_kit_twice_changes_nothing(tmp_path):
    assert write_kit(tmp_path, FIRST) == dict.fromkeys(FIRST, Fate.WRITTEN)
    before = {path: path.stat() for path in tmp_path.rglob("*") if path.is_file()}
    assert write_kit(tmp_path, FIRST) == dict.fromkeys(FIRST, Fate.UNCHANGED)
    assert {path: path.stat() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert (tmp_path / "below/b.json").read_text() == "{}\n"


def test_what_nobody_changed_is_replaced(tmp_path):
    write_kit(tmp_path, FIRST)
    assert write_kit(tmp_path, SECOND) == {"a.md": Fate.WRITTEN, "below/b.json": Fate.UNCHANGED}
    assert (tmp_path / "a.md").read_text() == "two\n"


@pytest.mark.parametrize("written_before", [True, False])
def test_what_the_user_changed_is_kept_until_it_is_forced(tmp_path, written_before):
    if written_before:
        write_kit(tmp_path, FIRST)
    (tmp_path / "a.md").write_text("mine\n")
    for _ in range(2):  # It is still the user's when it has been kept once.
        assert write_kit(tmp_path, SECOND)["a.md"] is Fate.KEPT
    assert (tmp_path / "a.md").read_text() == "mine\n"
    assert write_kit(tmp_path, SECOND, force=True)["a.md"] is Fate.WRITTEN
    assert (tmp_path / "a.md").read_text() == "two\n"


@pytest.mark.parametrize("record", ["", "[]", '{"written": 1}', "[" * 100_000])
def test_with_a_damaged_record_all_is_the_users(tmp_path, record):
    write_kit(tmp_path, FIRST)
    (tmp_path / RECORD).write_text(record)
    assert write_kit(tmp_path, SECOND)["a.md"] is Fate.KEPT
    assert "a.md" not in json.loads((tmp_path / RECORD).read_text())["written"]


def test_a_folder_that_is_a_file_is_one_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FtcError, match=r"cannot be written: File exists"):
        write_kit(tmp_path / "file", FIRST)


def test_a_file_that_is_a_folder_is_one_error(tmp_path):
    os.mkdir(tmp_path / "a.md")
    with pytest.raises(FtcError, match=r"a\.md cannot be written: Is a directory"):
        write_kit(tmp_path, FIRST)
