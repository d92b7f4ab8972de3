"""The full record of a verification survives its file."""

from dataclasses import replace

import pytest
from attestations import INPUTS
from samples import verification

from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.reporting.verification_files import find_verification_files, read_verification_file, write_verifications


@pytest.mark.parametrize("verdict", Verdict)
def test_what_is_read_is_what_was_written_without_logs(tmp_path, verdict):
    one = replace(verification(verdict, output="dist/\udcff.whl"), inputs=INPUTS)
    write_verifications(tmp_path, [one], "1.0")
    (path,) = find_verification_files(tmp_path)
    read = read_verification_file(path)
    builds = tuple(replace(build, log="", log_tail="") for build in one.builds)
    assert read == replace(one, builds=builds)


def test_a_record_is_found_in_its_folders_and_by_itself(tmp_path):
    write_verifications(tmp_path, [verification(Verdict.REPRODUCIBLE)], "1.0")
    path = tmp_path / "verifications" / "app.json"
    assert (
        find_verification_files(tmp_path)
        == find_verification_files(tmp_path / "verifications")
        == find_verification_files(path)
        == [path]
    )


@pytest.mark.parametrize("name", ["", "none"])
def test_where_nothing_was_recorded_one_error_says_how_to(tmp_path, name):
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="no verification was recorded there\n.*--ftc-report=DIR"):
        find_verification_files(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no valid JSON"),
        ("[" * 100_000, "no valid JSON"),
        ("[]", "expected the record of a verification"),
        ('{"version": 2}', "version 1"),
        ('{"version": 1}', "cannot be read"),
        ('{"version": 1, "verification": {"id": 1}}', "cannot be read"),
    ],
)
def test_what_is_no_record_is_one_error(tmp_path, text, said):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        read_verification_file(tmp_path / "x.json")


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FtcError, match="the report cannot be written"):
        write_verifications(tmp_path / "file", [], "1.0")
