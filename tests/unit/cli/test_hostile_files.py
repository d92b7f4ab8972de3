"""Keyrings, policies, attestations and logs that somebody else has made: one line, in which nothing takes effect."""

import json
import os
import shutil
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from attestations import BUILDER, FOUND, good, signed_by
from samples import verification

from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.parity import make_parity
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Subject
from pytest_ftc.attestation.verdict_log import LogError, VerdictLog
from pytest_ftc.cli.main import main
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.signing import sign
from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import FtcError

FORGED = "app.whl\n✔ accepted  evil.whl\x1b[2J\u202e"


@pytest.fixture
def ring(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FTC_KEYRING", str(tmp_path / "keys"))
    monkeypatch.setenv("FTC_STORE", str(tmp_path / "store"))
    ring = KeyFolder(tmp_path / "keys")
    ring.new("release", "ed25519", "us")
    (tmp_path / "policy.toml").write_text('keyring = "keys/keys.toml"\n')
    os.mkfifo(tmp_path / "pipe")
    return ring


@pytest.fixture
def ftc(capsys):
    def run(*arguments: str) -> tuple[int, str]:
        status = main(list(arguments))
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keys.a]\nfile = "a\\u0000b"', "keys.a.file: a\\x00b: embedded null byte"),
        ('[keys.a]\nfile = "/dev/zero"', "keys.a.file: /dev/zero: no regular file"),
        ('[keys.a]\nfile = "../pipe"', "keys.a.file: ../pipe: no regular file"),
        ('[keys.a]\nfile = "../large"', "keys.a.file: ../large: larger than 64 KiB"),
        ('[keys.a]\nfile = ".."', "keys.a.file: ..: no regular file"),
        ("keys = 3", "keys: expected a table, found 3"),
        ("keys = " + "[" * 5000, "no valid TOML"),
        ("#" * (1 << 20) + "#", "larger than 1 MiB"),
    ],
)  # fmt: skip
def test_a_hostile_keyring_is_one_line(ring, ftc, tmp_path, text, said):
    (tmp_path / "large").write_bytes(bytes((1 << 16) + 1))
    ring.file.write_text(text)
    for arguments in (("keys", "list"), ("attest", "verify", "large", "-p", "policy.toml")):
        status, shown = ftc(*arguments)
        assert (status, said in shown) == (2, True), shown
        assert "\0" not in shown


def test_names_in_a_keyring_do_not_reach_the_terminal(ring, ftc):
    ring.file.write_text('[keys."a\\nb\\u001b[2J"]\nfile = "release.pub"\noperator = "x\\u001b[2J\\ny"\n')
    for more in ((), ("--json",)):
        status, shown = ftc("keys", "list", *more)
        assert status == 0
        assert "\x1b" not in shown
    assert "a\\nb\\x1b[2J" in ftc("keys", "list")[1]


def test_a_keyring_that_cannot_be_edited_stays_as_it_is(ring, ftc):
    ring.file.write_text('keys = {a = {file = "release.pub"}}\n')
    status, shown = ftc("keys", "new", "b")
    assert (status, "cannot be edited: write each key as a table [keys.NAME]" in shown) == (2, True)
    assert sorted(path.name for path in ring.folder.glob("b.*")) == []
    assert ftc("keys", "rotate", "release", "--overlap", "99999999d")[0] == 2


def test_a_private_key_that_others_may_read_does_not_sign(ring, ftc):
    (ring.folder / "release.pem").chmod(0o640)
    with pytest.raises(FtcError, match="release.pem: other users may use this private key"):
        ring.signer("release")


def test_a_link_in_place_of_a_new_key_is_not_followed(ring, tmp_path):
    (ring.folder / "next.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FtcError, match=r"next.pem: File exists"):
        ring.new("next", "ed25519", "us")
    assert not (tmp_path / "elsewhere").exists()
    assert "next" not in set(ring.keys())


def _try_new(folder: Path) -> str:
    try:
        return KeyFolder(folder).new("same", "ed25519", "us").name
    except FtcError as error:
        return str(error)


def test_of_two_who_make_a_key_of_one_name_one_is_refused(ring):
    with get_context("spawn").Pool(2) as pool:
        made = pool.map(_try_new, [ring.folder] * 2)
    assert sorted(text == "same" for text in made) == [False, True]
    assert ring.signer("same")
    assert set(ring.keys()) == {"release", "same"}


def attest(ring, statement, name="app.dsse.json"):
    Path(name).write_bytes(signed_by(ring, "release", statement=statement).encode())
    return name


def test_names_in_attestations_forge_no_line(ring, ftc):
    statement = replace(good(), subjects=(Subject(FORGED, {"sha256": "a" * 64}),))
    status, shown = ftc("attest", "verify", attest(ring, statement), "-p", "policy.toml")
    assert (status, shown.count("\n")) == (0, 1)
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_findings_in_attestations_forge_no_line(ring, ftc):
    finding = replace(FOUND, cause=FORGED, command=("make", FORGED), output=FORGED)
    statement = make_parity(replace(verification(Verdict.UNREPRODUCIBLE), findings=(finding,)), BUILDER)
    status, shown = ftc("attest", "verify", attest(ring, statement), "-p", "policy.toml")
    assert status == 1
    assert not any(line.startswith("✔") for line in shown.splitlines())
    assert "\x1b" not in shown
    assert "evil.whl" in shown


@pytest.mark.parametrize(
    "document",
    [
        b'{"payloadType": "\\ud800", "payload": "e30=", "signatures": [{"sig": "e30="}]}',
        b'{"payloadType": "x", "payload": "e30=", "signatures": [{"sig": "", "keyid": "\\ud800"}]}',
        b'{"payloadType": "x", "payload": "e30=", "signatures": []}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"payload": ' + b"9" * 5000 + b"}",
        b'{"payload": 1e999999}',
        b'{"payload": NaN}',
        b"\xff\xfe",
        b"",
        b"null",
    ],
    ids=lambda data: str(data[:24]),
)
def test_a_hostile_attestation_is_one_line(ring, ftc, document):
    Path("app.whl").write_bytes(b"app")
    Path("app.whl.dsse.json").write_bytes(document)
    status, shown = ftc("attest", "verify", "app.whl", "-p", "policy.toml")
    assert status in (1, 2)
    assert "accepted" not in shown
    assert len(shown.splitlines()) <= 2, shown


@pytest.mark.parametrize(
    "payload",
    [
        b"[]", b"{}", b"\xff", b'{"_type": "https://in-toto.io/Statement/v1"}',
        b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "\\ud800", "subject": [{"name": "\\ud800", "digest": {"sha256": "%s"}}], "predicate": {"\\ud800": "\\ud800"}}' % (b"a" * 64),
        b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://in-toto.io/attestation/scai/attribute-report", "subject": [{"digest": {"sha256": "%s"}}], "predicate": {"attributes": [{"attribute": "REPRODUCIBLE"}]}}' % (b"a" * 64),
    ],
)  # fmt: skip
def test_a_hostile_statement_by_a_trusted_key_is_no_traceback(ring, ftc, payload):
    envelope = sign(Envelope(PAYLOAD_TYPE, payload), [ring.signer("release")])
    Path("app.dsse.json").write_bytes(envelope.encode())
    for target in ("app.dsse.json", f"sha256:{'a' * 64}"):
        status, shown = ftc("attest", "verify", target, "-a", "app.dsse.json", "-p", "policy.toml")
        assert status in (1, 2), shown
        assert "accepted" not in shown


def test_a_pipe_beside_an_artifact_is_not_waited_for(ring, ftc):
    Path("app.whl").write_bytes(b"app")
    os.mkfifo("app.whl.parity.dsse.json")
    assert ftc("attest", "verify", "app.whl", "-p", "policy.toml")[0] == 1


CHANGES = {
    "negative length": {"length": -5},
    "length without end": {"length": 10**30},
    "other length": {"length": 10},
    "negative size": {"size": -1},
    "size without end": {"size": 10**30},
    "no peaks": {"peaks": []},
    "short peaks": {"peaks": ["ab", "cd"]},
    "empty": {"size": 0, "length": 0, "peaks": []},
    "one less": {"size": 2},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_head_that_was_changed_is_found_and_nothing_is_appended(ring, ftc, tmp_path, change):
    log = VerdictLog(tmp_path / "store" / "log")
    log.append([{"artifact": "a"}, {"artifact": "b"}, {"artifact": "c"}])
    file = tmp_path / "store" / "log" / "head.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **CHANGES[change]}))
    assert ftc("log", "verify")[0] == 1
    if change != "other length":
        with pytest.raises(LogError):
            log.append([{"artifact": "d"}])
        assert ftc("log", "verify")[0] == 1


def test_a_log_without_its_head_is_not_an_empty_one(ring, ftc, tmp_path):
    log = VerdictLog(tmp_path / "store" / "log")
    log.append([{"artifact": "a"}])
    (tmp_path / "store" / "log" / "head.json").unlink()
    status, shown = ftc("log", "verify")
    assert (status, "the log has leaves and no head" in shown) == (1, True)


def test_leaves_of_other_programs_prove_nothing(ring, ftc, tmp_path):
    VerdictLog(tmp_path / "store" / "log").append([{"x": 1}, {"artifact": 5}, {"artifact": ["a"]}])
    status, shown = ftc("log", "prove", "a")
    assert (status, "the log has no verdict on 'a'" in shown) == (2, True)


def test_a_store_that_was_rolled_back_is_found_with_an_earlier_head(ring, ftc, tmp_path):
    folder = tmp_path / "store" / "log"
    log = VerdictLog(folder)
    log.append([{"artifact": "a"}])
    shutil.copytree(folder, tmp_path / "old")
    head = log.append([{"artifact": "b"}])
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "old", folder)
    assert ftc("log", "verify")[0] == 0
    assert ftc("log", "consistency", f"{head.size}:{head.root.hex()}")[0] == 1
