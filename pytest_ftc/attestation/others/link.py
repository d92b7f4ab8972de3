"""in-toto links: which files one step of a supply chain took and made, signed over canonical JSON.

rebuilderd attests with them that it got the same file.  See https://github.com/in-toto/docs/blob/v0.9/in-toto-spec.md
(4.4) and https://github.com/in-toto/attestation/blob/main/spec/predicates/link.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftc.attestation.envelope import MOST_SIGNATURES, Envelope, EnvelopeSignature
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, STATEMENT_TYPE, Statement, parse_statement
from pytest_ftc.attestation.strict_json import DocumentError, field, parse_object

LINK_TYPE = "https://in-toto.io/attestation/link/v0.3"
"""The predicate type of a link as a statement."""
_KIND = "link"
_WHAT = "link"
_CONTROLS = re.compile("[\0-\x1f]")


@dataclass(frozen=True, slots=True)
class SignedLink(Envelope):
    """A link in the older form, of `signed` and `signatures`; its payload is what was signed."""

    @property
    def signed_bytes(self) -> bytes:
        """What a signature covers: the canonical JSON of the link itself."""
        return self.payload


def parse_signed_link(document: dict[str, Any]) -> SignedLink:
    """Return the link in `document`, with no claim about its signatures.  Raises DocumentError."""
    signed = field(document, "signed", dict, _WHAT)
    if signed.get("_type") != _KIND:
        raise DocumentError(f"{_WHAT}: signed: _type: expected {_KIND!r}, found {signed.get('_type')!r}")
    listed = field(document, "signatures", list, _WHAT)
    if len(listed) > MOST_SIGNATURES:
        raise DocumentError(f"{_WHAT}: signatures: more than {MOST_SIGNATURES}")
    return SignedLink(PAYLOAD_TYPE, encode_canonical(signed), tuple(_parse_signature(one) for one in listed))


def encode_canonical(value: object) -> bytes:
    """Return `value` in the canonical JSON that in-toto signs.

    Raises DocumentError for fractions, which it lacks, and for control characters, which implementations of in-toto
    write differently.
    """
    _check_canonical(value)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise DocumentError(f"{_WHAT}: no text that can be signed") from None


def read_statement(envelope: Envelope) -> Statement | None:
    """Return what `envelope` states, a link as a statement about its products.

    None for a payload of another type, and for a link without products.

    Raises DocumentError.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        return None
    document = parse_object(envelope.payload, "statement")
    return _as_statement(document) if document.get("_type") == _KIND else parse_statement(envelope.payload)


def parse_plain_statement(data: bytes) -> Statement | None:
    """Return the statement that `data` is, without an envelope; None for anything else.  Raises DocumentError."""
    try:
        document = parse_object(data, "statement")
    except DocumentError:
        return None
    return parse_statement(data) if document.get("_type") == STATEMENT_TYPE else None


def _as_statement(link: dict[str, Any]) -> Statement | None:
    products = field(link, "products", dict, _WHAT)
    if not products:
        return None
    subjects = [{"name": name, "digest": digests} for name, digests in products.items()]
    predicate = {name: value for name, value in link.items() if name not in ("_type", "products")}
    statement = {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": LINK_TYPE}
    return parse_statement(json.dumps({**statement, "predicate": predicate}).encode())


def _check_canonical(value: object) -> None:
    """Raises DocumentError."""
    values = [value]
    while values:
        one = values.pop()
        if isinstance(one, float):
            raise DocumentError(f"{_WHAT}: {one}: canonical JSON has no fractions")
        if isinstance(one, str) and _CONTROLS.search(one):
            raise DocumentError(f"{_WHAT}: text with control characters, which have no agreed canonical form")
        if isinstance(one, Mapping):
            values += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            values += one


def _parse_signature(value: object) -> EnvelopeSignature:
    if not isinstance(value, dict):
        raise DocumentError(f"{_WHAT}: signatures: expected objects")
    what = f"{_WHAT}: signatures"
    text = field(value, "sig", str, what)
    if not re.fullmatch("(?:[0-9a-f]{2})*", text):
        raise DocumentError(f"{what}: sig: expected lower-case hexadecimal text")
    return EnvelopeSignature(field(value, "keyid", str, what), bytes.fromhex(text))
