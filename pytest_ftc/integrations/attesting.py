"""Attests the verdicts of a session or a report: makes the statements, signs them, or lets them wait for a signer."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pytest_ftc import __version__
from pytest_ftc.attestation.documents import ATTESTED, make_statements, prove_verdict
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.provenance import Builder
from pytest_ftc.attestation.sbom.settings import SbomSettings
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Statement
from pytest_ftc.attestation.verdict_log import Contents, VerdictLog
from pytest_ftc.config.attest import AttestSettings
from pytest_ftc.config.load import Config
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.sbom.attest import make_sbom, write_sbom
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.integrations.signing import SECONDS
from pytest_ftc.integrations.signing_queue import Progress, SigningQueue, Waiting
from pytest_ftc.model import Verification
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ConfigurationError, FtcError, StoreUnavailableError
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.secret_key import load_key
from pytest_ftc.verification.user_folders import key_file, keyring_folder, store_folder

LOCAL_BUILDER = "urn:pytest-ftc:local"
"""The builder of whoever names none."""
_MOST_REASONS = 3
"""Why attestations wait, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attesting:
    """How verdicts are attested."""

    folder: Path
    """For the envelopes."""
    signers: tuple[SignerReference, ...]
    builder: Builder
    bundle: bool = False
    sbom: SbomSettings | None = None
    """What is asked of SBOMs; None if none is asked for."""
    sources: Mapping[str, Path] = field(default_factory=dict)
    """The folders of the sources of artifacts, by id, for SBOMs."""
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


def open_attesting(config: Config, settings: AttestSettings, *, keyring: Path | None = None) -> Attesting:
    """Return how a session with `config` attests.  Raises ConfigurationError, NotInstalledError."""
    return Attesting(
        folder=settings.folder_of(config.root, config.report),
        signers=KeyFolder(keyring or keyring_folder()).signers(settings.keys),
        builder=make_builder(settings.builder or LOCAL_BUILDER, "builder"),
        bundle=settings.bundle,
        sbom=config.sbom,
        sources={one.id: one.source for one in config.artifacts},
        store=config.store,
    )


def read_log(store: Path | None) -> Contents:
    """Return the log of verdicts in `store`, or in that of this user.  Raises LogError."""
    return VerdictLog((store or store_folder()) / "log").verify()


def make_documents(verifications: Iterable[Verification], builder: Builder, log: Contents) -> list[Document]:
    """Return the documents about those of the `verifications` that can be attested.

    Raises FtcError where a build left no file.
    """
    return [
        Document(one, kind, statement)
        for one in verifications
        if one.verdict in ATTESTED
        for kind, statement in make_statements(one, builder, prove_verdict(log, one))
    ]


def open_queue(store: Path | None) -> SigningQueue:
    """Return the signing queue in `store`, or in that of this user.  Raises StoreUnavailableError."""
    return SigningQueue(Layout((store or store_folder()).absolute()), load_key(key_file(), os.environ))


def sign_documents(documents: Sequence[Document], how: Attesting, *, seconds: float = SECONDS) -> Progress:
    """Sign `documents`, and write those that all signers have signed; the others wait in the store.

    All wait there first, so that none is lost, whatever happens to this process.  Raises StoreUnavailableError if
    one would have to wait in a store that cannot be used.
    """
    return _sign(documents, how, patient=False, seconds=seconds)


def _sign(documents: Sequence[Document], how: Attesting, *, patient: bool, seconds: float = SECONDS) -> Progress:
    try:
        queue = open_queue(how.store)
        own = _enqueue(documents, how, queue)
    except StoreUnavailableError as error:
        return _sign_without_store(documents, how, error)
    return queue.sign(own, patient=patient, seconds=seconds)


def _sign_without_store(documents: Sequence[Document], how: Attesting, error: StoreUnavailableError) -> Progress:
    with tempfile.TemporaryDirectory() as folder:
        queue = SigningQueue(Layout(Path(folder, "store")), secrets.token_bytes(32))
        _enqueue(documents, how, queue)
        progress = queue.sign()
    if progress.waiting:
        raise StoreUnavailableError(f"{'; '.join(progress.reasons.values())}; and it cannot wait: {error.message}")
    return progress


def _enqueue(documents: Sequence[Document], how: Attesting, queue: SigningQueue) -> list[Waiting]:
    own = [
        Waiting(
            target=how.folder.absolute() / f"{one.stem}.dsse.json",
            envelope=Envelope(PAYLOAD_TYPE, one.statement.encode()),
            missing=how.signers,
            bundle=how.bundle,
        )
        for one in documents
    ]
    for one in own:
        queue.add(one)
    return own


def attest_session(verifications: Sequence[Verification], how: Attesting, *, patient: bool) -> Attested:
    """Attest the verdicts of a session, then sign what waited before.

    If `patient`, signers that failed a while ago are not asked.  No error is raised: `Attested` tells them.
    """
    documents: list[Document] = []
    problems: list[str] = []
    try:
        log = read_log(how.store)
        for one in verifications:
            for make in (partial(make_documents, [one], how.builder, log), partial(_make_sbom, one, how)):
                made, problem = _make_or_tell(make)
                documents += made
                problems += [problem] if problem else []
        progress = _sign(documents, how, patient=patient)
        problems += filter(None, [describe_waiting(progress)])
        before = _sign_older(how.store)
    except FtcError as error:
        return Attested(failed=max(1, len(documents)), problems=(*problems, error.message))
    unmade = len(problems) - bool(progress.waiting)
    others = [one for one in before.waiting if one not in progress.waiting]
    return Attested(
        folder=how.folder,
        signed=len(progress.signed),
        others=len(before.signed),
        failed=len(progress.waiting) + unmade,
        problems=tuple(problems),
        older="; ".join(filter(None, [describe_waiting(replace(before, waiting=others)), *before.altered])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What became of the attestations of a session."""

    folder: Path | None = None
    signed: int = 0
    """How many of this session were signed and written."""
    others: int = 0
    """How many that waited from before were signed and written."""
    failed: int = 0
    """How many of this session were not: they wait, or could not be made."""
    problems: tuple[str, ...] = ()
    """What of this session is not attested, and why: one sentence each."""
    older: str = ""
    """How many others wait, and why; empty if none does."""

    @property
    def text(self) -> str:
        """What was written, for the summary; empty if nothing was."""
        written = f"{self.signed} document{'' if self.signed == 1 else 's'} in {self.folder}" if self.signed else ""
        return " and ".join(filter(None, (written, f"{self.others} that waited" if self.others else "")))


def _sign_older(store: Path | None) -> Progress:
    """Sign what waits, maybe for another project, without asking signers that failed a while ago."""
    try:
        return open_queue(store).sign(patient=True)
    except StoreUnavailableError:
        return Progress()


def _make_or_tell(make: Callable[[], list[Document]]) -> tuple[list[Document], str]:
    try:
        return make(), ""
    except FtcError as error:
        return [], error.message


def _make_sbom(verification: Verification, how: Attesting) -> list[Document]:
    """Return the document with the SBOM, if one is asked for and the inputs were recorded, and write it.

    Raises FtcError, also for one that lacks what is required.
    """
    source = how.sources.get(verification.id)
    if how.sbom is None or verification.inputs is None or source is None or verification.verdict not in ATTESTED:
        return []
    made = make_sbom(verification, source, how.sbom)
    write_sbom(made, verification, how.folder)
    if made.problems:
        more = f" (and {len(made.problems) - 1} more)" if len(made.problems) > 1 else ""
        raise FtcError(f"{verification.name}: the SBOM is not complete: {made.problems[0]}{more}")
    return [Document(verification, "sbom", made.statement)]


def describe_waiting(progress: Progress) -> str:
    """Return how many attestations wait, and why; empty if none does."""
    if not progress.waiting:
        return ""
    count = len(progress.waiting)
    subject = "1 attestation waits" if count == 1 else f"{count} attestations wait"
    unwritten = {str(path) for path in progress.waiting} & progress.reasons.keys()
    what = "to be written" if len(unwritten) == count else "for a signer"
    reasons = [*progress.reasons.values(), *progress.altered] or ["it was changed meanwhile"]
    more = len(reasons) - _MOST_REASONS
    told = "; ".join([*reasons[:_MOST_REASONS], *([f"and {more} more"] if more > 0 else [])])
    return f"{subject} {what}: {told}; ftc attest flush"
