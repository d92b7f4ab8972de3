"""Secrets in what builds left."""

import gzip
import hashlib
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from secret_forms import ALL_FORMS, FORMS

from pytest_ftc.builds.inputs.secrets import read_secrets
from pytest_ftc.comparison.search import seek
from pytest_ftc.model import BuildResult, BuildStatus, Output, OutputType, Role, Verdict, Verification
from pytest_ftc.verification.confidential.guard import SecretGuard
from pytest_ftc.verification.confidential.leaks import SecretSeeker


def test_what_was_not_searched_is_noted(tmp_path):
    data = b"7z\xbc\xaf\x27\x1c" + bytes(100)
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / digest).write_bytes(data)
    output = Output(path="s3cr3t-value.7z", type=OutputType.FILE, mode="0644", size=len(data), sha256=digest)
    build = BuildResult(
        id="1", role=Role.CONTROL, environment={}, status=BuildStatus.OK, outputs=(output,), blobs=str(tmp_path)
    )
    verification = Verification(id="a", name="a", verdict=Verdict.REPRODUCIBLE, builds=(build,))
    guard = SecretGuard(read_secrets(["env:TOKEN"], {"TOKEN": "s3cr3t-value"}, tmp_path), None)
    guard.admit(build)
    masked = guard.mask(verification)
    assert masked.notes == ("not searched for secrets: ***.7z: no reader for 7z archives",)
    assert masked.leaks == ("env:TOKEN (verbatim) appears in the name of ***.7z",)


VALUE = b"Zq9/tok+KLM\"NOP'47&11\\xyzw"
OTHERS = [b"s3cr3t-value", "pässwörd-ünïcode €5".encode(), b"deadbeefcafe0123" * 2, b"S3cr3tVal+ue/14=xyzQ"]


@pytest.mark.parametrize("form", ALL_FORMS)
@pytest.mark.parametrize("value", [VALUE, *OTHERS], ids=["signs", "plain", "not ASCII", "digits", "plus"])
def test_every_form_is_found(form, value):
    assert seeker(value).find(ALL_FORMS[form](value), None)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", [0, (1 << 20) - 70, (1 << 20) - 9])
def test_every_form_is_found_where_chunks_meet_and_in_what_is_compressed_twice(tmp_path, form, before):
    data = b"\n" * before + b"\n" + FORMS[form](VALUE) + b"\n"
    (tmp_path / "out").write_bytes(data)
    assert seek(tmp_path / "out", seeker(VALUE)).places
    with zipfile.ZipFile(tmp_path / "zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.gz", gzip.compress(gzip.compress(data)))
    assert seek(tmp_path / "zip", seeker(VALUE)).places


@given(st.binary(max_size=2000))
def test_nothing_is_found_where_no_secret_is(data):
    assert not seeker(b"no-such-value-anywhere").find(data, None)


def test_texts_that_only_resemble_the_value_are_no_leak():
    text = b"change it, and letmein; Let me in! the change\nit makes\n0000 0001 0203 0405\n"
    for value in (b"changeit", b"letme-in", b"ChangeTheIt"):
        assert not seeker(value).find(text, None)


def seeker(value):
    return SecretSeeker(secrets_of(value).spellings)


def secrets_of(value):
    return read_secrets(["env:TOKEN"], {"TOKEN": value.decode()}, Path())


def build_of(folder, data):
    digest = hashlib.sha256(data).hexdigest()
    (folder / digest).write_bytes(data)
    output = Output(path="out", type=OutputType.FILE, mode="0644", size=len(data), sha256=digest)
    return BuildResult(
        id="1", role=Role.CONTROL, environment={}, status=BuildStatus.OK, outputs=(output,), blobs=str(folder)
    )


def test_an_output_that_takes_too_long_is_hidden_and_noted(tmp_path):
    build = build_of(tmp_path, b"x" * (3 << 20) + VALUE)
    guard = SecretGuard(secrets_of(VALUE), None, seconds=0)
    guard.admit(build)
    masked = guard.mask(Verification(id="a", name="a", verdict=Verdict.REPRODUCIBLE, builds=(build,)))
    assert guard.hides("out")
    assert masked.leaks == ()
    assert masked.notes == ("not searched for secrets: out: stopped after 0 s",)


def test_holes_take_no_time(tmp_path):
    with open(tmp_path / "out", "wb") as file:
        file.seek(1 << 40)
        file.write(VALUE)
    began = time.monotonic()
    assert seek(tmp_path / "out", seeker(VALUE)).places == (("", "env:TOKEN (verbatim)"),)
    assert time.monotonic() - began < 20
