"""Which spellings of a secret are looked for, and masking them."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.inputs.secrets import read_secrets
from pytest_ftc.model.errors import FtcError

VALUES = st.binary(min_size=6, max_size=60).filter(
    lambda value: b"\0" not in value and len(value.strip()) == len(value) >= 6
)


def spellings(value, folder):
    (folder / "token").write_bytes(value)
    return read_secrets(["file:token"], {}, folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("secrets")


@given(VALUES, st.binary(max_size=7), st.binary(max_size=7))
def test_base64_is_found_wherever_the_secret_begins(folder, value, before, after):
    secrets = spellings(value, folder)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + value + after)
        assert any(one.data in text for one in secrets.spellings if one.encoding == "base64")


@given(VALUES)
def test_all_spellings_are_found_and_masked(folder, value):
    secrets = spellings(value, folder)
    for written in (value, value.hex().encode(), value.hex().upper().encode(), quote(value, safe="").encode()):
        assert any(one.data in written for one in secrets.spellings)
        masked = secrets.mask_bytes(b"<" + written + b">")
        assert value not in masked.replace(b"***", b"")
        assert b"***" in masked


def test_a_variable_and_a_file_are_given_by_name(tmp_path):
    (tmp_path / ".netrc").write_text("password hunter2\n")
    secrets = read_secrets(["env:TOKEN", "file:.netrc"], {"TOKEN": "s3cr3t-value", "OTHER": "x"}, tmp_path)
    assert secrets.variables == {"TOKEN": "s3cr3t-value", "NETRC": str(tmp_path / ".netrc")}
    assert secrets.mask("a s3cr3t-value b password hunter2 c") == "a *** b *** c"


def test_a_key_of_several_lines_is_looked_for_line_by_line(tmp_path):
    (tmp_path / "key").write_text("-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0B\nshort\n")
    data = {one.data for one in read_secrets(["file:key"], {}, tmp_path).spellings}
    assert b"MIIBVgIBADANBgkqhkiG9w0B" in data
    assert b"short" not in data


@pytest.mark.parametrize(
    ("name", "environ", "told"),
    [
        ("env:TOKEN", {}, "secret env:TOKEN: the variable TOKEN is not set"),
        ("env:TOKEN", {"TOKEN": "abc"}, "shorter than 6 bytes"),
        ("file:missing", {}, "No such file or directory"),
    ],
)
def test_what_cannot_be_kept_is_one_clear_error(tmp_path, name, environ, told):
    with pytest.raises(FtcError, match=told):
        read_secrets([name], environ, tmp_path)
