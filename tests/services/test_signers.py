"""Keys that OpenBao and a PKCS#11 token hold: signing, rotation, and every way in which they refuse."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from samples import verification

from pytest_ftc.integrations.attesting import open_queue
from pytest_ftc.integrations.signer_errors import EXPIRED, FORBIDDEN
from pytest_ftc.model import Verdict
from pytest_ftc.reporting.verification_files import write_verifications

SIGNS = 'path "transit/sign/{key}" {{ capabilities = ["update"] }}'
TARGET = "attestations/app.parity.dsse.json"
_numbers = itertools.count(1)


@pytest.fixture
def report(tmp_path, monkeypatch):
    """The current folder has the report of a session that found an artifact reproducible."""
    write_verifications(tmp_path / "report", [verification(Verdict.REPRODUCIBLE)], "1")
    (tmp_path / "policy.toml").write_text('keyring = "keys/keys.toml"\n')
    monkeypatch.setenv("FTC_KEYRING", str(tmp_path / "keys"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ftc(*arguments: str, status: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "pytest_ftc", *arguments], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert "Traceback" not in said
    assert not os.environ.get("VAULT_TOKEN") or os.environ["VAULT_TOKEN"] not in said
    return said


def assert_nowhere(secret: bytes, *folders: Path) -> None:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if secret in path.read_bytes()] == []


def create(*keys: str, status: int = 0) -> str:
    named = [argument for key in keys for argument in ("--key", key)]
    return ftc("attest", "create", "report", "-o", "attestations", *named, status=status)


def verify(*more: str, status: int = 0) -> str:
    return ftc("attest", "verify", TARGET, "-p", "policy.toml", *more, status=status)


@pytest.fixture
def key(kms):
    """The name of a new key in OpenBao."""
    if "transit/" not in kms.ask("GET", "sys/mounts"):
        kms.ask("POST", "sys/mounts/transit", {"type": "transit"})
    name = f"ftc-{next(_numbers)}"
    kms.ask("POST", f"transit/keys/{name}", {"type": "ed25519"})
    return name


@pytest.fixture
def imported(report, kms, key, monkeypatch):
    """The keyring has the key as ``release``, and the token may sign with it and nothing else."""
    ftc("keys", "import", "release", f"hv:{key}", "--operator", "us")
    monkeypatch.setenv("VAULT_TOKEN", kms.token(SIGNS.format(key=key)))
    return key


def test_a_token_that_may_only_sign_is_enough(imported):
    create("release")
    assert verify().startswith("✔ accepted  dist/app.whl")
    document = json.loads(Path(TARGET).read_text())
    assert len(document["signatures"]) == 1


def test_without_a_keyring_the_newest_version_signs(report, kms, key):
    create(f"hv:{key}")
    ftc("keys", "import", "release", f"hv:{key}")
    assert "accepted" in verify()
    kms.ask("POST", f"transit/keys/{key}/rotate")
    create(f"hv:{key}")
    verify(status=2)
    said = create(f"hv:{key}/1", status=1)
    assert f"hv:{key}/1: the newest version of this key is hv:{key}/2" in said


def test_after_a_rotation_both_versions_count_until_the_old_one_ends(imported, kms, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", kms.root)
    create("release")
    assert "is still the same key; rotate it there first" in ftc("keys", "rotate", "release", status=2)
    kms.ask("POST", f"transit/keys/{imported}/rotate")
    said = ftc("keys", "rotate", "release", "--overlap", "1h")
    assert f"signer       hv:{imported}/2" in said
    assert "accepted" in verify()
    shutil.copytree("attestations", "old")
    create("release-2")
    assert "accepted" in verify()
    # The end of the old key is over, and the service retires it too.
    keys = Path("keys/keys.toml")
    until = next(line for line in keys.read_text().splitlines() if line.startswith("until"))
    keys.write_text(keys.read_text().replace(until, "until = 2020-01-01"))
    assert "accepted" in verify()
    assert "no trusted key has signed" in ftc(
        "attest", "verify", f"old/{Path(TARGET).name}", "-p", "policy.toml", status=2
    )
    assert "'release' was rotated, and ended on 2020-01-01" in create("release", status=2)


def _seal(server, key):
    server.seal()
    return server.unseal


def _kill(server, key):
    server.kill()
    return server.start


def _let_expire(server, key):
    good = os.environ["VAULT_TOKEN"]
    os.environ["VAULT_TOKEN"] = server.token(SIGNS.format(key=key), ttl="1s")
    time.sleep(1.5)
    return lambda: os.environ.update(VAULT_TOKEN=good)


def _narrow(server, key):
    good = os.environ["VAULT_TOKEN"]
    os.environ["VAULT_TOKEN"] = server.token(SIGNS.format(key="another"))
    return lambda: (server.token(SIGNS.format(key=key)), os.environ.update(VAULT_TOKEN=good))


def _retire_version(server, key):
    server.ask("POST", f"transit/keys/{key}/rotate")
    server.ask("POST", f"transit/keys/{key}/config", {"min_encryption_version": 2})
    return lambda: server.ask("POST", f"transit/keys/{key}/config", {"min_encryption_version": 1})


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_seal, "the vault is sealed: unseal it"),
        (_kill, "it cannot be reached: it is down, or VAULT_ADDR is wrong"),
        (_let_expire, EXPIRED),
        (_narrow, FORBIDDEN),
        (_retire_version, "the vault no longer signs with this version: it was retired"),
    ],
)
def test_each_fault_is_told_and_the_attestation_waits_until_it_is_over(imported, kms, monkeypatch, harm, said):
    monkeypatch.setenv("VAULT_TOKEN", os.environ["VAULT_TOKEN"])  # so that it is restored
    repair = harm(kms, imported)
    try:
        printed = create("release", status=1)
        assert printed.endswith(f"2 attestations wait for a signer: hv:{imported}/1: {said}; ftc attest flush\n")
        assert not Path("attestations").exists()
        assert f"hv:{imported}/1: {said}" in ftc("attest", "flush", status=1)
    finally:
        repair()
    assert f"signed: {Path(TARGET).absolute()}" in ftc("attest", "flush")
    assert "accepted" in verify()
    assert ftc("attest", "flush") == "nothing waits for a signer\n"
    assert_nowhere(os.environ["VAULT_TOKEN"].encode(), Path(), Path(os.environ["FTC_STORE"]))


def test_a_session_keeps_its_verdicts_while_the_service_is_sealed(imported, kms, verify, project, monkeypatch):
    monkeypatch.chdir(project)
    session = """
        [attest]
        keys = ["release"]
        folder = "{folder}"
        required = {required}
        [artifacts.app]
        build = "echo good > good.txt"
        outputs = ["good.txt"]
        source = "src"
    """
    Path("src").mkdir()
    quick = "--ftc-variations=home"
    kms.seal()
    try:
        run = verify(session.format(folder="first", required="false"), quick)
        assert (run.status, run.verdicts) == (0, {"app": "reproducible"})
        assert "unsigned    3 attestations wait for a signer: " in run.flat
        assert "the vault is sealed: unseal it; ftc attest flush" in run.flat
        run = verify(session.format(folder="second", required="true"), quick)
        assert (run.status, run.verdicts) == (1, {"app": "reproducible"})
        assert "ERROR: not attested: 3 attestations wait for a signer: " in run.flat
    finally:
        kms.unseal()
    # It is required, so the signer is asked although it has failed a moment ago; it works, so it signs the others too.
    run = verify(session.format(folder="second", required="true"), quick)
    assert run.status == 0
    assert f"attested    3 documents in {project / 'second'} and 3 that waited" in run.flat
    assert len(list(Path("first").glob("*.dsse.json"))) == 3


def test_a_key_that_is_not_there_is_told(report, kms, key):
    assert "hv:none: there is no such key in the vault" in create("hv:none", status=1)
    kms.ask("POST", "transit/keys/rsa", {"type": "rsa-2048"})
    assert "hv:rsa: expected a key of the type ed25519" in ftc("keys", "import", "rsa", "hv:rsa", status=2)
    assert "hv:none: there is no such key in the vault" in ftc("keys", "import", "none", "hv:none", status=2)
    assert not Path("keys/keys.toml").exists()


def test_a_service_that_does_not_answer_is_given_up_after_our_own_deadline(imported, kms):
    kms.seal()
    create("release", status=1)
    kms.unseal()
    kms.pause()
    try:
        began = time.monotonic()
        progress = open_queue(None).sign(seconds=1)
        assert time.monotonic() - began < 5
    finally:
        kms.resume()
    assert list(progress.reasons.values()) == [f"hv:{imported}/1: no signature within 1 s"]
    ftc("attest", "flush")
    assert "accepted" in verify()


def test_what_one_signer_signed_is_kept_while_another_is_away(imported, kms):
    ftc("keys", "new", "second")
    kms.seal()
    create("second", "release", status=1)
    shutil.move("keys/second.pem", "kept.pem")
    kms.unseal()
    ftc("attest", "flush")
    Path("policy.toml").write_text(Path("policy.toml").read_text() + "[require]\nkeys = 2\n")
    assert "2 keys" in verify()


@pytest.fixture
def token(report, monkeypatch):
    """A PKCS#11 token, made by SoftHSM, with an EC key of the id 2."""
    library = Path("/usr/lib/softhsm/libsofthsm2.so")
    if shutil.which("softhsm2-util") is None or not library.exists():
        pytest.fail("SoftHSM is not installed (apt-get install softhsm2): its tests cannot run")
    (report / "tokens").mkdir()
    (report / "softhsm2.conf").write_text(f"directories.tokendir = {report}/tokens\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(report / "softhsm2.conf"))
    monkeypatch.setenv("PYKCS11LIB", str(library))
    monkeypatch.setenv("FTC_HSM_PIN", "pin-7531")
    make = ["softhsm2-util", "--init-token", "--free", "--label", "ftc token", "--pin", "pin-7531", "--so-pin", "8642"]
    subprocess.run(make, check=True, capture_output=True)
    # In a process of its own: a PKCS#11 library stays as it was first loaded.
    subprocess.run([sys.executable, "-c", _MAKE_KEY, str(library)], check=True)
    return "hsm:2?label=ftc+token"


_MAKE_KEY = """
import sys, pkcs11
from pkcs11.util.ec import encode_named_curve_parameters
token = pkcs11.lib(sys.argv[1]).get_token(token_label="ftc token")
with token.open(user_pin="pin-7531", rw=True) as session:
    curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
    parameters.generate_keypair(id=b"\\x02", label="release", store=True)
"""


def test_a_pkcs11_token_signs(token):
    ftc("keys", "import", "release", token, "--operator", "us")
    create("release")
    assert "accepted" in verify()
    create(token)
    assert "accepted" in verify()
    assert "is still the same key; import its successor" in ftc("keys", "rotate", "release", status=2)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("FTC_HSM_PIN", "0000", "the PIN in FTC_HSM_PIN is wrong"),
        ("FTC_HSM_PIN", None, "the token asks for a PIN: set FTC_HSM_PIN"),
        ("PYKCS11LIB", None, "PYKCS11LIB environment variable must be set"),
        ("PYKCS11LIB", "/none.so", "OS exception while loading /none.so"),
        ("SOFTHSM2_CONF", "/none.conf", "the library of the token reports a general error"),
    ],
)
def test_a_token_that_does_not_sign_lets_it_wait(token, monkeypatch, variable, value, said):
    ftc("keys", "import", "release", token)
    good = os.environ[variable]
    monkeypatch.setenv(variable, value) if value else monkeypatch.delenv(variable)
    printed = create("release", status=1)
    assert "2 attestations wait for a signer: " in printed
    assert said in printed
    assert "pin-7531" not in printed
    monkeypatch.setenv(variable, good)
    ftc("attest", "flush")
    assert "accepted" in verify()
    assert_nowhere(b"pin-7531", Path(), Path(os.environ["FTC_STORE"]))


def test_a_key_or_token_that_is_not_there_is_told(token):
    assert "No PKCS#11 token found for label none" in ftc("keys", "import", "x", "hsm:2?label=none", status=2)
    assert "could not find ECDSA key on the PKCS#11 token" in ftc(
        "keys", "import", "x", "hsm:7?label=ftc+token", status=2
    )
