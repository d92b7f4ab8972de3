"""Whether files are accepted by attestations: also by 2,000 altered ones."""

import base64
import hashlib
import json

import pytest
from attestations import bad, good, provenance, signed_by, write_policy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.attestation.bundle import encode_bundle
from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature
from pytest_ftc.attestation.policy import load_policy
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Statement, Subject
from pytest_ftc.integrations.attestations import find_beside, judge_file, judge_subjects, load_signed
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.model.errors import ConfigurationError, FtcError

CONTENT = b"the artifact"
ARTIFACT = Subject("dist/app.whl", {"sha256": hashlib.sha256(CONTENT).hexdigest()})


def about_the_artifact(statement: Statement) -> Statement:
    return Statement((ARTIFACT,), statement.predicate_type, statement.predicate)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    ring = KeyFolder(folder)
    for name in ("a", "b"):
        ring.new(name, "ed25519", name)
    ring.new("pq", "ml-dsa-65", "a")
    (folder / "app.whl").write_bytes(CONTENT)
    return folder


def accepts(place, *documents: bytes, require: str = "", file: str = "app.whl") -> bool:
    paths = [place / f"{number}.dsse.json" for number in range(len(documents))]
    for path, document in zip(paths, documents, strict=True):
        path.write_bytes(document)
    policy = load_policy(write_policy(place, require))
    return judge_file(place / file, load_signed(paths, policy), policy).accepted


def signed(place, *names: str, statement: Statement | None = None) -> Envelope:
    return signed_by(KeyFolder(place), *names, statement=about_the_artifact(statement or good()))


def test_an_artifact_with_a_signed_attestation_is_accepted(place):
    assert accepts(place, signed(place, "a").encode())
    assert accepts(place, signed(place, "a").encode() + b"\n" + signed(place, "b").encode(), require="keys = 2")


def test_one_key_of_two_operators_is_of_one(place):
    keys = "".join(f'[keys.{name}]\nfile = "a.pub"\noperator = "{name}"\n' for name in ("x", "y"))
    (place / "twice.toml").write_text(keys)
    policy = load_policy(write_policy(place, "operators = 2", keys="twice.toml"))
    (place / "twice.dsse.json").write_bytes(signed(place, "a").encode())
    found = judge_file(place / "app.whl", load_signed([place / "twice.dsse.json"], policy), policy)
    assert found.problems == ("operators: found 1, required 2",)


def test_a_file_with_a_number_sign_in_its_name_is_judged(place):
    """It was taken for what an experiment left, and passed over: a negative verdict on it went unnoticed."""
    (place / "sign").mkdir()
    for number, (statement, names) in enumerate([(good(), ["app.whl"]), (bad(), ["c#.tar", "c#.tar#app-experiment"])]):
        subjects = tuple(Subject(name, {"sha256": f"{number}{at}" * 32}) for at, name in enumerate(names))
        envelope = signed_by(
            KeyFolder(place), "a", statement=Statement(subjects, statement.predicate_type, statement.predicate)
        )
        (place / "sign" / f"{number}.dsse.json").write_bytes(envelope.encode())
    policy = load_policy(write_policy(place))
    found = judge_subjects(load_signed([place / "sign"], policy), policy)
    assert {name: one.accepted for name, one in found.items()} == {"app.whl": True, "c#.tar": False}


def test_bundles_are_read(place):
    envelope = signed(place, "a")
    assert accepts(place, encode_bundle(envelope, envelope.signatures[0].key_id))


def test_an_altered_artifact_is_refused(place):
    (place / "altered.whl").write_bytes(CONTENT + b"!")
    assert not accepts(place, signed(place, "a").encode(), file="altered.whl")


def test_the_traps(place):
    envelope = signed(place, "a")
    twice = envelope.with_signature(EnvelopeSignature("other", envelope.signatures[0].signature))
    assert not accepts(place, twice.encode(), require="keys = 2"), "one key under two ids"
    both = 'schemes = ["ed25519", "ml-dsa-65"]'
    hybrid = signed(place, "a", "pq")
    assert accepts(place, hybrid.encode(), require=both)
    for kept in (0, 1):
        stripped = Envelope(hybrid.payload_type, hybrid.payload, (hybrid.signatures[kept],))
        assert not accepts(place, stripped.encode(), require=both), "stripped half of a hybrid"
    assert not accepts(place, signed(place, "a", statement=bad()).encode(), envelope.encode()), "negative withheld"
    other = Envelope("text/plain", envelope.payload, envelope.signatures)
    assert not accepts(place, other.encode()), "another type"
    assert not accepts(place, signed(place, "a", statement=provenance()).encode()), "provenance is no verdict"


@pytest.mark.parametrize(("key", "value"), [("retired", True), ("until", "2001-01-01")])
def test_signatures_of_keys_that_do_not_count_any_more(place, key, value):
    shown = f"{value}".lower()
    ended = place / "ended.toml"
    ended.write_text(f'[keys.a]\nfile = "a.pub"\n{key} = {shown}\n')
    policy = load_policy(write_policy(place, keys="ended.toml"))
    (place / "0.dsse.json").write_bytes(signed(place, "a").encode())
    assert not judge_file(place / "app.whl", load_signed([place / "0.dsse.json"], policy), policy).accepted


def test_a_folder_of_attestations(place, tmp_path):
    policy = load_policy(write_policy(place))
    with pytest.raises(ConfigurationError, match="no attestations"):
        load_signed([tmp_path], policy)
    (tmp_path / "one.dsse.json").write_bytes(signed(place, "a").encode())
    assert len(load_signed([tmp_path], policy)) == 1
    (tmp_path / "two.json").write_text("{}")
    with pytest.raises(FtcError, match=r"two.json"):
        load_signed([tmp_path], policy)


def test_what_nobody_trusted_signed_may_be_anything(place):
    assert accepts(place, Envelope(PAYLOAD_TYPE, b"no JSON").encode(), signed(place, "a").encode())


def test_attestations_beside_a_file_are_found(place, tmp_path):
    for name in (
        "x.whl",
        "x.whl.parity.dsse.json",
        "x.whl.sigstore.json",
        "y.whl.dsse.json",
        "x.whl.txt",
        "x.whl.1234.link",
    ):
        (tmp_path / name).write_text("")
    assert [path.name for path in find_beside(tmp_path / "x.whl")] == [
        "x.whl.1234.link",
        "x.whl.parity.dsse.json",
        "x.whl.sigstore.json",
    ]


def test_attestations_alone_are_judged_by_what_they_are_about(place):
    (place / "0.dsse.json").write_bytes(signed(place, "a", statement=bad()).encode())
    policy = load_policy(write_policy(place))
    results = judge_subjects(load_signed([place / "0.dsse.json"], policy), policy)
    assert list(results) == ["dist/app.whl"]
    assert "time" in results["dist/app.whl"].problems[0]


def test_files_of_one_name_are_judged_one_by_one(place):
    other = Statement((Subject("dist/app.whl", {"sha256": "e" * 64}),), bad().predicate_type, bad().predicate)
    lines = b"\n".join(one.encode() for one in (signed_by(KeyFolder(place), "a", statement=other), signed(place, "a")))
    (place / "0.dsse.json").write_bytes(lines)
    policy = load_policy(write_policy(place))
    results = judge_subjects(load_signed([place / "0.dsse.json"], policy), policy)
    assert [one.accepted for one in results.values()] == [False, True]


@pytest.fixture(scope="module")
def hybrid(place):
    return signed(place, "a", "pq")


def alter(document: object, draw: st.DrawFn) -> object:
    """Return `document` with one value, name or character changed somewhere."""
    if isinstance(document, dict) and document:
        name = draw(st.sampled_from(sorted(document)))
        action = draw(st.sampled_from(["inside", "inside", "inside", "drop", "rename"]))
        rest = {key: value for key, value in document.items() if key != name}
        if action == "drop":
            return rest
        return {**rest, f"{name}x" if action == "rename" else name: alter(document[name], draw)}
    if isinstance(document, list) and document:
        index = draw(st.integers(0, len(document) - 1))
        return [*document[:index], alter(document[index], draw), *document[index + 1 :]]
    if isinstance(document, str) and document:
        index = draw(st.integers(0, len(document) - 1))
        character = draw(st.sampled_from("ABab01+/ é").filter(lambda one: one != document[index]))
        return document[:index] + character + document[index + 1 :]
    return draw(st.sampled_from([None, 1, True, [], {}, "x", "1"]).filter(lambda one: one != document))


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_altered_envelope_is_never_accepted(place, hybrid, data):
    document = json.loads(hybrid.encode())
    changed = alter(document, data.draw)
    require = 'keys = 2\nschemes = ["ed25519", "ml-dsa-65"]'
    try:
        accepted = accepts(place, json.dumps(changed).encode(), require=require)
    except FtcError:
        return
    # An id is a hint, and an unknown name is ignored, as DSSE says; all else is signed.
    same = [(one.get("sig"), changed["payload"]) for one in changed.get("signatures", [])]
    kept = [(one["sig"], document["payload"]) for one in document["signatures"]]
    decoded = [(base64.b64decode(a.replace("-", "+")), base64.b64decode(b)) for a, b in same if a]
    assert not accepted or decoded == [(base64.b64decode(a), base64.b64decode(b)) for a, b in kept]


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_altered_statement_is_accepted_only_for_what_it_still_says(place, data):
    """Whoever holds a key may sign anything: no statement may be taken for more than it says."""
    document = json.loads(about_the_artifact(good()).encode())
    changed = alter(document, data.draw)
    payload = json.dumps(changed).encode()
    ring = KeyFolder(place)
    from pytest_ftc.integrations.signing import sign

    envelope = sign(Envelope(PAYLOAD_TYPE, payload), [SignerReference(f"file2:{ring.private('a')}")])
    try:
        accepted = accepts(place, envelope.encode(), require='varied = ["time"]')
    except FtcError:
        return
    if accepted:
        assert changed["subject"][0]["digest"]["sha256"] == ARTIFACT.digest["sha256"]
        assert changed["predicate"]["attributes"][0]["attribute"] == "REPRODUCIBLE"
        (attribute,) = changed["predicate"]["attributes"]
        content = base64.b64decode(attribute["evidence"]["content"])
        assert hashlib.sha256(content).hexdigest() == attribute["evidence"]["digest"]["sha256"]
        assert json.loads(content)["verdict"] == "reproducible"
