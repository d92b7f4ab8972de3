"""Nothing that was altered is accepted: the known traps by name, and thousands of alterations made up by hypothesis.

Each alteration changes the meaning: spaces around a document, its order of names, and ids of keys (which are hints) are
left alone, so that the number of accepted ones is 0, with no exception.
"""

import base64
import contextlib
import hashlib
import json
from dataclasses import replace

import others
import pytest
from attestations import bad, good, provenance, signed_by
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from samples import VARIED, verification
from securesystemslib.signer import CryptoSigner

from pytest_ftc.attestation.bundle import encode_bundle, parse_envelopes
from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature
from pytest_ftc.attestation.merkle import leaf_hash
from pytest_ftc.attestation.parity import make_parity
from pytest_ftc.attestation.policy import load_policy
from pytest_ftc.attestation.provenance import Builder
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Statement, Subject
from pytest_ftc.attestation.verdict_log import Contents, Head, InclusionProof
from pytest_ftc.integrations.attestations import digest_of, judge_file, load_signed
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.registry.judging import judge_artifact
from pytest_ftc.integrations.registry.manifest import RefusedError, read_manifest
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.integrations.signing import sign
from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import FtcError

EXAMPLES = {"envelopes": 700, "bundles": 400, "links": 300, "policies": 500, "manifests": 300, "proofs": 400}
"""How many altered documents of each kind are tried."""
FILE = "app.whl"
OUTPUT = hashlib.sha256(b"the artifact").hexdigest()
BOTH = 'schemes = ["ed25519", "ml-dsa-65"]'
TWO_KEYS = f"keys = 2\n{BOTH}"
LOGGED = "log = true"

bytes_of = st.integers(1, 255)
alterations = st.tuples(st.sampled_from(["flip", "cut", "insert", "double"]), st.integers(0, 1 << 16), bytes_of)


def alter(data: bytes, alteration: tuple[str, int, int]) -> bytes:
    """Return `data` with one byte changed, removed or added, or with itself behind it."""
    how, where, by = alteration
    at = where % max(1, len(data))
    if how == "flip":
        return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]
    if how == "cut":
        return data[:at] + data[at + 1 :]
    return data[:at] + bytes([by]) + data[at:] if how == "insert" else data + data


def about(statement: Statement, sha256: str) -> Statement:
    return replace(statement, subjects=(Subject(FILE, {"sha256": sha256}),))


class Place:
    """Keys, an artifact, another one, and their attestations, each signed once."""

    def __init__(self, folder):
        self.folder = folder
        self.ring = KeyFolder(folder)
        for name, scheme in (("a", "ed25519"), ("pq", "ml-dsa-65"), ("mallory", "ed25519")):
            self.ring.new(name, scheme, name)
        (folder / FILE).write_bytes(b"the artifact")
        (folder / "other.whl").write_bytes(b"another artifact")
        self.sha256, self.other_sha256 = digest_of(folder / FILE), digest_of(folder / "other.whl")
        self.hybrid = self.sign("a", "pq")
        self.single = self.sign("a")
        self.other = self.sign("a", "pq", statement=about(good(), self.other_sha256))
        renamed = replace(good(), subjects=(Subject("other.whl", {"sha256": self.other_sha256}),))
        self.named_other = self.sign("a", "pq", statement=renamed)
        rebuilders = [others.Rebuilder(folder, name) for name in ("arch", "debian")]
        self.links = [one.link(FILE, self.sha256) for one in rebuilders]
        self.trust = "".join(f'[keys.{name}]\nfile = "{name}.pub"\n' for name in ("a", "pq"))
        self.rebuilders = "".join(
            f'[keys.{name}]\nfile = "{name}.pub"\nbuilders = ["https://{name}.example/"]\n'
            for name in ("arch", "debian")
        )
        self._policies = {}

    def sign(self, *names, statement=None):
        return signed_by(self.ring, *names, statement=statement or about(good(), self.sha256))

    def sign_payload(self, payload, kind=PAYLOAD_TYPE):
        """Return what whoever holds the key `a` can sign: anything."""
        return sign(Envelope(kind, payload), [SignerReference(f"file2:{self.ring.private('a')}")])

    def policy(self, require, trust=None):
        text = f"{trust or self.trust}[require]\n{require}\n"
        if text not in self._policies:
            (self.folder / "policy.toml").write_text(text)
            self._policies[text] = load_policy(self.folder / "policy.toml")
        return self._policies[text]

    def accepts(self, *documents, require="", file=FILE, trust=None):
        """Return whether `file` is accepted; what is no attestation at all is an error, which accepts nothing."""
        paths = [self.folder / f"{number}.json" for number in range(len(documents))]
        for path, document in zip(paths, documents, strict=True):
            path.write_bytes(document.encode() if isinstance(document, Envelope) else document)
        policy = self.policy(require, trust)
        try:
            return judge_file(self.folder / file, load_signed(paths, policy), policy).accepted
        except FtcError:
            return False


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("place"))


def tries(kind):
    return settings(max_examples=EXAMPLES[kind], deadline=None, suppress_health_check=list(HealthCheck))


def test_what_is_altered_below_is_accepted_unaltered(place):
    assert place.accepts(place.hybrid, require=TWO_KEYS)
    assert place.accepts(place.other, require=TWO_KEYS, file="other.whl")
    assert place.accepts(bundle(place.single))
    assert place.accepts(*place.links, trust=place.rebuilders)
    assert place.accepts(logged(place, proof()), require=LOGGED)
    assert admits(place, manifest(place))
    assert sum(EXAMPLES.values()) >= 2000


# The known traps.


def test_one_key_under_two_ids(place):
    envelope = place.sign("a")
    twice = envelope.with_signature(EnvelopeSignature("another id", envelope.signatures[0].signature))
    assert not place.accepts(twice, require="keys = 2")


def test_one_key_under_two_names_of_the_policy(place):
    twins = f'{place.trust}[keys.twin]\nfile = "a.pub"\noperator = "somebody else"\n'
    assert not place.accepts(place.sign("a"), require="keys = 2", trust=twins)


@pytest.mark.parametrize("kept", [0, 1], ids=["only ed25519", "only ml-dsa-65"])
def test_a_stripped_half_of_a_hybrid(place, kept):
    assert not place.accepts(replace(place.hybrid, signatures=(place.hybrid.signatures[kept],)), require=BOTH)


def test_halves_of_two_hybrids(place):
    """Each half is on another statement: no statement has both."""
    halves = [replace(one, signatures=(one.signatures[at],)) for at, one in enumerate((place.hybrid, place.other))]
    assert not place.accepts(*halves, require=BOTH)


def test_a_changed_payload(place):
    payload = place.hybrid.payload.replace(place.sha256.encode(), place.other_sha256.encode())
    assert not place.accepts(replace(place.hybrid, payload=payload), file="other.whl")


def test_a_replay_from_another_artifact(place):
    assert not place.accepts(place.other)


def test_a_duplicate_subject(place):
    statement = about(good(), place.sha256)
    double = replace(statement, subjects=(*statement.subjects, Subject(FILE, {"sha256": place.other_sha256})))
    for file in (FILE, "other.whl"):
        assert not place.accepts(place.sign("a", statement=double), file=file)


def test_an_altered_blob(place):
    (place.folder / "altered.whl").write_bytes(b"the artifacT")
    assert not place.accepts(place.hybrid, file="altered.whl")


@pytest.mark.parametrize("threshold", ["keys = 0", "keys = -1", "keys = true", "keys = 1.0", 'keys = "1"', "keys = []"])
def test_a_downgraded_threshold(place, threshold):
    with pytest.raises(FtcError, match=r"require\.keys"):
        place.policy(threshold)


@pytest.mark.parametrize(
    "twice", ['"subject": [{"name": "x", "digest": {"sha256": "ee"}}], ', '"payload": "", ', '"predicateType": "x", ']
)
def test_duplicate_json_names(place, twice):
    statement = about(good(), place.sha256).encode().replace(b"{", f"{{{twice}".encode(), 1)
    if "payload" in twice:
        assert not place.accepts(place.sign("a").encode().replace(b"{", f"{{{twice}".encode(), 1))
    else:
        assert not place.accepts(place.sign_payload(statement))


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: f" {text}",
        lambda text: f"{text}\n",
        lambda text: f"sha256:{text}",
        lambda text: f"0x{text}",
        lambda text: text[:32],
        lambda text: text.translate({ord(str(n)): 0xFF10 + n for n in range(10)}),
        lambda text: text.translate({ord(str(n)): 0x0660 + n for n in range(10)}),
        lambda text: f"{text}\u200b",
    ],
    ids=["upper case", "space", "newline", "prefix", "0x", "cut", "full width", "arabic digits", "zero width"],
)
def test_variants_of_a_digest(place, change):
    assert not place.accepts(place.sign("a", statement=about(good(), change(place.sha256))))


@pytest.mark.parametrize("name", ["SHA256", "sha-256", "sha512", "sha256 ", "gitCommit"])
def test_variants_of_the_name_of_a_digest(place, name):
    statement = replace(good(), subjects=(Subject(FILE, {name: place.sha256}),))
    assert not place.accepts(place.sign("a", statement=statement))


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/vnd.in-toto", "application/json", "", PAYLOAD_TYPE.upper()]
)
def test_a_statement_with_another_payload_type(place, kind):
    statement = about(good(), place.sha256).encode()
    assert not place.accepts(place.sign_payload(statement, kind))
    assert not place.accepts(replace(place.hybrid, payload_type=kind))


def test_a_signature_moved_from_another_envelope(place):
    assert not place.accepts(replace(place.hybrid, signatures=place.other.signatures))
    assert not place.accepts(replace(place.other, signatures=place.hybrid.signatures), file="other.whl")


def test_a_signature_over_the_payload_alone(place):
    """As links are signed, without the type: no statement may pass for one."""
    statement = about(good(), place.sha256).encode()
    signer = CryptoSigner(load_pem_private_key(place.ring.private("a").read_bytes(), None))
    bare = signer.sign(statement)
    assert not place.accepts(
        Envelope(PAYLOAD_TYPE, statement, (EnvelopeSignature("a", bytes.fromhex(bare.signature)),))
    )
    block = {"signed": json.loads(statement), "signatures": [{"keyid": bare.keyid, "sig": bare.signature}]}
    assert not place.accepts(json.dumps(block).encode())


def test_a_key_that_nobody_trusts(place):
    assert not place.accepts(place.sign("mallory"))


def test_a_negative_attestation_beside_a_positive_one(place):
    assert not place.accepts(place.hybrid, place.sign("a", statement=about(bad(), place.sha256)))


@pytest.mark.parametrize("statement", [provenance, bad], ids=["provenance", "unreproducible"])
def test_a_statement_that_is_no_positive_verdict(place, statement):
    assert not place.accepts(place.sign("a", statement=about(statement(), place.sha256)))


def test_a_verdict_that_contradicts_its_evidence(place):
    document = json.loads(about(bad(), place.sha256).encode())
    document["predicate"]["attributes"][0]["attribute"] = "REPRODUCIBLE"
    assert not place.accepts(place.sign_payload(json.dumps(document).encode()))


def test_more_builders_than_keys(place):
    claims = [make_parity_of(place, f"https://{number}.example/") for number in range(3)]
    assert not place.accepts(*claims, require="builders = 2")


@pytest.mark.parametrize("line", ["key = 2", "threshold = 1", "Keys = 1", "varried = []", "ignore = true"])
def test_a_policy_with_unknown_keys(place, line):
    with pytest.raises(FtcError, match="unknown key"):
        place.policy(line)


@pytest.mark.parametrize(
    "change",
    [
        {"leaf": b'{"evidence":"another"}'},
        {"size": 0},
        {"size": -1},
        {"index": 4},
        {"index": -1},
        {"index": 99},
        {"hashes": "extended"},
        {"hashes": "shortened"},
        {"hashes": "reversed"},
        {"root": b"\0" * 32},
        {"root": b""},
    ],
    ids=str,
)
def test_a_proof_that_does_not_hold(place, change):
    one = proof()
    if "hashes" in change:
        paths = {"extended": (*one.hashes, one.root), "shortened": one.hashes[:-1], "reversed": one.hashes[::-1]}
        change = {"hashes": paths[change["hashes"]]}
    assert not place.accepts(logged(place, replace(one, **change)), require=LOGGED)


def test_a_proof_of_another_leaf(place):
    """It holds, and is about another verdict."""
    assert proof(leaf=3).holds
    assert not place.accepts(logged(place, proof(leaf=3)), require=LOGGED)


def test_a_proof_that_the_same_verdict_on_another_file_is_logged(place):
    assert place.accepts(logged(place, proof()), require=LOGGED)
    document = json.loads(about(good(), place.other_sha256).encode())
    document["predicate"]["attributes"][0]["conditions"]["log"] = proof().to_json()
    borrowed = place.sign_payload(json.dumps(document).encode())
    assert not place.accepts(borrowed, require=LOGGED, file="other.whl")


def test_a_tree_of_one_leaf_whose_root_is_made_up(place):
    one = proof()
    assert not place.accepts(logged(place, replace(one, size=1, index=0, hashes=())), require=LOGGED)


# Made up by hypothesis.


@tries("envelopes")
@given(st.sampled_from(["payload", "type", "signature", "drop", "move", "other"]), alterations, st.integers(0, 1))
def test_altered_envelopes(place, what, alteration, which):
    envelope, kept = place.hybrid, list(place.hybrid.signatures)
    if what == "payload":
        envelope = replace(envelope, payload=alter(envelope.payload, alteration))
    elif what == "type":
        envelope = replace(envelope, payload_type=alter(envelope.payload_type.encode(), alteration).decode("latin-1"))
    elif what == "signature":
        kept[which] = replace(kept[which], signature=alter(kept[which].signature, alteration))
    elif what == "drop":
        del kept[which]
        kept.append(EnvelopeSignature(kept[0].key_id, alter(kept[0].signature, alteration)))
    elif what == "move":
        kept[which] = place.other.signatures[which]
    else:
        envelope, kept = place.other, list(place.other.signatures)
    altered = replace(envelope, signatures=tuple(kept))
    assert not place.accepts(altered, require=TWO_KEYS)


def bundle(envelope):
    return encode_bundle(envelope, envelope.signatures[0].key_id)


@tries("bundles")
@given(st.sampled_from(["payload", "sig", "mediaType", "payloadType", "swap"]), alterations)
def test_altered_bundles(place, what, alteration):
    document = json.loads(bundle(place.single))
    envelope = document["dsseEnvelope"]
    if what == "payload":
        envelope["payload"] = base64.b64encode(alter(base64.b64decode(envelope["payload"]), alteration)).decode()
    elif what == "sig":
        signature = alter(base64.b64decode(envelope["signatures"][0]["sig"]), alteration)
        envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    elif what == "swap":
        document["dsseEnvelope"] = json.loads(bundle(place.other))["dsseEnvelope"]
    elif what == "mediaType":
        # Without its type it is no bundle, and an envelope neither.
        document["mediaType"] = alter(b"x", alteration).decode("latin-1")
    else:
        envelope[what] = alter(envelope[what].encode(), alteration).decode("latin-1")
    assert not place.accepts(json.dumps(document).encode())


@tries("links")
@given(st.integers(0, 1), st.sampled_from(["signed", "signature", "swap"]), alterations)
def test_altered_links(place, which, what, alteration):
    documents = [json.loads(one) for one in place.links]
    if what == "signed":
        (parsed,) = parse_envelopes(place.links[which])
        altered = alter(parsed.payload, alteration)
        with contextlib.suppress(ValueError):
            # What is signed is the canonical form: spaces around it are not.
            assume(json.loads(altered) != json.loads(parsed.payload))
        begin, end = b'{"signatures":', b',"signed":'
        document = begin + json.dumps(documents[which]["signatures"]).encode() + end + altered + b"}"
    elif what == "signature":
        signature = bytes.fromhex(documents[which]["signatures"][0]["sig"])
        documents[which]["signatures"][0]["sig"] = alter(signature, alteration).hex()
        document = json.dumps(documents[which]).encode()
    else:
        documents[which]["signatures"] = documents[1 - which]["signatures"]
        document = json.dumps(documents[which]).encode()
    assert not place.accepts(document, place.links[1 - which], trust=place.rebuilders)


def manifest(place) -> bytes:
    """Return the manifest of an OCI artifact with the two files."""
    layers = [
        {"digest": f"sha256:{sha256}", "size": 12, "annotations": {"org.opencontainers.image.title": title}}
        for title, sha256 in ((FILE, place.sha256), ("other.whl", place.other_sha256))
    ]
    return json.dumps({"schemaVersion": 2, "layers": layers}).encode()


def admits(place, data: bytes) -> bool:
    """Return whether the files of a manifest are accepted by the attestations of both."""
    attested = [(f"{number}", one.encode()) for number, one in enumerate((place.hybrid, place.named_other))]
    try:
        return judge_artifact(read_manifest(data, 1 << 20), attested, place.policy(TWO_KEYS)).accepted
    except (FtcError, RefusedError):
        return False


@tries("manifests")
@given(st.sampled_from(["digest", "title", "swap", "algorithm", "bytes"]), st.integers(0, 1), alterations)
def test_altered_manifests(place, what, which, alteration):
    """A registry may give any manifest: a file is accepted only under the name and with the bytes that were attested."""
    document = json.loads(manifest(place))
    layer, other = document["layers"][which], document["layers"][1 - which]
    _, at, by = alteration
    if what == "digest":
        place_of = 7 + at % 64
        letter = "0123456789abcdef".replace(layer["digest"][place_of], "")[by % 15]
        layer["digest"] = layer["digest"][:place_of] + letter + layer["digest"][place_of + 1 :]
    elif what == "title":
        name = layer["annotations"]["org.opencontainers.image.title"]
        layer["annotations"]["org.opencontainers.image.title"] = alter(name.encode(), alteration).decode("latin-1")
    elif what == "swap":
        layer["digest"], other["digest"] = other["digest"], layer["digest"]
    elif what == "algorithm":
        layer["digest"] = alter(b"sha256", alteration).decode("latin-1") + layer["digest"][6:]
    data = json.dumps(document).encode() if what != "bytes" else alter(manifest(place), alteration)
    with contextlib.suppress(RefusedError):
        # Sizes are compared with what comes, and a name that is not read says nothing.
        assume(files_of(data) != files_of(manifest(place)))
    assert not admits(place, data)


def files_of(data: bytes) -> dict[str, str]:
    return {name: layer.digest for name, layer in read_manifest(data, 1 << 20).items()}


STRICT = {
    "keys": "2",
    "operators": "2",
    "builders": "2",
    "builds": "9",
    "machines": "2",
    "varied": '["kernel"]',
    "schemes": '["ml-dsa-65"]',
    "provenance": "true",
    "max_age": '"1h"',
    "log": "true",
}
"""Requirements that an attestation by one key does not meet, each by itself."""
WORSE = ["0", "-1", "1.0", "nan", "[]", "{}", '""', '"0"', "1979-05-27", "'1'", "[1]", "[[]]", "off", "null", ""]


@tries("policies")
@given(
    st.sampled_from(sorted(STRICT)), st.sampled_from(["name", "table", "value", "twice", "case", "comment"]), st.data()
)
def test_altered_policies(place, name, how, data):
    """A requirement that cannot be read is an error: it is never left out."""
    line, table = f"{name} = {STRICT[name]}", "require"
    if how == "name":
        at, letter = data.draw(st.integers(0, len(name))), data.draw(st.sampled_from("abxyz_-9"))
        line = f"{name[:at]}{letter}{name[at:]} = {STRICT[name]}"
    elif how == "table":
        table = data.draw(
            st.sampled_from(["Require", "required", "requires", "[require]", "require.x", "x.require", "req"])
        )
    elif how == "value":
        # An empty list of variations or kinds requires nothing, and says so.
        fits = name in ("varied", "schemes")
        line = f"{name} = {data.draw(st.sampled_from([one for one in WORSE if not (fits and one == '[]')]))}"
    elif how == "twice":
        line = f"{line}\n{name} = {data.draw(st.sampled_from(['1', 'false', '[]']))}"
    elif how == "case":
        line = f"{name.upper()} = {STRICT[name]}"
    else:
        line = f"{line} {data.draw(st.sampled_from(['//', ';', '--', ',', '}']))} no more"
    text = f"{place.trust}[{table}]\n{line}\n"
    (place.folder / "altered.toml").write_text(text)
    (place.folder / "0.json").write_bytes(place.single.encode())
    try:
        policy = load_policy(place.folder / "altered.toml")
        signed = load_signed([place.folder / "0.json"], policy)
        accepted = judge_file(place.folder / FILE, signed, policy).accepted
    except FtcError:
        return
    assert not accepted


@tries("proofs")
@given(st.sampled_from(["leaf", "root", "hash", "index", "hashes", "outside", "other"]), alterations, st.integers(0, 9))
def test_altered_proofs(place, what, alteration, number):
    """Whoever holds the key can write any proof: those that do not hold do not count."""
    one = proof()
    hashes = list(one.hashes)
    at = number % len(hashes)
    if what == "leaf":
        altered = replace(one, leaf=alter(one.leaf, alteration).decode("latin-1").encode())
    elif what == "root":
        altered = replace(one, root=alter(one.root, alteration))
    elif what == "hash":
        hashes[at] = alter(hashes[at], alteration)
        altered = replace(one, hashes=tuple(hashes))
    elif what == "index":
        altered = replace(one, index=next(i for i in range(number, number + 2) if i != one.index))
    elif what == "hashes":
        altered = replace(one, hashes=(*hashes[:at], *hashes[at + 1 :], *([one.root] * (number % 3))))
    elif what == "outside":
        altered = replace(one, size=one.index - number)
    else:
        altered = proof(leaf=(one.index + 1 + number % 4) % 5)
    assert not place.accepts(logged(place, altered), require=LOGGED)


def proof(leaf: int = 1) -> InclusionProof:
    """Return the proof that a leaf is in a log of five, of which the second is the verdict on the artifact."""
    digest = good().predicate["attributes"][0]["evidence"]["digest"]["sha256"]
    leaves = [
        json.dumps(
            {
                "evidence": digest if number == 1 else f"{number}",
                "outputs": {FILE: OUTPUT if number == 1 else f"{number}"},
            }
        ).encode()
        for number in range(5)
    ]
    hashes = [leaf_hash(one) for one in leaves]
    return Contents(Head(0, b"").grown_by(leaves), leaves, hashes).prove(leaf)


def logged(place, one: InclusionProof) -> Envelope:
    document = json.loads(about(good(), place.sha256).encode())
    document["predicate"]["attributes"][0]["conditions"]["log"] = one.to_json()
    return place.sign_payload(json.dumps(document).encode())


def make_parity_of(place, builder: str) -> Envelope:
    statement = make_parity(verification(Verdict.REPRODUCIBLE), Builder(id=builder, version="1"))
    return place.sign("a", statement=about(statement, place.sha256))


def test_the_requirements_that_are_altered_are_not_met_by_one_key(place):
    assert "kernel" not in VARIED
    for name, value in STRICT.items():
        assert not place.accepts(place.single, require=f"{name} = {value}"), name
    assert place.accepts(place.single)
