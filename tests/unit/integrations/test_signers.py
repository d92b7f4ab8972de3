"""Signers by URI, and what is said when one cannot sign."""

import subprocess
import sys

import pytest

from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.signer_errors import EXPIRED, FORBIDDEN, explain
from pytest_ftc.integrations.signers import SignerReference, check_signer
from pytest_ftc.model.errors import ConfigurationError


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("hsm:key", "expected hsm:KEY"),
        ("hsm:2?pin=1234", "expected hsm:KEY"),
        ("hv:", "expected hv:NAME"),
        ("hv:../sys/seal", "expected hv:NAME"),
        ("hv:ftc/newest", "expected hv:NAME"),
        ("hw:ftc", "no known signer; did you mean 'hv'?"),
        ("awskm:x", "no known signer; did you mean 'awskms'?"),
        ("gcpkms:x", "expected gcpkms:projects/"),
        ("azurekms:x", "expected azurekms://VAULT"),
        ("gnupg:", "a GnuPG signature names no key that a policy could hold"),
        ("file2:", "expected file2:PATH"),
        ("nothing", "no known signer"),
    ],
)
def test_a_uri_that_names_no_signer_is_one_clear_error(uri, said):
    with pytest.raises(ConfigurationError) as caught:
        check_signer(SignerReference(uri))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "module", "needs"),
    [
        ("hv:ftc", "hvac", "'pytest-ftc[sign,vault]'"),
        ("hsm:2", "pkcs11", "'pytest-ftc[sign,hsm]'"),
        ("awskms:x", "boto3", "'pytest-ftc[sign]' 'securesystemslib[awskms]'"),
        ("gcpkms:projects/x", "google", "'pytest-ftc[sign]' 'securesystemslib[gcpkms]'"),
        ("azurekms://v.example/keys/k", "azure", "'pytest-ftc[sign]' 'securesystemslib[azurekms]'"),
    ],
)
def test_a_missing_library_is_named_in_one_line(uri, module, needs):
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from pytest_ftc.integrations.signers import *\nfrom pytest_ftc.integrations.signing import sign\n"
        "from pytest_ftc.attestation.envelope import Envelope\n"
        f"signer = SignerReference({uri!r})\n"
        "for act in (lambda: check_signer(signer), lambda: sign(Envelope('t', b''), [signer])):\n"
        "    try: act()\n    except NotInstalledError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{uri}: the library of this signer is not installed: pip install {needs}\n" * 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permission denied, on post http://x", EXPIRED),
        ("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n, on post http://x", EXPIRED),
        ("1 error occurred:\n\t* permission denied\n\n, on post http://x", FORBIDDEN),
    ],
)
def test_an_expired_token_and_a_narrow_policy_are_told_apart(text, said):
    from hvac.exceptions import Forbidden

    assert explain(Forbidden(text)) == said


def test_an_unknown_error_is_one_short_line():
    assert explain(RuntimeError("one\ntwo")) == "RuntimeError: one"
    assert explain(RuntimeError()) == "RuntimeError"
    assert len(explain(RuntimeError("x" * 10_000))) < 300


def test_the_keyring_names_signers(tmp_path, monkeypatch):
    from datetime import datetime, timezone

    ring = KeyFolder(tmp_path / "keys")
    key = ring.new("a", "ed25519", "us")
    assert ring.signer("a") == SignerReference(f"file2:{ring.folder / 'a.pem'}", key.pem)
    monkeypatch.chdir(tmp_path)
    assert ring.signer("file2:x.pem").uri == f"file2:{tmp_path / 'x.pem'}"
    ring.rotate("a", datetime(2020, 1, 1, tzinfo=timezone.utc))
    with pytest.raises(ConfigurationError, match="'a' was rotated, and ended on 2020-01-01"):
        ring.signer("a")
    ring.retire("a-2")
    with pytest.raises(ConfigurationError, match="'a-2' is retired"):
        ring.signer("a-2")
    with pytest.raises(ConfigurationError, match="no key 'a-22'; did you mean 'a-2'"):
        ring.signer("a-22")
