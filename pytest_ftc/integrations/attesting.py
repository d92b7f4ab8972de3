"""Attests the verdicts of a session or a report: makes the statements, signs them, or lets them wait for a signer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc import __version__
from pytest_ftc.attestation.documents import ATTESTED, make_statements, prove_verdict
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.provenance import Builder
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Statement
from pytest_ftc.attestation.verdict_log import VerdictLog
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.integrations.signing import SECONDS
from pytest_ftc.integrations.signing_queue import Progress, SigningQueue, Waiting
from pytest_ftc.model import Verification
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.secret_key import load_key
from pytest_ftc.verification.user_folders import key_file, store_folder

LOCAL_BUILDER = "urn:pytest-ftc:local"
"""The builder of whoever names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attesting:
    """How verdicts are attested."""

    folder: Path
    """For the envelopes."""
    signers: tuple[SignerReference, ...]
    builder: Builder
    bundle: bool = False
    store: Path | None = None
    """The store with the log of verdicts, where attestations wait; None for that of this user."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A statement about a verdict, and its place in the folder."""

    verification: Verification
    kind: str
    statement: Statement

    @property
    def stem(self) -> str:
        """The name of its file, without the suffixes for its form."""
        return f"{slug(self.verification.name)}.{self.kind}"


def make_builder(uri: str, where: str) -> Builder:
    """Return the builder `uri`; errors say `where` it was given.  Raises ConfigurationError."""
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+", uri):
        raise ConfigurationError(f"{where}: expected a URI such as https://ci.example/builder, found {uri!r}")
    return Builder(id=uri, version=__version__)


def make_documents(verifications: Iterable[Verification], builder: Builder, store: Path | None) -> list[Document]:
    """Return the documents about those of the `verifications` that can be attested.

    Raises FtcError, as when the log of verdicts is damaged or a build left no file.
    """
    log = VerdictLog((store or store_folder()) / "log").verify()
    return [
        Document(one, kind, statement)
        for one in verifications
        if one.verdict in ATTESTED
        for kind, statement in make_statements(one, builder, prove_verdict(log, one))
    ]


def open_queue(store: Path | None) -> SigningQueue:
    """Return the signing queue in `store`, or in that of this user.  Raises StoreUnavailableError."""
    return SigningQueue(Layout((store or store_folder()).absolute()), load_key(key_file(), os.environ))


def sign_documents(
    documents: Sequence[Document], how: Attesting, *, patient: bool = False, seconds: float = SECONDS
) -> Progress:
    """Sign `documents`, and write those that all signers have signed; the others wait in the store.

    All wait there first, so that none is lost, whatever happens to this process.  Raises StoreUnavailableError.
    """
    queue = open_queue(how.store)
    targets = []
    for one in documents:
        target = how.folder.absolute() / f"{one.stem}.dsse.json"
        envelope = Envelope(PAYLOAD_TYPE, one.statement.encode())
        queue.add(Waiting(target=target, envelope=envelope, missing=how.signers, bundle=how.bundle))
        targets.append(target)
    return queue.sign(set(targets), patient=patient, seconds=seconds)


def describe_waiting(progress: Progress) -> str:
    """Return how many attestations wait, and why; empty if none does."""
    if not progress.waiting:
        return ""
    count = len(progress.waiting)
    subject = "1 attestation waits" if count == 1 else f"{count} attestations wait"
    reasons = "; ".join(progress.reasons.values()) or "it was changed meanwhile"
    return f"{subject} for a signer: {reasons}; ftc attest flush"
