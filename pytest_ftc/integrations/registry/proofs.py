"""The documents in a folder that are about an artifact: signed attestations, and bills of materials."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.attestation.bundle import BUNDLE_MEDIA_TYPE, parse_envelopes
from pytest_ftc.attestation.others.link import read_statement
from pytest_ftc.attestation.parity import read_parity
from pytest_ftc.attestation.statement import Statement, parse_statement
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.attestations import SBOM_SUFFIX
from pytest_ftc.integrations.registry.documents import Document
from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.bounded_file import read_bounded

ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"
SBOM_TYPE = "application/vnd.cyclonedx+json"
MOST_BYTES = 16 << 20
"""Of one document."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a folder has about an artifact."""

    documents: tuple[Document, ...]
    covered: frozenset[str]
    """The sha256 of all files about which there is a signed attribute report."""
    passed_over: tuple[str, ...]
    """What is about the artifact and cannot be published, and why; one sentence each."""


def find_proofs(folder: Path, digests: Collection[str], slug: str, verdict: Verdict) -> Proofs:
    """Return the documents in `folder` about files with these sha256 `digests`, of the artifact with this `slug`.

    Those files are covered of which a signed attribute report says the same `verdict`.  Raises ConfigurationError for
    a folder or file that cannot be read, DocumentError for a malformed document.
    """
    documents: list[Document] = []
    covered: set[str] = set()
    passed_over: list[str] = []
    for path in _list_files(folder):
        if path.name.endswith(SBOM_SUFFIX):
            if path.name.startswith(f"{slug}."):
                documents.append(Document(title=path.name, media_type=SBOM_TYPE, data=_read(path)))
        elif path.name.endswith(".statement.json"):
            if _is_about(_parse(path), digests):
                passed_over.append(f"{path}: it is not signed")
        else:
            for document, statement in _read_signed(path, digests):
                documents.append(document)
                evidence = read_parity(statement)
                if evidence and evidence.verdict is verdict:
                    covered |= {digest for digest in digests if statement.is_about(digest)}
    return Proofs(tuple(documents), frozenset(covered), tuple(passed_over))


def _read_signed(path: Path, digests: Collection[str]) -> Iterator[tuple[Document, Statement]]:
    data = _read(path)
    try:
        envelopes = parse_envelopes(data)
        statements = [read_statement(one) if one.signatures else None for one in envelopes]
    except DocumentError as error:
        raise DocumentError(f"{path}: {error}") from None
    for number, (envelope, statement) in enumerate(zip(envelopes, statements, strict=True)):
        if statement is None or not _is_about(statement, digests):
            continue
        if path.name.endswith(".sigstore.json") and len(envelopes) == 1:
            notes = {"dev.sigstore.bundle.content": "dsse-envelope"}
            notes["dev.sigstore.bundle.predicateType"] = statement.predicate_type
            yield Document(title=path.name, media_type=BUNDLE_MEDIA_TYPE, data=data, annotations=notes), statement
        else:
            title = path.name if len(envelopes) == 1 else f"{number}.{path.name}"
            own = data if len(envelopes) == 1 else envelope.encode()
            notes = {"in-toto.io/predicate-type": statement.predicate_type}
            yield Document(title=title, media_type=ENVELOPE_TYPE, data=own, annotations=notes), statement


def _is_about(statement: Statement, digests: Collection[str]) -> bool:
    return any(statement.is_about(digest) for digest in digests)


def _parse(path: Path) -> Statement:
    try:
        return parse_statement(_read(path))
    except DocumentError as error:
        raise DocumentError(f"{path}: {error}") from None


def _list_files(folder: Path) -> Sequence[Path]:
    endings = (".dsse.json", ".intoto.jsonl", ".sigstore.json", ".statement.json", SBOM_SUFFIX)
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(endings) and path.is_file())
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error.strerror or error}") from None


def _read(path: Path) -> bytes:
    try:
        return read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise DocumentError(f"{path}: {error}") from None
