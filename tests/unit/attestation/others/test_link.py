"""in-toto links in both forms."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_toto.models.link import Link
from in_toto.models.metadata import Envelope as LibraryEnvelope
from in_toto.models.metadata import Metablock
from securesystemslib.formats import encode_canonical as canonical_of_library
from securesystemslib.signer import CryptoSigner

from pytest_ftc.attestation.bundle import parse_envelopes
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.others.link import LINK_TYPE, encode_canonical, read_statement
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Subject
from pytest_ftc.attestation.strict_json import DocumentError

PRODUCTS = {"app_1-1_amd64.deb": {"sha256": "a" * 64, "sha512": "b" * 128}}
LINK = Link(name="rebuild app_1-1_amd64.deb", products=PRODUCTS)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
values = st.recursive(
    texts | st.booleans() | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def write(**changes) -> bytes:
    signed = {"_type": "link", "name": "rebuild", "products": PRODUCTS, "materials": {}, "command": [], **changes}
    return json.dumps({"signed": signed, "signatures": []}).encode()


def test_what_is_signed_is_what_the_library_of_in_toto_signs():
    signer = CryptoSigner.generate_ed25519()
    block = Metablock(signed=LINK)
    block.create_signature(signer)
    (ours,) = parse_envelopes(json.dumps(block.to_dict()).encode())
    assert ours.signed_bytes == LINK.signable_bytes
    assert [one.signature.hex() for one in ours.signatures] == [one["signature"] if "signature" in one else one["sig"] for one in block.signatures]  # fmt: skip


@given(st.dictionaries(texts, values, max_size=3))
def test_canonical_json_is_that_of_the_library(document):
    assert encode_canonical(document).decode() == canonical_of_library(document)


@pytest.mark.parametrize("value", [1.5, "a\nb", {"a\0": 1}, ["\x1f"], "\ud800"])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(DocumentError):
        encode_canonical({"x": value})


def test_a_link_is_a_statement_about_its_products():
    (link,) = parse_envelopes(write(name="rebuild x"))
    statement = read_statement(link)
    assert statement.subjects == (Subject("app_1-1_amd64.deb", PRODUCTS["app_1-1_amd64.deb"]),)
    assert statement.predicate_type == LINK_TYPE
    assert statement.predicate["name"] == "rebuild x"


def test_a_link_in_an_envelope_is_read_too():
    envelope = LibraryEnvelope.from_signable(LINK)
    statement = read_statement(Envelope(PAYLOAD_TYPE, envelope.payload))
    assert (statement.predicate_type, statement.subjects[0].digest["sha256"]) == (LINK_TYPE, "a" * 64)


def test_a_link_without_products_is_about_nothing():
    (link,) = parse_envelopes(write(products={}))
    assert read_statement(link) is None


def test_a_payload_of_another_type_is_no_statement():
    assert read_statement(Envelope("text/plain", b"{}")) is None


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"signed": []}, "signed: expected an object, found list"),
        ({"signed": {"_type": "layout"}, "signatures": []}, "expected 'link', found 'layout'"),
        ({"signed": {"_type": "https://in-toto.io/Statement/v1"}, "signatures": []}, "expected 'link'"),
        ({"signed": {"_type": "link"}}, "signatures: expected a list"),
        ({"signed": {"_type": "link"}, "signatures": [1]}, "expected objects"),
        ({"signed": {"_type": "link"}, "signatures": [{"keyid": "a", "sig": "XY"}]}, "hexadecimal"),
        ({"signed": {"_type": "link"}, "signatures": [{"keyid": "a", "sig": "abc"}]}, "hexadecimal"),
        ({"signed": {"_type": "link"}, "signatures": [{"keyid": "", "sig": ""}] * 65}, "more than 64"),
        ({"signed": {"_type": "link", "x": 0.5}, "signatures": []}, "no fractions"),
    ],
)
def test_what_is_no_link_is_refused(document, said):
    with pytest.raises(DocumentError, match=said):
        parse_envelopes(json.dumps(document).encode())


@pytest.mark.parametrize("products", [[], {"a": 1}, {"a": {"sha256": "XYZ"}}, {"a": {}}])
def test_what_has_no_digests_is_refused(products):
    (link,) = parse_envelopes(write(products=products))
    with pytest.raises(DocumentError):
        read_statement(link)
