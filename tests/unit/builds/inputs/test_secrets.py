"""However a secret is written, it is found; however little of it stands alone, it is masked."""

import base64
import re
import textwrap
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from pytest_ftc.builds.inputs.secrets import read_secrets
from pytest_ftc.model import BuildResult, BuildStatus, Role
from pytest_ftc.verification.confidential.mask_record import mask_build

VALUE = "s3cr3t v+lue/with?odd~signs=!"
LONG = "eyJhbGciOiJIUzI1NiJ9." * 12


def secrets_of(value: str):
    return read_secrets(["env:TOKEN"], {"TOKEN": value}, Path())


def lower(text: str) -> str:
    return re.sub("%..", lambda found: found[0].lower(), text)


def encode(text: str, before: int = 0) -> str:
    return base64.b64encode(b"x" * before + text.encode() + b" and more").decode()


@pytest.mark.parametrize(
    "written",
    [
        VALUE,
        VALUE.encode().hex(),
        VALUE.encode().hex().upper(),
        quote(VALUE),
        quote(VALUE, safe=""),
        quote(VALUE, safe="!*'()"),
        quote_plus(VALUE),
        lower(quote(VALUE)),
        lower(quote_plus(VALUE)),
        *(encode(VALUE, before) for before in range(7)),
        *(encode(VALUE, before).replace("+", "-").replace("/", "_") for before in range(3)),
    ],
)
def test_every_spelling_is_found_and_masked(written):
    secrets = secrets_of(VALUE)
    assert any(spelling.data in written.encode() for spelling in secrets.spellings)
    assert "***" in secrets.mask(written)
    assert secrets.mask(secrets.mask(written)) == secrets.mask(written)


@pytest.mark.parametrize("width", [64, 76])
def test_base64_in_lines_is_found_and_masked(width):
    secrets = secrets_of(LONG)
    written = "\n".join(textwrap.wrap(base64.b64encode(f"{LONG}\n".encode()).decode(), width))
    assert any(spelling.data in written.encode() for spelling in secrets.spellings)
    assert not re.search("[A-Za-z0-9]{12}", secrets.mask(written))


def test_lines_that_stand_alone_are_masked_short_ones_too():
    secrets = secrets_of("user-471\npw-Z81kq\n")
    assert secrets.mask("+user-471\n+pw-Z81kq\n") == "+***\n+***\n"
    assert not any(spelling.data == b"pw-Z81kq" for spelling in secrets.spellings)


def test_the_logs_of_all_attempts_are_masked_across_lines(tmp_path):
    value = "a1\nb2-short\nc3"
    names = ["app-control.log", "app-control-attempt-2.log", "app-control-attempt-3.log"]
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    for name in names:
        (tmp_path / "before" / name).write_text(f"the log: {value}\n")
    log = tmp_path / "before" / names[-1]
    build = BuildResult(
        id="app-control", role=Role.CONTROL, environment={}, status=BuildStatus.FAILED, log=str(log), log_tail=value
    )
    masked = mask_build(build, secrets_of(value), tmp_path / "after")
    assert masked.log == str(tmp_path / "after" / names[-1])
    assert masked.log_tail == "***"
    assert {(tmp_path / "after" / name).read_text() for name in names} == {"the log: ***\n"}
    assert not list((tmp_path / "before").iterdir())
