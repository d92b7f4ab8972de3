"""Masking files and records."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from samples import verification

from pytest_ftc.builds.inputs.secrets import read_secrets
from pytest_ftc.model import Evidence, Finding, Verdict
from pytest_ftc.model.support.atomic_file import umask
from pytest_ftc.verification.confidential.mask_record import NOT_SHOWN, mask_build, mask_file, mask_record

VALUE = "s3cr3t-value"
SECRETS = read_secrets(["env:TOKEN"], {"TOKEN": VALUE}, Path())


def test_a_file_is_moved_without_the_value(tmp_path):
    source, target = tmp_path / "log", tmp_path / "kept" / "log"
    target.parent.mkdir()
    source.write_text(f"before {VALUE} after\n")
    assert mask_file(source, target, SECRETS)
    assert target.read_text() == "before *** after\n"
    assert not source.exists()
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask()
    assert os.listdir(target.parent) == ["log"]


def test_in_its_place_too(tmp_path):
    (tmp_path / "log").write_text(VALUE)
    assert mask_file(tmp_path / "log", tmp_path / "log", SECRETS)
    assert (tmp_path / "log").read_text() == "***"


@pytest.mark.parametrize("before", range(len(VALUE) + 1))
@pytest.mark.parametrize("lines", [True, False])
def test_a_value_across_two_pieces_of_a_large_file_is_found(tmp_path, before, lines):
    folder = tmp_path
    rest = (b"x" * 99 + b"\n" if lines else b"x") * (60_000 if lines else 6_000_000)
    data = rest[: (4 << 20) - before] + VALUE.encode() + rest[: 1 << 20]
    (folder / "log").write_bytes(data)
    assert mask_file(folder / "log", folder / "log", SECRETS)
    assert (folder / "log").read_bytes() == data.replace(VALUE.encode(), b"***")


def test_what_cannot_be_masked_is_removed_and_not_left_as_it_is(tmp_path):
    (tmp_path / "log").write_text(VALUE)
    (tmp_path / "file").touch()
    assert not mask_file(tmp_path / "log", tmp_path / "file" / "log", SECRETS)
    assert not (tmp_path / "log").exists()


def test_a_file_that_is_not_there_is_no_fault(tmp_path):
    assert not mask_file(tmp_path / "gone", tmp_path / "log", SECRETS)
    assert not (tmp_path / "log").exists()


def test_the_logs_of_a_build_are_masked_and_moved(tmp_path):
    (tmp_path / "app.log").write_text(f"token {VALUE}")
    build = replace(verification(Verdict.FAILED).builds[0], log=str(tmp_path / "app.log"), log_tail=VALUE)
    (tmp_path / "logs").mkdir()
    masked = mask_build(build, SECRETS, tmp_path / "logs")
    assert (masked.log, masked.log_tail) == (str(tmp_path / "logs" / "app.log"), "***")
    assert Path(masked.log).read_text() == "token ***"


@pytest.mark.parametrize("hidden", [True, False])
def test_a_record_shows_no_value_of_an_output_that_is_hidden_and_no_secret_of_any(hidden):
    given = verification(Verdict.UNREPRODUCIBLE, value=f"x{VALUE}")
    finding = Finding(
        output=given.differences[0].output,
        member="",
        location="line 1",
        cause="time",
        confirmed=True,
        evidence=Evidence(control="visible", experiment=VALUE),
        why=f"it has {VALUE}",
        command=("echo", VALUE),
    )
    outputs = [given.differences[0].output] if hidden else []
    masked = mask_record(replace(given, findings=(finding,), reason=VALUE), SECRETS, outputs)
    assert VALUE not in str(masked)
    assert (masked.id, masked.verdict, masked.varied) == (given.id, given.verdict, given.varied)
    assert masked.findings[0].cause == "time" and masked.findings[0].command == ("echo", "***")
    if hidden:
        assert masked.differences[0].note == masked.findings[0].why == NOT_SHOWN
        assert masked.differences[0].evidence is None and masked.findings[0].evidence.control == ""
    else:
        assert masked.differences[0].evidence and masked.differences[0].evidence.control.startswith("x***")
        assert masked.findings[0].evidence.control == "visible"
