"""Outputs are found by their digests."""

import os
from dataclasses import replace

import pytest
from publishing import verified

from pytest_ftc.integrations.registry.outputs import UnverifiedError, digest_of, opened_outputs
from pytest_ftc.model import Output, OutputType
from pytest_ftc.store.cas import LocalStore


def read_all(one, folder, store):
    with opened_outputs(one, folder, store) as contents:
        return {content.part.title: (content.read(0, 100), content.note) for content in contents}


def test_they_come_from_the_disk_or_from_the_store(tmp_path):
    one = verified({"dist/a": b"1", "b": b""})
    store = LocalStore(tmp_path / "store")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "a").write_bytes(b"1")
    with pytest.raises(UnverifiedError, match=r"^b: there is no such file .* the store does not hold the verified"):
        read_all(one, tmp_path, tmp_path / "store")
    store.put(b"")
    store.put(b"1")
    found = read_all(one, tmp_path, tmp_path / "store")
    assert found["a"] == (b"1", "")
    assert found["b"][0] == b""
    assert found["b"][1].startswith("b: from the store; ")
    (tmp_path / "dist" / "a").write_bytes(b"2")
    assert read_all(one, tmp_path, tmp_path / "store")["a"][0] == b"1"
    store.close()


def test_what_was_changed_or_is_no_file_is_refused(tmp_path):
    one = verified({"a": b"1"})
    (tmp_path / "a").write_bytes(b"2")
    with pytest.raises(UnverifiedError, match="was changed since it was verified"):
        read_all(one, tmp_path, tmp_path / "store")
    (tmp_path / "a").unlink()
    (tmp_path / "real").write_bytes(b"1")
    (tmp_path / "a").symlink_to("real")
    with pytest.raises(UnverifiedError, match="cannot be read: a symlink"):
        read_all(one, tmp_path, tmp_path / "store")
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    with pytest.raises(UnverifiedError, match="not a regular file"):
        read_all(one, tmp_path, tmp_path / "store")
    assert digest_of(tmp_path / "a") == digest_of(tmp_path / "none") == ""


def test_what_a_registry_cannot_name_is_refused(tmp_path):
    one = verified({"x/a": b"1", "y/a": b"2"})
    with pytest.raises(UnverifiedError, match="two outputs are named a"):
        read_all(one, tmp_path, tmp_path)
    with pytest.raises(UnverifiedError, match="is not a valid file name"):
        read_all(verified({"a\x1b[31m": b"1"}), tmp_path, tmp_path)
    control = one.builds[0]
    for kind, said in ((OutputType.DIR, "d is a folder"), (OutputType.SYMLINK, "d is a link")):
        entry = Output(path="d", type=kind, mode="0755")
        with pytest.raises(UnverifiedError, match=said):
            read_all(replace(one, builds=(replace(control, outputs=(entry,)),)), tmp_path, tmp_path)
    with pytest.raises(UnverifiedError, match="no build left a file"):
        read_all(replace(one, builds=()), tmp_path, tmp_path)
