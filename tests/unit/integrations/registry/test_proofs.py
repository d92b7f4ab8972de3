"""Which documents in a folder are about an artifact."""

import json

import pytest
from publishing import make_project

from pytest_ftc.attestation.bundle import BUNDLE_MEDIA_TYPE, encode_bundle
from pytest_ftc.attestation.envelope import parse_envelope
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.registry.proofs import ENVELOPE_TYPE, SBOM_TYPE, find_proofs
from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import ConfigurationError


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("app") / "app")


@pytest.fixture
def folder(app, tmp_path):
    for path in (app.folder / "attestations").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture
def digests(app):
    return {output.sha256 for output in app.verification.builds[0].outputs}


def test_those_that_are_signed_and_about_its_files_are_taken(folder, digests):
    found = find_proofs(folder, digests, "app", Verdict.REPRODUCIBLE)
    assert [one.title for one in found.documents] == [
        "app.parity.dsse.json",
        "app.provenance.dsse.json",
        "app.test-result.dsse.json",
    ]
    assert {one.media_type for one in found.documents} == {ENVELOPE_TYPE}
    assert found.covered == digests
    assert found.documents[0].annotations == {"in-toto.io/predicate-type": "https://in-toto.io/attestation/scai/v0.3"}
    nothing = find_proofs(folder, {"0" * 64}, "app", Verdict.REPRODUCIBLE)
    assert (nothing.documents, nothing.covered) == ((), frozenset())
    # They are attached whatever they say, and count only where they say the same.
    other = find_proofs(folder, digests, "app", Verdict.UNREPRODUCIBLE)
    assert (other.documents, other.covered) == (found.documents, frozenset())


def test_unsigned_ones_are_named_and_not_taken(folder, digests):
    envelope = parse_envelope((folder / "app.parity.dsse.json").read_bytes())
    (folder / "app.parity.dsse.json").unlink()
    (folder / "app.parity.statement.json").write_bytes(envelope.payload)
    found = find_proofs(folder, digests, "app", Verdict.REPRODUCIBLE)
    assert found.passed_over == (f"{folder / 'app.parity.statement.json'}: it is not signed",)
    assert found.covered == frozenset()


def test_bundles_lines_and_bills_of_materials(folder, digests):
    parity = (folder / "app.parity.dsse.json").read_bytes().strip()
    envelope = parse_envelope(parity)
    for path in folder.iterdir():
        path.unlink()
    (folder / "app.sigstore.json").write_bytes(encode_bundle(envelope, envelope.signatures[0].key_id))
    (folder / "others.intoto.jsonl").write_bytes(parity + b"\n" + parity + b"\n")
    (folder / "app.sbom.cdx.json").write_text("{}")
    (folder / "other.sbom.cdx.json").write_text("{}")
    (folder / "notes.txt").write_text("")
    found = find_proofs(folder, digests, "app", Verdict.REPRODUCIBLE)
    assert {one.title: one.media_type for one in found.documents} == {
        "app.sbom.cdx.json": SBOM_TYPE,
        "app.sigstore.json": BUNDLE_MEDIA_TYPE,
        "0.others.intoto.jsonl": ENVELOPE_TYPE,
        "1.others.intoto.jsonl": ENVELOPE_TYPE,
    }
    assert json.loads(found.documents[2].data) == json.loads(parity)


def test_what_cannot_be_read_is_an_error(folder, digests, tmp_path):
    with pytest.raises(ConfigurationError, match="No such file"):
        find_proofs(tmp_path / "none", digests, "app", Verdict.REPRODUCIBLE)
    (folder / "x.dsse.json").write_text("{")
    with pytest.raises(DocumentError, match=r"x\.dsse\.json: attestation: no valid JSON"):
        find_proofs(folder, digests, "app", Verdict.REPRODUCIBLE)
