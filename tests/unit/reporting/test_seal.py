"""The digest of a report."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.reporting.seal import digest, find_changed, seal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_a_report_read_again_has_its_digest(value):
    sealed = seal({"version": 1, "session": value})
    again = json.loads(json.dumps(sealed, ensure_ascii=False, indent=1))
    assert list(find_changed(again, None)) == []


@given(VALUES, VALUES)
def test_another_value_has_another_digest(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest({"a": one}) == digest({"a": other})) == same


@pytest.fixture
def sealed(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_bytes(b"built\n")
    (tmp_path / "index.html").write_text("page")
    (tmp_path / "report.json").write_text("the last report")
    (tmp_path / "link").symlink_to("/etc/passwd")
    return seal({"version": 1}, tmp_path)


def test_all_files_beside_it_count_but_no_link_and_not_itself(sealed, tmp_path):
    assert sealed["files"].keys() == {"index.html", "logs/a.log"}
    (tmp_path / "later").write_text("x")
    assert list(find_changed(sealed, tmp_path)) == []


def test_attestations_do_not_count_since_they_are_made_later(tmp_path):
    for name in ("attestations/a.dsse.json", "kept/attestations/b.dsse.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}")
    assert seal({}, tmp_path)["files"].keys() == {"kept/attestations/b.dsse.json"}


def test_each_change_is_named(sealed, tmp_path):
    (tmp_path / "logs" / "a.log").write_bytes(b"built!\n")
    (tmp_path / "index.html").unlink()
    assert list(find_changed(sealed, tmp_path)) == ["index.html is missing", "logs/a.log was changed"]
    forged = copy.deepcopy(sealed) | {"version": 2}
    assert next(find_changed(forged, tmp_path)) == "report.json was changed: its digest does not match its contents"


def test_no_file_elsewhere_is_read(sealed, tmp_path):
    outside = seal({**sealed, "files": {"../outside": "sha256:" + "0" * 64, "/etc/passwd": "x"}})
    assert [one.endswith("is not in the folder of the report") for one in find_changed(outside, tmp_path)] == [True] * 2
