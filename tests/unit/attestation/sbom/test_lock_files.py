"""Which files of a source tree are read."""

import os

import pytest
import sboms

from pytest_ftc.attestation.sbom.find_lock_files import find_lock_files
from pytest_ftc.attestation.sbom.lock_files import choose_lock_files, read_lock_files
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model.errors import ConfigurationError


def test_files_that_declare_dependencies_are_found_and_links_are_not_followed(tmp_path):
    sboms.write_files(tmp_path, **{"rust/Cargo.lock": "a", "pylock.dev.toml": "b", "node_modules/x/package-lock.json": "c", "x.lock": "d"})  # fmt: skip
    os.symlink("rust/Cargo.lock", tmp_path / "Cargo.lock")
    os.mkfifo(tmp_path / "go.mod")
    found = find_lock_files(tmp_path)
    assert sorted(found) == ["Cargo.lock", "pylock.dev.toml", "rust/Cargo.lock"]
    assert found["Cargo.lock"] == ""
    assert found["rust/Cargo.lock"] == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def test_a_link_is_not_read_and_the_document_says_so(tmp_path):
    sboms.write_files(tmp_path, **{"rust/Cargo.lock": "version = 4\n"})
    os.symlink("rust/Cargo.lock", tmp_path / "Cargo.lock")
    notes = sboms.inventory(tmp_path).notes
    assert "not read: Cargo.lock: symbolic links are not followed" in notes
    assert "not read: rust/Cargo.lock; name it in files of the table sbom" in notes


def test_those_in_the_root_are_read_and_those_that_are_named():
    recorded = ["package-lock.json", "npm-shrinkwrap.json", "pylock.dev.toml", "go/go.mod", "go/go.sum", "go.sum"]
    assert choose_lock_files(recorded, ()) == (
        ["go.sum", "npm-shrinkwrap.json"],
        ["go/go.mod", "go/go.sum", "package-lock.json", "pylock.dev.toml"],
    )
    chosen, left_out = choose_lock_files(recorded, ("go/go.mod", "pylock.dev.toml"))
    assert chosen == ["go.sum", "go/go.mod", "go/go.sum", "npm-shrinkwrap.json", "pylock.dev.toml"]
    assert left_out == ["package-lock.json"]


def test_one_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(ConfigurationError, match=r"no 'rust/Cargo.loc'; did you mean 'rust/Cargo.lock'"):
        choose_lock_files(["rust/Cargo.lock"], ("rust/Cargo.loc",))


def test_a_locked_version_stands_for_what_is_declared(tmp_path):
    folder = sboms.write_files(tmp_path, **{"pyproject.toml": sboms.PYPROJECT, "pylock.toml": sboms.PYLOCK})
    recorded = find_lock_files(folder)
    found = read_lock_files(folder, recorded, recorded)
    assert "declared:pypi/attrs@25.1.0" in found.direct
    assert "declared:pypi/attrs@" not in found.direct
    assert {one.version for one in found.components if one.name == "attrs"} == {"25.1.0"}


def test_files_that_changed_since_the_verification_are_refused(tmp_path):
    folder = sboms.write_files(tmp_path, **{"Cargo.lock": sboms.CARGO})
    recorded = find_lock_files(folder)
    (folder / "Cargo.lock").write_text(sboms.CARGO + "\n")
    with pytest.raises(DocumentError, match="Cargo.lock: not the file that was verified: it has changed since"):
        read_lock_files(folder, recorded, recorded)


@pytest.mark.parametrize("kind", ["missing", "link", "pipe", "large"])
def test_files_that_cannot_be_read_are_named(tmp_path, kind):
    path = tmp_path / "Cargo.lock"
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "large":
        with path.open("wb") as file:
            file.truncate((16 << 20) + 1)
    said = {"missing": "No such file", "link": "symbolic link", "pipe": "it has changed", "large": "larger than 16 MiB"}
    with pytest.raises(DocumentError, match=said[kind]):
        read_lock_files(tmp_path, ["Cargo.lock"], {"Cargo.lock": "a" * 64})


def test_one_package_with_two_digests_is_refused(tmp_path):
    other = sboms.CARGO.replace("89d92a", "000000")
    folder = sboms.write_files(tmp_path, **{"Cargo.lock": sboms.CARGO, "sub/Cargo.lock": other})
    recorded = find_lock_files(folder)
    with pytest.raises(
        DocumentError, match=r"Cargo.lock and sub/Cargo.lock: libc 0.2.150 is locked with two different"
    ):
        read_lock_files(folder, recorded, recorded)
