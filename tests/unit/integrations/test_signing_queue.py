"""Attestations that wait for a signer: none is lost, none is changed, and nobody asks in vain again and again."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from attestations import bad, good

from pytest_ftc.attestation.bundle import parse_envelopes
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.statement import PAYLOAD_TYPE
from pytest_ftc.integrations import signer_backoff, signing_queue
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.integrations.signing import find_signers
from pytest_ftc.integrations.signing_queue import SigningQueue, Waiting
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.store.layout import Layout

KEY = b"k" * 32


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    folder = KeyFolder(tmp_path_factory.mktemp("keys"))
    for name in ("a", "b", "away"):
        folder.new(name, "ed25519", "us")
    (folder.folder / "away.pem").rename(folder.folder / "kept")
    return folder


@pytest.fixture
def queue(tmp_path):
    return SigningQueue(Layout(tmp_path / "store"), KEY)


@pytest.fixture
def waiting(tmp_path, ring):
    """Make one that waits for the signers `names`; the key of ``away`` is not at its place."""

    def make(*names, file="good.parity.dsse.json", statement=None, **more):
        keys = ring.keys()
        signers = tuple(SignerReference(f"file2:{ring.folder / name}.pem", keys[name].pem) for name in names)
        envelope = Envelope(PAYLOAD_TYPE, (statement or good()).encode())
        return Waiting(target=tmp_path / "out" / file, envelope=envelope, missing=signers, **more)

    return make


@pytest.fixture
def back(ring):
    """Bring the key back that was away."""
    moved = ring.folder / "away.pem"
    yield lambda: os.link(ring.folder / "kept", moved)
    moved.unlink(missing_ok=True)


@pytest.fixture
def asked(monkeypatch):
    """The signers that were asked, in order."""
    uris, real = [], signing_queue.sign_once

    def ask(envelope, signer, **more):
        uris.append(signer.uri)
        return real(envelope, signer, **more)

    monkeypatch.setattr(signing_queue, "sign_once", ask)
    return uris


def names_of_signers(path, ring):
    (envelope,) = parse_envelopes(path.read_bytes())
    return [one.name for one in find_signers(envelope, ring.keys().values())]


def test_what_all_sign_is_written_and_waits_no_more(queue, waiting, ring):
    one = waiting("a", "b")
    queue.add(one)
    assert queue.targets() == [one.target]
    assert queue.sign().signed == [one.target]
    assert queue.targets() == []
    assert names_of_signers(one.target, ring) == ["a", "b"]


def test_a_signer_that_is_away_lets_it_wait_with_the_signatures_made(queue, waiting, ring, back, asked):
    one = waiting("a", "away")
    queue.add(one)
    progress = queue.sign()
    assert (progress.signed, progress.waiting) == ([], [one.target])
    assert [why.endswith("away.pem: No such file or directory") for why in progress.reasons.values()] == [True]
    assert not one.target.exists()
    back()
    asked.clear()
    assert queue.sign().signed == [one.target]
    assert [uri.rpartition("/")[2] for uri in asked] == ["away.pem"]
    assert names_of_signers(one.target, ring) == ["a", "away"]


def test_a_signer_that_failed_is_asked_once_and_then_left_alone(queue, waiting, asked, back, monkeypatch):
    for number in range(3):
        queue.add(waiting("away", file=f"{number}.dsse.json"))
    queue.sign()
    assert len(asked) == 1
    patient = queue.sign(patient=True)
    assert len(asked) == 1
    assert len(patient.waiting) == 3
    assert "(asked again in 1 min)" in next(iter(patient.reasons.values()))
    queue.sign()
    assert len(asked) == 2, "who flushes means now"
    now = time.time()
    for later, count in ((90, 2), (125, 3), (125 + 230, 3), (125 + 250, 4)):
        monkeypatch.setattr(signer_backoff.time, "time", lambda later=later: now + later)
        queue.sign(patient=True)
        assert len(asked) == count, f"after {later} s"
    monkeypatch.setattr(signer_backoff.time, "time", lambda: now - 86400)
    back()
    assert len(queue.sign(patient=True).signed) == 3, "a clock that was set back keeps nobody waiting"


def test_the_newer_attestation_for_a_file_replaces_the_older(queue, waiting):
    older, newer = waiting("a"), waiting("a", statement=bad())
    queue.add(older)
    queue.add(newer)
    queue.sign()
    assert parse_envelopes(newer.target.read_bytes())[0].payload == bad().encode()


def test_one_that_is_replaced_while_it_is_signed_does_not_come_back(queue, waiting, monkeypatch):
    older, newer, real = waiting("a"), waiting("away", statement=bad()), signing_queue.sign_once

    def slow(envelope, signer, **more):
        queue.add(newer)
        return real(envelope, signer, **more)

    queue.add(older)
    monkeypatch.setattr(signing_queue, "sign_once", slow)
    assert queue.sign().waiting == [newer.target]
    assert not newer.target.exists()


def test_what_another_process_signs_meanwhile_is_signed(queue, waiting, monkeypatch, tmp_path):
    first, second, real = waiting("a"), waiting("a", file="x.dsse.json"), signing_queue.sign_once
    queue.add(first)
    queue.add(second)

    def slow(envelope, signer, **more):
        monkeypatch.setattr(signing_queue, "sign_once", real)
        SigningQueue(Layout(tmp_path / "store"), KEY).sign()
        return real(envelope, signer, **more)

    monkeypatch.setattr(signing_queue, "sign_once", slow)
    assert queue.sign([first, second]).signed == [first.target, second.target]
    assert queue.targets() == []


@pytest.mark.parametrize("how", ["payload", "target", "renamed", "cut", "link"])
def test_what_was_changed_is_never_signed(queue, waiting, tmp_path, how):
    one = waiting("a")
    queue.add(one)
    (file,) = (tmp_path / "store/waiting").glob("*.waiting")
    data = file.read_bytes()
    if how == "payload":
        envelope = Envelope(PAYLOAD_TYPE, bad().encode()).encode().decode()
        head, _, body = data.rpartition(b"\n")
        file.write_bytes(head + b"\n" + json.dumps({**json.loads(body), "envelope": envelope}, sort_keys=True).encode())
    elif how == "target":
        file.write_bytes(data.replace(b"good.parity", b"evil.parity"))
    elif how == "renamed":
        file.rename(file.with_name(f"{'0' * 64}.waiting"))
    elif how == "cut":
        file.write_bytes(data[:-20])
    else:
        (tmp_path / "elsewhere").write_bytes(data)
        file.unlink()
        file.symlink_to(tmp_path / "elsewhere")
    progress = queue.sign()
    assert (progress.signed, progress.waiting, progress.reasons) == ([], [], {})
    assert [why.endswith("it was moved to the quarantine") for why in progress.altered] == [True]
    assert not (tmp_path / "out").exists()
    assert queue.sign().altered == []
    assert queue.sign([one]).waiting == [one.target], "whoever asks for it is not told that it was signed"


def test_what_another_key_of_the_store_sealed_waits_for_that_key(queue, waiting, tmp_path):
    queue.add(waiting("a"))
    other = SigningQueue(Layout(tmp_path / "store"), b"o" * 32)
    assert [why.endswith("under another key of the store") for why in other.sign().altered] == [True]
    assert len(queue.sign().signed) == 1


def test_a_file_that_cannot_be_written_keeps_its_signatures(queue, waiting, tmp_path, asked):
    one = waiting("a")
    queue.add(one)
    (tmp_path / "out").write_text("no folder")
    assert list(queue.sign().reasons.values()) == [f"{one.target}: File exists"]
    (tmp_path / "out").unlink()
    assert queue.sign().signed == [one.target]
    assert len(asked) == 1


def test_each_signature_has_a_bundle(queue, waiting, ring):
    queue.add(waiting("a", "b", bundle=True))
    queue.add(waiting("a", file="x.parity.dsse.json", bundle=True))
    (folder,) = {path.parent for path in queue.sign().signed}
    bundles = {path.name: names_of_signers(path, ring) for path in folder.glob("*.sigstore.json")}
    assert bundles == {
        "good.parity.1.sigstore.json": ["a"],
        "good.parity.2.sigstore.json": ["b"],
        "x.parity.sigstore.json": ["a"],
    }


def test_a_signature_by_another_key_than_the_keyrings_is_none(queue, waiting, ring):
    one = waiting("a")
    queue.add(Waiting(target=one.target, envelope=one.envelope, missing=(SignerReference(one.missing[0].uri, ring.keys()["b"].pem),)))  # fmt: skip
    assert next(iter(queue.sign().reasons.values())).endswith("what it signs is not valid with the public key of the keyring")  # fmt: skip
    assert not one.target.exists()


def test_a_signer_that_hangs_is_given_up_and_a_kill_loses_nothing(queue, waiting, ring, tmp_path):
    os.mkfifo(ring.folder / "hangs.pem")
    hangs = SignerReference(f"file2:{ring.folder}/hangs.pem")
    one = waiting("a")
    queue.add(Waiting(target=one.target, envelope=one.envelope, missing=(*one.missing, hangs)))
    assert list(queue.sign(seconds=0.2).reasons.values()) == [f"{hangs.uri}: no signature within 0.2 s"]
    code = (
        "import sys; from pathlib import Path; from pytest_ftc.integrations.signing_queue import SigningQueue;"
        "from pytest_ftc.store.layout import Layout; print('signs', flush=True);"
        f"SigningQueue(Layout(Path(sys.argv[1])), {KEY!r}).sign()"
    )
    killed = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "store")], stdout=subprocess.PIPE)
    assert killed.stdout.readline() == b"signs\n"
    time.sleep(0.5)
    assert queue.targets() == [one.target], "others do not wait for it"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    (ring.folder / "hangs.pem").unlink()
    os.link(ring.folder / "b.pem", ring.folder / "hangs.pem")
    assert queue.sign().signed == [one.target]
    assert names_of_signers(one.target, ring) == ["a", "b"]
    (ring.folder / "hangs.pem").unlink()


def test_what_is_forgotten_waits_no_more(queue, waiting, tmp_path):
    queue.add(waiting("away"))
    queue.add(waiting("a", file="x.dsse.json"))
    with pytest.raises(
        ConfigurationError, match=r"nothing waits for .*god.parity.dsse.json; did you mean '.*good.parity"
    ):
        queue.forget(tmp_path / "out/god.parity.dsse.json")
    queue.forget(tmp_path / "out/good.parity.dsse.json")
    assert queue.targets() == [tmp_path / "out/x.dsse.json"]


def test_what_waits_from_before_does_not_fail_what_is_required(ring, tmp_path, back):
    from samples import verification

    from pytest_ftc.attestation.provenance import Builder
    from pytest_ftc.integrations.attesting import Attesting, attest_session
    from pytest_ftc.model import Verdict

    def attest(key, folder, patient=False):
        signers = (SignerReference(f"file2:{ring.folder}/{key}.pem"),)
        how = Attesting(folder=tmp_path / folder, signers=signers, builder=Builder(id="urn:x", version="1"), store=tmp_path / "store")  # fmt: skip
        return attest_session([verification(Verdict.REPRODUCIBLE)], how, patient=patient)

    first = attest("away", "first")
    assert (first.text, len(first.problems), first.older) == ("", 1, "")
    second = attest("a", "second")
    assert (second.signed, second.problems) == (2, ())
    assert second.older.startswith("2 attestations wait for a signer: file2:")
    back()
    (tmp_path / "store/waiting/signers.json").unlink()
    third = attest("a", "third")
    assert third.text == f"2 documents in {tmp_path / 'third'} and 2 that waited"
    assert (tmp_path / "first/app.parity.dsse.json").exists()


def test_a_store_that_cannot_be_used_prevents_waiting_and_not_signing(ring, tmp_path, back):
    from samples import verification

    from pytest_ftc.attestation.provenance import Builder
    from pytest_ftc.integrations.attesting import Attesting, make_documents, read_log, sign_documents
    from pytest_ftc.model import Verdict
    from pytest_ftc.model.errors import StoreUnavailableError

    store, builder = tmp_path / "store", Builder(id="urn:x", version="1")
    documents = make_documents([verification(Verdict.REPRODUCIBLE)], builder, read_log(store))
    store.write_text("no folder")
    signers = (SignerReference(f"file2:{ring.folder}/away.pem"),)
    how = Attesting(folder=tmp_path / "out", signers=signers, builder=builder, store=store)
    with pytest.raises(
        StoreUnavailableError, match=r"away.pem: No such file or directory; and it cannot wait: the store"
    ):
        sign_documents(documents, how)
    assert not how.folder.exists()
    back()
    assert len(sign_documents(documents, how).signed) == len(documents) == len(list(how.folder.iterdir()))
