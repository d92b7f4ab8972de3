"""The folder of an incident: bounded, masked, and listed with digests."""

import hashlib
import os
import subprocess

import pytest

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.verification.incident import folder as module
from pytest_ftc.verification.incident.folder import IncidentFolder, read_json, read_plain


@pytest.fixture
def folder(tmp_path):
    return IncidentFolder(tmp_path / "incident", lambda data: data.replace(b"hunter2", b"***"))


def test_only_this_user_can_read_it_and_the_manifest_verifies(folder):
    folder.write("logs/app-control.log", b"it says hunter2\n")
    folder.missing.append("attestations: none of \x1b[31m")
    folder.finish("All of it.")
    assert folder.root.stat().st_mode & 0o777 == 0o700
    assert (folder.root / "logs/app-control.log").read_bytes() == b"it says ***\n"
    assert (folder.root / "logs/app-control.log").stat().st_mode & 0o777 == 0o600
    readme = (folder.root / "README.txt").read_text()
    assert readme.startswith("All of it.\n\nFiles:\n- logs/app-control.log\n\nMissing:\n- attestations: none of ")
    assert "\x1b" not in readme
    checked = subprocess.run(["sha256sum", "--strict", "--check", "MANIFEST"], cwd=folder.root, capture_output=True, text=True)  # fmt: skip
    assert (checked.returncode, checked.stdout.count(": OK")) == (0, 2), checked.stderr
    assert hashlib.sha256(b"it says ***\n").hexdigest() in (folder.root / "MANIFEST").read_text()


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "logs/../../escaped", "logs/a\nb", "a b", "logs/.hidden", ""])  # fmt: skip
def test_no_name_leads_out_of_it(folder, name):
    folder.write(name, b"")
    assert sorted(os.listdir(folder.root)) == [".gitignore"]
    assert sorted(os.listdir(folder.root.parent)) == ["incident"]
    assert "no name for a file" in folder.missing[0]


def test_a_folder_with_files_in_it_is_refused(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(ConfigurationError, match="expected a new or an empty folder"):
        IncidentFolder(tmp_path, bytes)
    with pytest.raises(ConfigurationError, match="expected a folder to write"):
        IncidentFolder(tmp_path / "mine", bytes)


def test_of_a_long_log_the_beginning_and_the_end_are_kept(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    monkeypatch.setattr(module, "_BEGINNING", 10)
    (tmp_path / "log").write_bytes(b"b" * 10 + b"-" * 50 + b"e" * 90)
    assert read_plain(tmp_path / "log", is_log=True) == b"b" * 10 + b"\n[... 50 bytes are left out ...]\n" + b"e" * 90
    folder.copy(tmp_path / "log", "record.json")
    assert folder.missing == [f"record.json: {tmp_path}/log: larger than 0 MiB"]


def test_links_and_pipes_are_not_read(folder, tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "nothing"):
        folder.copy(tmp_path / name, name)
    assert [one.partition(": ")[0] for one in folder.missing] == ["link", "pipe", "nothing"]
    assert os.listdir(folder.root) == [".gitignore"]


def test_it_holds_only_so_much(folder, monkeypatch):
    monkeypatch.setattr(module, "_MOST_ALL", 10)
    folder.write("a", b"12345678")
    folder.write("b", b"123")
    monkeypatch.setattr(module, "_MOST_FILES", 1)
    folder.write("c", b"")
    assert sorted(os.listdir(folder.root)) == [".gitignore", "a"]
    assert len(folder.missing) == 2
    folder.finish("All of it.")
    assert sorted(os.listdir(folder.root)) == [".gitignore", "MANIFEST", "README.txt", "a"]


def test_json_that_is_nested_too_deeply_is_refused(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(tmp_path / "deep.json")
